"""Samples as points over the map: which ones, where, in which colors, their filters and their card."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browsing import Opener, link_has, link_lacks, ready
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect
from site_copy import addressed
from site_planting import CLASS_ATLAS, CLASSES, LAYERS, Planted, plant
from test_site_data import unpacked

from pipeline.core.site_data import read_data_script
from pipeline.site.samples import choose_evenly
from pipeline.site.stage import run
from tests.axe import faults

LAYER = LAYERS[-1]
LINK = f"#layer={LAYER}&level=20&labels=off&show=samples"
GREEN, RED = np.array([0x0F, 0x8A, 0x62]), np.array([0xC2, 0x46, 0x0F])  # right and wrong, in the light theme
SHOWN, ALL = 20_000, 24_000
Ints = NDArray[np.int64]


@pytest.mark.parametrize("points", [0, 1, 7, 100, 101, 12_345])
def test_the_choice_is_even_and_seeded(points: int) -> None:
    """Every part of the list gives one point, in random order; few points are all there; the seed decides."""
    chosen = choose_evenly(points, 3, shown=100)
    count = min(points, 100)
    edges = np.arange(count + 1) * points // max(count, 1)
    assert np.array_equal(np.searchsorted(edges, np.sort(chosen), side="right"), np.arange(1, count + 1))
    assert np.array_equal(chosen, choose_evenly(points, 3, shown=100))
    if points > 10:
        assert not np.array_equal(chosen, np.sort(chosen))
        assert not np.array_equal(chosen, choose_evenly(points, 4, shown=100))


def content(planted: Planted, atlas: str = "all") -> dict[str, NDArray[Any]]:
    """The arrays of the data file."""
    found = read_data_script(planted.site / f"data/{LAYER}/{atlas}/samples.js")
    return {name: unpacked(packed) for name, packed in found.items() if name != "all"}


def label_of(planted: Planted) -> Ints:
    """[image] the network's class of its label, -1 for none."""
    return np.array([0 if key.startswith("fireboat/") else -1 for key in planted.keys])


def test_points_are_the_planted_samples(planted: Planted) -> None:
    """Each point has the position, image, label and predicted class of one and the same planted sample."""
    found = content(planted)
    xy = planted.xy[LAYER]
    assert found["xy"].shape == (SHOWN, 2)
    rows = {(*place, image): row for row, (place, image) in enumerate(zip(xy.tolist(), planted.image, strict=True))}
    sample = np.array(
        [rows[(*place, image)] for place, image in zip(found["xy"].tolist(), found["image"], strict=True)]
    )
    assert len(np.unique(sample)) > 0.99 * SHOWN
    image = planted.image[sample]
    assert np.array_equal(found["label"], label_of(planted)[image])
    assert np.array_equal(found["prediction"], planted.prediction[image])
    assert np.array_equal(found["position"], planted.position[LAYER][sample])
    assert read_data_script(planted.site / f"data/{LAYER}/all/samples.js")["all"] == ALL
    assert len(content(planted, CLASS_ATLAS)["xy"]) == ALL / 6


def outcome(planted: Planted) -> Ints:
    """[point] 1 for right, 0 for wrong, -1 where the label is unknown."""
    found = content(planted)
    return np.where(found["label"] < 0, -1, found["label"] == found["prediction"])


def lonely(planted: Planted, among: Ints, radius: float = 0.006) -> Iterator[int]:
    """Points of these without any other point nearby, first those in the middle of the map."""
    xy = content(planted)["xy"].astype(np.float64)
    for point in among[np.argsort(np.hypot(*(xy[among] - 0.5).T), kind="stable")]:
        if (np.hypot(*(xy - xy[point]).T) < radius).sum() == 1:
            yield int(point)


def at(page: Page, xy: NDArray[Any]) -> tuple[float, float]:
    """A position of the map on the screen."""
    corners = page.evaluate("[atlas.cellToPoint(0, 0), atlas.cellToPoint(10, 10)]")
    (left, top), (right, bottom) = ([corner["x"], corner["y"]] for corner in corners)
    step = np.array([right - left, bottom - top]) / 10
    x, y = np.array([left, top]) + (xy.astype(np.float64) * 20 - 0.5) * step
    return float(x), float(y)


