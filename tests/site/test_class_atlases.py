"""Class atlases, comparisons, the class dialog and polysemantic cells in a browser, over HTTP and from disk."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browsing import Opener, busiest, link_has, link_lacks, place, ready
from numpy.typing import NDArray
from playwright.sync_api import Page, Route, expect
from site_planting import CLASSES, COMPARE_SCALE, Level, Planted

from pipeline.core.site_data import data_script, pack_array

pytestmark = pytest.mark.browser

COMPARE = "#layer=features.7&atlas=compare-1-0"
LEFT, RIGHT = 1, 0
MARKUP = "<img src=x onerror=alert(1)>"
AGAINST, ACCENT = (61, 106, 138), (180, 71, 44)  # of the light theme
HALF_DIGIT = 0.00501  # numbers have two decimals
READ_TEXTS = """
    const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
    self.texts = [];
    CanvasRenderingContext2D.prototype.clearRect = function (...box) {
        if (this.canvas.className === "overlay") self.texts = [];
        return clearRect.apply(this, box);
    };
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        self.texts.push({ text, x, y, align: this.textAlign });
        return fillText.call(this, text, x, y);
    };
"""


def answer(body: str) -> Callable[[Route], None]:
    """Handler of a route that answers with this content."""
    return lambda route: route.fulfill(body=body)


def number(text: str) -> float:
    """A value as the page formats it."""
    return float(text.replace("−", "-"))


def frame(page: Page, size: int) -> tuple[float, float, float]:
    """Left, top and side of the whole atlas, CSS pixels of the overlay; ``size`` is the shown level."""
    first, last = (page.evaluate("([row, column]) => atlas.cellToPoint(row, column)", [k, k]) for k in (0, size - 1))
    box = page.locator("canvas.overlay").bounding_box()
    assert box
    cell = (last["x"] - first["x"]) / (size - 1)
    return first["x"] - box["x"] - cell / 2, first["y"] - box["y"] - cell / 2, cell * size


def painted(page: Page, x: float, y: float, width: float, height: float) -> NDArray[np.int64]:
    """Pixels of the overlay, [y, x, (red, green, blue, alpha)]."""
    read = """([x, y, width, height]) => Array.from(document.querySelector("canvas.overlay")
        .getContext("2d").getImageData(x, y, width, height).data)"""
    corner, size = [round(x), round(y)], [round(width), round(height)]
    return np.array(page.evaluate(read, [*corner, *size])).reshape(size[1], size[0], 4)


def like(pixels: NDArray[np.int64], color: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Which pixels have this color."""
    same: NDArray[np.bool_] = (np.abs(pixels[..., :3] - color).max(axis=-1) < 8) & (pixels[..., 3] > 240)
    return same


def texts(page: Page, link: str) -> Callable[[], list[dict[str, Any]]]:
    """Open ``link`` again and record the texts drawn on the overlay; call the result to read them."""
    page.add_init_script(READ_TEXTS)
    page.goto(page.url.split("#")[0] + link)
    page.reload()
    page.wait_for_function("() => self.texts?.length > 0")
    return lambda: list(page.evaluate("self.texts"))


def with_manifest(page: Page, planted: Planted, change: Callable[[dict[str, Any]], None]) -> None:
    """Open the page again with a changed manifest."""
    script = (planted.site / "data/manifest.js").read_text()
    found = re.search(r"\]=(.*);\n$", script, re.DOTALL)
    assert found
    manifest = json.loads(found[1])
    change(manifest)
    page.route("**/data/manifest.js", lambda route: route.fulfill(body=data_script("manifest", manifest)))
    again(page)


def again(page: Page) -> None:
    """Reload the page: files on disk are routed only from then on."""
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")


def ranked(level: Level, class_id: int, sign: int) -> list[int]:
    """The planted cells with icons by their attribution to a class, largest absolute value first."""
    drawn = np.flatnonzero(level.drawn)
    order = np.argsort(-sign * level.attribution[drawn, class_id], kind="stable")
    return [int(cell) for cell in drawn[order]]


