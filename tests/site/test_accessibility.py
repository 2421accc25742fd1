"""axe-core finds no serious fault on any state of the atlas; the tests of every other page ask it for theirs."""

from collections.abc import Iterator

import pytest
from browsing import Opener, busiest, ready
from playwright.sync_api import Page, expect
from site_planting import Planted

from tests.axe import faults

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("address", ["http"], indirect=True)]


def states(page: Page, planted: Planted) -> Iterator[str]:
    """Bring the page from state to state, saying which."""
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
def test_every_state_of_the_atlas_is_without_grave_faults(
    opened: Opener, planted: Planted, scheme: str, width: int
) -> None:
    """Start, class, panel, region, dialogs and lists have no serious or critical fault, in light, dark and narrow."""
    page = opened("#layer=features.7&level=20", width=width, color_scheme=scheme)
    assert {state: found for state in states(page, planted) if (found := faults(page))} == {}


def test_a_fault_is_found(opened: Opener) -> None:
    """A button without a name and a text that is hard to read, put onto the page, are both told."""
    page = opened("#layer=features.7")
    page.evaluate("""() => {
        const text = document.createElement("p");
        text.textContent = "hard to read";
        Object.assign(text.style, { color: "#eee", background: "#fff" });
        document.querySelector(".caption").append(document.createElement("button"), text);
    }""")
    assert {fault.split(":")[0] for fault in faults(page)} == {"button-name", "color-contrast"}
