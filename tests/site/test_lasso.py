"""Lasso selections in a browser, over HTTP and from disk: freehand, cell by cell, and in links."""

import re
from contextlib import suppress

import numpy as np
import pytest
from browsing import Opener, busiest, link_lacks, place, wait_for_place
from playwright.sync_api import Page, expect
from selecting import Place, decoded, draw, encoded, spot, within
from site_planting import Level, Planted

pytestmark = pytest.mark.browser

LONGEST_LINK = 1500
ACCENT = (0xB4, 0x47, 0x2C)  # in the light


def bite(level: Level) -> list[Place]:
    """A path around the busiest cell that is no rectangle: a square without one corner."""
    row, column = (int(value) for value in level.cell[busiest(level)])
    left, top, right, bottom = column - 2, row - 2, column + 3, row + 3
    return [(left, top), (right, top), (right, row), (column + 1, row + 1), (column + 1, bottom), (left, bottom)]


def code(page: Page) -> str:
    """The selection in the URL."""
    found = re.search(r"cells=([0-9a-z.]+)", page.url)
    assert found, page.url
    return found[1]


def places(level: Level, chosen: np.ndarray) -> set[tuple[int, int]]:
    """(row, column) of cells."""
    return {(int(row), int(column)) for row, column in level.cell[chosen]}


def test_the_lasso_selects_the_cells_inside(opened: Opener, planted: Planted) -> None:
    """Exactly the cells with icons whose centers are inside are selected, announced, and restored by the link."""
    level = planted.levels["features.7", 20]
    chosen = within(level, bite(level))
    assert 8 < chosen.sum() < 25
    page = opened("#layer=features.7&level=20")
    before = place(page, level, 0)
    tool = page.get_by_role("button", name="Select with the lasso")
    tool.click()
    assert tool.get_attribute("aria-pressed") == "true"
    draw(page, bite(level), release=False)
    assert place(page, level, 0) == pytest.approx(before, abs=1), "the picture does not follow the mouse"
    page.mouse.up()
    expect(page.locator(".region h2")).to_have_text(f"{chosen.sum()} cells")
    assert tool.get_attribute("aria-pressed") == "false"
    assert decoded(code(page)) == places(level, chosen)
    for other in (page, opened(page.url)):
        expect(other.locator(".region header")).to_contain_text(f"{level.count[chosen].sum():,} samples")
        assert decoded(code(other)) == places(level, chosen)
    page.keyboard.press("Escape")
    expect(page.locator(".region")).to_have_count(0)
    link_lacks(page, "cells=")
    wait_for_place(page, level, 0, before)  # the map made room for the panel only


def test_the_panel_summarizes_the_selection(opened: Opener, planted: Planted) -> None:
    """Classes and measures are means over the samples of the selected cells, and exemplars come from these cells."""
    level = planted.levels["features.7", 20]
    chosen = within(level, bite(level))
    page = opened(f"#layer=features.7&level=20&cells={encoded(20, places(level, chosen))}")
    weights = level.count[chosen]
    order = np.argsort(-level.attribution[chosen], axis=1, kind="stable")[:, :5]
    listed = np.zeros_like(level.attribution[chosen])
    np.put_along_axis(listed, order, np.take_along_axis(level.attribution[chosen], order, 1).clip(0), 1)
    mean = np.sort(np.average(listed, axis=0, weights=weights))[::-1][:6]
    told = page.locator(".region .section").first.locator(".value").all_inner_texts()
    assert [float(text.replace("−", "-")) for text in told] == pytest.approx(mean.tolist(), abs=0.011)
    drawn = np.full(len(level.cell), np.nan)
    drawn[level.drawn] = level.fidelity
    wanted = [np.average(values[chosen], weights=weights) for values in (drawn, level.reliability, level.spread)]
    numbers = page.locator(".region .numbers dd").all_inner_texts()
    assert [float(numbers[at]) for at in (0, 2, 3)] == pytest.approx(wanted, abs=0.006)
    patches = page.locator(".region .patch")
    expect(patches).to_have_count(9)
    names = [text.split(", ", 1)[1] for text in patches.evaluate_all("all => all.map(each => each.ariaLabel)")]
    of_cells = {planted.keys[image] for image in planted.image[level.exemplar[chosen].ravel()]}
    assert len(set(names)) == 9, "each from another image"
    assert set(names) <= of_cells
    assert not of_cells >= set(planted.keys)


