"""The units page: what the stage found of single channels, in a contact sheet, a table and a page for each unit."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
from browsing import Opener, link_has
from PIL import Image
from playwright.sync_api import Page, expect
from site_copy import addressed, copied
from site_planting import LAYERS, Planted

from pipeline.core.site_data import pack_array, read_data_script
from pipeline.units.sheets import Cell, Row, Sheet, sheet_content
from tests.axe import faults
from tests.text_size import too_small

CHANNELS = (2, 5, 11)
COLORS = {"high": (200, 40, 40), "facet": (40, 200, 40), "diverse": (40, 40, 200), "low": (200, 200, 40)}
ROLES = ("high", "facet", "facet", "diverse", "low")


def unit(channel: int) -> dict[str, Any]:
    """What the stage could find of a unit; every number follows from the channel. The last unit is never active."""
    silent = channel == CHANNELS[-1]
    examples = [
        {"image": n, "key": f"photo<b>{n}.png", "label": f"kind {n}", "position": [n, n], "activation": 9.0 - n}
        for n in range(3)
    ]
    return {
        "channel": channel,
        "name": None,
        "high": 0.0 if silent else 10.0 + channel,
        "low": 0.0 if silent else -3.0,
        "active": {"images": 0.0 if silent else channel / 20, "positions": 0.0 if silent else channel / 100},
        "histogram": {"start": 0.0, "width": 0.5, "counts": pack_array(np.array([90, 9, 1]))},
        "examples": dict.fromkeys(("highest", "middle", "lowest"), examples),
        "clarity": None if silent else 1 - channel / 10,
        "clusters": [] if silent else [14, 10],
        "silhouette": None if silent else 0.4,
        "nearest": {"channel": -1 if silent else 3, "correlation": None if silent else 0.75},
        "maps": 0 if silent else 3,
        "threshold": None if silent else 4.5,
        "concept": None if silent else {"name": "fin<b>", "iou": channel / 10},
        "pictures": [] if silent else [{"role": role, "activation": 2.0 * (10 + channel)} for role in ROLES],
    }


BLANK = np.zeros((24, 24, 3), np.uint8)
STARTS = [(250, 20, 20), (20, 250, 20), (20, 20, 250)]


def sheet(name: str, channels: list[list[int]], missing: bool = False) -> dict[str, Any]:
    """A comparison sheet of three columns; the last picture of the last row may be missing."""
    pairs = len(channels[0]) > 1
    cell = Cell(BLANK, (1.25, 0.5)) if pairs else Cell(BLANK, (1.25,), 0.75, 1.0)
    rows = [Row(tuple(one), "aligned" if pairs else "", [cell] * 3, (0.125, 0.5)) for one in channels]
    if missing:
        rows[-1] = replace(rows[-1], cells=[cell, cell, None])
    return content(name, rows)


def content(name: str, rows: list[Row]) -> dict[str, Any]:
    """What the stage writes of a sheet of three columns."""
    columns = [(f"Way {n}", f"Done <i>{n}</i>.", f"Author {n}") for n in range(3)]
    return sheet_content(Sheet(name, columns, rows))  # type: ignore[arg-type]  # a name of the settings


FURTHER = {  # rows of the sheets that are no ways to optimize the same picture, and what their cells say
    "training": (
        [Row((2,), "", [Cell(BLANK, (0.5,), shared=0.75), Cell(BLANK, (1.0,), shared=1.0), None])],
        "0.5 ×75 % of the same images",
    ),
    "layers": (
        [Row((2,), "", [Cell(BLANK, fidelity=0.5), Cell(BLANK, fidelity=0.9), Cell(BLANK, (2.0,))])],
        "fidelity 0.50",
    ),
    "directions": (
        [
            Row((2, 9), "sum <b>of</b> two", [Cell(BLANK, fidelity=0.25), None, None]),
            Row((), "all channels", [Cell(BLANK), None, None]),
        ],
        "fidelity 0.25",
    ),
    "rotation": ([Row((5,), "", [Cell(BLANK, (1.0,), concept=("wheel", 0.125)), None, None])], "1.0 ×wheel, IoU 0.13"),
    "change": ([Row((5,), "", [Cell(BLANK, (0.1,)), Cell(BLANK, (0.9,), change=0.0625), Cell(BLANK)])], "0.1 ×"),
    "gradients": ([Row((5,), "", [Cell(BLANK, fine=0.5), Cell(BLANK, fine=0.25), Cell(BLANK)])], "50 % fine"),
}


def strip(colors: list[tuple[int, int, int]], rows: int = 1) -> Image.Image:
    """Squares of these colors side by side."""
    squares = [np.full((24 * rows, 24, 3), color, np.uint8) for color in colors]
    return Image.fromarray(np.concatenate(squares, axis=1))


@pytest.fixture(scope="module")
def site(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted site with units of one of its layers, and of one that the atlas does not have."""
    manifest = read_data_script(planted.site / "data/manifest.js")
    layers = [LAYERS[1], "classifier.1"]
    found = {
        f"units/{layer}/units": {
            "layer": layer,
            "channels": 24,
            "receptive_field": 59,
            "patch": {"side": 59, "input": 227},
            "images": 72,
            "objective": "channel",
            "size": 24,
            "units": [unit(channel) for channel in CHANNELS],
            "concepts": {
                "units": {"value": 0.25, "low": 0.2, "high": 0.3},
                "rotated": {"value": 0.125, "low": 0.1, "high": 0.15},
            }
            if layer == LAYERS[1]
            else None,
            "filters": [
                {"layer": "features.0", "filters": 3, "size": [7, 7], "channels": 3, "colors": True}
                | {"width": 72, "height": 24}
            ],
            "sheets": [
                sheet("start", [[2], [5]], missing=True),
                sheet("interpolation", [[2, 5]]),
                *(content(name, rows) for name, (rows, _) in FURTHER.items()),
            ]
            if layer == LAYERS[1]
            else [],
        }
        for layer in layers
    }
    changed = {"units": {layer: list(CHANNELS) for layer in layers}, "explain": [LAYERS[1]]}
    parts = {"data/manifest": manifest | changed, **found}
    folder = copied(planted.site, tmp_path_factory.mktemp("units") / "site", parts)
    for layer in layers:
        path = folder / f"units/{layer}/filters/0.webp"
        path.parent.mkdir(parents=True)
        strip(STARTS).save(path, lossless=True)
        for channel in CHANNELS[:-1]:
            for name, image in {
                "pictures": strip([COLORS["high"]]),
                "variants": strip([COLORS[role] for role in ROLES[1:]]),
                "maps": strip([(9, 90, 9), (90, 9, 90), (9, 9, 90)]),
                "examples": strip([(10, 10, 10), (120, 120, 120), (250, 250, 250)], rows=3),
            }.items():
                path = folder / f"units/{layer}/{name}/{channel}.webp"
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path, lossless=True)
    strips = {"start": 2, "interpolation": 1, **{name: len(rows) for name, (rows, _) in FURTHER.items()}}
    for name, rows in strips.items():
        for row in range(rows):
            path = folder / f"units/{LAYERS[1]}/sheets/{name}/{row}.webp"
            path.parent.mkdir(parents=True, exist_ok=True)
            strip(STARTS).save(path, lossless=True)
    return folder


