"""Several highlighted classes, each in its color, in a browser, over HTTP and from disk."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from browsing import MASK_OPACITY, Opener, link_has, link_lacks, place, ready, signed
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from site_planting import CLASSES, COMPARE_ATLAS, SECOND, Level, Planted

from tests.axe import faults

browser = pytest.mark.browser

THEME = Path(__file__).parents[2] / "pipeline/site/viewer/src/css/theme.css"
THREE = (0, 5, 11)  # fireboat, goldfish, tea kettle
LINK = "#layer=features.7&level=20&class=0&also=5.11"
FAR, NEAR = "&view=0.5,0.5,2.4", 0.16
TINT_FAR, TINT_NEAR = 0.66, 0.1

# Machado, Oliveira & Fernandes 2009, severity 1: what linear red, green and blue become
SEEN: dict[str, list[list[float]]] = {
    "everybody": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopes": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopes": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopes": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def hues(theme: str) -> list[NDArray[np.float64]]:
    """The six colors of a theme, red, green and blue 0..255."""
    text = THEME.read_text("utf-8")
    light, dark = text.split(':root[data-theme="dark"]', 1)
    found = re.findall(r"--class-\d: #(\w{6})", {"light": light, "dark": dark}[theme])
    return [np.array([int(hue[at : at + 2], 16) for at in (0, 2, 4)], float) for hue in found]


def apart(one: NDArray[np.float64], other: NDArray[np.float64], seen: list[list[float]]) -> float:
    """Difference of two colors for a kind of color vision: distance in CIELAB."""

    def lab(color: NDArray[np.float64]) -> NDArray[np.float64]:
        share = color / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        linear = np.clip(np.array(seen) @ linear, 0, 1)
        to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
        x, y, z = np.array(to_xyz) @ linear / [0.95047, 1, 1.08883]
        x, y, z = (np.cbrt(part) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    return float(np.linalg.norm(lab(one) - lab(other)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colors_are_distinguishable_with_color_blindness(theme: str) -> None:
    """Any two of the six colors differ clearly for all kinds of color vision; plain red and green would not."""
    colors = hues(theme)
    assert len(colors) == 6
    for seen in SEEN.values():
        assert min(apart(one, other, seen) for one, other in combinations(colors, 2)) > 20
    red, green = np.array([200.0, 90, 40]), np.array([120.0, 130, 40])
    assert apart(red, green, SEEN["everybody"]) > 40
    assert apart(red, green, SEEN["deuteranopes"]) < 20


def shares(planted: Planted, level: Level, classes: tuple[int, ...] = THREE) -> NDArray[np.float64]:
    """Attribution relative to the layer's maximum by class and cell, signed root."""
    levels = [other for (name, _), other in planted.levels.items() if name == "features.7"]
    scale = max(np.abs(other.attribution[other.drawn]).max() for other in levels)
    values = level.attribution[:, classes].T
    found: NDArray[np.float64] = np.sqrt(np.minimum(np.abs(values) / scale, 1)) * np.sign(values)
    return found


def covering(page: Page, level: Level, cell: int, off: float = 0) -> NDArray[np.float64]:
    """Overlay pixel of a cell: red, green, blue, alpha; ``off`` its center to the left, in units of the cell's side."""
    row, column = (int(number) for number in level.cell[cell])
    read = """([row, column, off]) => {
        const canvas = document.querySelector("canvas.overlay");
        const { left, top } = canvas.getBoundingClientRect();
        const { x, y } = atlas.cellToPoint(row, column);
        const side = atlas.cellToPoint(row, column + 1).x - x;
        return Array.from(canvas.getContext("2d").getImageData(x - off * side - left, y - top, 1, 1).data);
    }"""
    return np.array(page.evaluate(read, [row, column, off]), float)


def theme(page: Page, *names: str) -> list[NDArray[np.float64]]:
    """Custom properties of the theme as red, green and blue."""
    read = "names => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim())"
    found = page.evaluate(read, list(names))
    return [np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)], float) for text in found]


def expected(
    share: float, color: NDArray[np.float64], background: NDArray[np.float64], tint: float
) -> NDArray[np.float64]:
    """The mask below the winner's color, whose full opacity is ``tint``."""
    over, opacity = tint * share**0.5, MASK_OPACITY * (1 - share**0.6)
    alpha = over + opacity * (1 - over)
    return np.array([*(over * color + opacity * (1 - over) * background) / alpha, 255 * alpha])


