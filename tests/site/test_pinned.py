"""The pinned cell: similar cells, the icon dialog, icon quality, and its samples at other layers."""

import re
from typing import Any

import numpy as np
import pytest
from browsing import Opener, busiest, place, ready
from playwright.sync_api import Locator, Page, expect
from site_planting import CLASSES, Level, Planted, activation_of, cell_at, mean_activation

from pipeline.core.artifacts import ICONS
from pipeline.core.zarr_store import artifact_identity, open_artifact
from pipeline.site.cell_data import nearest_cells

pytestmark = pytest.mark.browser

LAYER, OTHER, SIZE = "features.7", "features.3", 20


def pinned(opened: Opener, level: Level, cell: int, **window: Any) -> Page:
    """The page with a cell pinned."""
    row, column = level.cell[cell]
    page = opened(f"#layer={LAYER}&level={SIZE}&pin={SIZE}.{row}.{column}", **window)
    expect(page.locator(".panel .similar-cells button")).to_have_count(6)
    return page


def pin_of(page: Page) -> str:
    """The pin in the URL."""
    return str(re.findall(r"pin=([\d.]+)", page.url)[0])


def address_of(level: Level, cell: int) -> str:
    """A planted cell as in the URL."""
    return ".".join(map(str, (level.size, *level.cell[cell])))


def section(page: Page, title: str) -> Locator:
    """The section of the panel with a title."""
    return page.locator(".panel .section").filter(has=page.get_by_role("heading", name=title))


def test_similar_cells_are_linked(opened: Opener, planted: Planted) -> None:
    """The panel shows the planted similar cells with their cosines; pressing one pins it and moves it into view."""
    level = planted.levels[LAYER, SIZE]
    activation = activation_of(LAYER, level.attribution)
    mean = mean_activation(LAYER, planted.levels[LAYER, 40])
    cell = busiest(level)
    found = nearest_cells(activation, level.drawn, mean)
    page = pinned(opened, level, cell)
    buttons = page.locator(".panel .similar-cells button")
    shown = [f"{value:.2f}".replace("-", "−") for value in np.rint(100 * found.cosine[cell]) / 100]
    assert buttons.locator(".share").all_inner_texts() == shown
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    buttons.nth(5).click()
    assert pin_of(page) == address_of(level, int(found.cell[cell, 5]))
    expect(buttons.first.locator(".share")).not_to_have_text(shown[0])
    x, y = place(page, level, int(found.cell[cell, 5]))
    panel = page.locator(".panel").bounding_box()
    assert panel
    assert 0 < x < panel["x"]
    assert 0 < y < 860


def test_the_icon_dialog_shows_the_provenance(opened: Opener, planted: Planted) -> None:
    """The dialog shows the icon enlarged, its position, digests and the provenance command."""
    level = planted.levels[LAYER, SIZE]
    cell = busiest(level)
    row, column = level.cell[cell]
    page = pinned(opened, level, cell)
    button = page.get_by_role("button", name="Enlarge the icon")
    small = button.locator(".icon").bounding_box()
    button.click()
    dialog = page.locator("dialog.icon-dialog")
    large = dialog.locator(".icon").bounding_box()
    assert small
    assert large
    assert large["width"] == pytest.approx(480, abs=2)
    assert small["width"] < large["width"] / 2
    tiles = [image.get_attribute("src") for image in button.locator("img").all()]
    assert [image.get_attribute("src") for image in dialog.locator("img").all()] == tiles
    for told in (LAYER, "All samples", f"row {row}, column {column}", "48 × 48 pixels"):
        expect(dialog.locator(".facts")).to_contain_text(told)
    rank = int(level.drawn[:cell].sum())
    around = f"the icon of row {row // 2}, column {column // 2} of 10"
    drawn_from = ("noise", f"{around}, which contains the cell", f"not rendered again: it is {around}")[rank % 3]
    expect(dialog.locator(".facts")).to_contain_text(f"Initialized from{drawn_from}")
    identity = artifact_identity(open_artifact(ICONS, planted.task.path(ICONS, LAYER, "all")))
    expect(dialog.locator(".digests")).to_contain_text(identity)
    command = f"atlas provenance layer={LAYER} atlas=all level={SIZE} cell={row},{column}"
    expect(dialog.locator(".copyable code")).to_have_text(command)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_the_panel_shows_the_quality_of_the_icon(opened: Opener, planted: Planted) -> None:
    """The summary follows the planted measures, and the definitions open on demand."""
    level = planted.levels[LAYER, SIZE]
    icon = np.full(len(level.cell), np.nan)
    icon[level.drawn] = level.fidelity_centred
    cell = busiest(level)
    page = pinned(opened, level, cell)
    part = section(page, "Quality of the icon")
    fidelity = "High" if icon[cell] >= 0.8 else "Medium" if icon[cell] >= 0.6 else "Low"
    spread = "similar" if level.spread[cell] <= 0.35 else "varied" if level.spread[cell] <= 0.75 else "dissimilar"
    reliability = "high" if level.reliability[cell] >= 0.8 else "medium" if level.reliability[cell] >= 0.5 else "low"
    summary = f"{fidelity}-fidelity icon; {reliability} reliability; {spread} samples."
    expect(part.locator(".verdict")).to_have_text(summary)
    expect(part.locator(".numbers dd").nth(1)).to_have_text(f"{icon[cell]:.2f}")
    meaning = part.locator(".meanings")
    expect(meaning).to_be_hidden()
    part.get_by_text("About these measures").press("Enter")
    expect(meaning).to_contain_text("The same after subtracting the layer's mean from both")


