"""The tour: generated from the metrics where no bookmarks are configured, and its steps on the page."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
import zarr
from browsing import Opener, link_lacks, ready
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from site_planting import CLASSES, COMPARE_ATLAS, COMPARE_SCALE, LAYERS, Planted, cell_at
from test_site_data import unpacked

from pipeline.core.grid_levels import GridLevel
from pipeline.core.site_data import read_data_script
from pipeline.site.tour import TourLevel, atlas_stats
from pipeline.site.verdict import MIN_ATTRIBUTION, naming

OTHER, START = LAYERS  # the page opens on the deepest layer
SIZE = 20  # the middle level
STOPS = 5
Link = dict[str, list[str]]


@pytest.fixture(scope="module")
def stops(planted: Planted) -> list[dict[str, str]]:
    """The tour that the stage makes of the planted run."""
    found = read_data_script(planted.site / "data/bookmarks.js")
    assert found["automatic"]
    bookmarks: list[dict[str, str]] = found["bookmarks"]
    assert len(bookmarks) == STOPS
    return bookmarks


def pinned(link: str) -> tuple[int, int, int]:
    """Level, row and column of the cell that a link pins."""
    size, row, column = (int(part) for part in parse_qs(link)["pin"][0].split("."))
    return size, row, column


def planted_cell(planted: Planted, layer: str, link: str) -> int:
    """The index of the cell that a link pins."""
    size, *place = pinned(link)
    assert size == SIZE
    return int(np.flatnonzero((planted.levels[layer, SIZE].cell == place).all(axis=1))[0])


def test_the_tour_starts_where_the_page_opens(planted: Planted, stops: list[dict[str, str]]) -> None:
    """The first stop is all of the layer that the page opens on, with the numbers of its samples and images."""
    assert read_data_script(planted.site / "data/manifest.js")["initial_layer"] == START
    assert parse_qs(stops[0]["link"]) == {"layer": [START]}
    samples = int(planted.levels[START, SIZE].count.sum())
    assert f"{samples:,} samples from 72 images" in stops[0]["text"]
    assert "SqueezeNet" in stops[0]["text"]


def test_the_cell_of_the_tour_is_the_most_reliable_one(planted: Planted, stops: list[dict[str, str]]) -> None:
    """No cell with as many samples as the fullest quarter has both reliability and fidelity as high."""
    level = planted.levels[START, SIZE]
    cell = planted_cell(planted, START, stops[1]["link"])
    fidelity = np.full(len(level.cell), np.nan)
    fidelity[level.drawn] = level.fidelity_centred
    smaller = np.minimum(level.reliability, fidelity)
    full = level.drawn & (level.count >= np.quantile(level.count[level.drawn], 0.75))
    assert full[cell]
    assert smaller[cell] == np.nanmax(smaller[full])
    assert f"{level.count[cell]:,} samples" in stops[1]["text"]
    assert f"reliability {level.reliability[cell]:.2f}" in stops[1]["text"]
    assert f"centered fidelity {fidelity[cell]:.2f}" in stops[1]["text"]
    assert f"Top class (mean attribution): {CLASSES[int(level.attribution[cell].argmax())]}" in stops[1]["text"]


def test_the_same_samples_are_followed_to_another_layer(planted: Planted, stops: list[dict[str, str]]) -> None:
    """The third stop is the other layer's cell that holds most of them, with their share."""
    here, there = planted.levels[START, SIZE], planted.levels[OTHER, SIZE]
    cell = planted_cell(planted, START, stops[1]["link"])
    samples = cell_at(here, planted.xy[START]) == cell
    tally = np.bincount(cell_at(there, planted.xy[OTHER])[samples], minlength=len(there.cell)) * there.drawn
    found = planted_cell(planted, OTHER, stops[2]["link"])
    assert parse_qs(stops[2]["link"])["layer"] == [OTHER]
    assert "an earlier layer" in stops[2]["text"]
    assert tally[found] == tally.max()
    share = 100 * tally[found] / here.count[cell]
    assert (f"{share:.0f}\u00a0%" if share >= 1 else "under 1\u00a0%") in stops[2]["text"]


