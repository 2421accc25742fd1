"""The atlas page in a browser, over HTTP and from disk."""

import re
from urllib.parse import urljoin

import numpy as np
import pytest
from browsing import MASK_OPACITY, Opener, busiest, link_has, link_lacks, opacity, place, ready, signed
from playwright.sync_api import Browser, Page, expect
from site_planting import CLASSES, ICON, Level, Planted

pytestmark = pytest.mark.browser


def test_zoom_changes_the_automatic_level(opened: Opener) -> None:
    """Zooming in shows finer grids and zooming out coarser ones, unless a level is pinned."""
    page = opened("#layer=features.7")
    ready(page, "features.7/all/20/")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    ready(page, "features.7/all/40/")
    page.get_by_role("button", name="Show the whole atlas").click()
    ready(page, "features.7/all/20/")
    page.locator("input[value='10']").check()
    ready(page, "features.7/all/10/")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.dataset.level") == "10"
    link_has(page, "level=10")


def test_the_level_shown_limits_the_zoom(opened: Opener) -> None:
    """Zooming in ends at eight times an icon's pixels, whichever levels were loaded before; so does a link's view."""

    def scale(page: Page) -> float:
        """Of the icons on the screen, relative to their pixels."""
        return float(page.evaluate("() => atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x")) / ICON

    page = opened("#layer=features.7&level=40")
    ready(page, "features.7/all/40/")
    page.locator(".openseadragon-canvas").first.focus()
    for size in (40, 10):
        page.locator(f"input[value='{size}']").check()
        ready(page, f"features.7/all/{size}/")
        for _ in range(14):
            page.keyboard.press("+")
        page.wait_for_timeout(1200)
        assert scale(page) == pytest.approx(8, rel=0.02), size
    page = opened("#layer=features.7&view=0.5,0.5,0.001")
    ready(page, "features.7/all/40/")
    page.wait_for_timeout(1200)
    assert scale(page) == pytest.approx(8, rel=0.02)


def test_the_wheel_zooms_around_the_pointer(opened: Opener, planted: Planted) -> None:
    """The position under the pointer stays there while the wheel turns."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    before = place(page, level, busiest(level))
    page.mouse.move(*before)
    for _ in range(4):
        page.mouse.wheel(0, -100)
        page.wait_for_timeout(80)  # the wheel is listened to at most every 50 ms
    page.wait_for_function("width => atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x > width", arg=60)
    assert np.allclose(place(page, level, busiest(level)), before, atol=1.5)


def test_hover_card_shows_the_planted_values(opened: Opener, planted: Planted) -> None:
    """The hover card shows the cell's top classes, count and the measures that it is judged by."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    card = page.locator(".card")
    expect(card).to_be_hidden()
    drawn = np.flatnonzero(level.drawn)
    for cell in (busiest(level), int(drawn[0]), int(drawn[-1])):
        page.mouse.move(*place(page, level, cell))
        expect(card).to_be_visible()
        order = np.argsort(-level.attribution[cell], kind="stable")[:5]
        wanted = [
            (CLASSES[id_], signed(level.attribution[cell, id_])) for id_ in order if level.attribution[cell, id_] > 0.1
        ]
        names, values = card.locator(".name").all_inner_texts(), card.locator(".value").all_inner_texts()
        assert list(zip(names, values, strict=True))[: len(wanted)] == wanted
        icon = int(level.drawn[:cell].sum())
        facts = card.locator(".facts span").all_inner_texts()
        assert facts[0] == f"{level.count[cell]:,} samples"
        measured = level.fidelity_centred[icon], level.reliability[cell], level.spread[cell]
        titles = ("centered fidelity", "reliability", "spread")
        assert facts[1:] == [f"{name} {value:.2f}" for name, value in zip(titles, measured, strict=True)]
    page.mouse.move(5, 450)
    expect(card).to_be_hidden()


