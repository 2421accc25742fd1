"""The page of synthesized pictures: sheets with their numbers and charts, and a picture in large."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
from browsing import Opener, link_has, link_lacks
from playwright.sync_api import Browser, Locator, Page, expect
from site_copy import addressed, copied
from site_planting import LAYERS, Planted

from pipeline.config.synthesize import SynthesizeSettings
from pipeline.core.site_data import read_data_script
from pipeline.site_files import site_files
from pipeline.synthesize.sheet import Column, Curve, Measure, Picture, Row, Sheet, write_sheet
from tests.axe import faults
from tests.text_size import too_small

pytestmark = pytest.mark.browser

LAYER = LAYERS[1]
CELL = (LAYER, 10, 4, 5)
SIZES = ((60, 90), (96, 128), (80, 80))  # height and width of the pictures of a row
MEASURES = (
    Measure("likeness", "similarity", "Correlation with the image, −1 to 1."),
    Measure("loss", "loss", "What the optimization ends with; lower is closer."),
)


def picture(number: int, **more: object) -> Picture:
    """A picture of one color with the numbers of its place."""
    height, width = SIZES[number % 3]
    image = np.full((height, width, 3), (40 + 60 * (number % 3), 120, 200 - 50 * (number % 3)), np.uint8)
    values = {"likeness": 0.25 + number, "loss": 1.25e-5}
    return Picture(image, values, **more)  # type: ignore[arg-type]  # text and cell


def dreams() -> Sheet:
    """A table of pictures: one is missing, one is about a cell, names are markup."""
    columns = [
        Column("Image", "What the network sees."),
        Column("features.3", "The layer is amplified.", "Mordvintsev et al. 2015"),
        Column("<b>features.7</b>", "The layer is amplified."),
    ]
    rows = [
        Row("fireboat", "photo<b>0.png", [picture(0), picture(1, text="a short line"), picture(2, cell=CELL)]),
        Row("<i>streetcar</i>", "photo1.png", [picture(3), None, picture(5)]),
    ]
    curves = [
        Curve(
            "Similarity over layers",
            "How much of the image is left.",
            "layer",
            "correlation",
            ["features.3", "features.7", "logits"],
            {"recovered": [0.9, 0.5, 0.25], "<u>chance</u>": [0.1, np.nan, 0.1]},
        )
    ]
    tables: dict[str, dict[str, list[Any]]] = {"values.csv": {"image": ["a", "b"], "similarity": [0.5, 0.25]}}
    return Sheet("deep_dream", columns, rows, MEASURES, curves, ["Two images were <b>chosen</b>."], tables)


def query() -> Sheet:
    """A contact sheet."""
    rows = [Row(f"label {number}", f"image{number}.png", [picture(number)]) for number in range(5)]
    return Sheet("region_query", [Column("")], rows, MEASURES[:1])


@pytest.fixture(scope="module")
def site(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted site with the sheets of two methods."""
    sheets = [dreams(), query()]
    methods = [sheet.method for sheet in sheets]
    manifest = read_data_script(planted.site / "data/manifest.js") | {"synthesize": methods}
    folder = copied(planted.site, tmp_path_factory.mktemp("synthesize") / "site", {"data/manifest": manifest})
    for sheet in sheets:
        settings = getattr(SynthesizeSettings(), sheet.method).model_dump(mode="json")
        write_sheet(folder / "synthesize" / sheet.method, sheet, settings)
    return folder


@pytest.fixture(scope="module", params=["http", pytest.param("file", marks=pytest.mark.long)])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """Where that site is."""
    with addressed(site, request.param) as found:
        yield found


@pytest.fixture
def syntheses(opened: Opener, address: str) -> Opener:
    """Opens the page of syntheses."""
    return lambda link="", **context: opened(urljoin(address, f"synthesize.html{link}"), **context)


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def shown(page: Page) -> Locator:
    """The picture in large."""
    return page.locator("dialog.large-picture[open] .frame img")


