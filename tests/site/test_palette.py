"""The palette of the atlas page: cells that are collected, a grid that is painted with them, commands to take along."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from browsing import Opener, busiest
from omegaconf import OmegaConf
from playwright.sync_api import Page, expect
from site_planting import LAYERS, Planted

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.config.synthesize import SynthesizeSettings
from tests.axe import faults
from tests.text_size import too_small

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
LAYER = LAYERS[1]


def pin(page: Page, planted: Planted, size: int, number: int) -> str:
    """Pin one of the cells with an icon of a level, by number; its address in settings."""
    level = planted.levels[LAYER, size]
    row, column = level.cell[np.flatnonzero(level.drawn)[number]].tolist()
    page.evaluate(f"() => {{ location.hash = '#layer={LAYER}&level={size}&pin={size}.{row}.{column}'; }}")
    expect(page.get_by_role("region", name="Pinned cell")).to_contain_text(f"row {row}, column {column} of {size}")
    return f"{size}/{row}/{column}"


def add(page: Page, planted: Planted, size: int, number: int) -> str:
    """Pin a cell and add it to the palette."""
    address = pin(page, planted, size, number)
    page.get_by_role("button", name="Add to palette").click()
    expect(page.get_by_role("button", name="In the palette")).to_be_visible()
    return address


def settings(command: str) -> SynthesizeSettings:
    """What the command line asks for, as the program reads it."""
    program, run, *overrides = shlex.split(command)
    assert (program, run) == ("atlas", "run")
    return parse_params(OmegaConf.to_container(compose_config(ROOT, overrides))).synthesize


def commands(page: Page) -> list[str]:
    """The commands that the palette shows."""
    return page.locator(".panel.palette .copyable code").all_inner_texts()


def test_cells_are_painted_with_and_the_command_holds_them(opened: Opener, planted: Planted) -> None:
    """Cells are collected, squares painted by pointer and keyboard; the program reads the same from the command."""
    page = opened(f"#layer={LAYER}&level=20", permissions=["clipboard-read", "clipboard-write"])
    expect(page.get_by_role("button", name="Palette", exact=True)).to_be_hidden()
    cells = [add(page, planted, 20, number) for number in (3, 40, 77)]
    panel = page.get_by_role("region", name="Palette")
    expect(panel.locator(".address")).to_have_text(cells)
    page.get_by_role("button", name="Close panel").click()
    squares = panel.locator(".label-grid button")
    expect(squares).to_have_count(9)
    assert [one.get_attribute("data-label") for one in squares.all()] == list("000111222")  # shared evenly
    panel.get_by_label("Columns").select_option("4")
    panel.get_by_label("Rows").select_option("2")
    expect(squares).to_have_count(8)
    panel.get_by_role("button", name="Paint with cell 0").click()
    panel.get_by_role("button", name="Row 1, column 3").click()
    panel.get_by_role("button", name="Paint with cell 1").click()
    panel.get_by_role("button", name="Row 0, column 0").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    expect(panel.get_by_role("button", name="Row 1, column 2: cell 1")).to_be_focused()
    assert panel.locator(".label-grid [tabindex='0']").count() == 1
    found = [int(one.get_attribute("data-label") or -1) for one in squares.all()]
    labels = (tuple(found[:4]), tuple(found[4:]))
    assert labels[1] == (1, 1, 1, 0)
    painting, query = commands(page)
    assert painting == (
        f"atlas run 'synthesize.methods=[painting]' synthesize.painting.layer={LAYER} "
        f"'synthesize.painting.palette=[{','.join(cells)}]' "
        f"'synthesize.painting.labels=[[{','.join(map(str, labels[0]))}],[1,1,1,0]]'"
    )
    read = settings(painting)
    assert (read.methods, read.painting.layer) == (("painting",), LAYER)
    assert read.painting.palette == tuple(cells)
    assert read.painting.labels == labels
    asked = settings(query)
    assert (asked.methods, asked.region_query.layer) == (("region_query",), LAYER)
    assert asked.region_query.more == tuple(cells)
    panel.get_by_role("button", name="Copy").first.click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == painting
    assert faults(page) == []
    assert too_small(page) == []


def test_a_removed_cell_leaves_its_squares_to_the_first(opened: Opener, planted: Planted) -> None:
    """Labels of later cells move up by one; without cells the panel says how to get some."""
    page = opened(f"#layer={LAYER}&level=20")
    cells = [add(page, planted, 20, number) for number in (3, 40, 77)]
    page.keyboard.press("Escape")
    panel = page.get_by_role("region", name="Palette")
    panel.get_by_role("button", name="Row 2, column 2").click()
    panel.get_by_role("button", name=f"Remove {cells[1]}").click()
    expect(panel.locator(".address")).to_have_text([cells[0], cells[2]])
    expect(panel.get_by_role("button", name=f"Remove {cells[2]}")).to_be_focused()
    labels = [one.get_attribute("data-label") for one in panel.locator(".label-grid button").all()]
    assert labels == list("000000111")
    for cell in (cells[2], cells[0]):
        panel.get_by_role("button", name=f"Remove {cell}").click()
    expect(panel).to_contain_text(f"No cell of {LAYER} yet.")
    assert commands(page) == [] or panel.locator(".copyable").first.is_hidden()
    panel.get_by_role("button", name="Close palette").click()
    expect(panel).to_have_count(0)
    expect(page.get_by_role("button", name="Palette", exact=True)).to_be_hidden()


def test_a_palette_belongs_to_its_layer_and_is_full_at_eight(opened: Opener, planted: Planted) -> None:
    """Another layer has a palette of its own, a ninth cell is refused, and cells of several levels are no query."""
    page = opened(f"#layer={LAYER}&level=20")
    for number in range(7):
        add(page, planted, 20, 11 * number)
    add(page, planted, 10, 5)
    panel = page.get_by_role("region", name="Palette")
    expect(panel.locator(".address")).to_have_count(8)
    expect(panel).to_contain_text("A query takes cells of one grid level; these are of several.")
    assert len(commands(page)) == 1
    assert settings(commands(page)[0]).painting.palette[7].startswith("10/")
    pin(page, planted, 20, 90)
    full = page.get_by_role("button", name="Palette is full (8 cells)")
    expect(full).to_have_attribute("aria-disabled", "true")
    page.evaluate(f"() => {{ location.hash = '#layer={LAYERS[0]}'; }}")
    expect(panel).to_contain_text(f"No cell of {LAYERS[0]} yet.")
    page.evaluate(f"() => {{ location.hash = '#layer={LAYER}'; }}")
    expect(panel.locator(".address")).to_have_count(8)


def test_an_atlas_of_a_class_offers_no_palette(opened: Opener, planted: Planted) -> None:
    """The settings name cells of the atlas of all samples, so that other atlases have no button."""
    level = planted.of_atlas[LAYER, "class-0", 10]
    row, column = level.cell[busiest(level)].tolist()
    page = opened(f"#layer={LAYER}&atlas=class-0&level=10&pin=10.{row}.{column}")
    expect(page.get_by_role("region", name="Pinned cell")).to_be_visible()
    expect(page.get_by_role("button", name="Add to palette")).to_have_count(0)


def test_the_palette_fits_a_phone(opened: Opener, planted: Planted) -> None:
    """On a phone the palette is the sheet at the bottom, under the pinned cell, from which a button leads to it."""
    page = opened(f"#layer={LAYER}&level=20", width=390, height=800, color_scheme="dark")
    for number in (3, 40):
        add(page, planted, 20, number)
    page.get_by_role("button", name="Show palette (2)").click()
    expect(page.get_by_role("region", name="Pinned cell")).to_be_hidden()
    panel = page.get_by_role("region", name="Palette")
    expect(panel).to_be_focused()
    panel.get_by_role("button", name="Row 0, column 0").click()
    assert panel.evaluate("panel => panel.scrollWidth - panel.clientWidth") == 0
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert faults(page) == []
    assert too_small(page) == []
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.get_by_role("button", name="Palette", exact=True).click()
    expect(panel.locator(".address")).to_have_count(2)
