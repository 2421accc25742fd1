"""The page is used with the keyboard alone, from the start."""

import re
from dataclasses import dataclass
from itertools import pairwise

import pytest
from browsing import Opener, ready
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

# what has nothing to do with where the page comes from
AT_HTTP = pytest.mark.parametrize("address", ["http"], indirect=True)

START = "#layer=features.3"
MOST_STOPS = 40
# the element that bears the ring: the face beside a radio button, else what has the focus
STOP = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const bearer = element.matches("input[type=radio]") ? element.nextElementSibling : element;
    const name = element.ariaLabel ?? element.closest("label")?.innerText ?? element.innerText;
    self.bearers = [...(self.bearers ?? []), bearer];
    return { name, landmark: element.closest("header, main").localName };
}"""
# where the stops are when none has the focus: on a phone the search then gives its room back
BOXES = """() => self.bearers.map((bearer) => {
    const { left, top, bottom, right } = bearer.getBoundingClientRect();
    return { left, top, bottom, right };
})"""
# all that may draw a ring, of one of the stops so far
RING = """index => [null, "::after"].map((part) => {
    const style = getComputedStyle(self.bearers.at(index), part);
    const outline = style.outlineStyle === "none" ? "" : `${style.outlineWidth} ${style.outlineColor}`;
    const border = style.content === "none" || style.content === "normal" ? "" : style.borderTop;
    return [outline, style.boxShadow, border].join("/");
}).join("|")"""


@dataclass(frozen=True)
class Stop:
    """A tab stop: its name, and its focus ring."""

    name: str
    landmark: str
    ring: str


def stops(page: Page) -> list[Stop]:
    """All tab stops from the beginning of the page to its end."""
    found: list[Stop] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            return found
        found.append(Stop(**stop, ring=page.evaluate(RING, -1)))
    raise AssertionError(f"no end after {MOST_STOPS} stops: {[stop.name for stop in found]}")


@AT_HTTP
@pytest.mark.parametrize("width", [1280, 700, 390])
def test_tab_order_is_the_visual_order_with_focus_rings(opened: Opener, width: int) -> None:
    """The tab key follows the lines of the header, then reaches the map; each stop has a focus ring."""
    page = opened(START, width=width)
    way = stops(page)
    bare = [page.evaluate(RING, index) for index in range(len(way))]  # the focus is elsewhere by now
    assert [stop.name for stop, without in zip(way, bare, strict=True) if stop.ring == without] == []
    boxes = page.evaluate(BOXES)
    assert all(0 <= box["left"] < box["right"] <= width for box in boxes)
    head = [stop for stop in way if stop.landmark == "header"]
    assert [stop.landmark for stop in way] == ["header"] * len(head) + ["main"] * (len(way) - len(head))
    assert len(head) >= 4, [stop.name for stop in way]
    for box, after in pairwise(boxes[: len(head)]):
        beside = after["top"] < box["bottom"]
        assert after["left"] > box["left"] if beside else after["left"] <= box["left"]
    assert any(stop.name.startswith("Activation atlas") for stop in way)


class Typist:
    """Presses keys; after each, the focus must be on an existing element."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_function(
                "() => document.activeElement !== document.body && document.activeElement.checkVisibility()"
            )

    def tab_to(self, selector: str, key: str = "Tab") -> None:
        """Press tab until a matching element has the focus."""
        for _ in range(2 * MOST_STOPS):
            self.press(key)
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"tab does not come to {selector}")

    def at(self, *parts: str) -> None:
        """Wait until the URL is that of the start except for the given parts; the view may differ."""
        wanted = sorted(parts)
        self.page.wait_for_function(
            """wanted => {
                const parts = location.hash.slice(1).split("&").filter((part) => !part.startsWith("view="));
                return parts.sort().join() === wanted.join();
            }""",
            arg=wanted,
        )


PICTURE = "[role=application]"


def highlight(typist: Typist) -> None:
    """A class by typing the beginning of its name."""
    typist.press("/", *"gold", "Enter")
    typist.at("layer=features.3", "class=5")


def switch(typist: Typist) -> None:
    """Layer, level and atlas, and the same level by its radio button."""
    typist.press("l")
    typist.at("layer=features.7", "class=5")
    ready(typist.page, "features.7/all/20/5")
    typist.press(".")
    typist.at("layer=features.7", "class=5", "level=40")
    typist.press("a")
    typist.at("layer=features.7", "class=5")
    typist.tab_to(".levels input", "Shift+Tab")
    typist.press("ArrowRight", "ArrowRight")
    typist.at("layer=features.7", "class=5", "level=20")
    typist.press("o", "End", "Enter")
    typist.page.wait_for_function("() => location.hash.includes('atlas=compare-1-0')")
    typist.press("o", "Home", "Enter")
    typist.page.wait_for_function("() => !location.hash.includes('atlas=')")
    typist.page.wait_for_selector("html[data-ready^='features.7/all/20/']", state="attached")
    typist.press("/", *"gold", "Enter")
    ready(typist.page, "features.7/all/20/5")
    typist.press(",")
    ready(typist.page, "features.7/all/10/5")
    typist.press(".")
    ready(typist.page, "features.7/all/20/5")
    typist.at("layer=features.7", "class=5", "level=20")


