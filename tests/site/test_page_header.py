"""The layout of the page header at every width."""

from itertools import combinations, pairwise

import pytest
from browsing import Opener

# where the page comes from changes no width
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("address", ["http"], indirect=True)]


@pytest.mark.parametrize("width", [390, 700, 1000, 1081, 1120, 1170, 1280, 1600])
def test_nothing_overflows(width: int, opened: Opener) -> None:
    """With menus for atlases, layers and levels, the page fits the window, and all tools are visible."""
    page = opened("#layer=features.7&level=20", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    tools = page.locator(".page-header button:visible, .page-header select:visible, .page-header input:visible").all()
    boxes = [box for box in (tool.bounding_box() for tool in tools) if box]
    assert len(boxes) > 3
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


@pytest.mark.parametrize(
    ("width", "room"), [(390, "phone"), (640, "phone"), (641, "lines"), (900, "lines"), (1280, "line"), (1600, "line")]
)
def test_one_line_if_it_fits_or_else_two(width: int, room: str, opened: Opener) -> None:
    """The header chooses its layout by width; its parts never overlap, and the title is complete except on a phone."""
    page = opened("#layer=features.7&level=20", width=width)
    assert page.evaluate("document.querySelector('.page-header').dataset.layout") == room
    found = [part.bounding_box() for part in page.locator(".line > :visible").all()]
    boxes = [box for box in found if box]
    middles = sorted(box["y"] + box["height"] / 2 for box in boxes)
    lines = 1 + sum(after - before > 8 for before, after in pairwise(middles))
    assert lines == (1 if room == "line" else 2)
    for one, other in combinations(boxes, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        above = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or above
    whole = page.locator("h1").evaluate("heading => heading.scrollWidth <= heading.clientWidth")
    assert whole or room == "phone"


def test_the_layout_follows_the_width(opened: Opener) -> None:
    """A narrower window or a wider part changes one line to two, and back."""
    page = opened("#layer=features.7&level=20", width=1500)
    room = page.locator(".page-header")
    page.wait_for_function("() => document.querySelector('.page-header').dataset.layout === 'line'")
    page.set_viewport_size({"width": 800, "height": 860})
    page.wait_for_function("() => document.querySelector('.page-header').dataset.layout === 'lines'")
    page.set_viewport_size({"width": 390, "height": 860})
    page.wait_for_function("() => document.querySelector('.page-header').dataset.layout === 'phone'")
    assert room.locator(".overflow-content .levels").count() == 1
    page.set_viewport_size({"width": 1500, "height": 860})
    page.wait_for_function("() => document.querySelector('.page-header').dataset.layout === 'line'")
    page.evaluate("document.querySelector('.page-header .tools').style.width = '900px'")
    page.wait_for_function("() => document.querySelector('.page-header').dataset.layout === 'lines'")
    assert room.locator(".overflow-content *").count() == 0
