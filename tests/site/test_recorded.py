"""What a run did not record is not offered by any page, or it says which setting records it."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from site_copy import addressed
from site_planting import COMPARE_ATLAS, LAYERS, Planted, plant

from pipeline.site.stage import run

pytestmark = pytest.mark.browser

LAYER, SIZE = LAYERS[-1], 10
NOT_RECORDED = re.compile(
    r"(not recorded in this run|has no comparisons)[^.]*\.(?: [^.]*comparisons=[^.]*\.)?", re.IGNORECASE
)
MISSING: Mapping[str, Mapping[str, Any]] = {
    "attributions": {"without": ("attributions",)},
    "labels": {"without": ("labels",)},
    "predictions": {"without": ("predictions",)},
    "comparisons": {"without": ("comparisons",)},
    "second": {"without": ("second",)},
    "exemplars": {"exemplars": 0},
}


@dataclass
class Site:
    """A site, and what its pages say in every state that a test takes them to."""

    planted: Planted
    address: str
    texts: dict[str, str] = field(default_factory=dict)


def said(page: Page) -> str:
    """All visible text of the page, titles and names of controls that screen readers speak included."""
    text: str = page.evaluate(
        """() => {
            const names = [...document.querySelectorAll("[title], [aria-label], [placeholder]")]
                .filter((element) => element.checkVisibility())
                .flatMap(({ title, placeholder, ariaLabel }) => [title, placeholder, ariaLabel]);
            return [document.body.innerText, ...names].filter(Boolean).join("\\n");
        }"""
    )
    return text


def tour_of_the_pages(page: Page, site: Site) -> None:
    """Visit every page and open every panel and dialog that the site offers, and keep what each of them says."""
    level = site.planted.levels[LAYER, SIZE]
    row, column = (int(number) for number in level.cell[int(np.where(level.drawn, level.count, 0).argmax())])
    states: dict[str, Callable[[], None]] = {
        "map": lambda: None,
        "help": lambda: page.keyboard.press("?"),
        "menu": lambda: page.get_by_role("button", name="Show", exact=True).click(),
        "bookmarks": lambda: page.keyboard.press("p"),
        "search": lambda: page.keyboard.press("/"),
        "class": lambda: page.keyboard.press("s"),
        "polysemantic": lambda: page.keyboard.press("u"),
        "split": lambda: page.keyboard.press("c"),
        "pin": lambda: page.evaluate(f"location.hash = 'layer={LAYER}&level={SIZE}&pin={SIZE}.{row}.{column}'"),
        "region": lambda: page.evaluate(
            f"location.hash = 'layer={LAYER}&level={SIZE}&box={SIZE}.{row}.{column}.{row}.{column}'"
        ),
        "samples": lambda: page.evaluate(f"location.hash = 'layer={LAYER}&level={SIZE}&show=samples'"),
        "second": lambda: page.evaluate(f"location.hash = 'layer={LAYER}&level={SIZE}&show=second'"),
        "highlight": lambda: page.evaluate(f"location.hash = 'layer={LAYER}&level={SIZE}&class=0'"),
    }
    start = f"layer={LAYER}&level={SIZE}"
    page.goto(f"{site.address}#{start}")
    page.wait_for_selector("html[data-ready]", state="attached")
    for name, show in states.items():
        show()
        if name in ("pin", "region"):
            expect(page.locator(".panel:not([hidden])").first).to_be_visible()
        page.wait_for_timeout(150)
        page.wait_for_function("() => !document.querySelector('.panel:not([hidden]) .loading, dialog[open] .loading')")
        site.texts[name] = said(page)
        page.keyboard.press("Escape")
        page.evaluate(f"location.hash = '{start}'")
        page.locator(".openseadragon-canvas").first.focus()
        page.wait_for_timeout(50)
    for name in ("contents", "evidence", "patch"):
        page.goto(f"{site.address.removesuffix('index.html')}{name}.html")
        page.wait_for_selector("html[data-ready]", state="attached")
        site.texts[name] = said(page)


@pytest.fixture(scope="module")
def everything(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Site]:
    """Sites without one recording each, and one with all of them (``none``)."""
    found = {}
    page = chromium.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    for name, options in {"none": {}, **MISSING}.items():
        made = plant(tmp_path_factory.mktemp(name), samples=1500, levels=(5, SIZE), **options)
        run(made.task)
        with addressed(made.site, "http") as address:
            site = Site(made, address)
            tour_of_the_pages(page, site)
        found[name] = site
        shutil.rmtree(made.site)
    page.close()
    return found


# recording: what only pages of a run that has it may speak of
FEATURES = {
    "attributions": (
        r"attribution",
        r"\bclass(es)?\b",
        r"search",
        r"polysemantic",
        r"ablation|steering",
        r"\blabels\b.*\bn\b|show or hide labels",
        r"comparison|patch test",
    ),
    "labels": (r"over-represented", r"density of its samples", r"fireboat/", r"label unknown"),
    "predictions": (r"outcome",),
    "comparisons": (r"comparison", r"patch test", r"↔"),
    "second": (r"holiday", r"the second set"),
    "exemplars": (
        r"example patch",
        r"receptive field of this layer",
        r"images in this",
        r"images (that|it) .*comes? from",
    ),
}


@pytest.mark.parametrize(("missing", "feature"), [(name, of) for name, features in FEATURES.items() for of in features])
def test_no_page_speaks_of_what_was_not_recorded(everything: dict[str, Site], missing: str, feature: str) -> None:
    """A feature appears on some page of a run that has everything, and on none of one that lacks its recording."""
    pattern = re.compile(feature, re.IGNORECASE)
    assert any(pattern.search(text) for text in everything["none"].texts.values()), "the feature has another name"
    for state, text in everything[missing].texts.items():
        lines = [line for line in text.splitlines() if not NOT_RECORDED.search(line)]
        rest = "\n".join(line for line in lines if (state, line) != ("patch", "Patch test"))  # the title of that page
        found = pattern.search(rest)
        assert not found, f"{state}: {rest[max(found.start() - 60, 0) : found.end() + 60] if found else ''}"


@pytest.mark.parametrize("state", ["map", "pin", "region", "contents", "evidence"])
def test_the_setting_that_records_attributions_is_named(everything: dict[str, Site], state: str) -> None:
    """Where a page would show classes, it says that they were not recorded and how they are."""
    assert "not recorded in this run, use sample.attribution=true." in everything["attributions"].texts[state]
    assert "not recorded" not in everything["none"].texts[state]


def test_a_page_without_comparisons_says_how_to_make_one(everything: dict[str, Site]) -> None:
    """The page of the patch test names the setting where there is nothing to test."""
    assert "comparisons=[[" in everything["comparisons"].texts["patch"]
    assert COMPARE_ATLAS.startswith("compare")


def test_a_cell_without_attributions_is_titled_by_its_place(everything: dict[str, Site]) -> None:
    """Without classes the panel's title is the cell's row and column, not that there is no class."""
    assert re.search(r"^Row \d+, column \d+$", everything["attributions"].texts["pin"], re.MULTILINE)
    assert not re.search("no class", everything["attributions"].texts["pin"], re.IGNORECASE)


def test_nothing_is_lost_where_everything_was_recorded(everything: dict[str, Site]) -> None:
    """The states that the other tests compare were really reached."""
    texts = everything["none"].texts
    assert "Reading the atlas" in texts["help"]
    assert "Top classes (mean attribution)" in texts["pin"]
    assert "Labels of the images" in texts["region"]
    assert "positive" in texts["highlight"]