def test_card_shows_the_icon_of_its_cell(opened: Opener, planted: Planted) -> None:
    """The card crops exactly the cell from the tiles."""
    level = planted.levels["features.7", 40]
    page = opened("#layer=features.7&level=40")
    cell = busiest(level)
    page.mouse.move(*place(page, level, cell))
    tiles = page.locator(".card .icon img")
    box = page.locator(".card .icon").bounding_box()
    assert box
    for tile in tiles.all():
        shown = tile.bounding_box()
        column, row = (int(number) for number in re.findall(r"/(\d+)_(\d+)\.webp$", tile.get_attribute("src") or "")[0])
        assert shown
        scale = box["width"] / 48
        left, top = column * 510 - (column > 0), row * 510 - (row > 0)
        x, y = left + (box["x"] - shown["x"]) / scale, top + (box["y"] - shown["y"]) / scale
        assert np.allclose([y / 48, x / 48], level.cell[cell], atol=0.02)
        assert tile.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_click_pins_the_cell_and_shows_its_exemplars(opened: Opener, planted: Planted) -> None:
    """The panel of a clicked cell shows its exemplars' patches, cropped at the planted position, and links."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    cell = busiest(level)
    page.mouse.click(*place(page, level, cell))
    patches = page.locator(".panel .patch")
    expect(patches).to_have_count(9)
    link_has(page, f"pin=20.{level.cell[cell][0]}.{level.cell[cell][1]}")
    for rank in (0, 4):
        sample = level.exemplar[cell, rank]
        image, position = planted.image[sample], planted.position["features.7"][sample]
        picture = patches.nth(rank).locator("img")
        box, frame = picture.bounding_box(), patches.nth(rank).bounding_box()
        assert box
        assert frame
        assert picture.get_attribute("src") == f"data/images/0/{image}.webp"
        wanted = np.clip((position + 0.5) / 7 - 0.25, 0, 0.5)
        assert np.allclose([frame["y"] - box["y"], frame["x"] - box["x"]], wanted * box["width"], atol=1)
        assert abs(frame["width"] / box["width"] - 0.5) < 0.01
        patches.nth(rank).click()
        key = planted.keys[image]
        assert page.locator(".origin .key").inner_text() == key
        assert page.locator(".origin .label").inner_text() == key.split("/")[0]
        assert page.get_by_role("link", name="Open image").get_attribute("href") == f"data/images/0/{image}.webp"
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
    expect(page.locator(".panel")).to_contain_text("patches show half of the input")
    page.get_by_role("button", name="Close panel").click()
    expect(page.locator(".panel")).to_be_hidden()
    link_lacks(page, "pin=")


def test_a_class_masks_cells_without_attribution_to_it(opened: Opener, planted: Planted) -> None:
    """The mask over a cell follows the planted attribution of the class found by typing, for both signs."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    drawn = np.flatnonzero(level.drawn)
    assert opacity(page, level, int(drawn[3])) == 0
    page.get_by_role("combobox").fill("gold")
    page.get_by_role("combobox").press("Enter")
    ready(page, "features.7/all/20/5")
    expect(page.locator(".class-toolbar strong")).to_have_text("goldfish")
    scale = max(
        np.abs(other.attribution[other.drawn]).max()
        for (name, _), other in planted.levels.items()
        if name == "features.7"
    )
    values = level.attribution[:, 5]
    chosen = [int(drawn[values[drawn].argmax()]), int(drawn[values[drawn].argmin()]), busiest(level)]

    def expected(cell: int, sign: int) -> float:
        return float(
            255 * MASK_OPACITY * (1 - max(0, sign * np.sign(values[cell]) * np.sqrt(abs(values[cell]) / scale)))
        )

    assert [opacity(page, level, cell) for cell in chosen] == pytest.approx(
        [expected(cell, 1) for cell in chosen], abs=3
    )
    page.locator("input[value=negative]").check()
    assert [opacity(page, level, cell) for cell in chosen] == pytest.approx(
        [expected(cell, -1) for cell in chosen], abs=3
    )
    page.get_by_role("button", name="Show all classes").click()
    ready(page, "features.7/all/20/")
    assert opacity(page, level, chosen[1]) == 0


