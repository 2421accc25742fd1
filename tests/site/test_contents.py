"""The contents page: all atlases, tests and measurements of the run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Opener
from playwright.sync_api import Browser, Page, expect
from site_copy import addressed, copied
from site_planting import CLASS_ATLAS, COMPARE_ATLAS, LAYERS, Planted

from pipeline.core.site_data import read_data_script
from pipeline.site_metrics import collect_metrics, write_site_metrics
from tests.axe import faults
from tests.text_size import too_small

ATLASES = ("all", CLASS_ATLAS, COMPARE_ATLAS)


def figures(number: int) -> dict[str, dict[str, Any]]:
    """Measurements of an atlas; every number follows from ``number``."""
    share = 0.5 + number / 100
    return {
        "reduce": {
            "points": 1000 + number,
            "filled": share,
            "outliers": 0.0,
            "trustworthiness_10": share + 0.11,
            "continuity_10": share + 0.22,
            "label_hits": None,
        },
        "grid": {"10": {"occupied": 90, "drawn": 80 + number, "spread": share + 0.05, "reliability": share + 0.15}},
        "render": {
            "10": {
                "icons": 80 + number,
                "fidelity": {"median": share + 0.3, "floor": 0.2},
                "fidelity_centred": {"median": share + 0.25, "ceiling": 0.9},
                "retrieval": {"exact": share + 0.09, "near": share + 0.19},
            }
        },
    }


@pytest.fixture(scope="module")
def content(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the stage collects of planted metrics."""
    metrics = tmp_path_factory.mktemp("metrics")
    (metrics / "prepare.json").write_text('{"images": 72, "rejected": 3, "classes": 12, "top1": 0.625, "top5": NaN}')
    (metrics / "sample.json").write_text(json.dumps({LAYERS[1]: {"samples": 24000, "zero_attributions": 0.692}}))
    for number, (layer, atlas) in enumerate((layer, atlas) for layer in LAYERS for atlas in ATLASES):
        for stage, found in figures(number).items():
            path = metrics / stage / layer / f"{atlas}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(found))
    return collect_metrics(metrics, read_data_script(planted.site / "data/manifest.js"))


def result(layer: str) -> dict[str, Any]:
    """Result of the stage ``patch`` as far as this page reads it: one direction tested, one not."""
    rates = {"targeted": {"value": 0.375, "low": 0.3, "high": 0.4}}
    tested = {
        "name": "1-0",
        "source": 1,
        "target": 0,
        "skip_reason": None,
        "groups": [{"name": "atlas", "static": rates}],
    }
    untested = {"name": "0-1", "source": 0, "target": 1, "skip_reason": "too few images"}
    return {"layer": layer, "atlas": COMPARE_ATLAS, "directions": [tested, untested]}


