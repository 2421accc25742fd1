"""The split view in a browser, over HTTP and from disk."""

from collections.abc import Callable

import numpy as np
import pytest
from browsing import MASK_OPACITY, Opener, busiest, link_has, link_lacks, ready
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from site_planting import CLASS_ATLAS, COMPARE_ATLAS, Level, Planted, cell_at, count_at

pytestmark = pytest.mark.browser

FIRST, SECOND = "features.7", "features.3"
PLAIN = f"#layer={FIRST}&level=20"
PLACES = """() => {
    const inside = (pane, place) => {
        const { left, top } = document.querySelector(pane).getBoundingClientRect();
        return [[3, 4], [12, 9]].flatMap(([row, column]) => {
            const { x, y } = place(row, column);
            return [x - left, y - top];
        });
    };
    return [inside(".pane", atlas.cellToPoint), inside(".pane.second", atlas.secondCellToPoint)];
}"""
PIXELS = """([pane, x, y, width, height]) => {
    const canvas = document.querySelector(`${pane} canvas.overlay`);
    const { left, top } = canvas.getBoundingClientRect();
    const part = [x - left, y - top, width, height].map(Math.round);
    return Array.from(canvas.getContext("2d").getImageData(...part).data);
}"""
RECORD = """() => {
    self.seen = [];
    const note = () => {
        const [one, other] = [atlas.cellToPoint(10, 10), atlas.secondCellToPoint(10, 10)];
        self.seen.push([one.x, other.x]);
        if (self.seen.length < 80) requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
}"""


def beside(page: Page, name: str) -> None:
    """Wait until the second map shows layer/atlas/level and class."""
    page.wait_for_selector(f'html[data-split="{name}"]', state="attached")


def places(page: Page) -> NDArray[np.float64]:
    """Centers of two cells [map, (x, y, x, y)], CSS pixels from each map's upper left."""
    return np.array(page.evaluate(PLACES))


def together(page: Page) -> NDArray[np.float64]:
    """The positions in the first map, once both maps show the same view."""
    first, second = places(page)
    assert np.allclose(first, second, atol=1)
    return np.asarray(first)


def position(page: Page, level: Level, cell: int, pane: str = "cellToPoint") -> tuple[float, float]:
    """The center of a planted cell on the screen, in the map ``atlas.<pane>``."""
    row, column = (int(number) for number in level.cell[cell])
    found = page.evaluate("([pane, row, column]) => atlas[pane](row, column)", [pane, row, column])
    return found["x"], found["y"]


