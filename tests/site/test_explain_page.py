"""The explanations page: heat maps by several methods, verdicts on the methods, and a page for each image."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
from browsing import Opener, busiest, link_has, link_lacks
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from site_copy import addressed, copied
from site_planting import LAYERS, Planted

from pipeline.core.site_data import data_script, read_data_script
from tests.axe import faults
from tests.text_size import too_small

Color = tuple[int, int, int]

SIDE = 24  # of a picture in the strips
PHOTOGRAPH: Color = (40, 120, 60)
COLUMNS = (  # method, layer, what the page calls it, color of its pictures
    ("saliency", "", "Saliency", (200, 40, 40)),
    ("integrated_gradients", "", "Integrated gradients", (40, 200, 40)),
    ("grad_cam", LAYERS[1], "Grad-CAM", (40, 40, 200)),
)
NAMES = ("fireboat", "<b>streetcar</b>", "lighthouse")
WORSE, SAME, BETTER = (0.1, 0.05, 0.15), (0.01, -0.02, 0.04), (-0.1, -0.15, -0.05)  # of an area of deletion
STEPS = ("classifier.1", "features.9", "features.3")


def interval(value: float, low: float, high: float) -> dict[str, float]:
    """A value with its interval."""
    return {"value": value, "low": low, "high": high}


def negative(numbers: tuple[float, float, float]) -> tuple[float, float, float]:
    """The interval of the opposite."""
    value, low, high = numbers
    return -value, -high, -low


def verdict(number: int, of_classes: bool) -> dict[str, Any]:
    """Of a column: the first is better than both controls, the second no better, the third worse."""
    against = (BETTER, SAME, WORSE)[number]
    grid = ((0.5, 0.4, 0.6), (0.26, 0.2, 0.3), (0.1, 0.05, 0.15))[number]
    similarity = [interval(0.9 - 0.1 * step - 0.2 * number, 0.0, 0.95) for step in range(len(STEPS))]
    unknown = [None] * len(STEPS)
    return {
        "deletion": interval(0.1 + number / 10, 0.05, 0.6),
        "insertion": interval(0.5 + number / 10, 0.4, 0.8),
        **{f"deletion_{control}": interval(*against) for control in ("random", "center")},
        **{f"insertion_{control}": interval(*negative(against)) for control in ("random", "center")},
        "grid_pointing": interval(*grid) if of_classes else None,
        "pointing": interval(0.75, 0.5, 1.0) if of_classes else None,
        "mask_iou": interval(0.25, 0.125, 0.5) if of_classes else None,
        "randomization": similarity if number < 2 else unknown,
        "completeness": 0.03 if number == 1 else None,
    }


def curves(end: float) -> dict[str, list[float]]:
    """Straight lines."""
    return {"deletion": [0.9, (0.9 + end) / 2, end], "insertion": [end, (0.9 + end) / 2, 0.9]}


def column(number: int, of_classes: bool) -> dict[str, Any]:
    """What the stage writes of a method."""
    method, layer, _, _ = COLUMNS[number]
    return {
        "method": method,
        "layer": layer,
        "signed": method == "integrated_gradients",
        "scale": (0.013, 1.25, 12345.0)[number],
        "grid": [7, 7] if layer else [64, 64],
        "constant": int(number == 2),
        "verdict": verdict(number, of_classes),
        "curves": curves(0.1),
    }


def row(number: int, of_classes: bool) -> dict[str, Any]:
    """An explained image; the last method's heat map of the last one is the same everywhere."""
    constant = [number == 2 and column == 2 for column in range(len(COLUMNS))]
    return {
        "image": 10 + number,
        "key": f"photo<b>{number}.png",
        "label": None if number == 1 else "fireboat",
        "unit": number,
        "name": NAMES[number] if of_classes else None,
        "score": 21.2,
        "share": 0.97 if of_classes else None,
        "strip": number,
        "cells": [
            {"constant": one, "deletion": None if one else 0.125, "insertion": None if one else 0.5} for one in constant
        ],
    }


