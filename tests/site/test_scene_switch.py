"""A change of layer, level, style or atlas is seen as a whole, however long its tiles take, or not at all."""

import re
from collections.abc import Callable

import pytest
from browsing import Opener, link_has, ready
from playwright.sync_api import Browser, Page, Route, expect
from site_planting import CLASS_ATLAS, Planted
from watching import seen, watch

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("address", ["http"], indirect=True)]

FIRST, OTHER = "features.7", "features.3"


class Held:
    """Tiles at these addresses, held back until they are released."""

    def __init__(self, page: Page, pattern: str) -> None:
        self.routes: list[Route] = []
        self.released = False
        page.route(re.compile(pattern), self.hold)

    def hold(self, route: Route) -> None:
        """Keep a request without an answer."""
        if self.released:
            route.continue_()
        else:
            self.routes.append(route)

    def release(self) -> None:
        """Deliver them, and from now on all others at once."""
        self.released = True
        for route in self.routes:
            route.continue_()


def cells(planted: Planted) -> list[list[int]]:
    """Cells whose pictures and masks differ between the layers: some have an icon at one of them only."""
    here, there = (
        {tuple(cell) for cell in planted.levels[layer, 10].cell[planted.levels[layer, 10].drawn].tolist()}
        for layer in (FIRST, OTHER)
    )
    return [list(cell) for cell in [*sorted(here & there)[:6], *sorted(here ^ there)[:3]]]


def whole(page: Page, planted: Planted, late: str, change: Callable[[], object], shown: str) -> None:
    """Make a change whose tiles are late: it is announced as busy, and every frame is all old or all new."""
    held = Held(page, late)
    page.wait_for_timeout(150)
    watch(page, cells(planted))
    page.wait_for_timeout(60)
    with page.expect_request(re.compile(late)):  # the data of a scene are loaded before its tiles
        change()
    expect(page.locator(".pane").first).to_have_attribute("aria-busy", "true")
    expect(page.locator(".pane[data-loading]")).to_have_count(1)
    page.wait_for_timeout(100)
    assert held.routes
    held.release()
    ready(page, shown)
    expect(page.locator(".pane").first).to_have_attribute("aria-busy", "false")
    page.wait_for_timeout(200)
    frames = seen(page)
    assert len(frames) == 2, frames
    assert frames[0]["picture"] != frames[1]["picture"]


def test_a_layer_is_seen_as_a_whole(opened: Opener, planted: Planted) -> None:
    """While the tiles of a new layer load, title, names, mask and picture are the old ones; then all are new."""
    page = opened(f"#layer={FIRST}&level=10&labels=off&class=5")
    late = f"tiles/{OTHER}/all/10_files/.*"
    whole(page, planted, late, page.locator(f"input[value='{OTHER}']").check, f"{OTHER}/all/10/5")


def test_a_level_is_seen_as_a_whole(opened: Opener, planted: Planted) -> None:
    """The same for a grid level."""
    page = opened(f"#layer={FIRST}&level=10&labels=off")
    late = f"tiles/{FIRST}/all/40_files/.*"
    whole(page, planted, late, page.locator("input[value='40']").check, f"{FIRST}/all/40/")


def test_a_class_atlas_is_seen_as_a_whole(opened: Opener, planted: Planted) -> None:
    """The same for the atlas of a class."""
    page = opened(f"#layer={FIRST}&level=10&labels=off")
    late = f"tiles/{FIRST}/{CLASS_ATLAS}/10_files/.*"

    def choose() -> None:
        page.get_by_role("button", name="Atlas: All samples").click()
        page.get_by_role("option", name="Samples of fireboat", exact=True).click()

    whole(page, planted, late, choose, f"{FIRST}/{CLASS_ATLAS}/10/")


def test_a_pin_waits_for_its_layer(opened: Opener, planted: Planted) -> None:
    """The panel of a cell that is followed to another layer appears with it; the URL is that of what is seen."""
    level = planted.levels[FIRST, 10]
    row, column = level.cell[level.count.argmax()].tolist()
    page = opened(f"#layer={FIRST}&level=10&labels=off&pin=10.{row}.{column}")
    expect(page.locator(".panel h2")).to_be_visible()
    held = Held(page, f"tiles/{OTHER}/all/10_files/.*")
    page.locator(f"input[value='{OTHER}']").check()
    page.wait_for_selector(".pane[aria-busy=true]")
    expect(page.locator(".panel")).not_to_contain_text("Same samples at the new layer")
    link_has(page, f"layer={FIRST}")
    held.release()
    ready(page, f"{OTHER}/all/10/")
    expect(page.locator(".panel")).to_contain_text("Same samples at the new layer")
    link_has(page, f"layer={OTHER}")


@pytest.mark.parametrize("broken", ["tiles/features.3/.*webp", "data/features.3/all/10/cells.js"])
def test_a_failed_load_keeps_the_scene(chromium: Browser, planted: Planted, address: str, broken: str) -> None:
    """If a tile or data file of a new layer cannot be loaded, the page says so and shows the old layer as before."""
    page = chromium.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    page.goto(f"{address}#layer={FIRST}&level=10&labels=off")
    ready(page, f"{FIRST}/all/10/")
    page.wait_for_timeout(300)
    url = page.url
    page.route(re.compile(broken), lambda route: route.abort())
    watch(page, cells(planted))
    page.wait_for_timeout(60)
    page.locator(f"input[value='{OTHER}']").click()  # not check(): the old layer may be chosen again at once
    expect(page.get_by_role("alert")).to_contain_text("cannot be loaded")
    page.wait_for_timeout(200)
    assert len(seen(page)) == 1
    expect(page.locator(f"input[value='{FIRST}']")).to_be_checked()
    expect(page.locator(".pane")).to_have_attribute("aria-busy", "false")
    assert page.url == url
    page.unroute_all()
    page.locator(f"input[value='{OTHER}']").check()
    ready(page, f"{OTHER}/all/10/")
    page.close()


def test_the_last_request_wins(opened: Opener) -> None:
    """Of two changes in a row, the second is shown, even if the tiles of the first arrive later."""
    page = opened(f"#layer={FIRST}&level=10&labels=off")
    held = Held(page, f"tiles/{OTHER}/all/10_files/.*")
    page.locator(f"input[value='{OTHER}']").check()
    page.wait_for_selector(".pane[data-loading]")
    page.locator(f"input[value='{FIRST}']").check()
    expect(page.locator(".pane")).to_have_attribute("aria-busy", "false")
    held.release()
    page.wait_for_timeout(400)
    ready(page, f"{FIRST}/all/10/")
    link_has(page, f"layer={FIRST}")