def test_keys_toggle_single_cells(opened: Opener, planted: Planted) -> None:
    """The key x adds the cell at the cursor or removes it; removing the last one removes the region."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    told = page.get_by_role("status").first
    page.keyboard.press("x")
    expect(told).to_have_text("Move to a cell first.")
    chosen: list[tuple[int, int]] = []
    for key in ("ArrowRight", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
        expect(told).to_contain_text(re.compile(r"Row \d+, column \d+"))
        found = re.findall(r"Row (\d+), column (\d+)", told.inner_text())[0]
        chosen.append((int(found[0]), int(found[1])))
        page.keyboard.press("x")
        expect(told).to_contain_text(f"{len(chosen)} cell")
    assert len(set(chosen)) == 3
    expect(page.locator(".region h2")).to_have_text("3 cells")
    assert decoded(code(page)) == set(chosen)
    page.keyboard.press("x")
    expect(page.locator(".region header")).to_contain_text("1")
    assert set(chosen[:2]) == (decoded(code(page)) if "cells=" in page.url else box_of(page))
    for key in ("ArrowLeft", "x", "ArrowUp", "x"):
        page.keyboard.press(key)
    expect(page.locator(".region")).to_have_count(0)
    expect(told).to_have_text("Nothing is selected.")
    assert level.size == 20


def box_of(page: Page) -> set[tuple[int, int]]:
    """The cells of a rectangle in the URL."""
    found = re.search(r"box=\d+\.(\d+)\.(\d+)\.(\d+)\.(\d+)", page.url)
    assert found, page.url
    top, left, bottom, right = map(int, found.groups())
    return {(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)}


def test_shift_adds_to_the_selection(opened: Opener, planted: Planted) -> None:
    """With an active tool, Shift adds a box or a lasso to the selection; without Shift, it replaces it."""
    level = planted.levels["features.7", 20]
    row, column = (int(value) for value in level.cell[busiest(level)])
    first, second = [(column - 3, row - 3), (column - 2, row - 1)], [(column, row), (column + 1, row + 1)]
    boxes = {(row - 3 + v, column - 3 + u) for v in (0, 1, 2) for u in (0, 1)}
    other = {(row + v, column + u) for v in (0, 1) for u in (0, 1)}
    page = opened("#layer=features.7&level=20")
    box = page.get_by_role("button", name="Select a region")

    def middles(corners: list[tuple[int, int]]) -> list[Place]:
        return [(x + 0.5, y + 0.5) for x, y in corners]

    box.click()
    draw(page, middles(first))
    expect(page.locator(".region h2")).to_have_text("2 × 3 cells")
    box.click()
    page.keyboard.down("Shift")
    draw(page, middles(second))
    page.keyboard.up("Shift")
    expect(page.locator(".region h2")).to_have_text("10 cells")
    assert decoded(code(page)) == boxes | other
    page.get_by_role("button", name="Add to the region with the lasso").click()
    way = bite(level)
    draw(page, way)
    wanted = boxes | other | places(level, within(level, way))
    expect(page.locator(".region h2")).to_have_text(f"{len(wanted)} cells")
    assert decoded(code(page)) == wanted
    box.click()
    draw(page, middles(second))
    expect(page.locator(".region h2")).to_have_text("2 × 2 cells")
    assert box_of(page) == other


def test_the_selection_is_outlined(opened: Opener, planted: Planted) -> None:
    """The outline is only on the outer border: not between two selected cells, and not between others."""
    level = planted.levels["features.7", 10]
    row, column = (int(value) for value in level.cell[busiest(level)])
    chosen = {(row, column), (row, column + 1), (row + 1, column)}
    page = opened(f"#layer=features.7&level=10&cells={encoded(10, chosen)}", color_scheme="light")
    expect(page.locator(".region h2")).to_have_text("3 cells")
    page.wait_for_timeout(300)
    for v in range(row - 1, row + 3):
        for u in range(column - 1, column + 3):
            inside = (v, u) in chosen
            assert marked(page, u + 1, v + 0.5) == (inside != ((v, u + 1) in chosen)), (v, u, "right")
            assert marked(page, u + 0.5, v + 1) == (inside != ((v + 1, u) in chosen)), (v, u, "below")


def marked(page: Page, x: float, y: float) -> bool:
    """Whether the overlay has the color of the outline there."""
    read = """([x, y]) => {
        const canvas = document.querySelector("canvas.overlay");
        const { left, top } = canvas.getBoundingClientRect();
        return [...canvas.getContext("2d").getImageData(x - left, y - top, 1, 1).data.slice(0, 3)];
    }"""
    found = page.evaluate(read, list(spot(page, (x, y))))
    return bool(np.abs(np.array(found) - ACCENT).max() < 40)


def test_a_hole_without_icons_is_not_outlined(opened: Opener, planted: Planted) -> None:
    """A ring around a position without an icon is outlined only outside; around a cell with an icon, inside too."""
    level = planted.levels["features.7", 20]
    drawn = np.zeros((20, 20), bool)
    drawn[tuple(level.cell[level.drawn].T)] = True
    for there in (False, True):
        row, column = (int(at[0]) + 3 for at in np.nonzero(drawn[3:17, 3:17] == there))
        ring = {(row + v, column + u) for v in (-1, 0, 1) for u in (-1, 0, 1)} - {(row, column)}
        page = opened(f"#layer=features.7&level=20&cells={encoded(20, ring)}", color_scheme="light")
        expect(page.locator(".region h2")).to_have_text("8 cells")
        page.wait_for_timeout(300)
        assert marked(page, column + 0.5, row) == there
        assert marked(page, column + 0.5, row - 1), "the outside"


def tap_until_selecting(page: Page) -> None:
    """Tap the lasso of the region's panel, again where Chromium drops the tap, as it does while a page is busy."""
    selecting = page.locator("html[data-selecting=lasso]")
    for _ in range(5):
        page.get_by_role("button", name="Add to the region with the lasso").tap()
        with suppress(AssertionError):
            expect(selecting).to_be_attached(timeout=2000)
            return
    expect(selecting).to_be_attached()