def control(end: float, of_classes: bool) -> dict[str, Any]:
    """What the stage writes of a control."""
    measured = interval(0.3, 0.2, 0.4) if of_classes else None
    values = {"deletion": interval(0.3, 0.2, 0.4), "insertion": interval(0.4, 0.3, 0.5)}
    return values | {"pointing": measured, "mask_iou": measured, "curves": curves(end)}


def content(layer: str) -> dict[str, Any]:
    """What the stage writes of a layer; only classes have neighbors, fooling images and mosaics."""
    of_classes = layer == "logits"
    moved = [{"layer": LAYERS[1], "level": 10, "share": 0.5}]
    fooled = {"target": 5, "target_name": "goldfish<b>", "noise_probability": 0.99}
    path = {"own": np.linspace(0.97, 0.1, 16).tolist(), "target": np.linspace(0.0, 0.8, 16).tolist()}
    change = {"linf": 2.0, "l2": 0.4, "factor": 31.0, "own": 0.97, "probability": 0.6, "png": True, "jpeg": False}
    nothing = {"linf": None, "l2": None, "factor": 1.0, "own": None, "probability": None, "png": False, "jpeg": False}
    return {
        "layer": layer,
        "of_classes": of_classes,
        "side": 64,
        "thumbnail": SIDE,
        "images": 72,
        "photographs": of_classes,
        "settings": {
            "fill": "blur",
            "baseline": "mean",
            "integration_steps": 32,
            "occlusion_size": 0.2,
            "occlusion_stride": 0.1,
            "mosaics": 24,
            "randomized_images": 8,
            "curve_steps": 2,
        },
        "head": None,
        "columns": [column(number, of_classes) for number in range(len(COLUMNS))],
        "controls": {"random": control(0.5, of_classes), "center": control(0.3, of_classes)},
        "randomization": {"steps": list(STEPS), "images": 8},
        "mosaics": {"count": 24, "full_size": True} if of_classes else {"reason": "units have no classes"},
        "rows": [row(number, of_classes) for number in range(3)],
        "atlas": in_atlas() if of_classes else [],
        "regions": searched() if of_classes else None,
        "neighbors": {
            "count": 2,
            "images": {"10": {"pixels": [3, 4], "features": [5, 3]}},
            "names": {"3": ["near<b>3.png", "fireboat"], "4": ["near4.png", None], "5": ["near5.png", "goldfish"]},
            "agreement": {"pixels": interval(0.25, 0.0, 0.5), "features": interval(0.75, 0.5, 1.0)},
        }
        if of_classes
        else None,
        "fooling": [
            {**fooled, "row": 0, "predicted_name": NAMES[0], **change, "path": path, "moved": moved},
            {**fooled, "row": 1, "predicted_name": NAMES[1], **nothing, "path": {"own": [], "target": []}},
        ]
        if of_classes
        else None,
    }


def in_atlas() -> list[dict[str, Any]]:
    """Where the two positions of one image fall in the atlas of a layer."""
    grid = {"size": [1, 2], "cells": [[3, 4], [5, 6]], "similarity": [0.5, 0.75]}
    return [{"layer": LAYERS[1], "level": 10, "images": {"10": grid}}]


def searched() -> dict[str, Any]:
    """A box in an image, the cell that it is like, and an image that is like it."""
    match = {"image": 4, "key": "like<b>.png", "label": None, "similarity": 0.5, "center": [0.5, 0.25]}
    cell = {"level": 10, "cell": [3, 4], "similarity": 0.75}
    box = {"image": 3, "key": "box<b>.png", "label": "fireboat", "box": [0.0, 0.25, 0.5, 0.75], "cell": cell}
    return {"layer": LAYERS[1], "patch": 0.5, "boxes": [box | {"matches": [match]}]}


