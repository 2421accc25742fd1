"""The page on a phone: 390 × 844 and touch."""

from collections.abc import Callable
from typing import Any

import pytest
from browsing import Opener, busiest, link_has, link_lacks, place, ready
from playwright.sync_api import Page, expect
from site_planting import Level, Planted

pytestmark = pytest.mark.browser

# what has nothing to do with where the page comes from
AT_HTTP = pytest.mark.parametrize("address", ["http"], indirect=True)

WIDTH, HEIGHT = 390, 844
LEAST, MAIN = 24, 40  # CSS pixels of a control, and of one that the main way leads over
PHONE = {"width": WIDTH, "height": HEIGHT, "has_touch": True, "is_mobile": True}
# what may be tapped and can be seen, with its box; a radio button is its label, the picture is no control
CONTROLS = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => !element.matches("[role=application], .visually-hidden"))
    .filter((element) => !element.closest("[aria-hidden=true]"))
    .filter((element) => !document.querySelector("dialog[open]") || element.closest("dialog[open]"))
    .map((element) => {
        const { width, height } = element.getBoundingClientRect();
        const main = element.closest("header, .zoom, .close") !== null;
        const name = element.ariaLabel ?? element.closest("label")?.innerText ?? element.innerText;
        return { name: `${element.localName} ${name}`, width, height, main };
    })"""


def small(page: Page) -> list[str]:
    """Visible controls too small for touch, with their sizes; and the overflow of the page's width."""
    controls = page.evaluate(CONTROLS)
    assert controls
    found = [
        f"{one['name']}: {one['width']:.1f} × {one['height']:.1f}"
        for one in controls
        if min(one["width"], one["height"]) < (MAIN if one["main"] else LEAST) - 0.01
    ]
    beyond = page.evaluate("document.documentElement.scrollWidth") - WIDTH
    return [*found, *([f"{beyond} pixels too wide"] if beyond else [])]


def cell_side(page: Page) -> float:
    """CSS pixels of a cell of the shown level."""
    return float(page.evaluate("atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x"))


def fingers(page: Page) -> Callable[..., None]:
    """Dispatches touch events: event type and positions of all fingers."""
    device = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        made = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": made})

    return touch


@pytest.fixture
def phone(opened: Opener) -> Callable[..., Page]:
    """Opens the page on a phone."""

    def open_page(link: str, **context: Any) -> Page:
        return opened(link, **PHONE, **context)

    return open_page


def tapped(page: Page, level: Level, cell: int) -> None:
    """Tap a planted cell and wait for its panel."""
    page.touchscreen.tap(*place(page, level, cell))
    expect(page.locator(".panel .patch")).to_have_count(9)


def test_the_page_works_by_touch(phone: Callable[..., Page], planted: Planted) -> None:
    """Class, layer, level, atlas, pin and help by taps: no control is too small and nothing overflows."""
    page = phone("#layer=features.3")
    found = {"start": small(page)}
    page.locator("label", has_text="features.7").tap()
    ready(page, "features.7/all/10/")
    page.get_by_role("combobox").tap()
    page.get_by_role("combobox").fill("gold")
    found["search"] = small(page)
    page.get_by_role("option", name="goldfish", exact=True).tap()
    ready(page, "features.7/all/10/5")
    found["class"] = small(page)
    page.get_by_role("button", name="Show all classes").tap()
    page.get_by_role("button", name="Grid level and tools").tap()
    found["behind the button"] = small(page)
    page.locator(".overflow-content label", has_text="20").tap()
    ready(page, "features.7/all/20/")
    link_has(page, "level=20")
    level = planted.levels["features.7", 20]
    page.get_by_role("button", name="Grid level and tools").tap()
    expect(page.locator(".overflow-content")).to_be_hidden()
    tapped(page, level, busiest(level))
    found["panel"] = small(page)
    page.get_by_role("button", name="Close panel").tap()
    expect(page.locator(".panel")).to_be_hidden()
    page.get_by_role("button", name="Grid level and tools").tap()
    page.get_by_role("button", name="Help").tap()
    found["help"] = small(page)
    page.get_by_role("button", name="Close help").tap()
    expect(page.locator(".overflow-content")).to_be_hidden()
    assert page.evaluate("document.activeElement.ariaLabel") == "Grid level and tools"
    assert {state: controls for state, controls in found.items() if controls} == {}


