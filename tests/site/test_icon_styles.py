"""Two styles of icons on one page: a control switches everything that shows icons or their measures."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Opener, busiest, link_has, link_lacks, ready
from playwright.sync_api import Page, expect
from site_planting import CLASS_ATLAS, COMPARE_ATLAS, FIDELITY_GAIN, LAYERS, Planted, plant
from test_site_data import unpacked

from pipeline.core.site_data import read_data_script
from pipeline.site.cell_data import IconOrigin
from pipeline.site.pages import PAGES
from pipeline.site.stage import run
from pipeline.site_files import site_files
from tests.axe import faults

LAYER, SIZE = "features.7", 10
AT = f"#layer={LAYER}&level={SIZE}"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A smaller run than that of the other tests, with icons in two styles; the comparison has one."""
    made = plant(tmp_path_factory.mktemp("two"), 4000, (5, SIZE), ("drawn", "accentuated"))
    run(made.task)
    return made


def test_the_site_holds_the_icons_of_every_style(planted: Planted) -> None:
    """The manifest lists each atlas's styles; measures and origins of the second are in a file of their own."""
    manifest = read_data_script(planted.site / "data/manifest.js")
    styles = {atlas["name"]: atlas["styles"] for layer in manifest["layers"] for atlas in layer["atlases"]}
    assert styles == {
        "all": ["drawn", "accentuated"],
        CLASS_ATLAS: ["drawn", "accentuated"],
        COMPARE_ATLAS: ["drawn"],
    }
    level = planted.levels[LAYER, SIZE]
    folder = planted.site / "data" / LAYER / "all" / str(SIZE)
    first, other = (read_data_script(folder / name) for name in ("cells.js", "icons-accentuated.js"))
    for name in ("fidelity", "fidelity_centred"):
        planted_values = getattr(level, name)
        for content, gain in ((first, 0), (other, FIDELITY_GAIN)):
            np.testing.assert_allclose(unpacked(content[name])[level.drawn], planted_values + gain, atol=1e-4)
    assert set(unpacked(other["icon_origin"])[level.drawn]) == {IconOrigin.EXEMPLAR, IconOrigin.SAME}
    origins = unpacked(read_data_script(folder / "neighbors.js")["icon_origin"])
    assert not (origins == IconOrigin.EXEMPLAR).any()
    assert not list((planted.site / "data" / LAYER / COMPARE_ATLAS).rglob("icons-*"))


def test_an_export_takes_every_style_along(planted: Planted) -> None:
    """The files that a page may load include the second style's data and all of its tiles, and all of them exist."""
    named = set(site_files(planted.site, tuple(PAGES)))
    tiles = {
        path.relative_to(planted.site).as_posix()
        for layer in LAYERS
        for path in (planted.site / "tiles" / layer / "all" / "accentuated").rglob("*.webp")
    }
    assert tiles
    assert tiles <= named
    assert f"data/{LAYER}/all/{SIZE}/icons-accentuated.js" in named
    assert [name for name in named if not (planted.site / name).is_file()] == []


def style_of(page: Page, style: str) -> None:
    """Wait until the icons of a style are shown."""
    page.wait_for_selector(f"html[data-style={style}]", state="attached")


def numbers(page: Page) -> list[float]:
    """Fidelity and centered fidelity in the panel."""
    return [float(text) for text in page.locator(".panel .numbers dd").all_inner_texts()[:2]]