def samples_of(level: Level, found: NDArray[np.float64]) -> list[int]:
    """For each class the cell that it wins most clearly, and one that it wins narrowly."""
    cells: list[int] = []
    for place_ in range(len(found)):
        won = np.flatnonzero(level.drawn & (found.argmax(axis=0) == place_) & (found.max(axis=0) > 0.1))
        order = won[np.argsort(found[place_, won])]
        cells += [int(order[-1]), int(order[len(order) // 4])]
    return cells


def search(page: Page, text: str, *keys: str) -> None:
    """Type into the search and press keys."""
    page.get_by_role("combobox").fill(text)
    for key in keys:
        page.get_by_role("combobox").press(key)


@browser
def test_zoomed_out_each_cell_has_the_color_of_its_winner(opened: Opener, planted: Planted) -> None:
    """Color and opacity of a cell are those of the planted winner; with the other sign, of the most negative class."""
    level = planted.levels["features.7", 20]
    found = shares(planted, level)
    page = opened(LINK + FAR)
    ready(page, "features.7/all/20/0.5.11")
    background, *colors = theme(page, "--background", "--class-1", "--class-2", "--class-3")

    def check(values: NDArray[np.float64], tolerance: float = 7) -> None:
        for cell in samples_of(level, values):
            winner = int(values[:, cell].argmax())
            wanted = expected(values[winner, cell], colors[winner], background, TINT_FAR)
            assert covering(page, level, cell) == pytest.approx(wanted, abs=tolerance)

    check(found)
    nobody = np.flatnonzero(level.drawn & (found.max(axis=0) <= 0))
    assert len(nobody)
    assert covering(page, level, int(nobody[0])) == pytest.approx([*background, 255 * MASK_OPACITY], abs=3)
    page.locator("input[value=negative]").check()
    check(-found)
    page.locator("input[value=positive]").check()
    slider = page.get_by_label("Intensity")
    slider.fill("1")
    page.wait_for_url("**intensity=2**")
    check(np.minimum(2 * found, 1))


@browser
def test_zoomed_in_the_icon_is_framed(opened: Opener, planted: Planted) -> None:
    """Zoomed in, a strong cell is nearly clear and its frame has the winner's color; with one class it has none."""
    level = planted.levels["features.7", 20]
    found = shares(planted, level)
    cell = samples_of(level, found)[2]
    row, column = level.cell[cell]
    view = f"&view={(column + 0.5) / 20},{(row + 0.5) / 20},{NEAR}"
    page = opened(LINK + view)
    ready(page, "features.7/all/20/0.5.11")
    background, color = theme(page, "--background", "--class-2")
    rim = covering(page, level, cell, off=0.44)
    assert rim[:3] == pytest.approx(color, abs=25)
    share = found[1, cell]
    assert rim == pytest.approx(expected(share, color, background, 1), abs=7)
    middle = covering(page, level, cell)
    assert middle == pytest.approx(expected(share, color, background, TINT_NEAR), abs=12)  # few steps at little alpha
    assert middle[3] < 0.4 * rim[3]
    alone = opened(LINK.replace("&class=0&also=5.11", "&class=5") + view)
    ready(alone, "features.7/all/20/5")
    assert covering(alone, level, cell, off=0.44)[3] == pytest.approx(255 * MASK_OPACITY * (1 - share), abs=4)


@browser
def test_the_search_adds_classes_and_the_toolbar_lists_them(opened: Opener, planted: Planted) -> None:
    """Enter highlights only one class, Shift and Enter add; chips show each class's name and its largest value."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    search(page, "fireb", "Shift+Enter")
    ready(page, "features.7/all/20/0")
    expect(page.locator(".class-toolbar strong")).to_have_text("fireboat")
    search(page, "goldf", "Shift+Enter")
    ready(page, "features.7/all/20/0.5")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("<scr")  # what was typed before is selected
    expect(page.get_by_role("option")).to_have_text([CLASSES[3]])
    page.keyboard.press("Shift+Enter")
    ready(page, "features.7/all/20/0.5.3")
    link_has(page, "class=0&also=5.3")
    expect(page.get_by_role("status")).to_have_text(f"Highlighting fireboat, goldfish, and {CLASSES[3]}")
    expect(page.get_by_role("option")).to_have_attribute("aria-description", "highlighted")
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Highlighted classes")).to_be_visible()
    chips = page.locator(".class-chips li")
    expect(chips.locator(".name")).to_have_text(["fireboat", "goldfish", CLASSES[3]])
    for class_, value in zip((0, 5, 3), chips.locator(".value").all_inner_texts(), strict=True):
        assert float(value) == pytest.approx(level.attribution[level.drawn, class_].max(), abs=0.06)
        assert value == signed(float(value))
    search(page, "gold", "Enter")
    ready(page, "features.7/all/20/5")


@browser
def test_chips_remove_classes(opened: Opener) -> None:
    """Removing a class keeps the colors of the others, a free color is used again, and one class can be shown alone."""
    page = opened("#layer=features.7&level=20&class=0&also=5.3")
    ready(page, "features.7/all/20/0.5.3")
    chips = page.locator(".class-chips li")
    page.get_by_role("button", name="Remove fireboat").click()
    ready(page, "features.7/all/20/5.3")
    assert [chip.get_attribute("data-hue") for chip in chips.all()] == ["2", "3"], "colors stay with their classes"
    link_has(page, "class=5&also=3&hues=2.3")
    expect(page.get_by_role("button", name="Remove goldfish")).to_be_focused()
    search(page, "tea", "Shift+Enter", "Escape")
    ready(page, "features.7/all/20/5.3.11")
    assert [chip.get_attribute("data-hue") for chip in chips.all()] == ["2", "3", "1"], "a free color is taken again"
    page.get_by_role("button", name="Show only tea kettle").click()
    ready(page, "features.7/all/20/11")
    expect(page.locator(".class-chips")).to_be_hidden()
    link_lacks(page, "also")
    link_lacks(page, "hues")


@browser
def test_six_at_most(opened: Opener) -> None:
    """A seventh class is refused, each of the six has its own color, and one button clears all."""
    page = opened("#layer=features.7&level=20&class=0")
    more = page.get_by_role("button", name="Add a class")
    more.click()
    field = page.get_by_role("combobox", name="Add a class to the highlighted classes")
    expect(field).to_be_focused()
    for name in ("street", "light", "sail", "gold", "steam", "sunf"):
        field.fill(name)
        field.press("Enter")
    ready(page, "features.7/all/20/0.1.2.4.5.6")
    expect(page.get_by_role("status")).to_contain_text("steam train, no more than these")
    field.press("Escape")
    expect(page.get_by_role("combobox", name="Highlight a class")).to_be_visible()
    dots = page.locator(".class-chips .dot").all()
    assert len({dot.evaluate("dot => getComputedStyle(dot).backgroundColor") for dot in dots}) == 6
    expect(more).to_have_count(0)
    page.get_by_role("button", name="Show all classes").click()
    ready(page, "features.7/all/20/")
    link_lacks(page, "also")


@browser
def test_a_link_restores_several_classes(opened: Opener) -> None:
    """Classes and colors come from the link; unknown and repeated ones are dropped."""
    page = opened("#layer=features.7&level=20&class=5&also=11.0&hues=4.1.6&sign=-")
    ready(page, "features.7/all/20/5.11.0")
    assert [chip.get_attribute("data-hue") for chip in page.locator(".class-chips li").all()] == ["4", "1", "6"]
    expect(page.locator(".class-toolbar input[value=negative]")).to_be_checked()
    for also, wanted in {
        "5.0.0.99.11": "5.0.11",
        "99": "5",
        "x.2": "5",
        "1.2.3.4.6.7.8": "5.1.2.3.4.6",
        "0&hues=1.1": "5.0",
        "0&hues=7.1": "5.0",
    }.items():
        page.evaluate(f"location.hash = '#layer=features.7&level=20&class=5&also={also}'")
        ready(page, f"features.7/all/20/{wanted}")
        page.wait_for_function("() => !location.hash.includes('hues')")
    page.evaluate("location.hash = '#layer=features.7&level=20&also=3'")
    ready(page, "features.7/all/20/")
    expect(page.locator(".class-toolbar")).to_be_hidden()


@browser
def test_a_cell_shows_its_winner(opened: Opener, planted: Planted) -> None:
    """Card and panel list the highlighted classes first in their colors; the announcement names the winner, or none."""
    level = planted.levels["features.7", 20]
    found = shares(planted, level)
    page = opened(LINK)
    ready(page, "features.7/all/20/0.5.11")
    status = page.get_by_role("status")
    won, nobody = samples_of(level, found)[2], int(np.flatnonzero(level.drawn & (found.max(axis=0) <= 0))[0])
    page.mouse.move(*place(page, level, won))
    bars = page.locator(".card .bars li")
    expect(bars.locator(".name").nth(2)).to_have_text("tea kettle")
    assert bars.locator(".name").all_inner_texts()[:3] == ["fireboat", "goldfish", "tea kettle"]
    assert [bar.get_attribute("data-hue") for bar in bars.all()[:4]] == ["1", "2", "3", None]
    value = bars.locator(".value").nth(1).inner_text().replace("−", "-")
    assert float(value) == pytest.approx(level.attribution[won, 5], abs=0.00501)
    color = theme(page, "--class-2")[0].astype(int)
    painted = bars.locator(".bar").nth(1).evaluate("bar => getComputedStyle(bar).backgroundColor")
    assert painted == f"rgb({color[0]}, {color[1]}, {color[2]})"
    page.mouse.click(*place(page, level, won))
    expect(status).to_contain_text("; largest for goldfish; fireboat ")
    expect(page.locator(".panel .bars li[data-hue]").first).to_contain_text("fireboat")
    page.get_by_role("button", name="Close panel").click()
    page.mouse.click(*place(page, level, nobody))
    expect(status).to_contain_text("no positive attribution to the highlighted classes")
    page.get_by_role("button", name="Close panel").click()
    page.locator("input[value=negative]").check()
    page.mouse.click(*place(page, level, won))
    loser = CLASSES[THREE[int((-found[:, won]).argmax())]]
    expect(status).to_contain_text(
        f"most negative for {loser}" if found[:, won].min() < 0 else "no negative attribution to"
    )
    other = page.locator(".panel .bars li:not([data-hue]) button").first
    other.click(modifiers=["Shift"])
    expect(page.locator(".class-chips li")).to_have_count(4)
    expect(page.locator(".panel .bars li[data-hue]")).to_have_count(4)
    page.locator(".panel .bars button").first.click()
    ready(page, "features.7/all/20/0")


@browser
def test_densities_are_of_one_class(opened: Opener, planted: Planted) -> None:
    """A second class ends the density and explains it; a comparison is colored like any atlas."""
    page = opened("#layer=features.7&level=20&class=0&show=density")
    expect(page.locator("html[data-density=class]")).to_be_attached()
    search(page, "gold", "Shift+Enter", "Escape")
    ready(page, "features.7/all/20/0.5")
    expect(page.locator("html[data-density='']")).to_be_attached()
    expect(page.locator(".class-toolbar .stacked")).to_be_hidden()
    expect(page.locator(".class-toolbar")).to_contain_text("Densities are available for a single class only.")
    link_lacks(page, "show=")
    expect(page.get_by_role("button", name=f"Density of {SECOND}")).to_be_hidden()
    page.evaluate("location.hash = '#layer=features.7&level=20&class=0&also=5&measure=fidelity'")
    ready(page, "features.7/all/20/0.5")
    # nor are the colors of a measure laid over those of classes
    page.wait_for_function("() => !location.hash.includes('measure')")
    page.evaluate(f"location.hash = '#layer=features.7&atlas={COMPARE_ATLAS}&level=10&class=5&also=11&show=density'")
    ready(page, f"features.7/{COMPARE_ATLAS}/10/5.11")
    expect(page.locator("html[data-density='']")).to_be_attached()
    level = planted.of_atlas["features.7", COMPARE_ATLAS, 10]
    page.mouse.move(*place(page, level, int(np.where(level.drawn, level.attribution[:, 5], -9).argmax())))
    expect(page.locator(".card .comparison-bars")).to_be_visible()
    expect(page.locator(".card .bars li[data-hue] .name")).to_have_text(["goldfish", "tea kettle"])


@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_adds_by_touch(opened: Opener, scheme: str) -> None:
    """At 390 px a tap on + adds a class, all chips are reachable, and axe finds no serious violation."""
    context = {"has_touch": True, "is_mobile": True, "color_scheme": scheme}
    page = opened("#layer=features.7&level=10&class=0", width=390, height=844, **context)
    ready(page, "features.7/all/10/0")
    page.get_by_role("button", name="Add a class").tap()
    page.get_by_role("option", name="goldfish").locator(".add").tap()
    ready(page, "features.7/all/10/0.5")
    page.get_by_role("option", name="tea kettle").tap()  # opened for adding, so an option adds as well
    ready(page, "features.7/all/10/0.5.11")
    expect(page.get_by_role("option", name="goldfish").locator(".dot")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for chip in page.locator(".class-chips .icon-button").all():
        chip.scroll_into_view_if_needed()
        box = chip.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert min(box["width"], box["height"]) >= 24
    page.get_by_role("button", name="Remove goldfish").tap()
    ready(page, "features.7/all/10/0.11")
    assert faults(page) == []