def test_a_sheet_has_its_rows_columns_and_numbers(syntheses: Opener) -> None:
    """Each picture stands in its row and column, in its shape, with its text, its numbers and a link to its cell."""
    page = syntheses("#method=deep_dream")
    expect(page.get_by_role("heading", level=2)).to_have_text("DeepDream")
    expect(page.locator(".summary")).to_contain_text("the shapes that appear are what the target responds to")
    expect(page.locator(".sheet-of-method > .source")).to_have_text("Mordvintsev et al. 2015")
    expect(page.get_by_role("list", name="Notes on this run")).to_have_text("Two images were <b>chosen</b>.")
    table = page.get_by_role("table", name="Pictures")
    expect(table.get_by_role("columnheader")).to_have_text(
        [
            "ImageWhat the network sees.",
            "features.3The layer is amplified.Mordvintsev et al. 2015",
            "<b>features.7</b>The layer is amplified.",
        ]
    )
    expect(table.get_by_role("rowheader")).to_have_text(["fireboatphoto<b>0.png", "<i>streetcar</i>photo1.png"])
    first = table.get_by_role("row").nth(1)
    for place in range(3):
        image = first.locator("img").nth(place)
        height, width = SIZES[place]
        assert (image.get_attribute("width"), image.get_attribute("height")) == (str(width), str(height))
        assert image.get_attribute("loading") == "lazy"
        image.scroll_into_view_if_needed()
        image.evaluate("image => image.decode()")
        assert image.evaluate("image => image.naturalWidth") == width
        box = image.bounding_box()
        assert box
        assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.02)
    expect(first.locator(".values").nth(1)).to_have_text("similarity1.25loss0.0000125")
    expect(first.locator(".values > div").first).to_have_attribute("title", MEASURES[0].text)
    expect(first.locator(".text")).to_have_text("a short line")
    expect(table.locator(".missing")).to_have_text("no picture")
    expect(page.get_by_role("link", name="Cell 10/4/5")).to_have_attribute(
        "href", f"index.html#layer={LAYER}&level=10&pin=10.4.5"
    )
    expect(page.locator(".numbers-legend dd")).to_have_text([one.text for one in MEASURES])
    page.get_by_text("Settings", exact=True).click()
    expect(page.locator(".settings")).to_contain_text("synthesize.deep_dream.octave_scale1.4")
    assert page.locator("main :is(b, i, u)").count() == 0
    assert faults(page) == []
    assert too_small(page) == []


def test_a_chart_has_its_lines_and_values(syntheses: Opener) -> None:
    """The chart's description and its table have every known value; an unknown one is a dash."""
    page = syntheses()
    chart = page.get_by_role("img", name="Similarity over layers")
    expect(chart.locator("polyline")).to_have_count(2)
    said = chart.get_attribute("aria-label") or ""
    assert "from features.3 to logits: recovered 0.9, 0.5, 0.25; <u>chance</u> 0.1, 0.1" in said
    expect(page.locator(".legend li")).to_have_text(["recovered", "<u>chance</u>"])
    page.get_by_text("Values as a table").click()
    rows = page.get_by_role("region", name="Values of Similarity over layers").locator("tbody tr")
    expect(rows).to_have_text(["features.30.90.1", "features.70.5–", "logits0.250.1"])


def test_a_contact_sheet_is_a_grid(syntheses: Opener) -> None:
    """One column without a name is a grid of pictures with names, several side by side, and no table."""
    page = syntheses("#method=region_query")
    items = page.locator(".contact-sheet li")
    expect(items).to_have_count(5)
    expect(items.nth(2)).to_have_text("label 2image2.pngsimilarity2.25")
    expect(page.get_by_role("table", name="Pictures")).to_have_count(0)
    tops = {round(box["y"]) for box in (one.bounding_box() for one in items.all()) if box}
    assert len(tops) == 1
    assert faults(page) == []
    assert too_small(page) == []


def test_methods_are_links_that_back_returns_to(syntheses: Opener) -> None:
    """A link shows the other method under its own address and title; Back and Forward walk between them."""
    page = syntheses()
    tabs = page.get_by_role("navigation", name="Methods")
    expect(tabs.locator("[aria-current]")).to_have_text("DeepDream")
    assert page.title() == "DeepDream · Syntheses · A planted atlas"
    tabs.get_by_role("link", name="Query by region").click()
    link_has(page, "#method=region_query")
    expect(page.get_by_role("heading", level=2)).to_have_text("Query by region")
    expect(page).to_have_title("Query by region · Syntheses · A planted atlas")
    expect(tabs.locator("[aria-current]")).to_have_text("Query by region")
    page.go_back()
    expect(page.get_by_role("heading", level=2)).to_have_text("DeepDream")
    page.go_forward()
    expect(page.get_by_role("heading", level=2)).to_have_text("Query by region")