def pixel(page: Page, x: float, y: float) -> NDArray[Any]:
    """Red, green, blue and opacity of the overlay."""
    read = """([x, y]) => {
        const canvas = document.querySelector("canvas.overlay");
        const { left, top } = canvas.getBoundingClientRect();
        return [...canvas.getContext("2d").getImageData(Math.round(x - left), Math.round(y - top), 1, 1).data];
    }"""
    return np.array(page.evaluate(read, [x, y]))


def is_color(found: NDArray[Any], color: NDArray[Any]) -> bool:
    """Whether a pixel is opaque and of this color."""
    return bool(found[3] == 255 and np.abs(found[:3] - color).max() < 12)


def wait_for_points(page: Page) -> None:
    """Wait until the map shows samples."""
    expect(page.locator("html[data-samples=on]")).to_be_attached()


@pytest.mark.browser
def test_samples_are_drawn_at_their_positions(opened: Opener, planted: Planted) -> None:
    """The key m draws the samples where they are, in the color of their outcome; again, and they are gone."""
    page = opened(LINK.removesuffix("&show=samples"))
    ready(page, f"{LAYER}/all/20/")
    page.keyboard.press("m")
    wait_for_points(page)
    link_has(page, "show=samples")
    legend = page.locator(".sample-legend")
    expect(legend.locator(".summary")).to_have_text("20,000 of 24,000 samples")
    truth, xy = outcome(planted), content(planted)["xy"]
    expect(legend.locator(".name")).to_have_text(["right", "wrong", "label unknown"])
    expect(legend.locator(".value")).to_have_text([f"{int((truth == value).sum()):,}" for value in (1, 0, -1)])
    places = []
    for value, color in ((1, GREEN), (0, RED)):
        for point, _ in zip(lonely(planted, np.flatnonzero(truth == value)), range(5), strict=False):
            places.append(at(page, xy[point]))
            assert is_color(pixel(page, *places[-1]), color)
    assert len(places) == 10
    page.keyboard.press("m")
    expect(legend).to_be_hidden()
    link_lacks(page, "show=")
    assert not any(is_color(pixel(page, *place), color) for place in places for color in (GREEN, RED))


@pytest.mark.browser
def test_filters_hide_the_others(opened: Opener, planted: Planted) -> None:
    """Label, predicted class and outcome keep the planted points, alone and together; Back takes them off again."""
    found, truth = content(planted), outcome(planted)
    page = opened(LINK)
    wait_for_points(page)
    legend = page.locator(".sample-legend")
    summary = legend.locator(".summary")
    right = next(lonely(planted, np.flatnonzero(truth == 1)))
    place = at(page, found["xy"][right])
    assert is_color(pixel(page, *place), GREEN)
    legend.get_by_label("Outcome", exact=True).select_option("wrong")
    wrong = int((truth == 0).sum())
    expect(summary).to_have_text(f"{wrong:,} shown, from 20,000 of 24,000 samples")
    link_has(page, "outcome=wrong")
    assert not is_color(pixel(page, *place), GREEN)
    class_ = int(np.bincount(found["prediction"][truth == 0]).argmax())
    legend.get_by_label("Predicted", exact=True).select_option(str(class_))
    both = int(((truth == 0) & (found["prediction"] == class_)).sum())
    expect(summary).to_have_text(f"{both:,} shown, from 20,000 of 24,000 samples")
    link_has(page, f"predicted={class_}")
    page.go_back()
    expect(summary).to_have_text(f"{wrong:,} shown, from 20,000 of 24,000 samples")
    expect(legend.get_by_label("Predicted", exact=True)).to_have_value("")
    legend.get_by_label("Outcome", exact=True).select_option("")
    legend.get_by_label("Label", exact=True).select_option("0")
    expect(summary).to_have_text(f"{int((found['label'] == 0).sum()):,} shown, from 20,000 of 24,000 samples")
    link_has(page, "label=0")
    assert is_color(pixel(page, *place), GREEN)


