"""Samples, images and labels of cells and regions, in a browser, over HTTP and from disk."""

import json
import re
from typing import Any

import numpy as np
import pytest
from browsing import Opener, busiest, link_has, link_lacks, place, ready, wait_for_place
from numpy.typing import NDArray
from playwright.sync_api import Page, Route, expect
from site_planting import CLASS_ATLAS, CLASSES, Level, Planted, count_at

from pipeline.core.artifacts import LAYOUT
from pipeline.core.site_data import data_script, pack_array
from pipeline.core.zarr_store import array, open_artifact

pytestmark = pytest.mark.browser

FIRST = 24  # images that a list shows at first
Box = tuple[int, int, int, int]  # top, left, bottom, right, all within


def samples_in(planted: Planted, layer: str, atlas: str, size: int, box: Box) -> NDArray[np.int64]:
    """The samples of an atlas in a box of cells."""
    layout = open_artifact(LAYOUT, planted.task.path(LAYOUT, layer, atlas))
    xy = np.asarray(array(layout, "xy")[:])
    column, row = np.minimum((xy * size).astype(int), size - 1).T
    top, left, bottom, right = box
    inside = (row >= top) & (row <= bottom) & (column >= left) & (column <= right)
    found: NDArray[np.int64] = np.asarray(array(layout, "sample")[:])[inside]
    return found


def images_of(planted: Planted, samples: NDArray[np.int64]) -> list[tuple[str, int]]:
    """Key and sample count of every image, largest count first, then in the order of the images."""
    rows, counts = np.unique(planted.image[samples], return_counts=True)
    return [(planted.keys[rows[at]], int(counts[at])) for at in np.lexsort((rows, -counts))]


def listed(page: Page) -> list[tuple[str, int]]:
    """Key and sample count of the images that the page lists."""
    keys = page.locator(".images .key").all_inner_texts()
    counts = page.locator(".images .value").all_inner_texts()
    return [(key, int(re.findall(r"\d+", count)[0])) for key, count in zip(keys, counts, strict=True)]


