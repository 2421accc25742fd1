"""Back and Forward, and the ways back from the other pages."""

import re
from urllib.parse import parse_qs

import pytest
from browsing import Opener, busiest, place, ready
from playwright.sync_api import Browser, Page, expect
from site_planting import COMPARE_ATLAS, Planted

pytestmark = pytest.mark.browser

AT_HTTP = pytest.mark.parametrize("address", ["http"], indirect=True)
FIRST, OTHER = "features.7", "features.3"


def parts(page: Page) -> dict[str, str]:
    """The parts of the URL's hash."""
    return parts_of(page.url)


def back(page: Page, steps: int = -1) -> None:
    """Walk through the history of the tab without leaving the page."""
    page.evaluate("steps => history.go(steps)", steps)


@AT_HTTP
def test_back_and_forward_walk_through_the_steps(opened: Opener, planted: Planted) -> None:
    """Pin, layer, atlas and second map are steps; Back undoes them one by one, Forward does them again."""
    level = planted.levels[FIRST, 20]
    cell = busiest(level)
    page = opened(f"#layer={FIRST}&level=20")
    ready(page, f"{FIRST}/all/20/")
    page.mouse.click(*place(page, level, cell))
    pin = f"20.{level.cell[cell][0]}.{level.cell[cell][1]}"
    expect(page.locator(".panel h2")).to_be_visible()
    page.get_by_role("button", name="Close panel").click()
    page.locator(f"input[value='{OTHER}']").check()
    ready(page, f"{OTHER}/all/20/")
    page.get_by_role("button", name="Atlas: All samples").click()
    page.get_by_role("option", name="streetcar and fireboat").or_(
        page.get_by_role("option", name="fireboat ↔ streetcar")
    ).first.click()
    page.wait_for_selector(f'html[data-ready^="{OTHER}/{COMPARE_ATLAS}"]', state="attached")
    page.keyboard.press("c")
    expect(page.locator(".second")).to_have_count(1)

    back(page)
    expect(page.locator(".second")).to_have_count(0)
    assert parts(page)["atlas"] == COMPARE_ATLAS
    back(page)
    ready(page, f"{OTHER}/all/20/")
    back(page)
    ready(page, f"{FIRST}/all/20/")
    expect(page.locator(".panel")).to_be_hidden()
    back(page)
    expect(page.locator(".panel h2")).to_be_visible()
    assert parts(page)["pin"] == pin
    back(page)
    expect(page.locator(".panel")).to_be_hidden()
    assert "pin" not in parts(page)

    for _ in range(3):
        back(page, 1)
        page.wait_for_timeout(150)
    ready(page, f"{OTHER}/all/20/")
    back(page, 1)
    page.wait_for_selector(f'html[data-ready^="{OTHER}/{COMPARE_ATLAS}"]', state="attached")


@AT_HTTP
def test_movements_are_no_steps_but_belong_to_them(opened: Opener) -> None:
    """Panning and zooming add nothing to the history and write the URL seldom; Back returns to the view of its step."""
    page = opened(f"#layer={FIRST}&level=20&view=0.5,0.5,0.5")
    page.evaluate("""() => {
        self.writes = 0;
        const write = history.replaceState.bind(history);
        history.replaceState = (...all) => { self.writes += 1; write(...all); };
    }""")
    length = page.evaluate("history.length")
    before = page.evaluate("atlas.cellToPoint(9, 9).x")
    page.evaluate("""async () => {
        for (let press = 0; press < 40; press++) {
            const keys = { key: "ArrowRight", shiftKey: true, bubbles: true };
            document.querySelector(".openseadragon-canvas").dispatchEvent(new KeyboardEvent("keydown", keys));
            await new Promise(requestAnimationFrame);
        }
    }""")
    page.wait_for_timeout(300)
    moved = page.evaluate("atlas.cellToPoint(9, 9).x")
    assert moved < before - 100
    assert page.evaluate("history.length") == length
    assert 1 <= page.evaluate("self.writes") <= 10
    kept = parts(page)["view"]
    page.locator(f"input[value='{OTHER}']").check()
    ready(page, f"{OTHER}/all/20/")
    assert page.evaluate("history.length") == length + 1
    page.keyboard.press("0")  # the whole atlas is a step of its own
    page.wait_for_timeout(200)
    assert page.evaluate("history.length") == length + 2
    assert "view" not in parts(page)
    page.keyboard.press("0")
    page.keyboard.press("+")
    page.wait_for_timeout(200)
    assert page.evaluate("history.length") == length + 2
    back(page)
    page.wait_for_function("x => Math.abs(atlas.cellToPoint(9, 9).x - x) < 2", arg=moved)
    back(page)
    ready(page, f"{FIRST}/all/20/")
    assert parts(page)["view"] == kept
    assert page.evaluate("atlas.cellToPoint(9, 9).x") == pytest.approx(moved, abs=2)


@pytest.mark.parametrize("way", ["evidence.html", "contents.html", "patch.html"])
def test_the_way_back_leads_to_where_one_was(chromium: Browser, planted: Planted, address: str, way: str) -> None:
    """From the other pages, the link back and the browser's Back show the same layer, view and pinned cell again."""
    level = planted.levels[OTHER, 20]
    row, column = level.cell[busiest(level)].tolist()
    start = address.removesuffix("index.html")
    # the planted site lacks results of other stages, so that these pages report files that they do not find
    page = chromium.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    page.goto(f"{start}{way}")
    expect(page.get_by_role("link", name="← Atlas")).to_have_attribute("href", re.compile("^index.html"))
    page.goto(f"{start}index.html#layer={OTHER}&level=20")
    ready(page, f"{OTHER}/all/20/")
    page.mouse.click(*place(page, level, busiest(level)))
    expect(page.locator(".panel h2")).to_be_visible()
    page.wait_for_timeout(250)
    link = page.url
    page.goto(f"{start}{way}")
    page.get_by_role("link", name="← Atlas").click()
    ready(page, f"{OTHER}/all/20/")
    expect(page.locator(".panel h2")).to_be_visible()
    assert parts(page) == parts_of(link)
    assert parts(page)["pin"] == f"20.{row}.{column}"
    page.go_back()
    page.go_back()
    ready(page, f"{OTHER}/all/20/")
    expect(page.locator(".panel h2")).to_be_visible()
    assert page.url == link
    page.close()


def parts_of(link: str) -> dict[str, str]:
    """The parts of a link's hash."""
    return {name: values[0] for name, values in parse_qs(link.partition("#")[2]).items()}