@pytest.mark.browser
def test_the_control_switches_all_that_shows_icons(opened: Opener, planted: Planted) -> None:
    """Map, panel, dialog, caption and measures show the chosen style, which the URL keeps; all switch back by a key."""
    level = planted.levels[LAYER, SIZE]
    cell = busiest(level)
    row, column = level.cell[cell]
    page = opened(f"{AT}&pin={SIZE}.{row}.{column}")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    styles = page.get_by_role("group", name="Icons")
    drawn, accentuated = (styles.get_by_role("radio", name=name) for name in ("Drawn", "Accentuated"))
    expect(drawn).to_be_checked()
    expect(drawn).to_have_attribute("title", re.compile("from noise; holds no part of an image"))
    expect(accentuated).to_have_attribute("title", re.compile("nearest exemplar; holds parts"))
    icon, caption = page.locator(".panel .enlarge img").first, page.locator(".caption .note").first
    fidelity = np.array([getattr(level, name)[level.drawn[:cell].sum()] for name in ("fidelity", "fidelity_centred")])
    expect(icon).to_have_attribute("src", re.compile(f"^tiles/{LAYER}/all/{SIZE}_files/"))
    expect(caption).to_contain_text("Drawn: every icon started from noise")
    assert numbers(page) == pytest.approx(fidelity, abs=0.006)
    assert not any("accentuated" in url for url in requests)

    drawn.focus()
    page.keyboard.press("ArrowRight")
    style_of(page, "accentuated")
    link_has(page, "&style=accentuated")
    expect(icon).to_have_attribute("src", re.compile(f"^tiles/{LAYER}/all/accentuated/{SIZE}_files/"))
    expect(caption).to_contain_text("Accentuated: icons started from the patches of their cells")
    assert numbers(page) == pytest.approx(fidelity + FIDELITY_GAIN, abs=0.006)
    page.wait_for_timeout(100)
    assert any(f"tiles/{LAYER}/all/accentuated/{SIZE}_files/" in url for url in requests)
    page.locator(".panel .enlarge").click()
    facts = page.get_by_role("dialog").locator(".facts")
    expect(facts).to_contain_text("StyleAccentuated: optimized from the patch")
    expect(facts).to_contain_text("Initialized fromthe patch of the nearest exemplar")
    expect(page.get_by_role("dialog").locator("code").last).to_have_text(re.compile("style=accentuated$"))
    page.keyboard.press("Escape")
    page.reload()
    style_of(page, "accentuated")
    expect(accentuated).to_be_checked()
    assert faults(page) == []

    page.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("i")
    style_of(page, "drawn")
    link_lacks(page, "style=")
    expect(icon).to_have_attribute("src", re.compile(f"^tiles/{LAYER}/all/{SIZE}_files/"))


@pytest.mark.browser
def test_both_maps_of_the_split_view_and_exports_show_the_chosen_style(opened: Opener) -> None:
    """The second map takes the style of the first; tables name it, and its file too."""
    page = opened(f"{AT}&style=accentuated&box={SIZE}.3.3.5.5")
    style_of(page, "accentuated")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.keyboard.press("c")
    page.wait_for_selector(f'html[data-split="features.3/all/{SIZE}/"]', state="attached")
    page.wait_for_timeout(100)
    second = [url for url in requests if "tiles/features.3/all" in url and f"/{SIZE}_files/" in url]
    assert second
    assert all(f"all/accentuated/{SIZE}_files/" in url for url in second)
    with page.expect_download() as download:
        page.get_by_role("button", name="Cells CSV").click()
    assert download.value.suggested_filename == f"{LAYER}-all-{SIZE}-accentuated-cells.csv"
    head, first, *_ = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    row: dict[str, Any] = dict(zip(head.split(","), first.split(","), strict=False))
    assert row["style"] == "accentuated"


@pytest.mark.browser
def test_an_atlas_of_one_style_offers_no_other(opened: Opener) -> None:
    """The comparison shows its only style whatever the link says; the choice stays for others, as in a second map."""
    page = opened(f"{AT}&style=accentuated")
    style_of(page, "accentuated")
    page.evaluate(
        "atlas => { location.hash = `#layer=features.7&level=10&style=accentuated&atlas=${atlas}` }", COMPARE_ATLAS
    )
    ready(page, f"{LAYER}/{COMPARE_ATLAS}/{SIZE}/")
    style_of(page, "drawn")
    expect(page.get_by_role("radio", name="Accentuated")).to_have_count(0)
    page.keyboard.press("i")
    expect(page).to_have_url(re.compile("style=accentuated$"))
    assert page.locator("html").get_attribute("data-style") == "drawn"
    second = page.locator(".pane.second")
    page.evaluate("hash => { location.hash = hash }", f"{page.url.partition('#')[2]}&beside={LAYER}~all~")
    expect(page.get_by_role("radio", name="Accentuated")).to_be_checked()
    expect(second.locator(".layer-thumbnail img").first).to_have_attribute("src", re.compile("/all/accentuated/"))
