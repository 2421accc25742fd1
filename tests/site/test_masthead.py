"""The head of the page has room at every width."""

import pytest
from browsing import Opener

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [390, 700, 1000, 1081, 1120, 1170, 1280, 1600])
def test_nothing_lies_beyond_the_edge(width: int, opened: Opener) -> None:
    """With atlases, layers and levels to choose from, the page is no wider than the window, and all tools are in it."""
    page = opened("#layer=features.7&level=20", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    tools = page.locator(".masthead button:visible, .masthead select:visible, .masthead input:visible").all()
    boxes = [box for box in (tool.bounding_box() for tool in tools) if box]
    assert len(boxes) > 3
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
