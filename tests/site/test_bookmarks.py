"""Places of the atlas: from the configuration to the page, and the reader's own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from browsing import Opener, busiest
from omegaconf import OmegaConf
from playwright.sync_api import Page, expect
from pydantic import ValidationError
from site_copy import addressed, copied
from site_planting import CLASSES, COMPARE_ATLAS, Planted

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.config.site import BookmarkSettings, SiteSettings
from pipeline.core.errors import ConfigError
from pipeline.plan.check import check_run
from pipeline.site.bookmarks import PARTS, LinkTargets, configured_bookmarks, link_targets

ROOT = Path(__file__).parents[2]
RUN = LinkTargets(("early", "late"), {"all": (10, 20), "class-1": (5, 10)}, ("boat", "3", "St. Bernard", "cat"))
MARKUP = "<b>Boats</b> & <script>alert(1)</script>"
OWN = "My <i>own</i> place"
TROUBLE = (
    """Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"""
)


@pytest.fixture(scope="module")
def bookmarks(planted: Planted) -> list[dict[str, str]]:
    """Two bookmarks of the planted run: a cell of a class, and a comparison."""
    level = planted.levels["features.7", 20]
    row, column = (int(value) for value in level.cell[busiest(level)])
    given = (
        BookmarkSettings(
            title=MARKUP,
            text="<u>Hulls</u> and masts.",
            link={"layer": "features.7", "class": "sailboat", "pin": [20, row, column], "view": [0.5, 0.5, 0.4]},
        ),
        BookmarkSettings(title="Two of them", link=f"index.html#layer=features.3&atlas={COMPARE_ATLAS}"),
    )
    return configured_bookmarks(given, link_targets(planted.task.params, CLASSES))


@pytest.fixture(scope="module", params=["http", pytest.param("file", marks=pytest.mark.long)])
def address(
    request: pytest.FixtureRequest,
    planted: Planted,
    bookmarks: list[dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The planted site with these bookmarks."""
    content = {"data/bookmarks": {"automatic": False, "bookmarks": bookmarks}}
    site = copied(planted.site, tmp_path_factory.mktemp("bookmarks") / "site", content)
    with addressed(site, request.param) as found:
        yield found


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", ""),
        ("layer=late&class=3&pin=20.3.4&view=0.5000,0.5000,0.2000", None),
        ("https://somewhere/index.html#layer=late&class=cat&tour=2", "layer=late&class=3"),
        ("class=3", "class=3"),
        ({"class": 3}, "class=1"),
        ({"class": "ST. bernard", "also": ["cat", 0]}, "class=2&also=3.0"),
        ({"layer": "early", "atlas": "class-1", "level": 5}, "layer=early&atlas=class-1&level=5"),
        ({"view": [0, 1, 0.5], "pin": [10, 9, 0], "sign": "against"}, "sign=-&pin=10.9.0&view=0,1,0.5"),
        ({"marks": True, "labels": False}, "marks=on&labels=off"),
        ({"photographs": True, "layer": "late"}, "layer=late&photographs=on"),
        ({"style": "drawn", "measure": "spread"}, "style=drawn&measure=spread"),
        ("class=3&also=&sign=", "class=3"),
        ({"class": "cat", "box": [10, 1, 2, 3, 4]}, "class=3&box=10.1.2.3.4"),
        ({"cells": "20.3.4.5.0v1a", "beside": "late~class-1~3.0"}, "cells=20.3.4.5.0v1a&beside=late~class-1~3.0"),
        ("beside=late~all~3.0~2.1", None),
        ({"layer": None, "class": None, "measure": "fidelity"}, "measure=fidelity"),
    ],
)
def test_a_link_becomes_what_the_page_writes(given: Any, wanted: str | None) -> None:
    """Whole addresses, their states and fields become the same form; names of classes become numbers."""
    found = configured_bookmarks([BookmarkSettings(title="x", link=given)], RUN)
    assert found == [{"title": "x", "text": "", "link": given if wanted is None else wanted}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("levle=20", "site.bookmarks.0.link: expected parts of the page's address, found levle; did you mean level?"),
        ({"layer": "lat"}, r"link.layer: expected one of the run's layers, found lat; choose from early, late"),
        (
            {"atlas": "class-2"},
            "link.atlas: expected one of the run's atlases, found class-2; choose from all, class-1",
        ),
        ({"atlas": "class-1", "level": 20}, "link.level: expected one of the levels of class-1, found 20"),
        ({"class": "boot"}, "link.class: expected one of the network's 4 classes, found boot; did you mean boat?"),
        ("class=4", "link.class: expected one of the network's 4 classes, found 4"),
        ({"also": ["cat", "dog"]}, "link.also: expected one of the network's 4 classes, found dog"),
        ({"pin": [20, 20, 0]}, r"link.pin: expected level.row.column, .* found 20.20.0"),
        ("pin=40.1.1", r"link.pin: expected level.row.column, the level one of 10, 20, .* found 40.1.1"),
        ("pin=x", "link.pin: expected level.row.column"),
        ({"view": [0.5, 0.5]}, r"link.view: expected x,y,span"),
        ("view=0.5,0.5,far", r"link.view: expected x,y,span"),
        ({"class": ["cat", "boat"]}, "link.class: expected one class, found a list"),
        ({"box": [40, 1, 1, 2, 2]}, r"link.box: expected level.top.left.bottom.right, .* found 40.1.1.2.2"),
        ("box=10.3.3.2.4", "link.box: expected level.top"),
        ("box=10.0.0.0.10", "link.box: expected level.top"),
        ("cells=15.3.4.5.0v1a", "link.cells: expected a selection as the page writes it, its level one of 10, 20"),
        ("cells=10.3.8.5.0v1a", "link.cells: expected a selection"),
        ("beside=lat~all~", "link.beside: expected layer~atlas~classes with one of the run's layers, found lat"),
        ("beside=late~class-2~", "link.beside: .* one of the run's atlases, found class-2"),
        ("beside=late~all~3.0~x", "link.beside: expected layer~atlas~classes or"),
        ("beside=late~all~4", "link.beside: expected layer~atlas~classes or .*, numbers of classes below 4"),
        ({"sign": "agianst"}, "link.sign: expected a value that the page knows, found agianst; choose from for"),
        ({"show": "densty"}, "link.show: expected a value that the page knows, found densty"),
        ({"measure": "count"}, "link.measure: expected a value that the page knows, found count"),
        ({"outcome": "good"}, "link.outcome: expected a value that the page knows, found good"),
        ({"channel": "first"}, "link.channel: expected a channel, counted from 0, found first"),
        ({"label": [1, 2]}, "link.label: expected one class, found a list; give one"),
        ({"photographs": "maybe"}, "link.photographs: expected a value that the page knows, found maybe"),
        ({"style": "accentuated"}, "link.style: expected one of the run's styles of icons, found accentuated"),
    ],
)
def test_what_the_run_does_not_have_is_refused(given: Any, told: str) -> None:
    """The error's one line has the setting, what was expected and what was found."""
    with pytest.raises(ConfigError, match=told) as found:
        configured_bookmarks([BookmarkSettings(title="x", link=given)], RUN)
    assert "\n" not in str(found.value)