def pin(typist: Typist) -> None:
    """Move to a cell, pin it, focus its panel and tab through it."""
    page = typist.page
    page.wait_for_function("selector => document.activeElement.matches(selector)", arg=PICTURE)
    typist.press("ArrowRight", "ArrowRight", "ArrowDown")
    row, column, size = re.findall(r"Row (\d+), column (\d+) of (\d+)", page.get_by_role("status").inner_text())[0]
    where = f"pin={size}.{row}.{column}"
    typist.press("Enter")
    typist.at("layer=features.7", "class=5", "level=20", where)
    expect(page.locator(".panel .patch")).to_have_count(9)
    typist.press("Enter")
    assert page.evaluate("document.activeElement.matches('.panel')")
    typist.tab_to(".panel .patch:nth-child(3)")
    expect(page.locator(".panel .patch").nth(2)).to_have_attribute("aria-pressed", "true")


def choose_in_panel(typist: Typist) -> None:
    """A class chosen in the panel keeps the focus."""
    page = typist.page
    typist.tab_to(".panel .bars button", "Shift+Tab")
    name = page.evaluate("document.activeElement.querySelector('.name').textContent")
    typist.press("Enter")
    expect(page.locator(".class-toolbar strong").first).to_have_text(name)
    assert page.evaluate("document.activeElement.querySelector('.name')?.textContent") == name


def follow(typist: Typist) -> None:
    """To the cell of the other layer with the pinned samples."""
    page = typist.page
    typist.tab_to(".panel .other-layers button")
    said = page.evaluate("document.activeElement.ariaLabel")
    layer, row, column = re.findall(r"in (\S+), row (\d+), column (\d+)", said)[0]
    assert layer == "features.3"
    typist.press("Enter")
    where = rf"layer={layer}&.*pin=20\.{row}\.{column}(&|$)"
    page.wait_for_function("pattern => new RegExp(pattern).test(location.hash)", arg=where)
    expect(page.locator(".panel .patch")).to_have_count(9)


def select(typist: Typist) -> None:
    """A region of two by two cells, with its corners set by Enter."""
    page = typist.page
    typist.press("Escape")
    page.wait_for_function("() => !location.hash.includes('pin=')")
    typist.press("ArrowLeft")
    row, column = (
        int(found) for found in re.findall(r"Row (\d+), column (\d+)", page.get_by_role("status").inner_text())[0]
    )
    typist.press("b", "Enter", "ArrowRight", "ArrowDown", "Enter")
    box = f"box=20.{row}.{column}.{row + 1}.{column + 1}"
    page.wait_for_function("box => location.hash.includes(box)", arg=box)
    expect(page.locator(".panel.region")).to_be_visible()
    typist.tab_to(".panel.region .close")
    typist.press("Enter")
    page.wait_for_function("() => !location.hash.includes('box=')")
    expect(page.locator(".panel.region")).to_have_count(0)


def help_and_back(typist: Typist) -> None:
    """Help takes the focus and returns it; Escape then resets the page."""
    page = typist.page
    typist.press("?")
    expect(page.get_by_role("dialog", name="Reading the atlas")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    typist.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("selector => document.activeElement.matches(selector)", PICTURE)
    typist.press("a", "Escape", "Escape", "Escape")
    typist.at("layer=features.3")
    ready(page, "features.3/all/20/")


def test_everything_works_with_the_keyboard(opened: Opener) -> None:
    """Class, layer, level, atlas, cell, pin, panel, other layer, region, help and back: the URL contains each state."""
    page = opened(START)
    typist = Typist(page)
    highlight(typist)
    switch(typist)
    pin(typist)
    choose_in_panel(typist)
    follow(typist)
    select(typist)
    help_and_back(typist)


@AT_HTTP
def test_leaving_the_search_focuses_the_map(opened: Opener) -> None:
    """Escape in the search, or the button that shows all classes, focuses the map."""
    page = opened(START)
    typist = Typist(page)
    typist.press("/", "x", "Escape")
    assert page.evaluate("selector => document.activeElement.matches(selector)", PICTURE)
    highlight(typist)
    typist.tab_to("[aria-label='Show all classes']")
    typist.press("Enter")
    typist.at("layer=features.3")
    assert page.evaluate("selector => document.activeElement.matches(selector)", PICTURE)