@pytest.mark.browser
def test_colors_tell_classes_apart(opened: Opener, planted: Planted) -> None:
    """By predicted class the six most frequent have colors of their own, the others one together, as counted."""
    found = content(planted)["prediction"]
    page = opened(LINK)
    wait_for_points(page)
    legend = page.locator(".sample-legend")
    legend.get_by_label("Color by", exact=True).select_option("prediction")
    link_has(page, "color=prediction")
    counts = np.bincount(found, minlength=len(CLASSES))
    order = np.argsort(-counts, kind="stable")
    expect(legend.locator(".name")).to_have_text([*(CLASSES[at] for at in order[:6]), "other classes"])
    told = [*(f"{counts[at]:,}" for at in order[:6]), f"{counts[order[6:]].sum():,}"]
    expect(legend.locator(".value")).to_have_text(told)
    colors = legend.locator(".swatch").evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")
    assert len(set(colors)) == 7


@pytest.mark.browser
def test_a_point_has_a_card(opened: Opener, planted: Planted) -> None:
    """Over a point the card has its image's label, predicted class, outcome, key and patch."""
    found, truth = content(planted), outcome(planted)
    page = opened(LINK)
    wait_for_points(page)
    point = next(lonely(planted, np.flatnonzero(truth == 0)))
    image = int(found["image"][point])
    page.mouse.move(*at(page, found["xy"][point]))
    card = page.locator(".card")
    expect(card.locator("dd")).to_have_text(["fireboat", CLASSES[found["prediction"][point]], "wrong"])
    expect(card.locator(".key")).to_have_text(planted.keys[image])
    picture = card.locator(".patch img")
    expect(picture).to_have_attribute("src", f"data/images/0/{image}.webp")
    share = 44 / 64  # receptive field of the layer in the network's input
    y, x = found["position"][point]
    expected = [np.clip((value + 0.5) / 7 - min(share, 0.5) / 2, 0, 1 - min(share, 0.5)) for value in (x, y)]
    style = picture.evaluate("({ style }) => [style.left, style.top].map(parseFloat)")
    assert np.allclose(style, [-100 * value / min(share, 0.5) for value in expected], atol=0.01)
    page.mouse.move(*at(page, np.array([0.02, 0.5])))
    expect(card).to_be_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("span", [1.1, 0.3, 0.05])
def test_points_keep_a_readable_size(opened: Opener, planted: Planted, span: float) -> None:
    """At every zoom a point is 3 to 12 pixels wide, halo included."""
    found, truth = content(planted), outcome(planted)
    point = next(lonely(planted, np.flatnonzero(truth == 1), radius=0.012))
    x, y = (float(value) for value in found["xy"][point])
    page = opened(f"{LINK}&view={x:.4f},{y:.4f},{span}")
    wait_for_points(page)
    page.wait_for_timeout(100)
    left, top = at(page, found["xy"][point])
    wide = sum(is_color(pixel(page, left + step, top), GREEN) for step in range(-12, 13))
    assert 3 <= wide <= 12


@pytest.mark.browser
def test_bad_filters_of_a_link_are_named(opened: Opener) -> None:
    """What the run does not have is named; the rest of the link holds."""
    page = opened(f"{LINK}&label=999&predicted=x&outcome=perhaps&color=mood")
    wait_for_points(page)
    notice = page.get_by_role("alert")
    for part in ("label “999”", "predicted class “x”", "outcome “perhaps”", "color “mood”"):
        expect(notice).to_contain_text(part)
    expect(page.locator(".sample-legend .summary")).to_have_text("20,000 of 24,000 samples")