@pytest.fixture(scope="module", params=["http", pytest.param("file", marks=pytest.mark.long)])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """Where that site is."""
    with addressed(site, request.param) as found:
        yield found


@pytest.fixture
def units(opened: Opener, address: str) -> Opener:
    """Opens the units page."""
    return lambda link="", **context: opened(urljoin(address, f"units.html{link}"), **context)


def order(page: Page) -> list[str]:
    """The units of the contact sheet in their order."""
    return [text.split()[-1] for text in page.locator(".sheet .name").all_inner_texts()]


@pytest.mark.browser
def test_the_sheet_has_every_unit_in_the_order_that_is_asked_for(units: Opener) -> None:
    """Pictures load, a unit that is never active says so, each order is in the link, and unknown figures come last."""
    page = units()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Units of {LAYERS[1]}")
    assert order(page) == ["2", "5", "11"]
    expect(page.locator(".sheet .missing")).to_have_text(["never active"])
    page.wait_for_function("() => [...document.querySelectorAll('.sheet img')].every(image => image.naturalWidth)")
    page.get_by_label("Order by").select_option("active")
    link_has(page, "sort=active")
    assert order(page) == ["11", "2", "5"]
    page.get_by_label("Order by").select_option("clarity")
    expect(page.locator(".sheet .name").first).to_have_text("Unit 2")
    assert order(page) == ["2", "5", "11"]
    page.locator("summary").click()
    expect(page.locator("tbody tr").first).to_have_text(
        "212.010.0 %0.8023 (correlation 0.75)2.0 × the highest in the imagesfin<b>, 0.20"
    )
    page.get_by_label("Order by").select_option("concept")
    expect(page.locator(".sheet .name").first).to_have_text("Unit 5")
    expect(page.get_by_role("img", name="3 filters of features.0, 7 × 7")).to_have_js_property("naturalWidth", 72)
    expect(page.locator(".concepts")).to_contain_text("0.25 (95 % interval over units 0.20 to 0.30)")
    assert faults(page) == []
    assert too_small(page) == []