def write_strip(path: Path, colors: list[Color]) -> None:
    """Squares of these colors side by side."""
    squares = [np.full((SIDE, SIDE, 3), color, np.uint8) for color in colors]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(squares, axis=1)).save(path, lossless=True)


@pytest.fixture(scope="module")
def site(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted site with explanations of classes, and of units of one of its layers, without photographs."""
    layers = ["logits", LAYERS[1]]
    manifest = read_data_script(planted.site / "data/manifest.js") | {"explain": layers}
    parts = {"data/manifest": manifest, "explain/logits/images": {f"{image}": 2 for image in range(72)}}
    parts |= {f"explain/{layer}/explain": content(layer) for layer in layers}
    folder = copied(planted.site, tmp_path_factory.mktemp("explain") / "site", parts)
    heatmaps = [color for _, _, _, color in COLUMNS]
    for number in range(3):
        write_strip(folder / f"explain/logits/rows/{number}.webp", [PHOTOGRAPH, *heatmaps])
        write_strip(folder / f"explain/{LAYERS[1]}/rows/{number}.webp", heatmaps)
        write_strip(folder / f"explain/logits/thumbnails/{3 + number}.webp", [(90, 90, 40 * number)])
    write_strip(folder / f"explain/logits/atlas/{LAYERS[1]}/10.webp", [(200, 200, 40), (40, 200, 200)])
    write_strip(folder / f"explain/logits/fooling/{LAYERS[1]}/0.webp", [(200, 200, 40), (200, 40, 200)])
    for number in range(2):
        path = folder / f"explain/logits/fooling/{number}.webp"
        write_strip(path, [PHOTOGRAPH, (50, 120, 60), (128, 128, 128), (9, 9, 9)])
    return folder


@pytest.fixture(scope="module", params=["http", pytest.param("file", marks=pytest.mark.long)])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """Where that site is."""
    with addressed(site, request.param) as found:
        yield found


@pytest.fixture
def explain(opened: Opener, address: str) -> Opener:
    """Opens the explanations page."""
    return lambda link="", **context: opened(urljoin(address, f"explain.html{link}"), **context)


def color_of(page: Page, selector: str) -> Color:
    """The color at the center of an element on the screen."""
    element = page.locator(selector).first
    element.scroll_into_view_if_needed()
    element.locator("img").evaluate("image => image.decode()")
    shot = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"))
    red, green, blue = shot[shot.shape[0] // 2, shot.shape[1] // 2].tolist()
    return red, green, blue


def foot(page: Page, name: str, nth: int = 0) -> list[str]:
    """The texts of a row of verdicts, by the beginning of its name."""
    row = page.locator("tfoot tr", has=page.locator("th", has_text=name)).nth(nth)
    return row.locator("td").all_inner_texts()


def without_bounds(content: Any) -> Any:
    """The same with values that have no interval, as those of a single image."""
    if isinstance(content, list):
        return [without_bounds(one) for one in content]
    if not isinstance(content, dict):
        return content
    if content.keys() == {"value", "low", "high"}:
        return content | {"low": None, "high": None}
    return {key: without_bounds(one) for key, one in content.items()}


@pytest.mark.browser
def test_values_of_a_single_image_have_no_interval(explain: Opener) -> None:
    """The values are there and said to have no interval; no method is called better or worse; nothing fails."""
    page = explain()
    script = data_script("explain/logits", without_bounds(content("logits")))
    page.route("**/explain/logits/explain.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Explanations of classes")
    shown = foot(page, "Deletion")
    assert any("no interval" in text for text in shown)
    assert not [text for text in shown if " to " in text]
    expect(page.locator("[data-word]")).to_have_count(0)
    expect(page.locator("figure svg").first).to_be_attached()


@pytest.mark.browser
def test_the_overview_has_every_image_and_every_method(explain: Opener) -> None:
    """Each cell shows its piece of the row's strip; heads have name, layer and color scale; rows class and share."""
    page = explain()
    expect(page.get_by_role("heading", level=1)).to_have_text("Explanations of classes")
    expect(page.locator(".lead")).to_contain_text("3 images, and heat maps by 3 methods")
    expect(page.locator(".heatmaps thead .method")).to_have_text([name for _, _, name, _ in COLUMNS])
    expect(page.locator(".heatmaps thead .secondary")).to_have_text(["64 × 64", "64 × 64", LAYERS[1], "7 × 7"])
    ends = page.locator(".heatmaps thead .ends").all_inner_texts()
    assert [text.split()[-1] for text in ends] == ["0.013", "1.3", "12345"]
    assert ["−1.3" in text for text in ends] == [False, True, False]
    expect(page.locator(".heatmaps tbody .name")).to_have_text(list(NAMES))
    expect(page.locator(".heatmaps tbody tr").first.locator("th")).to_contain_text("probability 97 %")
    for number in range(3):
        assert color_of(page, f".heatmaps tbody tr:nth-child({number + 1}) th .part") == PHOTOGRAPH
        row = f".heatmaps tbody tr:nth-child({number + 1})"
        for place, (_, _, _, color) in enumerate(COLUMNS[: 2 if number == 2 else 3]):
            assert color_of(page, f"{row} td:nth-of-type({place + 1}) .part") == color
    assert faults(page) == []
    assert too_small(page) == []


@pytest.mark.browser
def test_the_verdicts_follow_the_intervals(explain: Opener) -> None:
    """A difference whose interval contains 0 is no better; of deletion lower is better, of insertion higher."""
    page = explain()
    words = ["better", "no better", "worse"]
    for nth in (0, 1):  # of deletion and of insertion
        assert foot(page, "against a random order", nth) == words
        assert foot(page, "against a center blob", nth) == words
    assert foot(page, "against chance") == words
    assert [text.split()[0] for text in foot(page, "Deletion")] == ["0.10", "0.20", "0.30"]
    assert [text.split()[0] for text in foot(page, "Grid pointing")] == ["50", "26", "10"]
    assert [text.split()[0] for text in foot(page, "Similarity with random weights")] == ["0.90", "0.70", "–"]
    assert [text.split()[0] for text in foot(page, "of all layers")] == ["0.70", "0.50", "–"]


@pytest.mark.browser
def test_a_constant_heat_map_is_said_to_be_so(explain: Opener) -> None:
    """It has words in place of a picture, in the overview and on the image's page, and the foot counts it."""
    page = explain()
    expect(page.locator(".heatmaps .missing")).to_have_text(["the same everywhere"])
    cell = page.locator(".heatmaps tbody tr").nth(2).locator("td").nth(2)
    expect(cell).to_have_text("the same everywhere")
    assert foot(page, "The same everywhere") == ["none", "none", "1 of 3 heat maps"]
    page.get_by_role("link", name="lighthouse").click()
    expect(page.locator(".all-heatmaps .missing")).to_have_text(["the same everywhere"])
    expect(page.locator(".all-heatmaps figcaption").last).to_contain_text("deletion –insertion –")


@pytest.mark.browser
def test_an_image_has_a_page_of_its_own(explain: Opener) -> None:
    """A link leads to it: large pictures, figures of each heat map, nearest images, and the smallest change."""
    page = explain("#layer=logits&row=0")
    expect(page.get_by_role("heading", level=1)).to_have_text("fireboat in photo<b>0.png")
    assert page.title().startswith("fireboat in photo<b>0.png")
    expect(page.locator("section h2")).to_have_text(
        ["Heat maps", "The image in the atlas", "Nearest images", "Smallest change to goldfish<b>"]
    )
    assert color_of(page, ".overview .part") == PHOTOGRAPH
    for number, (_, _, name, color) in enumerate(COLUMNS):
        figure = page.locator(".all-heatmaps figure").nth(number)
        expect(figure).to_contain_text(name)
        expect(figure).to_contain_text("deletion 0.13insertion 0.50")
        assert color_of(page, f".all-heatmaps figure:nth-child({number + 1}) .part") == color
    expect(page.locator(".neighbors h3")).to_have_text(["By pixels", "By the last layer"])
    expect(page.locator(".features figcaption")).to_have_text(["goldfish", "fireboat"])
    expect(page.locator(".neighbors .summary")).to_contain_text("25 % (95 % interval 0 % to 50 %)")
    assert color_of(page, ".features .picture") == (90, 90, 80)
    expect(page.locator(".fooling figcaption").nth(2)).to_have_text("The change, × 31; gray is none")
    assert color_of(page, ".fooling .part >> nth=2") == (128, 128, 128)
    expect(page.locator(".fooling .figures")).to_contain_text("2 of 255 levels")
    expect(page.locator(".fooling .figures")).to_contain_text("no longer goldfish<b>")
    expect(page.get_by_role("img", name="Probabilities along the change")).to_be_visible()
    expect(page.locator(".moved figcaption").last).to_contain_text("50 % of the positions resemble another cell")
    assert page.locator("main b").count() == 0
    assert faults(page) == []
    assert too_small(page) == []


@pytest.mark.browser
def test_one_walks_between_images_and_back(explain: Opener) -> None:
    """Next and Previous walk; Back returns to the table with the focus on the image that one comes from."""
    page = explain()
    page.get_by_role("link", name="<b>streetcar</b>").click()
    link_has(page, "row=1")
    expect(page.locator(".fooling")).to_contain_text("The search found no change")
    expect(page.locator(".fooling figcaption")).to_have_text(
        ["The image: <b>streetcar</b>", "Optimized from noise: goldfish<b> 99 %"]
    )
    expect(page.locator(".neighbors")).to_have_count(0)
    page.get_by_role("link", name="Next image").click()
    link_has(page, "row=2")
    expect(page.get_by_role("link", name="Next image")).to_have_count(0)
    page.get_by_role("link", name="Previous image").click()
    link_has(page, "row=1")
    page.get_by_role("link", name="All images").click()
    link_lacks(page, "row=")
    expect(page.get_by_role("link", name="<b>streetcar</b>")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("<b>streetcar</b> in photo<b>1.png")


@pytest.mark.browser
def test_it_works_by_keyboard(explain: Opener) -> None:
    """The arrow keys scroll the table; its links open an image's page, whose heading then has the focus."""
    page = explain(width=390)
    region = page.get_by_role("region", name="Heat maps")
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.table.whole').scrollLeft > 0")
    page.keyboard.press("Tab")
    expect(page.locator(".heatmaps tbody a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("fireboat in photo<b>0.png")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="All images")).to_be_focused()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "part"), [(700, "thead th"), (390, "tbody th")])
def test_the_head_and_the_first_column_stay_in_view(explain: Opener, width: int, part: str) -> None:
    """However far the table is scrolled, its head is at its top, and on a phone too the images are at its left."""
    page = explain(width=width, height=700)
    region = page.get_by_role("region", name="Heat maps")
    region.evaluate("element => element.scrollTo(50, 50)")
    assert region.evaluate("element => element.scrollTop + element.scrollLeft") >= 50
    box, found = region.bounding_box(), page.locator(f".heatmaps {part}").last.bounding_box()
    assert box is not None
    assert found is not None
    place, edge = (found["y"], box["y"]) if part == "thead th" else (found["x"], box["x"])
    assert place == pytest.approx(edge, abs=1)


@pytest.mark.browser
def test_the_tests_are_shown_and_explained(explain: Opener) -> None:
    """Each method has its curves beside both controls; figures have intervals; measures and methods are explained."""
    page = explain()
    section = page.locator(".tests-of-methods")
    expect(section.locator("h3")).to_have_text(["Deletion", "Insertion", "Random weights", "Pointing"])
    expect(section.locator(".charts").nth(0).locator("figure")).to_have_count(3)
    chart = page.get_by_role("img", name="Grad-CAM, features.7, deletion")
    expect(chart.locator("polyline")).to_have_count(3)
    assert "random order 90 %, 70 %, 50 %" in (chart.get_attribute("aria-label") or "")
    randomized = page.get_by_role("img", name="Saliency, similarity")
    assert "1.00, 0.90, 0.80, 0.70" in (randomized.get_attribute("aria-label") or "")
    expect(section).to_contain_text("cannot be about what the network has learned")
    expect(section.locator("figure .empty")).to_have_count(1)  # no similarity of the last method
    table = page.get_by_role("table", name="Pointing, with 95 % intervals")
    first = table.locator("tbody tr").first
    expect(first).to_have_text("Saliency50 %40 % to 60 %better75 %50 % to 100 %0.250.13 to 0.50")
    expect(table.locator("tbody tr").last).to_contain_text("Center blob–30 %")
    for summary in section.locator("summary").all():
        summary.click()
    areas = page.get_by_role("table", name="Areas under the curves")
    expect(areas.locator("tbody tr").nth(1)).to_contain_text("+0.01−0.02 to +0.04no better")
    expect(areas.locator("tbody tr").nth(1).locator("td").last).to_have_text("0.03")
    agreement = page.locator(".agreement")
    expect(agreement).to_contain_text("75 % (95 % interval 50 % to 100 %) of the nearest by the last layer")
    expect(page.locator(".methods dt")).to_have_text([name for _, _, name, _ in COLUMNS])
    expect(page.locator(".methods .source")).to_have_text(
        ["Simonyan et al. 2014", "Sundararajan et al. 2017", "Selvaraju et al. 2017"]
    )
    assert faults(page) == []
    assert too_small(page) == []


@pytest.mark.browser
def test_positions_of_an_image_lead_to_their_cells(explain: Opener) -> None:
    """A position pointed at, by pointer or arrow keys, has its cell and similarity named; Enter opens the cell."""
    page = explain("#layer=logits&row=0")
    picture, status = page.get_by_role("application"), page.locator(".in-atlas .status")
    picture.hover(position={"x": 10, "y": 10})
    expect(status).to_have_text("Cell in row 4, column 5 of 10; similarity 0.50")
    page.mouse.move(0, 0)
    picture.focus()
    page.keyboard.press("ArrowRight")
    expect(status).to_have_text("Cell in row 6, column 7 of 10; similarity 0.75")
    page.keyboard.press("Enter")
    link_has(page, f"index.html#layer={LAYERS[1]}&level=10&pin=10.5.6")


@pytest.mark.browser
def test_a_search_by_region_is_shown(explain: Opener) -> None:
    """The box is marked in its image, the matching image has its name as text, and the cell is a link."""
    page = explain()
    region = page.locator(".region")
    expect(region.locator("figcaption").first).to_contain_text("fireboat")
    link = region.get_by_role("link", name="Nearest cell of the atlas (similarity 0.75)")
    expect(link).to_have_attribute("href", f"index.html#layer={LAYERS[1]}&level=10&pin=10.3.4")
    expect(region.locator("figcaption").last).to_have_text("like<b>.png, 0.50")
    mark, picture = region.locator(".mark").first.bounding_box(), region.locator(".picture").first.bounding_box()
    assert mark is not None
    assert picture is not None
    assert (mark["y"] - picture["y"]) / picture["height"] == pytest.approx(0.25, abs=0.02)
    assert mark["width"] / picture["width"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.browser
def test_units_are_explained_without_photographs(explain: Opener) -> None:
    """The other layer is a choice above the table; its units have activations, and rows the names of their files."""
    page = explain()
    page.get_by_role("radio", name=LAYERS[1]).check()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Explanations of units of {LAYERS[1]}")
    expect(page.locator(".heatmaps tbody th").first).to_have_text("Unit 0activation 21.2photo<b>0.png")
    assert color_of(page, ".heatmaps tbody td .part") == COLUMNS[0][3]
    expect(page.locator(".tests-of-methods")).to_contain_text("Grid pointing was not measured: units have no classes")
    assert foot(page, "Deletion")
    expect(page.locator("tfoot th", has_text="Grid pointing")).to_have_count(0)
    page.get_by_role("link", name="Unit 1").click()
    expect(page.locator(".figures")).to_contain_text(f"Unit 1 of {LAYERS[1]}")
    expect(page.locator(".fooling, .neighbors, .overview")).to_have_count(0)


@pytest.mark.browser
def test_a_row_that_is_not_there_is_named(explain: Opener) -> None:
    """A link to a row that the run does not have says so, and leads to the table."""
    page = explain("#layer=logits&row=9")
    expect(page.get_by_role("alert")).to_contain_text("rows 0 to 2")
    page.get_by_role("link", name="All images").click()
    expect(page.locator(".heatmaps")).to_be_visible()


@pytest.mark.browser
def test_the_contents_lead_here(chromium: Browser, site: Path) -> None:
    """The contents have a section with a link for each layer."""
    page = chromium.new_page()  # the contents ask for results of other stages, which are missing here
    page.goto((site / "contents.html").as_uri())
    page.wait_for_selector("html[data-ready=contents]", state="attached")
    links = page.locator("#explanations li a")
    expect(links).to_have_text(["Classes", f"Units of {LAYERS[1]}"])
    links.last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Explanations of units of {LAYERS[1]}")
    page.close()


@pytest.mark.browser
def test_an_exemplar_of_the_atlas_leads_here(opened: Opener, address: str, planted: Planted) -> None:
    """The image of a patch that is chosen in the atlas has a link to its explanation."""
    level = planted.levels[LAYERS[1], 20]
    row, column = level.cell[busiest(level)].tolist()
    page = opened(urljoin(address, f"index.html#layer={LAYERS[1]}&level=20&pin=20.{row}.{column}"))
    page.locator(".patches button").first.click()
    expect(page.get_by_role("link", name="Explain its class")).to_have_attribute(
        "href", "explain.html#layer=logits&row=2"
    )


@pytest.mark.browser
def test_links_lead_to_the_class_in_the_atlas(explain: Opener) -> None:
    """A class leads to its attributions in the atlas; a unit of a layer does not."""
    link = explain("#layer=logits&row=2").get_by_role("link", name="Show the class in the atlas")
    assert "&class=2" in (link.get_attribute("href") or "")
    page = explain(f"#layer={LAYERS[1]}&row=2")
    expect(page.get_by_role("link", name="Show the class in the atlas")).to_have_count(0)


@pytest.mark.browser
def test_a_run_without_explanations_says_how_to_get_them(chromium: Browser, planted: Planted) -> None:
    """The page names the setting that asks for some, and the contents have no section about them."""
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((planted.site / "explain.html").as_uri())
    page.wait_for_selector("html[data-ready=explain]", state="attached")
    expect(page.locator(".lead")).to_contain_text("atlas run explain.images=8")
    page.goto((planted.site / "contents.html").as_uri())
    page.wait_for_selector("html[data-ready=contents]", state="attached")
    expect(page.locator("#explanations")).to_have_count(0)
    page.close()
    assert errors == []


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (640, 430)])
def test_it_fits_a_phone(explain: Opener, width: int, height: int) -> None:
    """Nothing but the tables is wider than the screen, on a phone and where a larger window is zoomed to 200 %."""
    for link in ("", "#layer=logits&row=0", f"#layer={LAYERS[1]}"):
        page = explain(link, width=width, height=height)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert too_small(page) == []


@pytest.mark.browser
@pytest.mark.parametrize("link", ["", "#layer=logits&row=0"])
def test_no_serious_violations_in_dark(explain: Opener, link: str) -> None:
    """axe-core finds no serious or critical violation in dark colors on a phone."""
    assert faults(explain(link, width=390, color_scheme="dark")) == []
