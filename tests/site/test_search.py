"""The search over classes: wrong letters, and the keys that lead to it."""

import re

import pytest
from browsing import Opener
from playwright.sync_api import Page, expect
from site_planting import LAYERS

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("address", ["http"], indirect=True)]

LAYER = LAYERS[-1]


def found(page: Page, text: str) -> list[str]:
    """The classes that the search lists for a text."""
    page.get_by_role("combobox").first.fill(text)
    options = page.locator(".search [role=option]:not(.search-action)").all_inner_texts()
    return [option.strip() for option in options]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("strteetcar", "streetcar"),
        ("lihgthouse", "lighthouse"),
        ("hummigbrid", "hummingbird"),
        ("goldfsh", "goldfish"),
        ("trian", "steam train"),
        ("lighhtou", "lighthouse"),
    ],
)
def test_wrong_letters_are_forgiven(opened: Opener, typed: str, wanted: str) -> None:
    """Missing, additional, wrong and exchanged letters still find the class first, also while it is being typed."""
    assert found(opened(), typed)[0] == wanted


def test_exact_matches_come_alone(opened: Opener) -> None:
    """Where a class contains the text, similar ones are not listed; a text unlike any class finds none."""
    page = opened()
    assert found(page, "tea kettle") == ["tea kettle"]
    assert found(page, "xylophone") == ["No matching class"]
    assert found(page, "zq") == ["No matching class"]


@pytest.mark.parametrize("key", ["/", "s"])
def test_a_held_key_types_nothing(opened: Opener, key: str) -> None:
    """A shortcut that is held down, and so repeats, leaves the search box empty."""
    page = opened(f"#layer={LAYER}")
    page.locator(".openseadragon-canvas").first.focus()
    for _ in range(4):
        page.keyboard.down(key)
    page.keyboard.up(key)
    expect(page.get_by_role("combobox").first).to_have_value("")


def test_keys_after_a_shortcut_are_shortcuts(opened: Opener) -> None:
    """Without a highlighted class the key s moves no focus, so the next key is a shortcut; the status says why."""
    page = opened(f"#layer={LAYER}")
    page.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("s")
    expect(page.get_by_role("status").first).to_contain_text("No class is highlighted")
    page.keyboard.press("v")
    expect(page.locator(".measure-legend h3")).to_have_text("Number of samples")
    expect(page.get_by_role("combobox").first).to_have_value("")


def test_the_box_keeps_letters_and_gives_back_the_keys_of_help_and_search(opened: Opener) -> None:
    """Letters are typed into the focused box; before anything is typed, / is not, and ? opens the help."""
    page = opened(f"#layer={LAYER}")
    page.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("/")
    box = page.get_by_role("combobox").first
    expect(box).to_be_focused()
    page.keyboard.press("/")
    expect(box).to_have_value("")
    page.keyboard.type("sail")
    expect(box).to_have_value("sail")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("class=4"))  # it follows when the class is shown
    page.keyboard.press("v")  # the map has the focus again
    expect(page.locator(".measure-legend h3")).to_have_text("Number of samples")
    page.keyboard.press("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Reading the atlas")