@pytest.fixture(scope="module", params=["http", "file"])
def address(
    request: pytest.FixtureRequest,
    planted: Planted,
    content: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The planted site with these measurements and with results of all tests."""
    verdict = {"ablation": {"grade": "well"}, "steering": {"grade": "not"}}
    parts: dict[str, Any] = {"figures": content}
    for layer in LAYERS:
        parts[f"predict/{layer}/result"] = {"measured": True, "layer": layer, "verdict": verdict}
        parts[f"patch/{layer}/{COMPARE_ATLAS}/result"] = result(layer)
    with addressed(copied(planted.site, tmp_path_factory.mktemp("contents") / "site", parts), request.param) as found:
        yield found


def contents(opened: Opener, address: str, **window: Any) -> Page:
    """The loaded page."""
    page = opened(f"{address.removesuffix('index.html')}contents.html", **window)
    page.wait_for_selector("html[data-ready=contents]", state="attached")
    return page


def test_measurements_are_collected(content: dict[str, Any], planted: Planted, tmp_path: Path) -> None:
    """Numbers are grouped by layer, atlas and level; missing values and non-numbers are null."""
    found = content["atlases"][LAYERS[0]][CLASS_ATLAS]
    assert found["layout"]["trustworthiness_10"] == pytest.approx(0.62)
    assert [level["size"] for level in found["levels"]] == [5, 10]
    assert found["levels"][0] == {"size": 5, "cells": None, "icons": None}
    assert found["levels"][1]["cells"] == figures(1)["grid"]["10"]
    assert content["images"]["top5"] is None
    assert content["layers"] == {LAYERS[0]: None, LAYERS[1]: {"samples": 24000, "zero_attributions": 0.692}}
    nothing = collect_metrics(tmp_path, read_data_script(planted.site / "data/manifest.js"))
    assert nothing["images"] is None
    assert nothing["atlases"][LAYERS[0]]["all"]["layout"] is None


def test_numbers_are_laid_beside_the_site(planted: Planted, tmp_path: Path) -> None:
    """Commands write the numbers as a script of the site; without a site, or with a damaged one, nothing is done."""
    write_site_metrics(tmp_path)
    assert not (tmp_path / "site").exists()
    (tmp_path / "site/data").mkdir(parents=True)
    (tmp_path / "site/data/manifest.js").write_text("no manifest")
    write_site_metrics(tmp_path)
    assert not (tmp_path / "site/figures.js").exists()
    (tmp_path / "site/data/manifest.js").write_bytes((planted.site / "data/manifest.js").read_bytes())
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/prepare.json").write_text('{"images": 7}')
    write_site_metrics(tmp_path)
    assert read_data_script(tmp_path / "site/figures.js")["images"] == {"images": 7}


def test_the_stage_writes_what_the_page_reads(planted: Planted) -> None:
    """The site holds the page, its script and both its data files."""
    for name in ("contents.html", "viewer/contents.js", "viewer/contents.css", "data/bookmarks.js"):
        assert (planted.site / name).is_file()


@pytest.mark.browser
def test_every_atlas_is_shown_and_opened(opened: Opener, address: str) -> None:
    """Each atlas at each layer has a preview that loads and a link that opens it."""
    page = contents(opened, address)
    cards = page.locator("a.atlas")
    expect(cards).to_have_count(len(LAYERS) * len(ATLASES))
    for image in page.locator("a.atlas img").all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("image => image.naturalWidth > 100", arg=image.element_handle())
    page.locator(f"a.atlas[href*='{LAYERS[1]}'][href*='{COMPARE_ATLAS}']").click()
    page.wait_for_selector(f'html[data-ready^="{LAYERS[1]}/{COMPARE_ATLAS}/"]', state="attached")
    page.get_by_role("heading", level=1).get_by_role("link").click()
    page.wait_for_selector("html[data-ready=contents]", state="attached")
    page.get_by_role("link", name="← Atlas").click()
    page.wait_for_selector("html[data-ready^='features']", state="attached")


@pytest.mark.browser
@pytest.mark.parametrize(("number", "layer", "atlas"), [(0, 0, "All samples"), (4, 1, "fireboat")])
def test_measurements_are_shown(
    opened: Opener, address: str, planted: Planted, number: int, layer: int, atlas: str
) -> None:
    """The tables contain the planted numbers, with bars of proportional length."""
    page = contents(opened, address)
    found = figures(number)
    atlases = read_data_script(planted.site / "data/manifest.js")["layers"][layer]["atlases"]
    levels = atlases[("All samples", "fireboat").index(atlas)]["levels"]
    doubted = next(level["doubt"]["any"] for level in levels if level["size"] == 10)
    for table, wanted in (
        ("layouts", [f"{1000 + number:,}", 0.61 + number / 100, 0.72 + number / 100, f"{50 + number}\u00a0%"]),
        (
            "icons",
            [
                str(80 + number),
                str(doubted),
                found["render"]["10"]["fidelity_centred"]["median"],
                found["grid"]["10"]["reliability"],
            ],
        ),
    ):
        body = page.get_by_role("table", name={"layouts": "Layouts", "icons": "Icons"}[table]).locator("tbody")
        row = body.nth(layer).locator("tr", has=page.get_by_role("link", name=atlas, exact=True)).first
        texts = row.locator("td").all_inner_texts()
        for text, value in zip(texts, wanted, strict=False):
            assert text.strip() == (value if isinstance(value, str) else f"{value:.2f}")
    bar = page.locator("#layouts + .table tbody").nth(layer).locator("td .bar").first
    width, track = bar.bounding_box(), bar.locator("..").bounding_box()
    assert width is not None
    assert track is not None
    assert width["width"] / track["width"] == pytest.approx(0.61 + 3 * layer / 100, abs=0.02)


@pytest.mark.browser
def test_every_measure_is_explained(opened: Opener, address: str) -> None:
    """Every column of a table is defined below it; the run is summarized above."""
    page = contents(opened, address)
    for number, name in enumerate(("layouts", "icons")):
        heads = page.locator(f"#{name} + .table thead th").all_inner_texts()[1:]
        assert page.locator("dl.meanings").nth(number).locator("dt").all_inner_texts() == heads
    said = page.locator("#figures > .summary").inner_text().replace("\u00a0", " ")
    assert "72 images, 3 more could not be read." in said
    assert "Accuracy of SqueezeNet: top-1 63 %, on images with a label." in said
    assert "At features.7, 69 % of the attributions are exactly zero." in said
    assert page.locator("#figures script, #figures b").count() == 0


@pytest.mark.browser
def test_tests_are_summarized_and_linked(opened: Opener, address: str) -> None:
    """Each patch test links its page and states its result; so does the evidence of each layer."""
    page = contents(opened, address)
    tests = page.locator("#patches li")
    expect(tests).to_have_count(len(LAYERS))
    expect(tests.first.locator(".found")).to_have_text(
        "into fireboat: 37.5 % of images; into streetcar: not enough data to test"
    )
    href = tests.first.get_by_role("link").get_attribute("href")
    assert href == f"patch.html#{LAYERS[0]}/{COMPARE_ATLAS}/1-0"
    evidence = page.locator("#evidence .found").first
    expect(evidence).to_have_text("ablation: predicts accurately; steering: does not predict")
    assert page.get_by_role("link", name="Evidence").get_attribute("href") == "evidence.html"
    expect(page.locator("#tour li")).to_have_count(5)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_no_text_is_too_small(opened: Opener, address: str, width: int) -> None:
    """All text of the page has 13 px or more."""
    assert too_small(contents(opened, address, width=width)) == []


@pytest.mark.browser
def test_the_first_sentence_counts_atlases_once_and_has_the_accuracy(opened: Opener, address: str) -> None:
    """Atlases are counted as the log counts them, at each layer; the accuracy of the network is beside them."""
    lead = contents(opened, address).locator(".lead")
    expect(lead).to_contain_text("3 atlases at each of 2 layers of SqueezeNet from 72 images")
    expect(lead).to_contain_text("Accuracy of SqueezeNet: top-1 63\u00a0%")


@pytest.mark.browser
def test_cells_to_doubt_are_counted(opened: Opener, address: str, planted: Planted) -> None:
    """Each level's number of cells to doubt is the one of the manifest, and the column states the limits."""
    page = contents(opened, address)
    heads = page.locator("#icons + .table thead th").all_inner_texts()
    row = page.locator("#icons + .table tbody tr").nth(1).locator("th, td").all_inner_texts()
    level = read_data_script(planted.site / "data/manifest.js")["layers"][0]["atlases"][0]["levels"][0]
    assert row[heads.index("to doubt")] == str(level["doubt"]["any"])
    expect(page.locator("dl.meanings").nth(1)).to_contain_text("a centered fidelity below 0.60")


@pytest.mark.browser
def test_it_fits_a_phone(opened: Opener, address: str) -> None:
    """At 390 px nothing but the tables is wider than the page."""
    page = contents(opened, address, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_missing_results_are_reported(chromium: Browser, planted: Planted) -> None:
    """A site without tests states that, and lists everything else."""
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((planted.site / "contents.html").as_uri())
    page.wait_for_selector("html[data-ready=contents]", state="attached")
    expect(page.locator("#patches .found").first).to_have_text("no result on this site")
    expect(page.locator("#figures .empty")).to_contain_text("Not available yet")
    page.close()
    assert errors == []


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_serious_violations(opened: Opener, address: str, scheme: str, width: int) -> None:
    """axe-core finds no serious or critical violation on the page, in light and in dark."""
    assert faults(contents(opened, address, width=width, color_scheme=scheme)) == []
