"""Measures as colors over the icons, and their legend."""

import re
from typing import Any

import numpy as np
import pytest
from browsing import Opener, link_has, link_lacks, place, ready
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from site_planting import Level, Planted

pytestmark = pytest.mark.browser

LINK = "#layer=features.7&level=20&labels=off"
NAMES = {
    "samples": "Number of samples",
    "fidelity": "Fidelity",
    "reliability": "Reliability",
    "spread": "Spread",
}


def values(level: Level, measure: str) -> NDArray[np.float64]:
    """The planted measure of the cells with icons."""
    columns: dict[str, NDArray[Any]] = {
        "samples": level.count[level.drawn],
        "fidelity": level.fidelity_centred,
        "reliability": level.reliability[level.drawn],
        "spread": level.spread[level.drawn],
    }
    return columns[measure].astype(np.float64)


def color(page: Page, level: Level, cell: int) -> list[int]:
    """Red, green, blue and opacity of the overlay a little below the middle of a cell."""
    x, y = place(page, level, cell)
    read = """([x, y]) => {
        const canvas = document.querySelector("canvas.overlay");
        const { left, top } = canvas.getBoundingClientRect();
        return [...canvas.getContext("2d").getImageData(x - left, y - top, 1, 1).data];
    }"""
    found: list[int] = page.evaluate(read, [x, y])
    return found


def lightness(color: list[int]) -> float:
    """Relative luminance, 0..1 (WCAG 2)."""
    share = np.array(color[:3]) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colors_follow_the_measure(opened: Opener, planted: Planted, scheme: str) -> None:
    """The larger a measure, the darker the cell in light theme and the lighter in dark; icons remain visible."""
    level = planted.levels["features.7", 20]
    drawn = np.flatnonzero(level.drawn)
    page = opened(f"{LINK}&measure=spread", color_scheme=scheme)
    for measure, name in NAMES.items():
        page.evaluate(f"location.hash = '{LINK}&measure={measure}'")
        expect(page.locator(".measure-legend h3")).to_have_text(name)
        order = np.argsort(values(level, measure), kind="stable")
        chosen = [int(drawn[order[round(share * (len(order) - 1))]]) for share in (0, 0.3, 0.6, 0.85, 1)]
        found = [color(page, level, cell) for cell in chosen]
        light = [lightness(pixel) for pixel in found]
        assert light == sorted(light, reverse=scheme == "light")
        assert abs(light[0] - light[-1]) > 0.3
        assert all(120 <= pixel[3] <= 170 for pixel in found)
    page.evaluate(f"location.hash = '{LINK}'")
    expect(page.locator(".measure-legend")).to_be_hidden()
    assert color(page, level, int(drawn[5]))[3] == 0


@pytest.mark.parametrize("measure", NAMES)
def test_the_legend_shows_the_range(opened: Opener, planted: Planted, measure: str) -> None:
    """The ends of the scale are the planted 2nd and 98th percentiles, between them the median."""
    level = planted.levels["features.7", 20]
    page = opened(f"{LINK}&measure={measure}")
    legend = page.locator(".measure-legend")
    expect(legend.locator("h3")).to_have_text(NAMES[measure])
    told = [float(re.sub("[≤≥ ]", "", text)) for text in legend.locator("dd").all_inner_texts()]
    sorted_ = np.sort(values(level, measure))
    wanted = [sorted_[int(share * (len(sorted_) - 1) + 0.5)] for share in (0.02, 0.5, 0.98)]
    assert np.allclose(told, wanted, atol=0.006)
    assert told[0] < told[1] < told[2]


def test_a_key_cycles_the_measures_and_the_link_keeps_them(opened: Opener) -> None:
    """The key v cycles through the measures; the URL follows; invalid values fall back."""
    page = opened(LINK)
    ready(page, "features.7/all/20/")
    for measure, name in NAMES.items():
        page.keyboard.press("v")
        expect(page.locator(".measure-legend h3")).to_have_text(name)
        link_has(page, f"measure={measure}")
    page.keyboard.press("v")
    expect(page.locator(".measure-legend")).to_be_hidden()
    link_lacks(page, "measure")
    other = opened(f"{LINK}&measure=beauty&marks=perhaps")
    ready(other, "features.7/all/20/")
    expect(other.locator(".measure-legend")).to_be_hidden()
    expect(other.get_by_role("button", name="Show", exact=True)).to_be_visible()


def test_the_menu_works_with_the_keyboard(opened: Opener) -> None:
    """The menu opens on its current choice, arrows change it, Escape closes it and returns the focus."""
    page = opened(LINK)
    ready(page, "features.7/all/20/")
    opener = page.get_by_role("button", name="Show", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("group", name="Show", exact=True)
    expect(menu.get_by_label("Icons only")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_label("Fidelity")).to_be_checked()
    link_has(page, "measure=fidelity")
    menu.get_by_label("Labels").check()
    link_lacks(page, "labels")
    menu.get_by_label("Cells to doubt").check()
    link_has(page, "marks=on")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_highlighted_class_overrides_a_measure(opened: Opener, planted: Planted) -> None:
    """With a class and a measure, cells without attribution to the class stay covered, the others show the measure."""
    level = planted.levels["features.7", 20]
    strength = np.where(level.drawn, level.attribution[:, 1], 0)
    page = opened(f"{LINK}&class=1&measure=fidelity")
    ready(page, "features.7/all/20/1")
    expect(page.locator(".measure-legend")).to_be_visible()
    weak = int(np.where(level.drawn, level.attribution[:, 1], np.inf).argmin())
    assert color(page, level, weak)[3] > 225
    assert color(page, level, int(strength.argmax()))[3] < 200


def test_a_phone_shows_menu_and_legend(opened: Opener) -> None:
    """At 390 px the menu and the legend are on the screen, and nothing is wider."""
    page = opened(f"{LINK}&measure=samples&marks=on", width=390, height=844, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Show", exact=True).click()
    for part in (".measure-menu", ".measure-legend"):
        box = page.locator(part).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390
