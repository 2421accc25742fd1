"""The pages of atlases with so few samples that levels have no icon."""

import threading
from collections.abc import Iterator

import pytest
from browsing import Opener, ready
from playwright.sync_api import Browser, expect
from site_planting import Planted, plant

from pipeline.browse import site_server
from pipeline.site.stage import run

pytestmark = pytest.mark.browser

SAID = "No cell of this level has enough samples for an icon."
SOME, NONE = 60, 12  # samples that give the coarsest level some icons, or no level any


@pytest.fixture(scope="module", params=[SOME, NONE])
def few(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A run of few samples with its site."""
    made = plant(tmp_path_factory.mktemp("few"), request.param)
    run(made.task)
    return made


@pytest.fixture(scope="module")
def address(few: Planted) -> Iterator[str]:
    """Its address; ``opened`` opens it and refuses errors of the page."""
    with site_server(few.site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("few", [SOME], indirect=True)
def test_the_zoom_stays_at_levels_with_icons(opened: Opener, few: Planted) -> None:
    """Zooming in does not end at an empty map; a level without icons cannot be chosen, and a link to it says so."""
    assert [bool(few.levels["features.7", size].drawn.any()) for size in (10, 20, 40)] == [True, False, False]
    page = opened("#layer=features.7")
    ready(page, "features.7/all/10/")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.dataset.level") == "10"
    choices = page.get_by_role("group", name="Grid level").locator("input")
    assert [choice.is_disabled() for choice in choices.all()] == [False, False, True, True]  # auto, 10, 20, 40
    expect(page.get_by_text(SAID)).to_have_count(0)
    page = opened("#layer=features.7&level=40")
    ready(page, "features.7/all/40/")
    expect(page.get_by_text(SAID)).to_be_visible()


def test_an_atlas_without_icons_says_so(opened: Opener, few: Planted) -> None:
    """The page opens without an error, and says that there are no icons where there are none."""
    page = opened()
    expect(page.get_by_text(SAID)).to_have_count(0 if few.levels["features.7", 10].drawn.any() else 1)


@pytest.mark.parametrize("few", [SOME], indirect=True)
def test_the_contents_show_a_level_with_icons(chromium: Browser, address: str, few: Planted) -> None:
    """Preview and description of an atlas are of the finest level that has icons, although finer ones were stored."""
    page = chromium.new_page()
    page.goto(f"{address}contents.html")
    card = page.locator("#atlases .all a.atlas").first
    assert "/10_files/" in (card.locator("img").get_attribute("src") or "")
    expect(card).to_contain_text(f"{few.levels['features.3', 10].drawn.sum()} icons on 10")
    page.close()