def test_the_atlas_menu_works_with_the_keyboard(opened: Opener) -> None:
    """Arrows, letters, Enter and Escape select an atlas; the layer is kept, pin, level and view are reset."""
    page = opened("#layer=features.7&level=20&pin=20.10.10&view=0.4,0.4,0.3")
    ready(page, "features.7/all/20/")
    page.get_by_role("button", name="Atlas: All samples").focus()
    page.keyboard.press("ArrowDown")
    options = page.get_by_role("listbox", name="Atlases").get_by_role("option")
    expect(options).to_have_text(["All samples", "fireboat", "streetcar ↔ fireboat"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    ready(page, "features.7/class-0/10/")
    link_has(page, "atlas=class-0")
    link_lacks(page, "pin=")
    link_lacks(page, "level=")
    left, top, side = frame(page, 10)
    assert min(left, top) > 0
    assert side > 500
    expect(page.locator(".caption")).to_contain_text("Samples of fireboat")
    expect(page.get_by_role("button", name="Atlas: Samples of fireboat")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    ready(page, "features.7/compare-1-0/10/")
    expect(page.locator(".caption")).to_contain_text("Samples of streetcar and fireboat")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox", name="Atlases")).to_be_hidden()
    link_has(page, "atlas=compare-1-0")


def test_a_grid_level_that_both_atlases_have_stays(opened: Opener) -> None:
    """Level 10 exists everywhere and is kept with another atlas; level 40 does not and follows the zoom again."""
    page = opened("#layer=features.3&level=10")
    page.keyboard.press("o")
    page.get_by_role("option", name="Samples of fireboat").click()
    ready(page, "features.3/class-0/10/")
    link_has(page, "level=10")
    expect(page.locator(".levels label")).to_have_text(["auto", "5", "10"])
    page.keyboard.press("o")
    page.get_by_role("option", name="All samples").click()
    ready(page, "features.3/all/10/")
    page.locator("input[value='40']").check()
    page.keyboard.press("o")
    page.get_by_role("option", name="Samples of fireboat").click()
    ready(page, "features.3/class-0/10/")
    link_lacks(page, "level=")


def test_a_link_opens_a_class_atlas_and_layers_keep_it(opened: Opener, planted: Planted) -> None:
    """A link restores atlas and pin; the next layer shows the same atlas and the cells with the pinned samples."""
    level = planted.of_atlas["features.7", "class-0", 10]
    cell = busiest(level)
    row, column = level.cell[cell]
    page = opened(f"#layer=features.7&atlas=class-0&level=10&pin=10.{row}.{column}")
    expect(page.locator(".panel header")).to_contain_text(f"{level.count[cell]} samples")
    page.keyboard.press("l")
    ready(page, "features.3/class-0/10/")
    expect(page.locator(".panel")).to_contain_text("Same samples at the new layer")


def test_a_single_atlas_has_no_atlas_menu(opened: Opener, planted: Planted) -> None:
    """Without class atlases the atlas menu is hidden, and the search lists only classes."""
    page = opened()
    expect(page.locator(".atlases")).to_be_visible()

    def keep_all(manifest: dict[str, Any]) -> None:
        for layer in manifest["layers"]:
            layer["atlases"] = layer["atlases"][:1]

    with_manifest(page, planted, keep_all)
    expect(page.locator(".atlases")).to_be_hidden()
    page.get_by_role("combobox").fill("fire")
    expect(page.get_by_role("option")).to_have_text(["fireboat"])


def test_search_and_class_toolbar_link_the_atlases_of_a_class(opened: Opener) -> None:
    """Choosing a class highlights it; search and class toolbar link its atlas and its comparisons."""
    page = opened("#layer=features.7&level=20")
    page.get_by_role("combobox").fill("fireb")
    offered = ["fireboat", "Atlas of fireboat", "streetcar ↔ fireboat"]
    expect(page.get_by_role("option")).to_have_text(offered)
    page.keyboard.press("Enter")
    ready(page, "features.7/all/20/0")
    links = page.locator(".class-toolbar .links button")
    expect(links).to_have_text(["Add a class", "Compare layers", *offered[1:]])
    links.nth(2).click()
    ready(page, "features.7/class-0/10/")
    expect(page.locator(".class-toolbar")).to_be_hidden()
    page.get_by_role("combobox").fill("streetcar")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    ready(page, "features.7/compare-1-0/10/")
    page.get_by_role("combobox").fill("goldfish")
    page.keyboard.press("Enter")
    ready(page, "features.7/compare-1-0/10/5")
    expect(links).to_have_text(["Add a class", "Compare layers"])


def test_the_axis_moves_with_the_map(opened: Opener) -> None:
    """Ticks are at their logits and names at the ends; the colors change at zero, for every view."""
    page = opened(COMPARE)
    read = texts(page, COMPARE)
    ready(page, "features.7/compare-1-0/10/")
    scale = COMPARE_SCALE["features.7"]
    for view in range(3):
        left, _, side = frame(page, 10)
        written = {entry["text"]: entry for entry in read()}
        ticks = {number(text): entry["x"] for text, entry in written.items() if re.fullmatch(r"0|[+−][\d.]+", text)}
        inner = {value: x for value, x in ticks.items() if value not in (min(ticks), max(ticks))}
        assert len(inner) >= 3
        for value, x in inner.items():
            assert x == pytest.approx(left + side * (0.5 + value / (2 * scale)), abs=1.1), view
        assert written["← streetcar"]["x"] < written["fireboat →"]["x"]
        y = round(written["fireboat →"]["y"]) - 25
        right = min(left + side, 1200)
        row = painted(page, 300, y - 2, right - 300 - 2, 5)
        blue, red = (np.flatnonzero(like(row, color).any(axis=0)) for color in (AGAINST, ACCENT))
        assert blue.max() + 300 == pytest.approx(left + side / 2, abs=2)
        assert red.min() + 300 == pytest.approx(left + side / 2, abs=2)
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(200)
    page.get_by_role("button", name="Show the whole atlas").click()
    page.keyboard.press("o")
    page.get_by_role("option", name="Samples of fireboat").click()
    ready(page, "features.7/class-0/10/")
    page.wait_for_function("() => self.texts.length === 0")


def test_a_line_marks_zero(opened: Opener) -> None:
    """In the gap between two rows of cells the overlay has the background color, except on the zero line."""
    page = opened(f"{COMPARE}&labels=off")
    ready(page, "features.7/compare-1-0/10/")
    left, top, side = frame(page, 10)
    strip = painted(page, left + 0.3 * side, top + 0.5 * side, 0.4 * side, 1)[0]
    darkest = int(strip[:, :3].sum(axis=1).argmin())
    assert darkest + left + 0.3 * side == pytest.approx(left + 0.5 * side, abs=2)
    away = np.abs(np.arange(len(strip)) - darkest) > 4
    assert strip[darkest, :3].sum() < strip[away, :3].sum(axis=1).min() - 100


def test_card_and_panel_compare_both_classes(opened: Opener, planted: Planted) -> None:
    """A cell of a comparison shows the planted values of both classes as bars, and the difference."""
    level = planted.of_atlas["features.7", "compare-1-0", 10]
    page = opened(f"{COMPARE}&level=10")
    for cell in ranked(level, LEFT, 1)[:1] + ranked(level, RIGHT, 1)[:1] + [busiest(level)]:
        page.mouse.move(*place(page, level, cell))
        card = page.locator(".card .comparison-bars")
        expect(card).to_be_visible()
        assert card.locator(".name").all_inner_texts() == ["streetcar", "fireboat"]
        values = [number(text) for text in card.locator(".value").all_inner_texts()]
        wanted = level.attribution[cell, [LEFT, RIGHT]]
        assert values == pytest.approx(wanted, abs=HALF_DIGIT)
        boxes = [bar.bounding_box() for bar in card.locator(".bar").all()]
        lengths = [box["width"] if box else 0 for box in boxes]
        assert lengths[0] / max(lengths) == pytest.approx(abs(values[0]) / np.abs(values).max(), abs=0.06)
        favored = CLASSES[RIGHT if wanted[1] > wanted[0] else LEFT]
        assert card.locator("p").inner_text().endswith(f" for {favored}")
    page.mouse.click(*place(page, level, busiest(level)))
    panel = page.locator(".panel")
    assert [number(text) for text in panel.locator(".comparison-bars .value").all_inner_texts()] == values
    others = panel.locator(".section").first.locator(".bars .name")
    assert others.count() > 0
    assert not {"streetcar", "fireboat"} & set(others.all_inner_texts())


def test_a_comparison_leads_to_its_patch_test_and_every_page_to_the_evidence(opened: Opener) -> None:
    """The caption of a comparison links its patch test and states the clipped samples; other atlases have neither."""
    page = opened(COMPARE)
    link = page.get_by_role("link", name="Patch test")
    assert link.get_attribute("href") == "patch.html#features.7/compare-1-0"
    expect(page.locator(".caption")).to_contain_text("2 % of the samples lie outside the range of the axis")
    assert page.get_by_role("link", name="Evidence").get_attribute("href") == "evidence.html"
    page.keyboard.press("o")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    ready(page, "features.7/all/20/")
    expect(link).to_have_count(0)


def test_the_class_dialog_ranks_the_planted_cells_of_every_layer(opened: Opener, planted: Planted) -> None:
    """Each layer shows its cells with the largest and smallest attribution; each links to its position."""
    page = opened("#layer=features.7&level=10&class=5")
    ready(page, "features.7/all/10/5")
    page.keyboard.press("s")
    sheet = page.get_by_role("dialog", name="goldfish")
    columns = sheet.locator(".column")
    expect(columns.locator(".icons.most")).to_have_count(2)
    assert columns.locator("h3").all_inner_texts() == ["features.3", "features.7"]
    for index, layer in enumerate(("features.3", "features.7")):
        level = planted.levels[layer, 20]
        for name, sign, listed in (("most", 1, 12), ("least", -1, 6)):
            shown = columns.nth(index).locator(f".icons.{name} .value").all_inner_texts()
            wanted = level.attribution[ranked(level, 5, sign)[:listed], 5]
            assert [number(text) for text in shown] == pytest.approx(wanted, abs=HALF_DIGIT)
    level = planted.levels["features.3", 20]
    row, column = level.cell[ranked(level, 5, -1)[0]]
    columns.first.locator(".icons.least button").first.click()
    ready(page, "features.3/all/20/5")
    expect(sheet).to_be_hidden()
    expect(page.locator(".panel")).to_be_visible()
    link_has(page, f"pin=20.{row}.{column}")
    expect(page.locator(".class-toolbar input[value=negative]")).to_be_checked()
    x, y = place(page, level, ranked(level, 5, -1)[0])
    assert 0 < x < 900
    assert 60 < y < 860


def test_the_class_dialog_opens_the_class_atlases(opened: Opener) -> None:
    """Below the cells are previews of each atlas of the class at each layer, one tile each."""
    page = opened("#layer=features.7&class=0")
    page.get_by_role("button", name="Compare layers").click()
    names = [f"{what} at {layer}" for what in ("Samples of fireboat", "Samples of streetcar and fireboat")
             for layer in ("features.3", "features.7")]  # fmt: skip
    found = page.get_by_role("dialog").locator("button.atlas")
    expect(found).to_have_count(4)
    assert [press.get_attribute("aria-label") for press in found.all()] == names
    for press in found.all():
        press.scroll_into_view_if_needed()
        assert press.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 480
    page.get_by_role("button", name=names[0]).click()
    ready(page, "features.3/class-0/10/")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_class_dialog_requires_a_class(opened: Opener) -> None:
    """Without a highlighted class the key says so, and what is typed next is no class."""
    page = opened("#layer=features.7")
    page.keyboard.press("s")
    expect(page.get_by_role("status").first).to_contain_text("No class is highlighted")
    expect(page.get_by_role("combobox")).not_to_be_focused()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_polysemantic_cells_are_listed_and_linked(opened: Opener, planted: Planted) -> None:
    """Every planted cell is listed in order with its two classes, their values and their overlap."""
    level = planted.levels["features.7", 20]
    drawn = np.flatnonzero(level.drawn)
    cells, first, second = drawn[[7, 90, 30]], np.array([0, 3, 5]), np.array([5, 4, 8])
    content = {
        "cell": pack_array(cells),
        "first": pack_array(first),
        "second": pack_array(second),
        "first_value": pack_array(np.array([2.5, 1.5, 0.75])),
        "second_value": pack_array(np.array([1.25, 1.0, 0.5])),
        "overlap": pack_array(np.array([0.02, 0.06, 0.1])),
        "score": pack_array(np.array([3.0, 2.0, 1.0])),
    }
    page = opened("#layer=features.7")
    name = "features.7/all/20/polysemantic_cells"
    page.route(f"**/{name}.js", lambda route: route.fulfill(body=data_script(name, content)))
    again(page)
    page.get_by_role("button", name="Polysemantic cells").click()
    rows = page.get_by_role("region", name="features.7").locator(".polysemantic-list > li")
    expect(rows).to_have_count(3)
    for index in range(3):
        found = rows.nth(index).locator(".name").all_inner_texts()
        assert found == [CLASSES[first[index]], CLASSES[second[index]]]
    assert rows.locator(".value").all_inner_texts()[:2] == ["+2.50", "+1.25"]
    expect(rows.nth(1)).to_contain_text("overlap 6 %")
    rows.nth(1).get_by_role("button").click()
    ready(page, "features.7/all/20/")
    row, column = level.cell[cells[1]]
    link_has(page, f"pin=20.{row}.{column}")
    expect(page.locator(".panel header")).to_contain_text(f"row {row}, column {column}")


def test_a_layer_without_such_cells_says_so(opened: Opener) -> None:
    """Where the list of a layer is empty, its section says that there are none."""
    page = opened("#layer=features.7")
    kinds = {"first_value": np.float32, "second_value": np.float32, "overlap": np.float32, "score": np.float32}
    names = ("cell", "first", "second", *kinds)
    content = {name: pack_array(np.zeros(0, kinds.get(name, np.int64))) for name in names}
    for layer in ("features.3", "features.7"):
        name = f"{layer}/all/20/polysemantic_cells"
        page.route(f"**/{name}.js", answer(data_script(name, content)))
    again(page)
    page.keyboard.press("u")
    for layer in ("features.3", "features.7"):
        section = page.get_by_role("dialog", name="Polysemantic cells").get_by_role("region", name=layer)
        expect(section).to_contain_text("No cell of this layer has a large attribution to two classes")


def test_names_of_atlases_are_text(opened: Opener, planted: Planted) -> None:
    """A class name with markup is shown as text in menu, caption, search, toolbar, dialog, axis and card."""
    page = opened(COMPARE)

    def rename(manifest: dict[str, Any]) -> None:
        manifest["network"]["classes"][RIGHT] = MARKUP

    with_manifest(page, planted, rename)
    expect(page.locator(".caption")).to_contain_text(f"Samples of streetcar and {MARKUP}")
    page.keyboard.press("o")
    expect(page.locator("#atlases [role=option]")).to_have_text(["All samples", MARKUP, f"streetcar ↔ {MARKUP}"])
    page.keyboard.press("Escape")
    level = planted.of_atlas["features.7", "compare-1-0", 10]
    page.mouse.move(*place(page, level, busiest(level)))
    assert page.locator(".card .comparison-bars .name").all_inner_texts() == ["streetcar", MARKUP]
    page.get_by_role("combobox").fill("<img")
    expect(page.locator("#classes [role=option]")).to_have_text([MARKUP, f"Atlas of {MARKUP}", f"streetcar ↔ {MARKUP}"])
    page.keyboard.press("Enter")
    ready(page, "features.7/compare-1-0/10/0")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog", name=MARKUP).locator("h3").last).to_have_text(f"streetcar ↔ {MARKUP}")
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_axis_and_all_cells(opened: Opener, scheme: str) -> None:
    """At 390 px the whole comparison is above the caption with its axis, and nothing overflows."""
    page = opened(COMPARE, width=390, height=844, has_touch=True, is_mobile=True, color_scheme=scheme)
    read = texts(page, COMPARE)
    ready(page, "features.7/compare-1-0/10/")
    page.wait_for_timeout(300)
    corner = page.locator(".corner").bounding_box()
    canvas = page.locator("canvas.overlay").bounding_box()
    assert corner
    assert canvas
    left, top, side = frame(page, 10)
    assert min(left, top) >= 0
    assert left + side <= 390
    names = [entry for entry in read() if entry["text"] in ("← streetcar", "fireboat →")]
    assert len(names) == 2
    for entry in names:
        assert top + side < entry["y"] < corner["y"] - canvas["y"] - 14
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Atlas: Samples of streetcar and fireboat").click()
    box = page.get_by_role("listbox", name="Atlases").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_both_classes_are_announced(opened: Opener) -> None:
    """Moving with the arrow keys in a comparison announces the values of both classes."""
    page = opened(COMPARE)
    ready(page, "features.7/compare-1-0/10/")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("status")).to_contain_text(
        re.compile(r"samples; streetcar [+−][\d.]+, fireboat [+−][\d.]+")
    )