def test_a_picture_opens_large_and_the_keyboard_walks(syntheses: Opener) -> None:
    """Enter opens it, arrows lead to its neighbors past the missing one, Escape closes it where the focus was."""
    page = syntheses()
    page.get_by_role("link", name="Enlarge fireboat, features.3").focus()
    page.keyboard.press("Enter")
    link_has(page, "picture=0-1")
    dialog = page.get_by_role("dialog", name="fireboat, features.3")
    expect(shown(page)).to_have_attribute("alt", "fireboat, features.3")
    expect(dialog).to_contain_text("The layer is amplified. Mordvintsev et al. 2015.")
    expect(dialog).to_contain_text("2 of 5")
    expect(dialog).to_contain_text(MEASURES[1].text)
    assert faults(page) == []
    assert too_small(page) == []
    page.keyboard.press("ArrowRight")
    link_has(page, "picture=0-2")
    expect(page).to_have_title("fireboat, <b>features.7</b> · DeepDream · Syntheses · A planted atlas")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    link_has(page, "picture=1-2")
    expect(page.get_by_role("button", name="Next picture")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    link_has(page, "picture=1-0")
    page.keyboard.press("Escape")
    link_lacks(page, "picture=")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_role("link", name="Enlarge <i>streetcar</i>, Image")).to_be_focused()
    page.go_forward()
    expect(page.get_by_role("dialog", name="<i>streetcar</i>, Image")).to_be_visible()
    page.go_back()
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_link_shows_a_picture(syntheses: Opener) -> None:
    """A link opens its picture, whose closing leads to the sheet; one to no picture says so."""
    page = syntheses("#method=region_query&picture=3-0")
    expect(page.get_by_role("dialog", name="label 3")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    link_lacks(page, "picture=")
    link_has(page, "method=region_query")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.evaluate("() => { location.hash = '#method=deep_dream&picture=1-1'; }")
    expect(page.get_by_role("alert")).to_have_text("There is no picture in row 1, column 1, counted from 0.")
    expect(page.get_by_role("table", name="Pictures")).to_be_visible()


def test_a_table_is_downloaded(syntheses: Opener, site: Path) -> None:
    """The link saves the file as it was written."""
    page = syntheses()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="values.csv").click()
    assert waiting.value.suggested_filename == "values.csv"
    assert Path(waiting.value.path()).read_bytes() == (site / "synthesize/deep_dream/values.csv").read_bytes()


@pytest.mark.parametrize("width", [320, 390, 700])
def test_no_window_is_too_narrow(syntheses: Opener, width: int) -> None:
    """The page never scrolls sideways; on a phone each row is a card whose pictures have the columns' names."""
    page = syntheses(width=width, height=800)
    assert overflow(page) == 0
    names = page.locator(".column-name")
    if width <= 640:
        expect(names.first).to_be_visible()
        boxes = [one.bounding_box() for one in page.locator("tbody tr").first.locator("img").all()]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    else:
        expect(names.first).to_be_hidden()
    assert too_small(page) == []
    page.locator(".opens").first.click()
    expect(shown(page)).to_be_visible()
    box = shown(page).bounding_box()
    assert box
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    link_lacks(page, "picture=")
    page.goto(page.url.partition("#")[0] + "#method=region_query")
    expect(page.locator(".contact-sheet")).to_be_visible()
    assert overflow(page) == 0


def test_it_is_readable_in_the_dark(syntheses: Opener) -> None:
    """In the dark theme too, texts have enough contrast, in the sheet and over it."""
    page = syntheses(color_scheme="dark", width=390)
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    assert faults(page) == []
    page.locator(".opens").first.click()
    expect(shown(page)).to_be_visible()
    assert faults(page) == []


def test_the_contents_link_to_every_method(chromium: Browser, site: Path) -> None:
    """The contents page lists the methods of the run, with links to their sheets."""
    page = chromium.new_page()  # the contents ask for results of other stages, which are missing here
    page.goto((site / "contents.html").as_uri())
    page.wait_for_selector("html[data-ready=contents]", state="attached")
    section = page.locator("#syntheses")
    expect(section.locator("li")).to_have_text(["DeepDream", "Query by region"])
    section.get_by_role("link", name="Query by region").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("Query by region")
    page.close()


def test_a_run_without_syntheses_says_how_to_get_them(chromium: Browser, planted: Planted) -> None:
    """The page names the command, and the contents have no section about them."""
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((planted.site / "synthesize.html").as_uri())
    page.wait_for_selector("html[data-ready=synthesize]", state="attached")
    expect(page.locator("main code")).to_have_text("atlas run 'synthesize.methods=[deep_dream,inversion]'")
    page.goto((planted.site / "contents.html").as_uri())
    page.wait_for_selector("html[data-ready=contents]", state="attached")
    expect(page.locator("#syntheses")).to_have_count(0)
    assert errors == []
    page.close()


def test_every_file_is_one_that_the_page_loads(site: Path) -> None:
    """The list of the site's files has all pictures and files of the sheets, and none that is missing."""
    named = {name for name in site_files(site, ("synthesize.html",)) if name.startswith("synthesize/")}
    there = {path.relative_to(site).as_posix() for path in (site / "synthesize").rglob("*") if path.is_file()}
    assert named == there
