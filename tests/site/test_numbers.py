"""Numbers on the page are those of the run: the same digits, counted and rounded in one way, wherever they stand."""

import csv
import io
import re

import numpy as np
import pytest
from browsing import Opener, link_has, ready
from playwright.sync_api import Page, expect
from site_planting import CLASSES, LAYERS, Level, Planted
from test_site_data import unpacked

from pipeline.core.progress import counted
from pipeline.core.site_data import pack_array, read_data_script

AT_HTTP = pytest.mark.parametrize("address", ["http"], indirect=True)
LAYER = LAYERS[-1]


def shown(value: float) -> str:
    """An attribution as every page formats it."""
    size = abs(value)
    text = f"{size:.2f}" if size >= 0.1 or not size else f"{size:#.2g}".rstrip(".")
    return f"{'−' if value < 0 else '+'}{text}"


def pinned(opened: Opener, level: Level, cell: int, more: str = "") -> Page:
    """The page with a cell pinned."""
    row, column = level.cell[cell]
    page = opened(f"#layer={LAYER}&level={level.size}&pin={level.size}.{row}.{column}{more}")
    expect(page.locator(".panel")).to_be_visible()
    return page


def test_data_files_keep_every_digit(planted: Planted) -> None:
    """A number that an 8- or 16-bit step would round comes back as it is."""
    values = np.array([0.2542, 0.0034, 1234.5678, -1e-6], np.float32)
    assert np.array_equal(unpacked(pack_array(values)), values)
    content = read_data_script(planted.site / f"data/{LAYER}/all/20/heatmap-0.js")
    assert np.array_equal(unpacked(content["heatmap"]).T, planted.levels[LAYER, 20].attribution)


def test_a_noun_follows_its_number() -> None:
    """One thing is singular, none and many are plural, and thousands are separated."""
    assert counted(1, "atlas", "atlases") == "1 atlas"
    assert counted(2, "atlas", "atlases") == "2 atlases"
    assert [counted(number, "image") for number in (0, 1, 1234)] == ["0 images", "1 image", "1,234 images"]


@pytest.mark.browser
@AT_HTTP
def test_an_attribution_has_the_same_digits_everywhere(opened: Opener, planted: Planted) -> None:
    """A class outside of the cell's top classes shows its planted attribution, in the panel and in the toolbar."""
    level = planted.levels[LAYER, 20]
    cell = int(np.where(level.drawn, level.count, 0).argmax())
    order = np.argsort(-level.attribution[cell])
    for class_ in (int(order[6]), int(order[-1])):
        page = pinned(opened, level, cell, f"&class={class_}")
        ready(page, f"{LAYER}/all/20/{class_}")
        row = page.locator(".panel .bars li.highlighted")
        expect(row.locator(".name")).to_have_text(CLASSES[class_])
        expect(row.locator(".value")).to_have_text(shown(float(level.attribution[cell, class_])))
        largest = float(level.attribution[level.drawn, class_].max())
        expect(page.locator(".class-toolbar")).to_contain_text(f"largest cell {shown(largest)}")
        page.close()


@pytest.mark.browser
@AT_HTTP
def test_rows_and_columns_count_from_0(opened: Opener, planted: Planted) -> None:
    """Panel, command, link and table name a cell by the row and column that the artifact has."""
    level = planted.levels[LAYER, 20]
    cell = int(np.where(level.drawn, level.count, 0).argmax())
    row, column = level.cell[cell]
    page = pinned(opened, level, cell)
    expect(page.locator(".panel header")).to_contain_text(f"row {row}, column {column} of 20")
    expect(page.locator(".panel .copyable code")).to_contain_text(f"level=20 cell={row},{column}")
    link_has(page, f"pin=20.{row}.{column}")
    page.evaluate(f"location.hash = 'layer={LAYER}&level=20&box=20.{row}.{column}.{row}.{column}'")
    panel = page.locator(".panel.region")
    expect(panel).to_contain_text(f"row {row}, column {column} of 20")
    with page.expect_download() as download:
        panel.get_by_role("button", name=re.compile("cells", re.IGNORECASE)).first.click()
    (line,) = csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig")))
    assert (line["row"], line["column"]) == (str(row), str(column))
    assert float(line["spread"]) == pytest.approx(float(level.spread[cell]), rel=1e-5)


@pytest.mark.browser
@AT_HTTP
def test_labels_are_counted_in_one_unit(opened: Opener, planted: Planted) -> None:
    """Number and share beside a label are both of samples; the number of images is in the tooltip."""
    level = planted.levels[LAYER, 20]
    row, column = level.cell[int(np.where(level.drawn, level.count, 0).argmax())]
    page = opened(f"#layer={LAYER}&level=20&box=20.{row}.{column}.{row}.{column}")
    value = page.locator(".region .bars .row .value").first
    expect(value).to_have_text(re.compile(r"^[\d,]+ samples? · (\d+|under 1) %$"))
    expect(value).to_have_attribute("title", re.compile(r"^from \d+ images?$"))


@pytest.mark.browser
@AT_HTTP
def test_the_ends_of_a_density_are_sentences(opened: Opener) -> None:
    """Each end of the scale has two shares with what they are of, and their difference in points."""
    page = opened(f"#layer={LAYER}&level=20&class=0&show=density")
    ends = page.locator(".class-toolbar .legend dl > div")
    expect(ends).to_have_count(2)
    for text in ends.all_inner_texts():
        assert re.search(r"[\d.]+ % of the class's samples, [\d.]+ % of all", text)
        assert re.search(r"[+−][\d.]+ points", text)
