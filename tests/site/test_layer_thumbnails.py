"""The layer menu shows thumbnails of every layer's atlas, for any number of layers."""

import json
import re
from typing import Any

import pytest
from browsing import Opener, ready
from playwright.sync_api import Locator, Page, Route, expect
from site_planting import CLASS_ATLAS, LAYERS, Planted

from pipeline.core.site_data import data_script, read_data_script

pytestmark = pytest.mark.browser

MORE = ("features.9", "features.10", "features.11", "features.12", "<b>final", "a.very.long.module.path.of.a.layer")
EVERY = (*LAYERS, *MORE, "head")


def picture(face: Locator) -> str:
    """The URL of the thumbnail, which must have been loaded."""
    image = face.locator(".layer-thumbnail img")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    return str(image.get_attribute("src"))


def test_few_layers_are_a_row_of_thumbnails(opened: Opener) -> None:
    """Every layer of a row has the thumbnail of its own atlas, which changes with the atlas."""
    page = opened("#layer=features.7&level=10")
    faces = page.locator(".layers label")
    assert faces.all_inner_texts() == list(LAYERS)
    assert [picture(face) for face in faces.all()] == [f"tiles/{layer}/all/10_files/6/0_0.webp" for layer in LAYERS]
    page.goto(f"{page.url.split('#')[0]}#layer=features.7&atlas={CLASS_ATLAS}")
    ready(page, f"features.7/{CLASS_ATLAS}/10/")
    for face, layer in zip(faces.all(), LAYERS, strict=True):
        assert picture(face) == f"tiles/{layer}/{CLASS_ATLAS}/5_files/6/0_0.webp"


def with_nine_layers(page: Page, planted: Planted) -> None:
    """Load the page anew with seven more layers, whose files are those of the first one."""
    content = read_data_script(planted.site / "data/manifest.js")
    first: dict[str, Any] = content["layers"][0]
    added = [{**first, "name": name, "channels": 100 + number} for number, name in enumerate(EVERY[2:])]
    content["layers"] += json.loads(json.dumps(added))

    def tile(route: Route) -> None:
        rest = re.findall(r"/(all/\d+_files/.*)$", route.request.url)[0]
        route.fulfill(path=planted.site / "tiles" / LAYERS[0] / rest)

    page.route(
        "**/manifest.js",
        lambda route: route.fulfill(body=data_script("manifest", content), content_type="text/javascript"),
    )
    page.route(re.compile(r"/tiles/(?!features\.[37]/)"), tile)
    page.goto(f"{page.url.split('#')[0]}?nine#layer=features.7&level=10&view=0.4,0.5,0.5")
    ready(page, "features.7/all/10/")


@pytest.mark.parametrize("width", [390, 1280])
def test_nine_layers_are_a_list_of_thumbnails(opened: Opener, planted: Planted, width: int) -> None:
    """A button opens nine thumbnails with names and channels, in order and inside the window; a press selects one."""
    page = opened(width=width)
    with_nine_layers(page, planted)
    before = page.evaluate("atlas.cellToPoint(3, 3)")
    button = page.get_by_role("button", name="Layer: features.7")
    button.click()
    faces = page.locator(".layer-list label")
    assert faces.locator(".layer").all_inner_texts() == list(EVERY)
    expect(faces.nth(3)).to_contain_text("101 channels")
    assert picture(faces.first) == "tiles/features.3/all/10_files/8/0_0.webp"
    assert page.evaluate("document.documentElement.scrollWidth") == width
    shown = page.locator(".layer-list fieldset").bounding_box()
    assert shown
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= width
    faces.first.click()
    ready(page, "features.3/all/10/")
    expect(page.locator(".layer-list fieldset")).to_be_hidden()
    expect(page.get_by_role("button", name="Layer: features.3")).to_be_focused()
    assert page.evaluate("atlas.cellToPoint(3, 3)") == pytest.approx(before, abs=1)
    assert page.locator(".layer-list b").count() == 0, "names are text"


def test_the_list_works_with_the_keyboard(opened: Opener, planted: Planted) -> None:
    """An arrow key opens the list, arrows change the layer, and Escape or a press outside closes it."""
    page = opened()
    with_nine_layers(page, planted)
    button = page.get_by_role("button", name="Layer: features.7")
    button.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[value='features.7']")).to_be_focused()
    page.keyboard.press("ArrowUp")
    ready(page, "features.3/all/10/")
    expect(page.locator("input[value='features.3']")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".layer-list fieldset")).to_be_hidden()
    expect(page.get_by_role("button", name="Layer: features.3")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".layer-list fieldset")).to_be_visible()
    page.mouse.click(1240, 500)
    expect(page.locator(".layer-list fieldset")).to_be_hidden()
