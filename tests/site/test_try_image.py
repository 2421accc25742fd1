"""An image of the user's own on the page of a project's server: chosen, dropped or pasted, and marked on the map."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Opener, link_has, link_lacks, ready
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.axe import faults
from tests.text_size import too_small
from tests.tiny_run import LAYER
from tests.tried_run import SIDE, encoded, own_cells, picture

pytestmark = pytest.mark.browser

START = f"#layer={LAYER}&level=4"
CELLS = ".own-image .found-cells [data-at]"
GIVE = """([event, name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: "image/png" }));
    const options = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(event === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent(event, { ...options, dataTransfer: data }));
}"""
# pixels in the mark's color within a cell, without its edge, where the outlines of its neighbors are
MARKED = """([row, column, mark]) => {
    const here = atlas.cellToPoint(row, column), side = atlas.cellToPoint(row, column + 1).x - here.x - 12;
    const canvas = document.querySelector("canvas.overlay"), { left, top } = canvas.getBoundingClientRect();
    const { data } = canvas.getContext("2d").getImageData(
        here.x - left - side / 2, here.y - top - side / 2, side, side);
    let found = 0;
    for (let at = 0; at < data.length; at += 4)
        if (mark.every((channel, index) => Math.abs(data[at + index] - channel) < 3) && data[at + 3] === 255) found++;
    return found;
}"""
MARK = [0x0A, 0x68, 0xC9]  # --own-image in the light theme


@pytest.fixture(scope="module")
def address(project: int) -> str:
    """The project's own server, in place of those of the planted site."""
    return f"http://127.0.0.1:{project}/"


def two_kinds() -> bytes:
    """A picture whose left half is of one kind and whose right half of another."""
    halves = [np.asarray(picture(kind, 5))[:, : SIDE // 2] for kind in ("blue", "green")]
    return encoded(Image.fromarray(np.concatenate(halves, axis=1)))


def choose(page: Page, content: bytes, name: str = "mine.png", kind: str = "image/png") -> None:
    """Choose a file in the dialog."""
    page.get_by_role("button", name="Try your image").click()
    page.set_input_files(".own-image-dialog input", {"name": name, "mimeType": kind, "buffer": content})


def found(page: Page) -> dict[tuple[int, int], int]:
    """The listed cells (row, column) with their numbers of positions, in the list's order."""
    expect(page.locator(CELLS).first).to_be_visible(timeout=30_000)  # the network is loaded with the first image
    expect(page.locator(".own-image[aria-busy]")).to_have_count(0)
    listed = {}
    for entry in page.locator(CELLS).all():
        row, column = (entry.get_attribute("data-at") or "").split(".")
        listed[int(row), int(column)] = int(re.sub(r"\D", "", entry.locator(".count").inner_text()))
    return listed


def marked(page: Page, cell: tuple[int, int]) -> int:
    """Pixels of a cell on the map that are in the color of the marks."""
    return int(page.evaluate(MARKED, [*cell, MARK]))


def test_an_image_is_marked_where_its_own_samples_lie(opened: Opener, tried: Path) -> None:
    """Most positions are listed and marked on the map in cells of the image's own samples; other cells have no mark."""
    page = opened(START)
    choose(page, (tried / "photographs/green/1.png").read_bytes())
    listed = found(page)
    assert sum(listed.values()) == 14 * 14
    own = own_cells(tried, LAYER, "green", 4)
    assert sum(count for cell, count in listed.items() if cell in own) > 0.9 * 14 * 14
    assert next(iter(listed)) in own, "the cell with the most positions is the first"
    everywhere = {(row, column) for row in range(4) for column in range(4)}
    assert {cell for cell in everywhere if marked(page, cell) > 100} == set(listed)
    expect(page.locator(".own-image header")).to_contain_text("mine.png")
    expect(page.locator(".own-image .bars:not(.similarity) li")).to_have_count(5)
    expect(page.locator(".own-image .similarity li").nth(1)).to_contain_text("The atlas’s own samples")


def test_the_image_and_the_map_point_at_each_other(opened: Opener, tried: Path) -> None:
    """A position marks its cell; a cell of the map names its positions; both by pointer and by keyboard."""
    page = opened(START)
    choose(page, two_kinds())
    found(page)
    box = page.locator(".positions").bounding_box()
    assert box
    said = page.locator(".own-image .pointed")
    for share, kind in ((0.15, "blue"), (0.85, "green")):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
        expect(page.locator(f"{CELLS}[data-marked]")).to_have_count(1)
        row, column = (page.locator(f"{CELLS}[data-marked]").get_attribute("data-at") or "").split(".")
        assert (int(row), int(column)) in own_cells(tried, LAYER, kind, 4)
        expect(said).to_contain_text(f"cell row {row}, column {column}")
    at = page.evaluate("([row, column]) => atlas.cellToPoint(row, column)", [int(row), int(column)])
    page.mouse.move(at["x"], at["y"])
    expect(said).to_contain_text(f"positions in cell row {row}, column {column}")
    page.mouse.move(5, 5)
    expect(said).to_contain_text("Point at a position")
    page.locator(".positions").focus()
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("Position row 8, column 8:")
    page.keyboard.press("ArrowLeft")
    expect(said).to_contain_text("Position row 8, column 7:")
    expect(page.locator(f"{CELLS}[data-marked]")).to_have_count(1)
    page.locator(CELLS).nth(1).focus()
    expect(page.locator(f"{CELLS}[data-marked]")).to_have_count(1)
    expect(page.locator(CELLS).nth(1)).to_have_attribute("data-marked", "")


def test_a_click_pins_and_escape_goes_back(opened: Opener) -> None:
    """A position pins its cell, beside the image; Escape closes the cell, then the image; the URL never tells of it."""
    page = opened(START, width=1400)
    choose(page, encoded(picture("blue", 5)), name="secret-name.png")
    cell = next(iter(found(page)))
    page.locator(".positions").click()
    link_has(page, f"pin=4.{cell[0]}.{cell[1]}")
    expect(page.locator(".map-area > .panel:not(.own-image) h2").first).to_be_visible()
    own, pinned = (
        page.locator(where).bounding_box() for where in (".panel.own-image", ".panel:not(.own-image):visible")
    )
    assert own
    assert pinned
    assert own["x"] + own["width"] <= pinned["x"] + 1
    page.keyboard.press("Escape")
    link_lacks(page, "pin=")
    expect(page.locator(".own-image")).to_be_visible()
    assert "secret" not in page.url
    page.keyboard.press("Escape")
    expect(page.locator(".panel.own-image")).to_have_count(0)
    page.wait_for_function(f"cell => ({MARKED})(cell) === 0", arg=[*cell, MARK])
    assert page.url.endswith(START)


def test_another_level_asks_again(opened: Opener, tried: Path) -> None:
    """The marks follow the level, and another style of pictures keeps them."""
    page = opened(START)
    choose(page, encoded(picture("black", 5)))
    assert set(found(page)) <= {(row, column) for row in range(4) for column in range(4)}
    with page.expect_response(lambda answer: "level=2" in answer.url) as answered:
        page.keyboard.press(",")
    assert answered.value.ok
    ready(page, f"{LAYER}/all/2/")
    expect(page.locator(".own-image:not([aria-busy])")).to_be_attached()
    listed = found(page)
    assert set(listed) & own_cells(tried, LAYER, "black", 2)
    assert all(marked(page, cell) > 100 for cell in listed)
    page.keyboard.press("e")
    expect(page.locator("html")).to_have_attribute("data-style", "photographs")
    assert all(marked(page, cell) > 100 for cell in listed)


def test_a_second_map_marks_the_image_too(opened: Opener, tried: Path) -> None:
    """Of the same layer it has the same marks, opened after the image or before; closing the image ends them."""
    second = MARKED.replace("cellToPoint", "secondCellToPoint").replace('"canvas', '".pane.second canvas')
    everywhere = [(row, column) for row in range(4) for column in range(4)]

    def marked_there() -> set[tuple[int, int]]:
        return {cell for cell in everywhere if page.evaluate(second, [*cell, MARK]) > 60}

    page = opened(START, width=1400)
    choose(page, (tried / "photographs/green/1.png").read_bytes())
    listed = set(found(page))
    page.get_by_role("button", name="Split view").click()
    marks = f"cell => ({second})(cell) > 60"
    first = [*next(iter(listed)), MARK]
    page.wait_for_function(f"cell => globalThis.atlas.secondCellToPoint && ({marks})(cell)", arg=first)
    assert marked_there() == listed
    page.locator(".own-image").get_by_role("button", name="Close").click()
    page.wait_for_function(f"cell => !({marks})(cell)", arg=first)
    assert not marked_there()
    choose(page, (tried / "photographs/green/1.png").read_bytes())
    page.wait_for_function(marks, arg=first)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_an_image_may_be_dropped_or_pasted(opened: Opener, event: str) -> None:
    """Anywhere on the page, with the dialog open or not."""
    page = opened(START)
    if event == "paste":
        page.keyboard.press("t")
        expect(page.get_by_role("dialog", name="Try your image")).to_be_visible()
    content = base64.b64encode(encoded(picture("red", 5))).decode()
    if event == "drop":
        page.evaluate(GIVE, ["dragover", "given.png", content])
        expect(page.locator("html")).to_have_attribute("data-dropping", "")
    page.evaluate(GIVE, [event, "given.png", content])
    assert found(page)
    expect(page.locator("html:not([data-dropping])")).to_have_count(1)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".own-image header")).to_contain_text("given.png")