def test_photographs_are_refused_where_the_site_has_none() -> None:
    """With site.exemplars=0 a link cannot show photographs, but can leave them out."""
    params = parse_params(OmegaConf.to_container(compose_config(ROOT, ["site.exemplars=0"])))
    run = link_targets(params, None)
    off = configured_bookmarks([BookmarkSettings(title="x", link={"photographs": False})], run)
    assert off[0]["link"] == "photographs=off"
    with pytest.raises(ConfigError, match=r"link\.photographs: expected off, since site\.exemplars=0 .*, found on"):
        configured_bookmarks([BookmarkSettings(title="x", link="photographs=on")], run)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (
            "{title: A, link: {layer: mixed9}}",
            "site.bookmarks.0.link.layer: expected one of the run's layers, found mixed9",
        ),
        ("{title: A, link: {class: fireboot}}", "found fireboot; did you mean fireboat"),
        ("{title: A, link: 'level=7'}", "site.bookmarks.0.link.level: expected one of the levels of all, found 7"),
        (f"{{title: {'A' * 61}}}", "site.bookmarks.0.title: string should have at most 60 characters"),
        ("{title: A, txet: B}", "site.bookmarks.0.txet: unknown setting; did you mean text"),
        ("{text: A}", "site.bookmarks.0.title: expected a value, found none"),
    ],
)
def test_a_run_with_a_wrong_place_does_not_start(tmp_path: Path, place: str, told: str) -> None:
    """Bookmarks are checked with all other settings before a run."""
    with pytest.raises(ConfigError, match=told):
        check_run(parse_params(OmegaConf.to_container(compose_config(ROOT, [f"site.bookmarks=[{place}]"]))), tmp_path)


