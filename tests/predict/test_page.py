"""The evidence page in a browser, opened from disk."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.core.artifacts import PREDICT
from pipeline.core.site_data import data_script
from pipeline.model.description import LayerShape
from pipeline.predict.stage import run
from pipeline.site.pages import page as frame
from pipeline.site.pages import viewer_files
from tests.axe import faults
from tests.predict.planted import LAYER, SHAPES, plant
from tests.text_size import too_small

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)>"
TITLE = "<b>A planted</b> atlas"
CLASSES = [f"{MARKUP} {number}" if number % 2 else f"class &amp; {number}" for number in range(8)]
Opener = Callable[..., Page]


def entry(name: str, shape: LayerShape = SHAPES["map"]) -> dict[str, Any]:
    """A layer as far as this page reads it in the manifest."""
    return {"name": name, "map": [shape.height, shape.width], "receptive_field": shape.receptive_field}


def manifest(layers: list[dict[str, Any]], settings: dict[str, Any]) -> dict[str, Any]:
    """The manifest as far as this page reads it."""
    network = {"name": MARKUP, "classes": CLASSES, "crop": 32}
    recorded = {"attributions": True, "labels": True, "judge": settings["judge"] is not None}
    provenance = {"settings": settings}
    return {"title": TITLE, "network": network, "layers": layers, "provenance": provenance, "recorded": recorded}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the page, and a layer that was measured, one that could not be and one that was not."""
    task = plant(tmp_path_factory.mktemp("page"))
    run(task)
    folder = task.path(PREDICT).parents[1]
    (folder / "data").mkdir()
    (folder / "viewer").mkdir()
    layers = [entry(LAYER), entry("silent"), entry("forgotten")]
    (folder / "data/manifest.js").write_text(data_script("manifest", manifest(layers, {"judge": None})))
    for name, source in viewer_files().items():
        (folder / "viewer" / name).write_bytes(source)
    (folder / "evidence.html").write_text(frame(TITLE, "evidence"))
    (folder / "predict/silent").mkdir()
    unmeasured = {"layer": "silent", "measured": False, "reason": f"attributions are {MARKUP}"}
    (folder / "predict/silent/result.js").write_text(data_script("predict/silent", unmeasured))
    return folder


@pytest.fixture(scope="module")
def truth(site: Path) -> Any:
    """What the stage wrote."""
    body = (site / f"predict/{LAYER}/result.js").read_text().partition("]=")[2]
    return json.loads(body.removesuffix(";\n"))