@pytest.mark.browser
def test_other_colors_of_the_cells_end_the_points(opened: Opener) -> None:
    """The menu's entry shows samples, a measure takes their place, and the layer may change below them."""
    page = opened(f"#layer={LAYER}&level=20&measure=spread")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_label("Samples as points").check()
    wait_for_points(page)
    expect(page.locator(".measure-legend")).to_be_hidden()
    link_lacks(page, "measure=")
    page.keyboard.press("Escape")
    page.locator("input[value='features.3']").check()
    ready(page, "features.3/all/20/")
    wait_for_points(page)
    page.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("v")
    expect(page.locator("html[data-samples='']")).to_be_attached()
    expect(page.locator(".sample-legend")).to_be_hidden()


@pytest.mark.browser
def test_a_class_atlas_has_its_own_samples(opened: Opener) -> None:
    """Few samples are all shown, and the page says so."""
    page = opened(f"#layer={LAYER}&atlas={CLASS_ATLAS}&level=10&show=samples")
    wait_for_points(page)
    expect(page.locator(".sample-legend .summary")).to_have_text("4,000 samples")


@pytest.mark.browser
def test_samples_are_no_part_of_the_first_view(opened: Opener) -> None:
    """The page loads samples only when they are shown, one file."""
    page = opened(LINK.removesuffix("&show=samples"))
    page.wait_for_load_state("networkidle")
    later: list[str] = []
    page.on("request", lambda request: later.append(request.url))
    page.reload()
    ready(page, f"{LAYER}/all/20/")
    page.wait_for_timeout(200)
    assert not [url for url in later if "samples" in url]
    page.evaluate(f"location.hash = '{LINK}'")
    wait_for_points(page)
    assert [url.split("/data/")[1] for url in later if "/samples" in url] == [f"{LAYER}/all/samples.js"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Planted]:
    """Sites without images, and without labels and predictions."""
    options: dict[str, dict[str, Any]] = {
        "exemplars": {"exemplars": 0},
        "labels": {"without": ("labels", "predictions")},
    }
    found = {}
    for name, option in options.items():
        found[name] = plant(tmp_path_factory.mktemp(name), samples=1500, levels=(10, 20), **option)
        run(found[name].task)
    return found


def hovered(page: Page, made: Planted) -> None:
    """Move to the sample nearest to the middle of the map."""
    xy = content(made)["xy"]
    page.mouse.move(*at(page, xy[int(np.hypot(*(xy - 0.5).T).argmin())]))


@pytest.mark.browser
def test_images_can_be_kept_out(chromium: Browser, bare: dict[str, Planted]) -> None:
    """Without exemplars the data name no image, and the card has label and predicted class alone."""
    made = bare["exemplars"]
    assert set(content(made)) == {"xy", "label", "prediction"}
    page = chromium.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    with addressed(made.site, "file") as address:
        page.goto(f"{address}{LINK}")
        wait_for_points(page)
        hovered(page, made)
        expect(page.locator(".card dt")).to_contain_text(["Label", "Predicted"])
        expect(page.locator(".card :is(img, .key)")).to_have_count(0)
    page.close()


@pytest.mark.browser
def test_what_was_not_recorded_is_not_offered(chromium: Browser, bare: dict[str, Planted]) -> None:
    """Without labels and predictions the points have one color, no filter and no word of either; links name them."""
    made = bare["labels"]
    assert set(content(made)) == {"xy", "image", "position"}
    page = chromium.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    with addressed(made.site, "file") as address:
        page.goto(f"{address}{LINK}&label=0")
        wait_for_points(page)
        legend = page.locator(".sample-legend")
        expect(legend).to_have_text(re.compile(r"^Samples1,500 samplessamples1,500$"))
        expect(legend.locator("select")).to_have_count(0)
        expect(page.get_by_role("alert")).to_contain_text("label “0”")
        hovered(page, made)
        expect(page.locator(".card .patch img")).to_have_count(1)
        expect(page.locator(".card dt")).to_have_count(0)
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("address", ["http"], indirect=True)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_the_legend_fits_and_is_accessible(opened: Opener, scheme: str, width: int) -> None:
    """Legend and filters stay within the page, without serious violations."""
    page = opened(f"{LINK}&color=prediction", width=width, height=844, color_scheme=scheme)
    wait_for_points(page)
    box = page.locator(".corner").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert faults(page) == []