def where_they_went(planted: Planted, cell: int) -> list[tuple[int, float]]:
    """The cells of the other layer with most of a cell's samples, with their shares."""
    own, other = planted.levels[LAYER, SIZE], planted.levels[OTHER, SIZE]
    samples = cell_at(own, planted.xy[LAYER]) == cell
    there = cell_at(other, planted.xy[OTHER][samples])
    count = np.bincount(there, minlength=len(other.cell)) * other.drawn
    order = np.argsort(-count, kind="stable")[:3]
    return [(int(at), float(count[at] / samples.sum())) for at in order if count[at]]


@pytest.mark.parametrize("way", ["switch", "key"])
def test_the_pin_follows_its_samples_to_another_layer(opened: Opener, planted: Planted, way: str) -> None:
    """With a cell pinned, the other layer keeps the view and pins the cell with most samples; a press leads back."""
    level, other = planted.levels[LAYER, SIZE], planted.levels[OTHER, SIZE]
    cell = busiest(level)
    went = where_they_went(planted, cell)
    assert len(went) == 3
    page = pinned(opened, level, cell)
    before = page.evaluate("atlas.cellToPoint(10, 10)")
    if way == "switch":
        page.locator(f"input[value='{OTHER}']").check()
    else:
        page.keyboard.press("l")
    ready(page, f"{OTHER}/all/{SIZE}/")
    assert pin_of(page) == address_of(other, went[0][0])
    assert page.evaluate("atlas.cellToPoint(10, 10)") == pytest.approx(before, abs=1)
    part = section(page, "Same samples at the new layer")
    percent = [f"{round(100 * share)} %" for _, share in went]
    assert part.locator(".share").all_inner_texts() == [LAYER, *percent]
    expect(part.locator("[aria-current]")).to_have_count(1)
    part.get_by_role("button").nth(2).click()
    expect(part.locator("[aria-current] .share")).to_have_text(percent[1])
    assert pin_of(page) == address_of(other, went[1][0])
    part.get_by_role("button", name=f"Back to {LAYER}").click()
    ready(page, f"{LAYER}/all/{SIZE}/")
    assert pin_of(page) == address_of(level, cell)
    expect(part).to_have_count(0)


def test_names_in_the_panel_are_text(opened: Opener, planted: Planted) -> None:
    """A class name with markup is text in the icon dialog and in the similar cells."""
    level = planted.levels[LAYER, SIZE]
    cell = int(np.flatnonzero(level.drawn & (level.attribution.argmax(axis=1) == 3))[0])
    page = pinned(opened, level, cell)
    page.get_by_role("button", name="Enlarge the icon").click()
    expect(page.locator("dialog.icon-dialog h2")).to_have_text(CLASSES[3])
    assert page.locator(".panel script, dialog script").count() == 0


def test_a_phone_shows_the_icon_dialog(opened: Opener, planted: Planted) -> None:
    """At 390 px neither the panel nor the icon dialog overflows."""
    level = planted.levels[LAYER, SIZE]
    page = pinned(opened, level, busiest(level), width=390, height=844, color_scheme="dark")
    for box in [button.bounding_box() for button in page.locator(".panel .similar-cells button").all()]:
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    page.get_by_role("button", name="Enlarge the icon").click()
    dialog = page.locator("dialog.icon-dialog")
    assert dialog.evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth")
    box = dialog.locator(".icon").bounding_box()
    assert box
    assert box["width"] > 180
    assert page.evaluate("document.documentElement.scrollWidth") == 390