@pytest.mark.browser
def test_a_unit_has_its_pictures_examples_and_figures(units: Opener) -> None:
    """Each part shows its piece of the strip, names are text, and Back returns to the sheet."""
    page = units()
    page.get_by_role("link", name="Unit 5").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Unit 5 of {LAYERS[1]}")
    assert page.title().startswith(f"Unit 5 of {LAYERS[1]}")
    expect(page.locator("section h2")).to_have_text(
        ["Examples", "Activation maps", "Facets", "Diversity", "Lowest activation", "Activations"]
    )
    expect(page.locator(".facet figcaption")).to_have_text(["14 patches · 2.0 × highest", "10 patches · 2.0 × highest"])
    expect(page.locator(".examples figcaption").first).to_have_text("9.00 · kind 0")
    assert page.locator("b").count() == 0
    expect(page.locator(".histogram rect")).to_have_count(3)
    for role in ("facet", "diverse", "low"):
        assert color_of(page, f"section.{role} .part") == COLORS[role]
    assert color_of(page, ".examples .part >> nth=1") == (120, 120, 120)
    assert color_of(page, ".maps .part >> nth=1") == (90, 9, 90)
    expect(page.locator(".maps .summary")).to_contain_text("above 4.50, as it is at no more than 0.5 %")
    assert faults(page) == []
    page.go_back()
    expect(page.locator(".sheet")).to_be_visible()