def drag(page: Page, level: Level, box: Box, release: bool = True) -> None:
    """Drag the mouse from a box's last cell to its first, and release it."""
    top, left, bottom, right = box
    page.mouse.move(*corner(page, level, bottom, right))
    page.mouse.down()
    page.mouse.move(*corner(page, level, (top + bottom) // 2, left), steps=3)
    page.mouse.move(*corner(page, level, top, left), steps=3)
    if release:
        page.mouse.up()


def corner(page: Page, level: Level, row: int, column: int) -> tuple[float, float]:
    """The center of any position of the shown level on the screen."""
    return place(page, Level(**{**vars(level), "cell": np.array([[row, column]])}), 0)


def middle(level: Level) -> Box:
    """A box of 4 × 3 cells around the busiest cell."""
    row, column = (int(value) for value in level.cell[busiest(level)])
    return row - 1, column - 1, row + 1, column + 2


@pytest.mark.parametrize("size", [10, 40])
def test_a_pinned_cell_lists_its_images(opened: Opener, planted: Planted, size: int) -> None:
    """Every image with samples in the cell is listed with count, key, label and thumbnail, in steps."""
    level = planted.levels["features.7", size]
    row, column = (int(value) for value in level.cell[busiest(level)])
    page = opened(f"#layer=features.7&level={size}&pin={size}.{row}.{column}")
    wanted = images_of(planted, samples_in(planted, "features.7", "all", size, (row, column, row, column)))
    rows = page.locator(".panel .images li")
    expect(rows).to_have_count(FIRST)
    assert listed(page) == wanted[:FIRST]
    summary = f"{len(wanted)} different images, {level.count[busiest(level)]:,} samples"
    expect(page.locator(".panel .image-list > .secondary")).to_have_text(summary)
    page.get_by_role("button", name=f"Show {len(wanted) - FIRST} more").click()
    expect(rows).to_have_count(len(wanted))
    assert listed(page) == wanted
    key = wanted[0][0]
    first = rows.first.locator("a")
    assert first.locator(".label").inner_text() == key.split("/")[0]
    assert first.get_attribute("href") == f"data/images/0/{planted.keys.index(key)}.webp"
    assert first.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 64


def test_an_image_that_is_not_stored_is_listed_by_key(opened: Opener, planted: Planted) -> None:
    """Without a stored image there is no link and no request; key and label are shown nevertheless."""
    level = planted.levels["features.7", 20]
    text = (planted.site / "data/images/0.js").read_text()
    about = json.loads(text[text.index("]=") + 2 :].rstrip(";\n"))
    assert len(about) == len(planted.keys)
    bare = {row: [key, label, 0] for row, (key, label, _) in about.items()}
    page = opened("#layer=features.7&level=20")
    script = data_script("images/0", bare)
    page.route("**/data/images/0.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.wait_for_load_state("networkidle")
    page.goto(page.url.split("#")[0] + "?bare#layer=features.7&level=20")  # from disk, routes begin with a page
    ready(page, "features.7/all/20/")
    page.mouse.click(*place(page, level, busiest(level)))
    rows = page.locator(".panel .images li")
    expect(rows).to_have_count(FIRST)
    row, column = (int(value) for value in level.cell[busiest(level)])
    wanted = images_of(planted, samples_in(planted, "features.7", "all", 20, (row, column, row, column)))
    assert listed(page) == wanted[:FIRST]
    assert rows.locator(":is(a, img)").count() == 0
    assert rows.locator(".label").count() == FIRST


def test_the_cell_of_a_class_atlas_lists_only_its_samples(opened: Opener, planted: Planted) -> None:
    """A class atlas counts only its own samples, on its own layout."""
    level = planted.of_atlas["features.7", CLASS_ATLAS, 5]
    row, column = (int(value) for value in level.cell[busiest(level)])
    page = opened(f"#layer=features.7&atlas={CLASS_ATLAS}&level=5&pin=5.{row}.{column}")
    wanted = images_of(planted, samples_in(planted, "features.7", CLASS_ATLAS, 5, (row, column, row, column)))
    expect(page.locator(".panel .images li")).to_have_count(FIRST)
    assert listed(page) == wanted[:FIRST]


def test_a_cell_links_its_samples_at_the_other_layer(opened: Opener, planted: Planted) -> None:
    """The cells with most of the samples have their shares, and choosing one pins it and moves it into view."""
    level, other = planted.levels["features.7", 10], planted.levels["features.3", 10]
    row, column = (int(value) for value in level.cell[busiest(level)])
    samples = samples_in(planted, "features.7", "all", 10, (row, column, row, column))
    counts = np.where(other.drawn, count_at(other, planted.xy["features.3"][samples]), 0)
    best = np.argsort(-counts, kind="stable")[:3]
    page = opened(f"#layer=features.7&level=10&pin=10.{row}.{column}&view={column / 10},{row / 10},0.2")
    cells = page.locator(".other-layers .cell-button")
    expect(cells).to_have_count(3)
    expect(page.locator(".other-layers .layer")).to_have_text(["features.3"])
    shares = [f"{round(100 * counts[cell] / len(samples))} %" for cell in best]
    assert page.locator(".other-layers .cell-button .share").all_inner_texts() == shares
    there = [f"row {other.cell[cell, 0]}, column {other.cell[cell, 1]}," for cell in best]
    for at, name in enumerate(there):
        assert name in (cells.nth(at).get_attribute("aria-label") or "")
    cells.nth(2).click()
    ready(page, "features.3/all/10/")
    expect(page.locator(".panel header .secondary")).to_contain_text(there[2].removesuffix(","))
    link_has(page, f"pin=10.{other.cell[best[2], 0]}.{other.cell[best[2], 1]}")
    page.wait_for_timeout(200)
    x, y = place(page, other, int(best[2]))
    panel, canvas = page.locator(".panel").bounding_box(), page.locator("canvas.overlay").bounding_box()
    assert panel
    assert canvas
    assert canvas["x"] < x < panel["x"]
    assert canvas["y"] < y < canvas["y"] + canvas["height"]


def test_only_the_blocks_that_a_cell_needs_are_loaded(opened: Opener, planted: Planted) -> None:
    """Members come in blocks: none before a cell is pinned, then those with its samples, each once."""
    level = planted.levels["features.7", 20]
    row, column = (int(value) for value in level.cell[busiest(level)])
    step = 500
    finest = planted.levels["features.7", 40]
    of_sample = np.repeat(np.arange(len(finest.cell)), finest.count)
    column_of, row_of = np.minimum((planted.xy["features.7"] * 40).astype(int), 39).T
    order = np.argsort(row_of * 40 + column_of, kind="stable")
    within = (finest.cell[of_sample] // 2 == [row, column]).all(axis=1)
    needed = sorted(set((np.flatnonzero(within) // step).tolist()))
    page = opened("#layer=features.3&level=10")
    asked: list[int] = []

    def manifest(route: Route) -> None:
        text = (planted.site / "data/manifest.js").read_text()
        content = json.loads(text[text.index("]=") + 2 :].rstrip(";\n"))
        for layer in content["layers"]:
            for atlas in layer["atlases"]:
                atlas["members_per_block"] = step
        route.fulfill(body=data_script("manifest", content), content_type="text/javascript")

    def members(route: Route) -> None:
        block = int(re.findall(r"members-(\d+)\.js", route.request.url)[0])
        asked.append(block)
        rows = pack_array(planted.image[order[block * step : (block + 1) * step]])
        name = f"features.7/all/members-{block}"
        route.fulfill(body=data_script(name, {"image": rows}), content_type="text/javascript")

    page.route("**/manifest.js", manifest)
    page.route("**/features.7/all/members-*.js", members)
    page.wait_for_load_state("networkidle")
    page.goto(page.url.split("#")[0] + "?blocks#layer=features.7&level=20")
    ready(page, "features.7/all/20/")
    assert asked == []
    for _ in range(2):
        page.mouse.click(*place(page, level, busiest(level)))
        expect(page.locator(".panel .images li")).to_have_count(FIRST)
        page.get_by_role("button", name="Close panel").click()
    assert sorted(asked) == needed
    assert 1 <= len(needed) < len(order) // step


def test_dragging_with_shift_selects_a_region(opened: Opener, planted: Planted) -> None:
    """The panel shows samples, classes, labels and images of the region; the link restores it; Escape removes it."""
    level = planted.levels["features.7", 20]
    box = middle(level)
    page = opened("#layer=features.7&level=20")
    before = place(page, level, 0)
    page.keyboard.down("Shift")
    drag(page, level, box, release=False)
    assert place(page, level, 0) == pytest.approx(before, abs=1), "the picture does not follow the mouse"
    page.mouse.up()
    page.keyboard.up("Shift")
    panel = page.locator(".panel.region")
    expect(panel.locator("h2")).to_have_text("4 × 3 cells")
    link_has(page, f"box=20.{'.'.join(map(str, box))}")
    expect(panel.locator(".images li")).to_have_count(FIRST)
    for other in (page, opened(page.url)):
        expect(other.locator(".region .images li")).to_have_count(FIRST)
        check_region(other, planted, level, box)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    link_lacks(page, "box=")
    wait_for_place(page, level, 0, before)  # the map made room for the panel only


def check_region(page: Page, planted: Planted, level: Level, box: Box) -> None:
    """Compare the page's region panel with the planted data."""
    top, left, bottom, right = box
    samples = samples_in(planted, "features.7", "all", level.size, box)
    wanted = images_of(planted, samples)
    assert listed(page) == wanted[:FIRST]
    expect(page.locator(".region header")).to_contain_text(f"{len(samples):,} samples")
    within = ((level.cell >= [top, left]) & (level.cell <= [bottom, right])).all(axis=1)
    order = np.argsort(-level.attribution[within], axis=1, kind="stable")[:, :5]
    shown = np.zeros_like(level.attribution[within])
    np.put_along_axis(shown, order, np.take_along_axis(level.attribution[within], order, axis=1).clip(0), axis=1)
    mean = np.average(shown, axis=0, weights=level.count[within])
    best = np.argsort(-mean)[:6]
    bars = page.locator(".region .section").first
    assert bars.locator(".name").all_inner_texts() == [CLASSES[at] for at in best]
    values = [float(text.replace("−", "-")) for text in bars.locator(".value").all_inner_texts()]
    assert values == pytest.approx(mean[best].tolist(), abs=0.011)
    labels = np.array([planted.keys[image].split("/")[0] for image in planted.image[samples]])
    names, counts = np.unique(labels, return_counts=True)
    told = page.locator(".region .section", has_text="Labels of the images")
    shares = [f"{round(100 * counts[at] / len(labels))} %" for at in np.argsort(-counts)]
    assert told.locator(".name").all_inner_texts() == names[np.argsort(-counts)].tolist()
    assert [text.split(" · ")[1] for text in told.locator(".value").all_inner_texts()] == shares
    assert page.locator(".region :is(b, script, img[src=x])").count() == 0, "names are text"


def test_the_tool_selects_by_dragging_and_pins_and_regions_exclude_each_other(opened: Opener, planted: Planted) -> None:
    """With the tool active, dragging selects instead of panning; afterwards a click replaces the region by a pin."""
    level = planted.levels["features.7", 10]
    row, column = (int(value) for value in level.cell[busiest(level)])
    page = opened("#layer=features.7&level=10&pin=10.5.5")
    tool = page.get_by_role("button", name="Select a region")
    tool.click()
    assert tool.get_attribute("aria-pressed") == "true"
    drag(page, level, (row, column, row, column + 1))
    expect(page.locator(".region h2")).to_have_text("2 × 1 cells")
    assert tool.get_attribute("aria-pressed") == "false"
    link_lacks(page, "pin=")
    before = place(page, level, 0)
    drag(page, level, (row, column, row + 1, column + 1))
    expect(page.locator(".region h2")).to_have_text("2 × 1 cells")
    page.wait_for_timeout(300)
    assert place(page, level, 0) != pytest.approx(before, abs=5), "without the tool the picture moves"
    page.keyboard.press("0")
    page.mouse.click(*place(page, level, busiest(level)))
    expect(page.locator(".region")).to_have_count(0)
    expect(page.locator(".panel .patch")).to_have_count(9)
    link_lacks(page, "box=")


def test_the_keys_select_a_region(opened: Opener, planted: Planted) -> None:
    """The key b starts, Enter sets both corners, arrows extend by cells, and Escape aborts."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    page.keyboard.press("ArrowRight")
    told = page.get_by_role("status")
    expect(told).to_contain_text(re.compile(r"Row \d+, column \d+"))
    row, column = (int(value) for value in re.findall(r"Row (\d+), column (\d+)", told.inner_text())[0])
    for key in ("b", "Enter", "ArrowRight", "ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".region h2")).to_have_text("3 × 2 cells")
    link_has(page, f"box=20.{row - 1}.{column}.{row}.{column + 2}")
    expect(told).to_contain_text("Region of 3 × 2 cells")
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    expect(page.locator(".region")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".region")).to_have_count(0)
    assert level.size == 20


def test_touch_selects_while_the_tool_is_active(opened: Opener, planted: Planted) -> None:
    """On a phone the tool selects with one finger, and the region stays visible above its panel."""
    level = planted.levels["features.7", 10]
    row, column = (int(value) for value in level.cell[busiest(level)])
    page = opened("#layer=features.7&level=10", width=390, height=844, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Select a region").tap()
    start, end = corner(page, level, row, column), corner(page, level, row + 1, column + 2)
    device = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        made = [{"x": x, "y": y} for x, y in points]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": made})

    touch("touchStart", start)
    for share in (0.3, 0.6, 1.0):
        touch("touchMove", (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
    touch("touchEnd")
    expect(page.locator(".region h2")).to_have_text("3 × 2 cells")
    link_has(page, f"box=10.{row}.{column}.{row + 1}.{column + 2}")
    page.wait_for_timeout(300)
    panel = page.locator(".region").bounding_box()
    assert panel
    assert corner(page, level, row + 1, column)[1] < panel["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_an_invalid_region_is_dropped(opened: Opener) -> None:
    """An invalid region in a link is dropped; the next valid one is shown."""
    page = opened("#layer=features.7&level=20")
    for broken in ("20.5.5.4.9", "20.5.5.5", "7.0.0.1.1", "20.0.0.0.20", "20.a.0.1.1", "20.1.1.1.1.1"):
        page.evaluate("box => { location.hash = `#layer=features.7&level=20&box=${box}`; }", broken)
        page.wait_for_timeout(40)
        assert page.locator(".region").count() == 0
    page.evaluate("location.hash = '#layer=features.7&level=20&box=20.5.5.6.9'")
    expect(page.locator(".region h2")).to_have_text("5 × 2 cells")


def test_a_region_without_samples_says_so(opened: Opener, planted: Planted) -> None:
    """A region of empty cells has no lists, and another layer removes the region."""
    level = planted.levels["features.7", 20]
    assert not (level.cell == 0).all(axis=1).any()
    page = opened("#layer=features.7&level=20&box=20.0.0.0.0")
    expect(page.locator(".region")).to_contain_text("No samples here")
    expect(page.locator(".region h2")).to_have_text("1 cell")
    page.locator("input[value='features.3']").check()
    expect(page.locator(".region")).to_have_count(0)


def test_a_region_highlights_the_class_that_is_chosen_in_it(opened: Opener, planted: Planted) -> None:
    """Choosing one of the region's classes highlights it and keeps the region."""
    level = planted.levels["features.7", 20]
    page = opened(f"#layer=features.7&level=20&box=20.{'.'.join(map(str, middle(level)))}")
    first = page.locator(".region .bars button").first
    name: Any = first.locator(".name").inner_text()
    first.click()
    ready(page, f"features.7/all/20/{CLASSES.index(name)}")
    expect(page.locator(".class-toolbar strong")).to_have_text(name)
    expect(page.locator(".region .highlighted .name")).to_have_text(name)