def test_the_strongest_class_and_the_comparison_follow(planted: Planted, stops: list[dict[str, str]]) -> None:
    """The class of the largest mean attribution is highlighted; the comparison has the layer of largest axis scale."""
    level = planted.levels[START, SIZE]
    content = read_data_script(planted.site / f"data/{START}/all/{SIZE}/cells.js")
    named = level.drawn & (unpacked(content["named"]) == 1)
    drawn = level.attribution[named]
    cell, class_ = np.unravel_index(drawn.argmax(), drawn.shape)
    assert parse_qs(stops[3]["link"]) == {"layer": [START], "class": [str(class_)]}
    first = int((drawn.argmax(axis=1) == class_).sum())
    assert f"+{drawn[cell, class_]:.2f} logit" in stops[3]["text"]
    assert f"names {first} of {level.drawn.sum()} cells" in stops[3]["text"]
    assert parse_qs(stops[4]["link"]) == {"layer": [START], "atlas": [COMPARE_ATLAS]}
    assert f"+{COMPARE_SCALE[START]:.2f} logit" in stops[4]["text"]


def cells(size: int = 4, **changes: NDArray[Any]) -> TourLevel:
    """Four cells in a row at a level; the third is empty."""
    given: dict[str, NDArray[Any]] = {
        "cell": np.array([[0, 0], [0, 1], [0, 2], [0, 3]], np.int32),
        "count": np.array([9, 9, 1, 9]),
        "drawn": np.array([True, True, False, True]),
        "attribution": np.array([[0.0, -1], [2, 0], [9, 9], [1, 3]], np.float32),
        "reliability": np.array([0.5, 0.7, 0.9, 0.7], np.float32),
        "fidelity": np.array([0.9, 0.2, 0.95, 0.6], np.float32),
    }
    given |= changes
    fidelity = given.pop("fidelity")
    group = zarr.create_group({})
    for name, values in given.items():
        if values.size:
            group.create_array(name, data=values)
    order = np.argsort(-given["attribution"], axis=1)
    value = np.take_along_axis(given["attribution"], order, axis=1)
    names = naming(np.arange(value.shape[1])[None] < np.ones((4, 1)), value) if value.size else None
    return TourLevel(GridLevel(size, group), fidelity, names)


def test_what_is_not_known_is_left_out() -> None:
    """Cells without icons or with few samples do not count, and without classes none is named."""
    seen = atlas_stats("late", "all", [cells()])
    assert seen is not None
    assert seen.strongest is not None
    assert (seen.most_reliable.index, seen.strongest.index, seen.strongest.class_, seen.led) == (3, 3, 1, 1)
    sparse = atlas_stats("late", "all", [cells(drawn=np.ones(4, bool))])
    assert sparse is not None
    assert sparse.most_reliable.index == 3  # the third cell is more reliable, but holds too few samples
    weak = np.array([[0, -1], [MIN_ATTRIBUTION / 2, 0], [9, 9], [0.0034, 0]], np.float32)
    barely = atlas_stats("late", "all", [cells(attribution=weak)])
    assert barely is not None
    assert (barely.strongest, barely.most_reliable.class_) == (None, -1)
    silent = atlas_stats("late", "all", [cells(attribution=np.zeros((4, 0), np.float32))])
    assert silent is not None
    assert (silent.strongest, silent.most_reliable.class_) == (None, -1)
    unsure = atlas_stats("late", "all", [cells(reliability=np.full(4, np.nan, np.float32))])
    assert unsure is not None
    assert unsure.most_reliable.index == 0
    assert atlas_stats("late", "all", [cells(drawn=np.zeros(4, bool))]) is None


def test_the_finest_of_the_given_levels_is_looked_at() -> None:
    """Of five levels with icons the last one counts, and where it has none, the next coarser one that has some."""
    levels = [cells(size=size) for size in (10, 20, 40, 80, 160)]
    seen = atlas_stats("late", "all", levels)
    assert seen is not None
    assert seen.most_reliable.address[0] == 160
    bare = [cells(size=size, drawn=np.full(4, size <= 40)) for size in (10, 20, 40, 80, 160)]
    seen = atlas_stats("late", "all", bare)
    assert seen is not None
    assert seen.most_reliable.address[0] == 40


def taken(page: Page) -> Page:
    """The same page at the first stop of the tour."""
    page.keyboard.press("p")
    page.get_by_role("dialog").get_by_role("button", name="Start the tour").click()
    expect(page.locator(".tour .progress")).to_have_text(f"1 of {STOPS} · generated")
    return page


def link_of(page: Page) -> Link:
    """The parts of the URL hash."""
    return parse_qs(page.url.partition("#")[2])