@AT_HTTP
def test_small_controls_are_reported(phone: Callable[..., Page]) -> None:
    """A button of 20 pixels and an overflowing one are reported."""
    page = phone("#layer=features.3")
    page.evaluate("""() => {
        const tiny = document.createElement("button");
        Object.assign(tiny.style, { position: "absolute", left: "380px", width: "20px", height: "20px", padding: 0 });
        document.querySelector("header").append(tiny);
        document.body.style.overflow = "visible";
        document.documentElement.style.overflowX = "auto";
    }""")
    assert small(page) == ["button : 20.0 × 20.0", "10 pixels too wide"]


@AT_HTTP
def test_the_header_leaves_room_for_the_map(phone: Callable[..., Page]) -> None:
    """The header ends where the map begins, within an eighth of the height; the map has the rest."""
    page = phone("#layer=features.7")
    head, picture = (page.locator(part).bounding_box() for part in ("header", "[role=application]"))
    assert head
    assert picture
    assert head["height"] <= HEIGHT / 8
    assert (picture["x"], picture["y"]) == (0, head["y"] + head["height"])
    assert (picture["width"], picture["y"] + picture["height"]) == (WIDTH, HEIGHT)


def test_a_pinch_zooms_only_the_map(phone: Callable[..., Page]) -> None:
    """A pinch enlarges the cells; the page itself keeps its scale."""
    page = phone("#layer=features.7&level=10")
    before, touch = cell_side(page), fingers(page)
    touch("touchStart", (195, 330), (195, 390))
    for step in range(1, 9):
        touch("touchMove", (195, 330 - 10 * step), (195, 390 + 10 * step))
        page.wait_for_timeout(16)
    touch("touchEnd")
    page.wait_for_function("before => atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x > 2 * before", arg=before)
    assert page.evaluate("visualViewport.scale") == 1
    assert page.evaluate("scrollX + scrollY") == 0


def test_a_drag_pans(phone: Callable[..., Page], planted: Planted) -> None:
    """Dragging a finger pans the map and pins nothing."""
    page = phone("#layer=features.7&level=20&view=0.5,0.5,0.5")
    level = planted.levels["features.7", 20]
    start, touch = place(page, level, 0), fingers(page)
    touch("touchStart", (200, 420))
    for step in range(1, 11):
        touch("touchMove", (200 - 6 * step, 420 - 4 * step))
        page.wait_for_timeout(30)
    page.wait_for_timeout(300)  # a finger that rests before it lifts does not throw the picture
    touch("touchEnd")
    page.wait_for_timeout(200)
    end = place(page, level, 0)
    assert end == pytest.approx((start[0] - 60, start[1] - 40), abs=12)
    link_lacks(page, "pin=")


def test_the_panel_is_a_bottom_sheet(phone: Callable[..., Page], planted: Planted) -> None:
    """The panel fills the width at the bottom, keeps its cell visible, scrolls and is closed by a tap."""
    level = planted.levels["features.7", 10]
    page = phone("#layer=features.7&level=10")
    cell = busiest(level)
    tapped(page, level, cell)
    panel = page.locator(".panel").bounding_box()
    assert panel
    assert (panel["x"], panel["width"]) == (0, WIDTH)
    assert panel["y"] + panel["height"] == pytest.approx(HEIGHT, abs=1)
    page.wait_for_timeout(200)
    assert place(page, level, cell)[1] < panel["y"]
    close = page.get_by_role("button", name="Close panel")
    box = close.bounding_box()
    assert box
    assert box["y"] >= panel["y"]
    assert page.evaluate(
        "document.querySelector('.panel').scrollHeight > document.querySelector('.panel').clientHeight"
    )
    close.tap()
    expect(page.locator(".panel")).to_be_hidden()
    link_lacks(page, "pin=")


@AT_HTTP
def test_the_name_of_a_setting_stays_inside_the_card(phone: Callable[..., Page]) -> None:
    """The note of the layer's card breaks a word that is longer than the card is wide."""
    page = phone("#layer=features.3&level=20")
    note = page.locator(".caption .note").first
    note.evaluate("note => { note.textContent = 'sample.attribution=true'.repeat(3); }")
    wide, room = note.evaluate("note => [note.scrollWidth, note.clientWidth]")
    assert wide <= room