@pytest.fixture
def plain(chromium: Browser, address: str) -> Callable[[], Page]:
    """Opens the page where the browser may tell of refused requests."""

    def open_page() -> Page:
        page = chromium.new_context(reduced_motion="reduce").new_page()
        page.goto(address + START)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    return open_page


def test_what_goes_wrong_is_said_in_the_panel(plain: Callable[[], Page]) -> None:
    """A file that is no image, one that is too large and a server that is gone each have their line; the next works."""
    page = plain()
    choose(page, b"no image", name="<b>notes</b>.png")
    expect(page.get_by_role("alert")).to_have_text("image: not an image, or of a format that is not read")
    expect(page.locator(".own-image header")).to_contain_text("<b>notes</b>.png")
    choose(page, bytes(21 * 2**20))
    expect(page.get_by_role("alert")).to_contain_text("expected a file of at most 20 MB, found 21 MB")
    page.route("**/try-image*", lambda route: route.abort())
    choose(page, encoded(picture("red", 5)))
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer. Start it again")
    page.unroute("**/try-image*")
    choose(page, encoded(picture("red", 5)))
    assert found(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_dialog_and_panel_are_accessible(opened: Opener, scheme: Any, width: int) -> None:
    """No serious violation and no small text, in light, dark and narrow; the file input has the focus at once."""
    page = opened(START, width=width, color_scheme=scheme)
    page.keyboard.press("t")
    expect(page.locator(".own-image-dialog input")).to_be_focused()
    assert faults(page) == []
    page.set_input_files(".own-image-dialog input", {"name": "a.png", "mimeType": "image/png", "buffer": two_kinds()})
    found(page)
    assert faults(page) == []
    assert too_small(page) == []
    panel, area = (page.locator(where).bounding_box() for where in (".panel.own-image", ".map-area"))
    assert panel
    assert area
    assert panel["width"] <= width
    assert panel["height"] <= area["height"]