@pytest.fixture
def opened(chromium: Browser, site: Path) -> Iterator[Opener]:
    """Opens the page; there must be no error, dialog or request elsewhere."""
    troubles: list[str] = []
    contexts = []

    def open_page(width: int = 1280, folder: Path = site, gone: str = "forgotten", **context: Any) -> Page:
        made = chromium.new_context(viewport={"width": width, "height": 860}, reduced_motion="reduce", **context)
        contexts.append(made)
        made.set_default_timeout(10_000)
        page = made.new_page()
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on("console", lambda said: troubles.append(said.text) if gone not in said.location["url"] else None)
        page.on("request", lambda made: None if made.url.startswith("file:") else troubles.append(made.url))
        page.goto((folder / "evidence.html").as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for made in contexts:
        made.close()
    assert [trouble for trouble in troubles if not trouble.startswith("data:")] == []


def test_estimates_are_those_of_the_result(opened: Opener, truth: Any) -> None:
    """Estimates and intervals on the page and in its tables are those of the result, for every test and control."""
    card = opened().locator(f"article[data-layer='{LAYER}']")
    expect(card.locator(".verdict")).to_have_text(truth["verdict"]["text"])
    expected = [truth["ablation"]["measures"][by]["within"] for by in ("zero", "mean", "resample")]
    expected += [truth["ablation"]["measures"][by]["across"] for by in ("zero", "mean", "resample")]
    expected += [truth["steering"]["percentile"][name] for name in ("own", "gaussian", "shuffled", "other")]
    shown = [numbers(text) for text in card.locator(".forest .value").all_inner_texts()]
    assert np.allclose(shown, [[found["value"], found["low"], found["high"]] for found in expected], atol=0.0051)
    card.locator("summary").click()
    rows = card.locator(".table").nth(1).locator("tbody tr")
    assert rows.count() == 4
    lift = truth["steering"]["lift"]["other"]
    found = numbers(rows.nth(3).locator("td").nth(1).inner_text())
    assert found == pytest.approx([lift["value"], lift["low"], lift["high"]], abs=0.0051)
    expect(card.locator(".table").nth(2).locator("tbody tr")).to_have_count(truth["steering"]["tested"])


def test_marks_are_at_the_estimates(opened: Opener, truth: Any) -> None:
    """On the axis from −1 to 1, an estimate and its shuffled control are at proportional positions."""
    track = opened().locator(".forest").first.locator(".row").nth(2).locator("svg")
    rail = track.locator(".axis-line").evaluate("line => [line.x1.baseVal.value, line.x2.baseVal.value]")
    for kind, group in (("estimate", "measures"), ("control", "shuffled")):
        found = track.locator(f"circle.{kind}").evaluate("circle => circle.cx.baseVal.value")
        share = (found - rail[0]) / (rail[1] - rail[0])
        assert 2 * share - 1 == pytest.approx(truth["ablation"][group]["resample"]["within"]["value"], abs=0.01)


def test_every_sample_is_a_point(opened: Opener, truth: Any) -> None:
    """The scatter has one point for each sample, each with its class's name as text."""
    points = opened().locator("circle.point")
    assert points.count() == len(truth["ablation"]["points"])
    expect(points.first.locator("title")).to_contain_text(CLASSES[truth["ablation"]["points"][0][0]])


def test_names_are_text(opened: Opener) -> None:
    """Markup in titles, class names and reasons is shown as written, and makes no element."""
    page = opened()
    assert page.locator("img").count() == page.locator("main b").count() == 0
    assert MARKUP in page.locator(".lead").inner_text()
    assert page.locator(".where").inner_text() == TITLE
    assert page.title() == f"Evidence · {TITLE}"
    page.locator("summary").click()
    assert MARKUP in page.locator(".table").nth(2).inner_text()


def test_unmeasured_layers_explain_why(opened: Opener) -> None:
    """A layer that was not measured shows its command; one that could not be measured, the reason."""
    page = opened()
    assert "atlas predict layer=forgotten" in page.locator("article[data-layer='forgotten']").inner_text()
    assert MARKUP in page.locator("article[data-layer='silent']").inner_text()
    assert page.locator(f"article[data-layer='{LAYER}'] .empty").count() == 0


def test_too_few_images_are_reported(opened: Opener, site: Path, truth: Any) -> None:
    """A verdict on too few images is shown as its grade, without a warning."""
    few = {"score": None, "grade": "too few images"}
    found = truth | {"layer": "silent", "verdict": truth["verdict"] | {"ablation": few, "steering": few}}
    file = site / "predict/silent/result.js"
    before = file.read_text()
    file.write_text(data_script("predict/silent", found))
    try:
        card = opened().locator("article[data-layer='silent']")
        expect(card.locator(".grade")).to_have_text(["unknown, too few images"] * 2)
        expect(card.locator(".warning")).to_have_count(0)
    finally:
        file.write_text(before)


def test_cells_lead_to_the_atlas(opened: Opener, truth: Any) -> None:
    """The page links the atlas, and each steered cell its position there."""
    page = opened()
    assert page.locator(".back").get_attribute("href") == "index.html"
    row, column = truth["steering"]["cells"][0]["cell"]
    link = f"index.html#layer={LAYER}&level=6&pin=6.{row}.{column}"
    assert (
        page.locator(f"svg a[href='{link}']").count()
        == page.locator(f"td a[href='{link}'], th a[href='{link}']").count()
        == 1
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_all_text_is_large_enough(opened: Opener, judged: Path, width: int) -> None:
    """With open tables no text is smaller than 13 px, in the tests and in the legibility."""
    page = opened(width=width, folder=judged)
    for summary in page.locator("summary").all():
        summary.click()
    assert too_small(page) == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_serious_violations(opened: Opener, scheme: str, width: int) -> None:
    """axe-core finds no serious or critical violation, with open tables, in light and in dark."""
    page = opened(width=width, color_scheme=scheme)
    page.locator("summary").click()
    assert faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_both_themes(opened: Opener, scheme: str) -> None:
    """At 360 pixels nothing overflows, in both themes; the button switches the theme."""
    page = opened(width=360, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") != scheme


JUDGED = {"all": (10, 20), "class-1": (10,)}  # levels by atlas


def legibility(size: int, atlas: str) -> dict[str, Any]:
    """Metrics of a level: icons are recognized less often than real patches on the coarser level, else more often."""
    value, real = (0.31, 0.47) if size == 10 else (0.83, 0.72)
    value += 0.02 * (atlas != "all")
    by_depth = {"top1": [0.1, value], "top5": [0.6, 0.9], "percentile": [0.75, 0.97]}
    return {
        "judged": 4 * size,
        "recognized": {"value": value, "low": value - 0.08, "high": value + 0.09},
        "ceiling_recognized": {"value": real, "low": real - 0.07, "high": real + 0.06},
        **by_depth,
        **{f"ceiling_{name}": [0.2, 0.66] for name in by_depth},
        "chance_top1": 1 / (4 * size),
        "chance_top5": 5 / (4 * size),
    }


@pytest.fixture(scope="module")
def judged(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site with a judge whose name is markup: one layer was judged, the other had too few icons."""
    folder = tmp_path_factory.mktemp("judged") / "site"
    shutil.copytree(site, folder)
    atlases = [
        {"name": "all", "kind": "all", "classes": [], "styles": ["drawn"]},
        {"name": "class-1", "kind": "class", "classes": [1], "styles": ["drawn", "accentuated"]},
    ]
    layers = [entry(name) | {"atlases": atlases} for name in (LAYER, "silent")]
    content = manifest(layers, {"judge": {"name": MARKUP}})
    (folder / "data/manifest.js").write_text(data_script("manifest", content))
    found: dict[str, Any] = {
        atlas: {"levels": [{"size": size, "icons": {"legibility": legibility(size, atlas)}} for size in sizes]}
        for atlas, sizes in JUDGED.items()
    }
    found["class-1"]["levels"][0]["icons"]["accentuated"] = {"legibility": legibility(20, "all")}
    few = {"all": {"levels": [{"size": 10, "icons": {"legibility": {"judged": 1}}}, {"size": 20, "icons": None}]}}
    figures = {"images": None, "layers": {}, "atlases": {LAYER: found, "silent": few}}
    (folder / "figures.js").write_text(data_script("figures", figures))
    return folder


def test_a_site_without_a_judge_says_nothing_of_one(opened: Opener) -> None:
    """The page has no section on legibility, and does not look for the metrics."""
    assert opened().locator(".legibility").count() == 0


def test_icons_are_beside_real_patches(opened: Opener, judged: Path) -> None:
    """By level and atlas, the shares of icons and of real patches with intervals, and chance at its place; as text."""
    section = opened(folder=judged).locator(".legibility")
    expect(section.locator("h2")).to_have_text("Would another network recognize the icons?")
    assert MARKUP in section.locator(".lead").inner_text()
    card = section.locator(f"article[data-judged='{LAYER}']")
    expect(card.locator("h4")).to_have_text(["All samples", CLASSES[1]])
    expect(card.locator("figure").first.locator(".name")).to_have_text(
        ["icons, 10 × 10", "real patches", "icons, 20 × 20", "real patches"]
    )
    shown = [text.replace("\u00a0", " ").split("\n") for text in card.locator(".value").all_inner_texts()]
    assert shown[:4] == [
        ["31 %", "23 % to 40 %"],
        ["47 %", "40 % to 53 %"],
        ["83 %", "75 % to 92 %"],
        ["72 %", "65 % to 78 %"],
    ]
    assert shown[4][0] == "33 %"
    expect(card.locator("figure").last.locator(".name")).to_have_text(
        ["drawn icons, 10 × 10", "real patches", "accentuated icons, 10 × 10", "real patches"]
    )
    assert shown[6][0] == "83 %"
    expect(card.locator("figcaption p").first).to_contain_text("by chance 3 % at 10 × 10, 1 % at 20 × 20.")
    track = card.locator(".row").nth(2).locator("svg")
    place = {
        kind: track.locator(f".{kind}").last.evaluate("one => (one.cx ?? one.x1).baseVal.value")
        for kind in ("chance", "estimate")
    }
    rail = track.locator(".axis-line").evaluate("line => [line.x1.baseVal.value, line.x2.baseVal.value]")
    for kind, value in (("chance", 1 / 80), ("estimate", 0.83)):
        assert (place[kind] - rail[0]) / (rail[1] - rail[0]) == pytest.approx(value, abs=0.002)
    expect(section.locator("article[data-judged='silent'] .empty")).to_contain_text("two icons")


def test_every_depth_is_in_the_tables(opened: Opener, judged: Path) -> None:
    """Each measure of a level is a row: icons and below them real patches at both depths, and chance."""
    card = opened(folder=judged).locator(f"article[data-judged='{LAYER}']")
    card.locator("summary").click()
    rows = card.locator(".table").first.locator("tbody tr")
    expect(rows).to_have_count(6)
    found = [" ".join(text.split()) for text in rows.nth(1).locator("th, td").all_inner_texts()]
    assert found == ["own cell among the nearest five 10 × 10, 40 icons", "60 % 20 %", "90 % 66 %", "13 %"]


def test_missing_metrics_are_reported(opened: Opener, judged: Path) -> None:
    """Without the metrics beside the site, the section says what writes them."""
    (judged / "figures.js").rename(judged / "forgotten.js")
    try:
        expect(opened(folder=judged, gone="figures.js").locator(".legibility .empty")).to_contain_text("'atlas browse'")
    finally:
        (judged / "forgotten.js").rename(judged / "figures.js")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_legibility_has_no_serious_violations(opened: Opener, judged: Path, scheme: str, width: int) -> None:
    """With open tables axe-core finds no serious or critical violation, and nothing overflows a phone."""
    page = opened(width=width, folder=judged, color_scheme=scheme)
    page.locator(".legibility summary").click()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def numbers(text: str) -> list[float]:
    """The numbers in the page's text."""
    return [float(found) for found in re.findall(r"-?\d+\.\d+", text.replace("−", "-"))]