def test_empty_positions_are_covered(opened: Opener, planted: Planted) -> None:
    """Without an icon the overlay is opaque, so that no fringe of a neighbor is visible."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    there = {tuple(cell) for cell in level.cell[level.drawn].tolist()}
    row, column = next((row, column) for row in range(20) for column in range(20) if (row, column) not in there)
    empty = Level(**{**vars(level), "cell": np.array([[row, column]])})
    assert opacity(page, empty, 0) == 255


def test_a_link_restores_everything_in_a_new_page(opened: Opener, planted: Planted) -> None:
    """Layer, level, class, sign, intensity, pin and view are restored from the URL alone."""
    level = planted.levels["features.3", 40]
    page = opened("#layer=features.3&level=40&class=5&sign=-&intensity=2")
    ready(page, "features.3/all/40/5")
    cell = busiest(level)
    page.mouse.move(*place(page, level, cell))
    page.mouse.wheel(0, -600)
    page.wait_for_function("() => location.hash.includes('view=')")
    page.mouse.click(*place(page, level, cell))
    expect(page.locator(".panel .patch")).to_have_count(9)
    page.wait_for_timeout(200)
    before = place(page, level, cell)
    other = opened(page.url)
    ready(other, "features.3/all/40/5")
    expect(other.locator(".panel .patch")).to_have_count(9)
    assert other.locator(".panel h2").inner_text() == page.locator(".panel h2").inner_text()
    assert np.allclose(place(other, level, cell), before, atol=2)
    assert other.locator(".class-toolbar strong").inner_text() == "goldfish"
    assert other.locator(".class-toolbar input[value=negative]").is_checked()
    assert float(other.locator(".class-toolbar input[type=range]").input_value()) == 1
    assert other.locator(".levels input[value='40']").is_checked()
    assert opacity(other, level, cell) == opacity(page, level, cell)


def test_a_link_typed_into_an_open_page_is_followed(opened: Opener) -> None:
    """Editing the URL of an open page moves it there."""
    page = opened("#layer=features.7&level=10")
    page.evaluate("location.hash = '#layer=features.3&level=20&class=2'")
    ready(page, "features.3/all/20/2")


@pytest.mark.parametrize(
    "link",
    ["#layer=nothing&level=7&class=99&pin=20.x.3&view=a,b", "#pin=20.0.0", "#class=&pin=20..", "#class=1e0", "#%%%"],
)
def test_a_broken_link_shows_the_start(opened: Opener, link: str) -> None:
    """Unknown parts are dropped, and the page opens on its initial layer, the deepest one."""
    page = opened(link)
    ready(page, "features.7/all/20/")
    expect(page.locator(".panel")).to_be_hidden()


def test_keys_do_everything(opened: Opener, planted: Planted) -> None:
    """Arrows move between cells, Enter pins, Escape goes back, and the other keys zoom, switch and help."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    row, column = (int(number) for number in level.cell[busiest(level)])
    page.keyboard.press("ArrowRight")
    status = page.get_by_role("status")
    expect(status).to_contain_text(re.compile(r"Row \d+, column \d+ of 20: \d+ samples"))
    first = re.findall(r"Row (\d+), column (\d+)", status.inner_text())[0]
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text(f"Row {first[0]}, column {int(first[1]) + 1} ")
    page.keyboard.press("ArrowDown")
    expect(status).to_contain_text(f"Row {int(first[0]) + 1}, column {int(first[1]) + 1} ")
    expect(page.locator(".card")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".panel")).to_be_visible()
    link_has(page, f"pin=20.{int(first[0]) + 1}.{int(first[1]) + 1}")
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    page.keyboard.press(".")
    ready(page, "features.7/all/40/")
    page.keyboard.press("a")
    ready(page, "features.7/all/20/")
    before = page.evaluate("atlas.cellToPoint(0, 0)")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("x => atlas.cellToPoint(0, 0).x < x - 50", arg=before["x"])
    page.keyboard.press("0")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.keyboard.press("+")
    ready(page, "features.7/all/40/")
    page.keyboard.press("l")
    ready(page, "features.3/all/40/")
    page.keyboard.press("/")
    page.keyboard.type("tea")
    page.keyboard.press("Enter")
    ready(page, "features.3/all/40/11")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    ready(page, "features.3/all/40/")
    assert row >= 0 <= column


def test_every_control_is_reached_by_tab_and_named(opened: Opener) -> None:
    """The tab key reaches layers, levels, search, tools, the atlas and the zoom, and each has a name."""
    page = opened("#layer=features.7")
    names = []
    for _ in range(18):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate("(document.activeElement.ariaLabel ?? document.activeElement.closest('label')?.innerText)")
        )
    for name in (
        "Atlas: All samples",
        "features.7",
        "auto",
        "Highlight a class",
        "Evidence",
        "Switch between light and dark",
        "Help",
        "Zoom in",
        "Show the whole atlas",
    ):
        assert name in names
    assert any(name and name.startswith("Activation atlas") for name in names)