@pytest.mark.browser
def test_keys_control_the_tour(opened: Opener, stops: list[dict[str, str]]) -> None:
    """Arrow keys on the card move between stops, the URL contains each stop's state and step, Escape ends the tour."""
    page = taken(opened(f"#layer={START}"))
    card = page.locator(".tour")
    expect(card).to_be_focused()
    for number, stop in enumerate(stops, 1):
        expect(card.locator("h2")).to_have_text(stop["title"])
        expect(card.locator(".text")).to_have_text(stop["text"])
        expect(page.get_by_role("status").first).to_have_text(
            f"Tour, {number} of {STOPS}: {stop['title']}. {stop['text']}"
        )
        page.wait_for_url(re.compile(rf"[#&]tour={number}(&|$)"))  # the URL follows when the stop's scene is shown
        found = link_of(page)
        assert {name: found.get(name) for name in ("layer", "atlas", "class", "pin")} == {
            name: parse_qs(stop["link"]).get(name) for name in ("layer", "atlas", "class", "pin")
        }
        page.keyboard.press("ArrowRight")
    expect(card.locator("h2")).to_have_text(stops[-1]["title"])  # the arrow does not leave the last stop
    page.keyboard.press("ArrowLeft")
    expect(card.locator("h2")).to_have_text(stops[-2]["title"])
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.wait_for_url(re.compile(r"^(?!.*[#&]tour=)"))
    assert link_of(page)["class"] == parse_qs(stops[-2]["link"])["class"]  # it ends where it is
    assert page.evaluate("document.activeElement.matches('.openseadragon-canvas')")


@pytest.mark.browser
def test_buttons_control_the_tour(opened: Opener, stops: list[dict[str, str]]) -> None:
    """At the first stop there is no previous one; at the last, the button finishes the tour."""
    page = taken(opened())
    back, card = page.get_by_role("button", name="Previous stop"), page.locator(".tour")
    expect(back).to_have_attribute("aria-disabled", "true")
    back.click(force=True)  # a click does nothing
    expect(card.locator("h2")).to_have_text(stops[0]["title"])
    for stop in stops[1:]:
        page.get_by_role("button", name="Next stop").click()
        expect(card.locator("h2")).to_have_text(stop["title"])
    page.get_by_role("button", name="Finish the tour").click()
    expect(card).to_be_hidden()


@pytest.mark.browser
def test_a_link_leads_into_the_tour(opened: Opener, stops: list[dict[str, str]]) -> None:
    """A step alone goes to its bookmark; a state in the link is kept; an unknown step is dropped."""
    page = opened("#tour=2")
    expect(page.locator(".tour h2")).to_have_text(stops[1]["title"])
    expect(page.locator(".panel h2")).to_be_visible()
    assert link_of(page)["pin"] == parse_qs(stops[1]["link"])["pin"]
    page = opened(f"#layer={START}&level=10&tour=2")
    expect(page.locator(".tour h2")).to_have_text(stops[1]["title"])
    ready(page, f"{START}/all/10/")
    for wrong in ("77", "0", "x"):
        page = opened(f"#layer={START}&tour={wrong}")
        if wrong == "77":
            link_lacks(page, "tour")
        expect(page.locator(".tour")).to_be_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_tour_moves_smoothly_unless_motion_is_reduced(opened: Opener, motion: str) -> None:
    """The map moves smoothly to a stop, or jumps with reduced motion."""
    page = opened("#tour=1")
    page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator(".tour")).to_be_visible()
    page.wait_for_timeout(600)  # let the first stop come to rest
    widths = page.evaluate(
        """async () => {
            const width = () => atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x;
            const size = () => Number(document.documentElement.dataset.level);
            document.querySelector('.tour [aria-label="Next stop"]').click();
            const seen = [];
            for (let frame = 0; frame < 45; frame++) {
                await new Promise(requestAnimationFrame);
                seen.push(Math.round(width() * size()));
            }
            return [...new Set(seen)];
        }"""
    )
    assert (len(widths) > 5) == (motion == "no-preference"), widths


@pytest.mark.browser
def test_the_card_fits_a_phone(opened: Opener) -> None:
    """At 390 px the card, the pinned cell and the panel do not cover each other."""
    page = opened("#tour=2", width=390, height=844)
    expect(page.locator(".panel")).to_be_visible()
    card, panel = page.locator(".tour").bounding_box(), page.locator(".panel").bounding_box()
    assert card is not None
    assert panel is not None
    assert card["x"] >= 0
    assert card["x"] + card["width"] <= 390
    assert card["y"] + card["height"] < panel["y"]
    size, row, column = pinned(page.url.partition("#")[2])
    expect(page.locator("html")).to_have_attribute("data-level", str(size))
    middle = page.evaluate("([row, column]) => atlas.cellToPoint(row, column)", [row, column])
    assert card["y"] + card["height"] < middle["y"] < panel["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_tour_names_no_folder_of_the_machine(stops: list[dict[str, str]]) -> None:
    """No caption contains the path of the user's folder."""
    assert not any(re.search(re.escape(str(Path.home())), stop["text"]) for stop in stops)
