"""axe-core finds no serious violation in any state of the atlas; the tests of the other pages check theirs."""

from collections.abc import Iterator

import pytest
from browsing import Opener, busiest, ready
from playwright.sync_api import Page, expect
from site_planting import Planted

from tests.axe import faults

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("address", ["http"], indirect=True)]


def states(page: Page, planted: Planted) -> Iterator[str]:
    """Bring the page into one state after the other and yield its name."""
    level = planted.levels["features.7", 20]
    row, column = level.cell[busiest(level)]
    yield "the start"
    page.evaluate("location.hash = '#layer=features.7&level=20&class=5'")
    ready(page, "features.7/all/20/5")
    yield "a highlighted class"
    page.evaluate("pin => { location.hash = `#layer=features.7&level=20&class=5&pin=20.${pin}`; }", f"{row}.{column}")
    expect(page.locator(".panel .patch")).to_have_count(9)
    expect(page.locator(".panel .loading:visible")).to_have_count(0)
    yield "a pinned cell"
    page.evaluate("location.hash = '#layer=features.7&level=20&box=20.8.8.11.12'")
    expect(page.locator(".panel.region .images li").first).to_be_visible()
    yield "a region"
    page.evaluate("location.hash = '#layer=features.7&level=20&class=5'")
    expect(page.locator(".class-toolbar")).to_be_visible()
    for key, name in (("?", "Reading the atlas"), ("s", "goldfish"), ("u", "Polysemantic cells")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        expect(page.locator("dialog[open] .loading:visible")).to_have_count(0)
        yield name
        page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".class-toolbar")).to_be_hidden()
    page.get_by_role("button", name="Provenance").click()
    yield "how it was made"
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    yield "the list of atlases"
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("no such class")
    yield "the search without a hit"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_no_state_of_the_atlas_has_serious_violations(
    opened: Opener, planted: Planted, scheme: str, width: int
) -> None:
    """No serious or critical violation in class, panel, region, dialogs and lists, in light, dark and narrow."""
    page = opened("#layer=features.7&level=20", width=width, color_scheme=scheme)
    assert {state: found for state in states(page, planted) if (found := faults(page))} == {}


def test_violations_are_reported(opened: Opener) -> None:
    """A button without a name and text of low contrast, added to the page, are both reported."""
    page = opened("#layer=features.7")
    page.evaluate("""() => {
        const text = document.createElement("p");
        text.textContent = "hard to read";
        Object.assign(text.style, { color: "#eee", background: "#fff" });
        document.querySelector(".caption").append(document.createElement("button"), text);
    }""")
    assert {fault.split(":")[0] for fault in faults(page)} == {"button-name", "color-contrast"}