def test_outside_names_are_text(opened: Opener, planted: Planted) -> None:
    """Class and file names full of markup appear as they are written, and nothing of them runs."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20&class=3")
    expect(page.locator(".class-toolbar strong")).to_have_text("<script>alert('class')</script>")
    page.get_by_role("combobox").fill("<scr")
    expect(page.get_by_role("option")).to_have_text(["<script>alert('class')</script>"])
    page.get_by_role("combobox").press("Escape")
    shown = planted.image[level.exemplar[:, :9]]
    marked = [row for row, key in enumerate(planted.keys) if "onerror" in key]
    there = np.isin(shown, marked) & (level.exemplar >= 0) & level.drawn[:, None]
    cell, rank = (int(number) for number in np.argwhere(there)[0])
    page.mouse.click(*place(page, level, cell))
    page.locator(".panel .patch").nth(rank).click()
    assert page.locator(".origin .key").inner_text() == planted.keys[shown[cell, rank]]
    assert page.locator("img[src=x], b, .panel script").count() == 0


def test_another_layer_keeps_the_view(opened: Opener) -> None:
    """Switching layers keeps the view, and the caption shows the layer's notes."""
    page = opened("#layer=features.7&level=40&view=0.4,0.6,0.3")
    expect(page.locator(".caption")).to_contain_text("84 % of this layer's attributions are exactly zero")
    expect(page.locator(".caption")).not_to_contain_text("weak")
    before = page.evaluate("atlas.cellToPoint(20, 20)")
    page.locator("input[value='features.3']").check()
    ready(page, "features.3/all/40/")
    assert page.evaluate("atlas.cellToPoint(20, 20)") == pytest.approx(before, abs=1)
    expect(page.locator(".caption")).to_contain_text("weak")
    expect(page.locator(".caption")).not_to_contain_text("zero")


def test_minimap_shows_and_moves_the_view(opened: Opener) -> None:
    """A click on the minimap centers that position."""
    page = opened("#layer=features.7&level=20&view=0.3,0.3,0.3")
    box = page.locator(".minimap").bounding_box()
    assert box
    before = page.evaluate("atlas.cellToPoint(10, 10)")
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"])
    page.wait_for_function("x => atlas.cellToPoint(10, 10).x < x - 100", arg=before["x"])
    assert page.locator(".displayregion").count() == 1


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(247, 245, 240)"), ("dark", "rgb(20, 19, 18)")])
def test_light_and_dark_follow_the_system_until_chosen(opened: Opener, scheme: str, background: str) -> None:
    """The background follows the system's theme; the button switches it."""
    page = opened("#layer=features.7", color_scheme=scheme)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == background
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(ground) != background


def test_a_phone_shows_everything(opened: Opener, planted: Planted) -> None:
    """At 390 px nothing overflows, and a tap pins a cell that stays visible above its panel."""
    level = planted.levels["features.7", 10]
    page = opened("#layer=features.7&level=10", width=390, height=844, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("Highlight a class", "Grid level and tools", "Zoom in"):
        box = page.get_by_label(name, exact=True).bounding_box()
        assert box
        assert box["x"] >= 0 <= 390 - box["x"] - box["width"]
    lowest = int(np.flatnonzero(level.drawn)[-1])
    page.touchscreen.tap(*place(page, level, lowest))
    expect(page.locator(".panel .patch")).to_have_count(9)
    panel = page.locator(".panel").bounding_box()
    assert panel
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= 390
    page.wait_for_timeout(300)
    x, y = place(page, level, lowest)
    assert 0 < x < 390
    assert 0 < y < panel["y"]


def test_a_missing_file_is_reported(chromium: Browser, address: str) -> None:
    """If a data file cannot be loaded, the page names it."""
    page = chromium.new_page()
    page.route("**/cells.js", lambda route: route.abort())
    page.goto(address)
    expect(page.get_by_role("alert")).to_contain_text("cells.js cannot be loaded")
    page.close()


@pytest.mark.browser
def test_a_run_without_units_says_how_to_get_them(opened: Opener, address: str) -> None:
    """The page of units names the setting that asks for some."""
    page = opened(urljoin(address, "units.html"))
    expect(page.locator(".lead")).to_contain_text("atlas run '+units.channels={")