def color_of(page: Page, selector: str) -> tuple[int, int, int]:
    """The color at the center of an element on the screen."""
    element = page.locator(selector).first
    element.scroll_into_view_if_needed()
    element.locator("img").evaluate("image => image.decode()")
    shot = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"))
    red, green, blue = shot[shot.shape[0] // 2, shot.shape[1] // 2].tolist()
    return red, green, blue


@pytest.mark.browser
def test_links_lead_to_the_atlas_and_between_units(units: Opener) -> None:
    """A unit leads to its cells and to heat maps where the run has its layer there; Next and Previous walk."""
    page = units(f"#layer={LAYERS[1]}&unit=2")
    link = page.get_by_role("link", name="Show the cells of the atlas")
    assert f"layer={LAYERS[1]}&channel=2" in (link.get_attribute("href") or "")
    heatmaps = page.get_by_role("link", name="Heat maps of units of this layer")
    expect(heatmaps).to_have_attribute("href", f"explain.html#layer={LAYERS[1]}")
    page.get_by_role("link", name="Next unit").click()
    link_has(page, "unit=5")
    expect(page.get_by_role("link", name="Previous unit")).to_be_visible()
    other = units("#layer=classifier.1&unit=2")
    expect(other.get_by_role("heading", level=1)).to_have_text("Unit 2 of classifier.1")
    expect(other.get_by_role("link", name="Show the cells of the atlas")).to_have_count(0)
    expect(other.get_by_role("link", name="Heat maps")).to_have_count(0)


@pytest.mark.browser
def test_a_unit_that_is_not_there_is_named(units: Opener) -> None:
    """A channel that the run does not describe, and one that the layer does not have, are told apart."""
    expect(units(f"#layer={LAYERS[1]}&unit=4").get_by_role("alert")).to_contain_text("does not describe this unit")
    expect(units(f"#layer={LAYERS[1]}&unit=99").get_by_role("alert")).to_contain_text("channels 0 to 23")


@pytest.mark.browser
def test_a_comparison_sheet_shows_each_way_of_each_unit(units: Opener) -> None:
    """Each cell shows its piece of the row's strip and its figures; a missing picture says so; columns have medians."""
    page = units()
    page.get_by_role("link", name="Start of the optimization").click()
    link_has(page, "sheet=start")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Start of the optimization: {LAYERS[1]}")
    expect(page.locator("thead th")).to_have_text([f"Way {n}Author {n}" for n in range(3)])
    expect(page.locator("tbody th a")).to_have_text(["Unit 2", "Unit 5"])
    expect(page.locator("tbody th").first).to_contain_text("differ by 0.13 (pixels), 0.50 (activation)")
    expect(page.locator("tbody figcaption").first).to_have_text("1.3 ×fidelity 0.75recognized")
    expect(page.locator(".missing")).to_have_text(["no picture"])
    expect(page.locator("tfoot td").first).to_have_text("1.3 ×fidelity 0.75recognized 2 of 2")
    for column, color in enumerate(STARTS):
        assert color_of(page, f"tbody tr:first-child td:nth-of-type({column + 1}) .part") == color
    assert page.locator("i").count() == 0
    assert faults(page) == []
    assert too_small(page) == []
    page.get_by_role("link", name="Unit 5").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Unit 5 of {LAYERS[1]}")
    page.go_back()
    expect(page.locator(".comparison")).to_be_visible()


@pytest.mark.browser
def test_an_interpolation_names_both_units(units: Opener) -> None:
    """A row leads to both of its units, and a cell has the activation of each."""
    page = units(f"#layer={LAYERS[1]}&sheet=interpolation")
    expect(page.locator("tbody th a")).to_have_text(["Unit 2", "Unit 5"])
    expect(page.locator("tbody figcaption").first).to_have_text("1.3 × and 0.5 ×")
    expect(page.locator("tbody th")).to_contain_text("Neighbors differ by")


@pytest.mark.browser
@pytest.mark.parametrize("name", FURTHER)
def test_every_sheet_says_what_was_measured(units: Opener, name: str) -> None:
    """Each has its title, its figures below the pictures, what they mean, and names as text."""
    page = units(f"#layer={LAYERS[1]}&sheet={name}")
    expect(page.locator("tbody figcaption").first).to_have_text(FURTHER[name][1])
    expect(page.locator(".notes .summary")).to_contain_text("Below each image")
    expect(page.locator("tbody th").first).to_contain_text("sum <b>of</b> two" if name == "directions" else "Unit")
    if name == "directions":
        expect(page.locator("tbody th").first).to_contain_text("Unit 2, Unit 9")
        expect(page.locator("tbody th a")).to_have_text(["Unit 2"])
        expect(page.locator("tbody th").nth(1)).to_have_text("all channels")
    assert page.locator("tfoot").count() == 0
    assert faults(page) == []


@pytest.mark.browser
def test_a_sheet_that_is_not_there_is_named(units: Opener) -> None:
    """A link to a sheet that the run does not have says so; a layer without sheets or concepts does not offer them."""
    page = units(f"#layer={LAYERS[1]}&sheet=colors")
    expect(page.get_by_role("alert")).to_contain_text("no comparison sheet “colors”")
    other = units("#layer=classifier.1")
    expect(other.get_by_role("heading", name="Comparison sheets")).to_have_count(0)
    expect(other.locator(".concepts")).to_have_count(0)
    assert "concept" not in other.get_by_label("Order by").inner_text()


@pytest.mark.browser
def test_it_fits_a_phone(units: Opener) -> None:
    """At 320 pixels nothing is wider than the screen, on the contact sheet, a unit's page and a comparison sheet."""
    for link in ("", f"#layer={LAYERS[1]}&unit=2", f"#layer={LAYERS[1]}&sheet=start"):
        page = units(link, width=320, height=640)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
