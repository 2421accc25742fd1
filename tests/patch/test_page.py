"""The patch test page in a browser, opened from disk."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.site.pages import viewer_files
from tests.axe import faults
from tests.patch.planted import Planted, plant_site
from tests.text_size import too_small

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]


@pytest.fixture(scope="module")
def site(planted: Planted) -> Path:
    """The folder with the page, its data, the result and the built viewer."""
    folder = plant_site(planted)
    (folder / "viewer").mkdir()
    for name, source in viewer_files().items():
        (folder / "viewer" / name).write_bytes(source)
    return folder


@pytest.fixture
def opened(chromium: Browser, site: Path) -> Iterator[Opener]:
    """Opens the page; it must have no error and no request elsewhere."""
    troubles: list[str] = []
    contexts = []

    def open_page(link: str = "", width: int = 1280, **context: str) -> Page:
        made = chromium.new_context(viewport={"width": width, "height": 860}, **context)  # type: ignore[arg-type]  # literals
        contexts.append(made)
        made.set_default_timeout(10_000)
        page = made.new_page()
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda sent: None if sent.url.startswith(("file:", "data:")) else troubles.append(sent.url))
        page.goto((site / "patch.html").as_uri() + link)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for made in contexts:
        made.close()
    assert troubles == []


def test_the_page_shows_the_stage_own_numbers(opened: Opener) -> None:
    """The table has a row for each group; the atlas's row and the headline say 100 %, with class names as text."""
    page = opened("#mixed4a/compare-0-1/0-1")
    expect(page.locator("main h2").first).to_have_text("Does a patch change bird into <b>fireboat</b>?")
    rows = page.locator(".rates tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text("100.0 %")
    expect(rows.first.locator("th")).to_contain_text("From the atlas")
    expect(page.locator(".headline .value").first).to_have_text("100.0 %")
    expect(page.locator(".plots svg")).to_have_count(5)
    expect(page.get_by_text("37.2 % static and 57.5 % dynamic")).to_be_visible()
    assert page.locator("main b, main u, main i").count() == 0


def test_names_are_never_markup(opened: Opener) -> None:
    """Markup in a title, a class and a file name is text."""
    page = opened("#mixed4a/compare-0-1/0-1")
    expect(page.locator("h1").first).to_have_text("A <u>planted</u> atlas")
    expect(page.locator(".cards .origin").first).to_contain_text("<img src=x onerror=alert(1)>fish/<i>")
    assert page.locator("img[src='x']").count() == 0


def test_images_of_patches_and_examples_load(opened: Opener) -> None:
    """Every image of the page loads, also those of another group."""
    page = opened("#mixed4a/compare-0-1/0-1")
    page.get_by_text("Noise", exact=True).locator("visible=true").first.scroll_into_view_if_needed()
    page.locator(".radio-group.groups label", has_text="Noise").click()
    expect(page.locator(".cards .secondary", has_text="generated")).to_have_count(3)
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.locator(".montage img").count() == 8


def test_the_other_way_round_says_why_there_is_no_test(opened: Opener) -> None:
    """The link reverses the direction, the address follows, and the reason is shown."""
    page = opened("#mixed4a/compare-0-1/0-1")
    page.get_by_text("Swap direction").click()
    expect(page.locator(".skip-reason")).to_contain_text("No candidates")
    assert page.url.endswith("#mixed4a/compare-0-1/1-0")
    expect(page.locator("main h2").first).to_have_text("Does a patch change <b>fireboat</b> into bird?")


def test_links_lead_to_this_atlas(opened: Opener) -> None:
    """The link to the atlas names the layer and the comparison, a patch's link its cell."""
    page = opened()
    assert page.locator(".back").get_attribute("href") == "index.html#layer=mixed4a&atlas=compare-0-1"
    link = page.locator(".cards a").first.get_attribute("href")
    assert link is not None
    assert "&level=5&pin=5." in link


@pytest.mark.parametrize("width", [1280, 390])
def test_all_text_is_large_enough(opened: Opener, width: int) -> None:
    """No text of the report is smaller than 13 px on the screen, that of the plots included."""
    assert too_small(opened("#mixed4a/compare-0-1/0-1", width=width)) == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_no_serious_violations(opened: Opener, theme: str, width: int) -> None:
    """axe-core finds no serious or critical violation in the report, in light and in dark."""
    assert faults(opened("#mixed4a/compare-0-1/0-1", width=width, color_scheme=theme)) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(opened: Opener, theme: str) -> None:
    """At 360 pixels nothing is wider than the page, in light and in dark."""
    page = opened("#mixed4a/compare-0-1/0-1", width=360, color_scheme=theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_missing_result_is_reported(chromium: Browser, site: Path) -> None:
    """A layer whose test has not been made says which stage makes it."""
    page = chromium.new_page()
    page.goto((site / "patch.html").as_uri() + "#mixed3b/compare-0-1/0-1")
    expect(page.locator(".skip-reason")).to_contain_text("The stage patch writes it")
    page.close()