def test_touch_draws_a_lasso_and_toggles_cells(opened: Opener, planted: Planted) -> None:
    """The lasso follows one finger, a tap toggles a cell, and the selection stays visible above its panel."""
    level = planted.levels["features.7", 10]
    row, column = (int(value) for value in level.cell[busiest(level)])
    page = opened("#layer=features.7&level=10", width=390, height=844, has_touch=True, is_mobile=True)
    lasso = page.get_by_role("button", name="Select with the lasso")
    lasso.tap()
    expect(lasso).to_have_attribute("aria-pressed", "true")  # a tap becomes a click a moment later
    corners = [(0, 0), (2, 0), (2, 2), (1, 2), (1, 1), (0, 1)]
    way: list[Place] = [(column + x, row + y) for x, y in corners]
    device = page.context.new_cdp_session(page)
    for number, at in enumerate(way):
        x, y = spot(page, at)
        kind = "touchMove" if number else "touchStart"
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    chosen = within(level, way)
    expect(page.locator(".region h2")).to_have_text(f"{chosen.sum()} cells")
    expect(page.locator(".region .patch")).to_have_count(9)
    panel = page.locator(".region").bounding_box()
    assert panel
    assert spot(page, (column, row + 1))[1] < panel["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    tap_until_selecting(page)
    others = np.flatnonzero(level.drawn & ~chosen).tolist()
    x, y = next(at for at in (place(page, level, cell) for cell in others) if at[1] < panel["y"] - 20)
    page.touchscreen.tap(x, y)
    expect(page.locator(".region h2")).to_have_text(f"{chosen.sum() + 1} cells")


def test_a_selection_is_converted_to_a_finer_level(opened: Opener, planted: Planted) -> None:
    """A cell of a finer level is added to a selection, which is converted to that level."""
    level = planted.levels["features.7", 10]
    row, column = (int(value) for value in level.cell[busiest(level)])
    page = opened(f"#layer=features.7&level=20&box=10.{row}.{column}.{row}.{column}")
    expect(page.locator(".region h2")).to_have_text("1 cell")
    fine = planted.levels["features.7", 20]
    outside = next(int(at) for at in np.flatnonzero(fine.drawn) if not (fine.cell[at] // 2 == [row, column]).all())
    page.mouse.move(*place(page, fine, outside))
    page.keyboard.press("x")
    expect(page.locator(".region h2")).to_have_text("5 cells")
    ground = {(2 * row + v, 2 * column + u) for v in (0, 1) for u in (0, 1)}
    assert decoded(code(page)) == ground | {tuple(fine.cell[outside].tolist())}


def test_links_stay_short(opened: Opener) -> None:
    """Gaps of a selection too irregular for a link are closed, and the panel states that; others are exact."""
    ragged = {(row, column) for row in range(40) for column in range(row % 2, 40, 2)}
    lost = {(row, column) for row in range(40) for column in range(40)}
    page = opened(f"#layer=features.7&level=40&cells={encoded(40, ragged)}")
    expect(page.locator(".region h2")).to_have_text("800 cells")
    expect(page.locator(".region")).to_contain_text("The link contains a simplified shape")
    page.keyboard.press("+")
    page.wait_for_function("() => location.hash.includes('view=')")
    held = decoded(code(page)) if "cells=" in page.url else box_of(page)
    assert len(page.url.split("#")[1]) < LONGEST_LINK
    assert ragged < held <= lost
    rows = {(row, column) for row in range(0, 40, 2) for column in range(0, 40, 2)}
    page = opened(f"#layer=features.7&level=40&cells={encoded(40, rows)}")
    expect(page.locator(".region h2")).to_have_text("400 cells")
    expect(page.locator(".region")).not_to_contain_text("simplified")


def test_an_invalid_selection_is_dropped(opened: Opener) -> None:
    """An invalid selection in a link is dropped; the next valid one is shown."""
    page = opened("#layer=features.7&level=20")
    broken = (
        "20",
        "20.1.1.1",
        "7.0.0.2.02",
        "20.0.0.21.01",
        "20.19.0.2.0z1",
        "20.0.0.2.z",
        "20.0.0.2.A1",
        "20.0.0.2.1",
        f"20.0.0.5.{'i' * 400}0{'z' * 400}1",  # lengths that are no number and infinite
    )
    for text in broken:
        page.evaluate("text => { location.hash = `#layer=features.7&level=20&cells=${text}`; }", text)
        page.wait_for_timeout(40)
        assert page.locator(".region").count() == 0, text
    page.evaluate("location.hash = '#layer=features.7&level=20&cells=20.5.5.3.0111'")
    expect(page.locator(".region h2")).to_have_text("2 cells")