def test_the_tour_has_as_many_stops_as_a_link_can_count() -> None:
    """99 bookmarks are accepted, one more is refused: the page reads two digits."""
    bookmarks = (BookmarkSettings(title="x"),) * 99
    assert len(SiteSettings(bookmarks=bookmarks).bookmarks) == 99
    with pytest.raises(ValidationError, match="99"):
        SiteSettings(bookmarks=(*bookmarks, bookmarks[0]))


READ = r'(?:parts\.(?:get|has)|parseClass)\(\s*"(\w+)"'


def test_every_part_of_the_pages_links_can_be_configured() -> None:
    """The parts of the URL that the page reads are those in ``PARTS``."""
    sources = [path for path in (ROOT / "pipeline/site/viewer/src").rglob("*.ts") if "parts" in path.read_text()]
    read = {name for path in sources for name in re.findall(READ, path.read_text())}
    assert read >= {"layer", "class", "pin", "tour", "predicted"}
    assert read <= set(PARTS)


def listed(page: Page) -> Page:
    """The same page with its bookmarks open."""
    page.keyboard.press("p")
    expect(page.locator("dialog.bookmarks")).to_be_visible()
    return page


@pytest.mark.browser
def test_a_bookmark_is_listed_and_shown(opened: Opener, bookmarks: list[dict[str, str]]) -> None:
    """The key p lists titles and descriptions as text; a chosen bookmark restores its state and focuses the map."""
    page = listed(opened("#layer=features.3"))
    row = page.locator(".atlas-bookmarks .bookmark").first
    expect(row.locator(".name")).to_have_text(f"1. {MARKUP}")
    expect(row.locator(".summary")).to_have_text("<u>Hulls</u> and masts.")
    expect(row.locator(".secondary")).to_contain_text("highlighting sailboat")
    row.click()
    expect(page.locator("dialog.bookmarks")).to_be_hidden()
    expect(page.locator(".panel h2")).to_be_visible()
    assert parse_qs(page.url.partition("#")[2])["pin"] == parse_qs(bookmarks[0]["link"])["pin"]
    expect(page.locator(".class-toolbar strong")).to_contain_text("sailboat")
    assert page.evaluate("document.activeElement.matches('.openseadragon-canvas')")
    listed(page).locator(".atlas-bookmarks .bookmark").nth(1).click()
    page.wait_for_selector(f'html[data-ready^="features.3/{COMPARE_ATLAS}/"]', state="attached")
    expect(page.locator(".panel")).to_be_hidden()


@pytest.mark.browser
def test_bookmarks_can_be_saved(opened: Opener) -> None:
    """A saved bookmark is there after a reload, restores the view, and can be removed."""
    page = opened("#layer=features.7&class=4&level=20&view=0.3,0.4,0.2")
    listed(page).get_by_label("Bookmark title").fill(OWN)
    page.get_by_role("button", name="Save bookmark").click()
    expect(page.locator(".own-bookmarks .bookmark .name")).to_have_text(OWN)
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    listed(page).locator(".own-bookmarks .bookmark").click()
    expect(page.locator(".class-toolbar strong")).to_contain_text("sailboat")
    page.wait_for_function("() => location.hash.includes('view=0.3000,0.4000,')")
    listed(page).get_by_role("button", name=f"Remove {OWN}").click()
    expect(page.locator(".own-bookmarks .bookmark")).to_have_count(0)
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(listed(page).locator(".own-bookmarks .bookmark")).to_have_count(0)


@pytest.mark.browser
def test_missing_storage_is_reported(opened: Opener) -> None:
    """Without storage the dialog states that, and the bookmark lasts until the page is closed."""
    page = opened()
    page.add_init_script(TROUBLE)
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(listed(page).locator(".unavailable")).to_contain_text("has no storage")
    page.get_by_role("button", name="Save bookmark").click()
    expect(page.locator(".own-bookmarks .bookmark")).to_have_count(1)
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(listed(page).locator(".own-bookmarks .bookmark")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.parametrize("held", ["not json", '{"a":1}', '[{"title":5,"link":"x"},null,{"title":"good","link":""}]'])
def test_invalid_storage_is_ignored(opened: Opener, held: str) -> None:
    """Invalid entries of the storage are not listed."""
    page = opened()
    page.evaluate("held => localStorage.setItem(`atlas-places:${location.pathname.replace(/[^/]*$/, '')}`, held)", held)
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(listed(page).locator(".own-bookmarks .bookmark")).to_have_count(int("good" in held))
    page.evaluate("localStorage.clear()")