def pixels(page: Page, pane: str, x: float, y: float, size: int = 1) -> NDArray[np.int64]:
    """A square of a map's overlay around a point of the page [y, x, (red, green, blue, alpha)]."""
    read = page.evaluate(PIXELS, [pane, x - size // 2, y - size // 2, size, size])
    return np.array(read).reshape(size, size, 4)


def marked(page: Page, pane: str, level: Level, cell: int) -> bool:
    """Whether a planted cell has an outline: nothing else on the overlay is darker than the light background."""
    x, y = position(page, level, cell, "secondCellToPoint" if pane == ".second" else "cellToPoint")
    side = page.evaluate("atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x")
    line = pixels(page, pane, x, y, int(side) + 8)[int(side) // 2 + 4]
    return bool(((line[:, 0] < 190) & (line[:, 3] > 120)).any())


def test_the_next_layer_opens_and_closes(opened: Opener) -> None:
    """The button opens the next layer with the same class and view as a second map, and closes it."""
    page = opened(f"{PLAIN}&class=5&view=0.4,0.6,0.3")
    ready(page, f"{FIRST}/all/20/5")
    before = page.evaluate("atlas.cellToPoint(12, 8).y")
    toggle = page.get_by_role("button", name="Split view", exact=True)
    toggle.click()
    beside(page, f"{SECOND}/all/20/5")
    assert toggle.get_attribute("aria-pressed") == "true"
    link_has(page, f"beside={SECOND}~all~5")
    one, other = (page.locator(".pane").nth(number).bounding_box() for number in (0, 1))
    assert one
    assert other
    assert one["width"] == pytest.approx(other["width"], abs=1)
    assert other["x"] >= one["x"] + one["width"]
    center = [one["x"] + one["width"] / 2, one["y"] + one["height"] / 2]
    middle = page.evaluate("[atlas.cellToPoint(11.5, 7.5).x, atlas.cellToPoint(11.5, 7.5).y]")
    assert middle == pytest.approx(center, abs=2)  # the view of the link, in a narrower window
    together(page)
    page.get_by_role("button", name="Close the second map").click()
    expect(page.locator(".second")).to_have_count(0)
    page.wait_for_function("y => Math.abs(atlas.cellToPoint(12, 8).y - y) < 2", arg=before)
    link_lacks(page, "beside")
    assert toggle.get_attribute("aria-pressed") == "false"


def test_both_maps_move_together(opened: Opener) -> None:
    """Buttons, keys, the minimap, and wheel and drag in either map move both."""
    page = opened(f"{PLAIN}&beside={SECOND}~all~&view=0.5,0.5,0.5")
    beside(page, f"{SECOND}/all/20/")
    one, other = (page.locator(".pane").nth(number).bounding_box() for number in (0, 1))
    minimap = page.locator(".minimap").bounding_box()
    assert one
    assert other
    assert minimap

    def wheel(x: float, turn: int) -> None:
        page.mouse.move(x, one["y"] + 430)
        page.mouse.wheel(0, turn)

    def drag(x: float, right: int) -> None:
        page.mouse.move(x, one["y"] + 430)
        page.mouse.down()
        page.mouse.move(x + right / 2, one["y"] + 400, steps=3)
        page.mouse.move(x + right, one["y"] + 380, steps=3)
        page.wait_for_timeout(60)
        page.mouse.up()

    here, there = one["x"] + 400, other["x"] + 300
    moves: list[Callable[[], object]] = [
        lambda: page.get_by_role("button", name="Zoom in").click(),
        lambda: wheel(there, -100),
        lambda: wheel(here, 100),
        lambda: drag(there, -90),
        lambda: drag(here, 90),
        lambda: page.keyboard.press("Shift+ArrowRight"),
        lambda: page.mouse.click(minimap["x"] + 60, minimap["y"] + 60),
        lambda: page.keyboard.press("0"),
    ]
    now = together(page)
    for move in moves:
        move()
        changed = "([x, y]) => Math.hypot(atlas.cellToPoint(3, 4).x - x, atlas.cellToPoint(3, 4).y - y) > 15"
        page.wait_for_function(changed, arg=[now[0] + one["x"], now[1] + one["y"]])
        page.wait_for_timeout(60)
        now = together(page)


def test_a_smooth_movement_has_no_echo(opened: Opener) -> None:
    """While a zoom in the second map runs, the first moves with it, and both come to rest."""
    page = opened(f"{PLAIN}&beside={SECOND}~all~&view=0.5,0.5,0.6")
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    beside(page, f"{SECOND}/all/20/")
    page.wait_for_timeout(400)
    other = page.locator(".second").bounding_box()
    assert other
    page.mouse.move(other["x"] + 500, other["y"] + 300)
    page.evaluate(RECORD)
    page.mouse.wheel(0, -100)
    page.wait_for_function("() => self.seen.length >= 80")
    seen = np.array(page.evaluate("self.seen"))
    seen = seen - seen[0]
    assert abs(seen[-1, 0]) > 20
    assert np.allclose(seen[-1, 0], seen[-1, 1], atol=0.5)
    assert len(np.unique(seen[:, 0].round(1))) > 5  # it did not jump
    steps = np.diff(seen, axis=0) * np.sign(seen[-1])
    assert (steps > -0.5).all()
    assert (np.abs(seen[-10:] - seen[-1]) < 0.5).all()
    late = np.abs(seen[1:, 0] - seen[1:, 1])
    assert (late <= np.abs(np.diff(seen[:, 1])) + 1).all()  # a frame behind at most


def test_the_grid_level_is_the_same_in_both(opened: Opener) -> None:
    """Zooming changes the level of both; an atlas that lacks it shows the next coarser one."""
    page = opened(f"#layer={FIRST}&beside={SECOND}~all~&view=0.5,0.5,1.3", width=1700, height=900)
    ready(page, f"{FIRST}/all/20/")
    beside(page, f"{SECOND}/all/20/")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    ready(page, f"{FIRST}/all/40/")
    beside(page, f"{SECOND}/all/40/")
    page.locator(".split-header").get_by_role("button", name="Atlas: All samples").click()
    page.get_by_role("option", name="Samples of fireboat", exact=True).click()
    beside(page, f"{SECOND}/{CLASS_ATLAS}/10/")
    ready(page, f"{FIRST}/all/40/")


def test_each_map_is_masked_by_its_own_class(opened: Opener, planted: Planted) -> None:
    """The mask of either map follows the planted attribution of its own class."""
    page = opened(f"{PLAIN}&class=5")
    page.keyboard.press("c")
    beside(page, f"{SECOND}/all/20/5")
    head = page.locator(".split-header")
    head.get_by_role("combobox").fill("steam")
    head.get_by_role("combobox").press("Enter")
    beside(page, f"{SECOND}/all/20/6")
    link_has(page, f"beside={SECOND}~all~6")
    link_has(page, "class=5")
    expect(page.locator(".class-toolbar strong")).to_have_text("goldfish")
    for pane, layer, class_id in ((".pane", FIRST, 5), (".second", SECOND, 6)):
        level = planted.levels[layer, 20]
        scale = max(np.abs(of.attribution[of.drawn]).max() for (name, _), of in planted.levels.items() if name == layer)
        drawn = np.flatnonzero(level.drawn)
        values = level.attribution[:, class_id]
        for cell in (int(drawn[values[drawn].argmax()]), int(drawn[values[drawn].argmin()])):
            x, y = position(page, level, cell, "secondCellToPoint" if pane == ".second" else "cellToPoint")
            shown = np.sqrt(max(values[cell], 0) / scale)
            assert pixels(page, pane, x, y)[0, 0, 3] == pytest.approx(255 * MASK_OPACITY * (1 - shown), abs=4)
    head.get_by_role("button", name="Stop highlighting steam train").click()
    beside(page, f"{SECOND}/all/20/")
    ready(page, f"{FIRST}/all/20/5")


def test_a_link_restores_the_second_map(opened: Opener) -> None:
    """Layer, atlas, classes and colors are restored from the link; an unknown layer opens nothing."""
    page = opened(f"#layer={FIRST}&class=2&beside={SECOND}~{COMPARE_ATLAS}~7.1~2.1&view=0.3,0.4,0.5")
    ready(page, f"{FIRST}/all/40/2")
    beside(page, f"{SECOND}/{COMPARE_ATLAS}/10/7")
    names = ["sunflower", "streetcar"]
    expect(page.locator(".split-class")).to_have_text(names)
    assert page.locator(".split-header input:checked").input_value() == SECOND
    page.keyboard.press("+")
    page.wait_for_function("() => !location.hash.includes('view=0.3,')")
    link_has(page, f"{COMPARE_ATLAS}~7.1~2.1")  # the colors too
    page.evaluate(f"location.hash = '#layer={FIRST}&level=10&beside={SECOND}~nothing~99'")
    beside(page, f"{SECOND}/all/10/")
    page.evaluate(f"location.hash = '#layer={FIRST}&level=10&beside=nothing~all~1'")
    expect(page.locator(".second")).to_have_count(0)


def test_keys_control_the_second_map(opened: Opener) -> None:
    """Opened by key, the second map has its own cursor; Escape clears the cursor, then closes the map."""
    page = opened(PLAIN)
    page.keyboard.press("c")
    beside(page, f"{SECOND}/all/20/")
    picture = page.get_by_role("application", name="Second map")
    picture.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("status")).to_contain_text("of 20:")
    expect(page.locator(".card")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_be_hidden()
    expect(page.locator(".second")).to_have_count(1)
    page.get_by_role("application", name="Activation atlas").focus()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.ariaLabel"))
    wanted = [f"Layer: {SECOND}", "Atlas: All samples", "Highlight a class", "Swap maps"]
    assert reached[:5] == [*wanted, "Close the second map"]
    expect(picture).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".second")).to_have_count(0)
    expect(page.get_by_role("application", name="Activation atlas")).to_be_focused()


def test_shared_samples_are_marked_in_the_other_map(opened: Opener, planted: Planted) -> None:
    """The cell at the pointer marks the cells of the other layer with most of its samples, and no others."""
    own, other = planted.levels[FIRST, 20], planted.levels[SECOND, 20]
    page = opened(f"{PLAIN}&labels=off&beside={SECOND}~all~", width=1900, height=960)
    beside(page, f"{SECOND}/all/20/")
    cell = busiest(own)
    samples = np.flatnonzero(cell_at(own, planted.xy[FIRST]) == cell)
    counts = np.where(other.drawn, count_at(other, planted.xy[SECOND][samples]), 0)
    order = np.argsort(-counts, kind="stable")
    page.mouse.move(*position(page, own, cell))
    page.wait_for_timeout(300)
    assert all(marked(page, ".second", other, int(found)) for found in order[:3])
    kin = other.cell[order[:3]]
    near = [int(found) for found in order[3:] if (np.abs(kin - other.cell[found]).max(axis=1) > 1).all()]
    assert not any(marked(page, ".second", other, found) for found in near[:5])
    page.mouse.move(5, 5)
    assert not marked(page, ".second", other, int(order[0]))


def test_the_same_cell_is_marked_at_the_same_layer(opened: Opener, planted: Planted) -> None:
    """Two classes of one layer mark the same cell in each other, both ways; another atlas marks none."""
    level = planted.levels[FIRST, 10]
    page = opened(f"#layer={FIRST}&level=10&labels=off&beside={FIRST}~all~")
    beside(page, f"{FIRST}/all/10/")
    cell = busiest(level)
    page.mouse.move(*position(page, level, cell))
    page.wait_for_timeout(100)
    assert marked(page, ".second", level, cell)
    page.mouse.move(*position(page, level, cell, "secondCellToPoint"))
    page.wait_for_timeout(100)
    expect(page.locator(".card")).to_be_visible()
    assert marked(page, ".pane", level, cell)
    page.evaluate(f"location.hash = '#layer={FIRST}&level=10&labels=off&beside={FIRST}~{CLASS_ATLAS}~'")
    beside(page, f"{FIRST}/{CLASS_ATLAS}/10/")
    page.mouse.move(5, 5)
    page.mouse.move(*position(page, level, cell))
    page.wait_for_timeout(200)
    assert marked(page, ".pane", level, cell)
    assert not marked(page, ".second", level, cell)


def test_a_click_pins_in_the_first_pane(opened: Opener, planted: Planted) -> None:
    """A clicked cell of the second map is pinned in the first pane; the swap button reverts it."""
    level = planted.levels[SECOND, 20]
    page = opened(f"{PLAIN}&class=5&beside={SECOND}~all~6&view=0.5,0.5,0.6", width=1900, height=960)
    beside(page, f"{SECOND}/all/20/6")
    row, column = (int(number) for number in level.cell[busiest(level)])
    page.mouse.click(*position(page, level, busiest(level), "secondCellToPoint"))
    ready(page, f"{SECOND}/all/20/6")
    beside(page, f"{FIRST}/all/20/5")
    link_has(page, f"pin=20.{row}.{column}")
    link_has(page, f"beside={FIRST}~all~5")
    expect(page.locator(".panel header .secondary")).to_contain_text(f"row {row}, column {column} of 20")
    together(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Swap maps").click()
    ready(page, f"{FIRST}/all/20/5")
    beside(page, f"{SECOND}/all/20/6")


def test_a_phone_stacks_the_maps(opened: Opener) -> None:
    """At 390 px the second map is below the first, everything fits, and both move together."""
    page = opened(f"#layer={FIRST}&beside={SECOND}~all~5", width=390, height=844, has_touch=True, is_mobile=True)
    beside(page, f"{SECOND}/all/10/5")
    one, other, head = (
        page.locator(found).first.bounding_box() for found in (".pane", ".pane.second", ".split-header")
    )
    assert one
    assert other
    assert head
    assert one["width"] == other["width"] == 390
    assert one["height"] == pytest.approx(other["height"], abs=1)
    assert other["y"] >= one["y"] + one["height"]
    assert other["y"] + other["height"] <= 844
    assert head["x"] >= 0
    assert head["x"] + head["width"] <= 390
    assert head["y"] + head["height"] < other["y"] + other["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    together(page)
    before = page.evaluate("atlas.cellToPoint(0, 0).x")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("x => atlas.cellToPoint(0, 0).x < x - 20", arg=before)
    page.wait_for_timeout(60)
    together(page)
    page.get_by_role("button", name="Close the second map").click()
    expect(page.locator(".second")).to_have_count(0)
