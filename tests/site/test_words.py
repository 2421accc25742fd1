"""Words and their size: the field's terms on every page, and no text too small to read."""

import numpy as np
import pytest
from browsing import Opener
from playwright.sync_api import Page, expect
from site_planting import LAYERS, Planted

from tests.text_size import too_small

pytestmark = pytest.mark.browser

AT_HTTP = pytest.mark.parametrize("address", ["http"], indirect=True)
LAYER = LAYERS[-1]


def pin(planted: Planted) -> str:
    """The level and place of a cell with many samples, as the link has them."""
    level = planted.levels[LAYER, 20]
    row, column = level.cell[int(np.where(level.drawn, level.count, 0).argmax())]
    return f"20.{row}.{column}"


def opened_at(opened: Opener, planted: Planted, state: str, width: int) -> Page:
    """A page in one of its states."""
    at = pin(planted)
    links = {
        "pin": f"#layer={LAYER}&level=20&pin={at}&measure=spread&marks=on",
        "region": f"#layer={LAYER}&level=20&box={at}.{'.'.join(at.split('.')[1:])}",
        "class": f"#layer={LAYER}&level=20&class=1&also=2",
        "density": f"#layer={LAYER}&level=20&class=0&show=density",
        "split": f"#layer={LAYER}&level=20&beside={LAYERS[0]}~all~",
        "tour": "#tour=2",
    }
    page = opened(links.get(state, f"#layer={LAYER}&level=20"), width=width)
    keys = {"help": "?", "bookmarks": "p", "polysemantic": "u", "search": "/"}
    if state in keys:
        page.locator(".openseadragon-canvas").first.focus()
        page.keyboard.press(keys[state])
    if state in ("pin", "region"):
        expect(page.locator(".panel:not([hidden])")).to_be_visible()
        page.wait_for_function("() => !document.querySelector('.panel:not([hidden]) .loading')")
    if state == "polysemantic":
        page.wait_for_function("() => !document.querySelector('dialog[open] .loading')")
    if state == "dialog":
        page.get_by_role("button", name="Provenance").first.click()
    return page


@AT_HTTP
@pytest.mark.parametrize("width", [1280, 390])
def test_no_text_is_smaller_than_13_pixels(opened: Opener, planted: Planted, width: int) -> None:
    """In every state of the atlas page, text has 13 px or more; a smaller one is found."""
    states = ["map", "pin", "region", "class", "density", "split", "tour", "help", "bookmarks", "polysemantic"]
    found = {}
    for state in [*states, "search", "dialog"]:
        page = opened_at(opened, planted, state, width)
        if small := too_small(page):
            found[state] = small
        page.close()
    assert found == {}
    page = opened(f"#layer={LAYER}&level=20")
    page.evaluate("document.querySelector('.caption h2').style.fontSize = '12.9px'")
    assert len(too_small(page)) == 1


@AT_HTTP
def test_the_terms_are_those_of_the_field(opened: Opener, planted: Planted) -> None:
    """Sections, buttons and columns have the field's terms."""
    page = opened_at(opened, planted, "pin", 1280)
    headings = page.locator(".panel h3").all_inner_texts()
    assert headings[:3] == ["Top classes (mean attribution)", "Example patches", "Quality of the icon"]
    page = opened_at(opened, planted, "tour", 1280)
    expect(page.get_by_role("button", name="End tour")).to_be_visible()


@AT_HTTP
def test_the_first_view_says_what_one_sees(opened: Opener) -> None:
    """Two sentences introduce the map, beside ways to the tour, the contents and the help; a link has its subject."""
    expect(opened(f"#layer={LAYER}").locator(".introduction")).to_be_hidden()
    page = opened()
    introduction = page.locator(".introduction")
    expect(introduction).to_be_visible()
    assert introduction.locator("p").inner_text().count(". ") == 1
    expect(introduction.get_by_role("link", name="Contents")).to_have_attribute("href", "contents.html")
    introduction.get_by_role("button", name="Help").click()
    expect(page.get_by_role("dialog")).to_contain_text("Reading the atlas")
    page.keyboard.press("Escape")
    introduction.get_by_role("button", name="Start the tour").click()
    expect(page.locator(".tour h2")).to_have_text(f"All of {LAYER}")
