"""The units page: what the stage found of single channels, in a contact sheet, a table and a page for each unit."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
from browsing import Opener, link_has
from PIL import Image
from playwright.sync_api import Page, expect
from site_copy import addressed, copied
from site_planting import LAYERS, Planted

from pipeline.core.site_data import pack_array, read_data_script
from tests.axe import faults
from tests.text_size import too_small

CHANNELS = (2, 5, 11)
COLORS = {"high": (200, 40, 40), "facet": (40, 200, 40), "diverse": (40, 40, 200), "low": (200, 200, 40)}
ROLES = ("high", "facet", "facet", "diverse", "low")


def unit(channel: int) -> dict[str, Any]:
    """What the stage could find of a unit; every number follows from the channel. The last unit is never active."""
    silent = channel == CHANNELS[-1]
    examples = [
        {"image": n, "key": f"photo<b>{n}.png", "label": f"kind {n}", "position": [n, n], "activation": 9.0 - n}
        for n in range(3)
    ]
    return {
        "channel": channel,
        "name": None,
        "high": 0.0 if silent else 10.0 + channel,
        "low": 0.0 if silent else -3.0,
        "active": {"images": 0.0 if silent else channel / 20, "positions": 0.0 if silent else channel / 100},
        "histogram": {"start": 0.0, "width": 0.5, "counts": pack_array(np.array([90, 9, 1]))},
        "examples": dict.fromkeys(("highest", "middle", "lowest"), examples),
        "clarity": None if silent else 1 - channel / 10,
        "clusters": [] if silent else [14, 10],
        "silhouette": None if silent else 0.4,
        "nearest": {"channel": -1 if silent else 3, "correlation": None if silent else 0.75},
        "pictures": [] if silent else [{"role": role, "activation": 2.0 * (10 + channel)} for role in ROLES],
    }


def strip(colors: list[tuple[int, int, int]], rows: int = 1) -> Image.Image:
    """Squares of these colors side by side."""
    squares = [np.full((24 * rows, 24, 3), color, np.uint8) for color in colors]
    return Image.fromarray(np.concatenate(squares, axis=1))


@pytest.fixture(scope="module")
def site(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted site with units of one of its layers, and of one that the atlas does not have."""
    manifest = read_data_script(planted.site / "data/manifest.js")
    layers = [LAYERS[1], "classifier.1"]
    found = {
        f"units/{layer}/units": {
            "layer": layer,
            "channels": 24,
            "receptive_field": 59,
            "patch": {"side": 59, "input": 227},
            "images": 72,
            "objective": "channel",
            "size": 24,
            "units": [unit(channel) for channel in CHANNELS],
        }
        for layer in layers
    }
    parts = {"data/manifest": manifest | {"units": {layer: list(CHANNELS) for layer in layers}}, **found}
    folder = copied(planted.site, tmp_path_factory.mktemp("units") / "site", parts)
    for layer in layers:
        for channel in CHANNELS[:-1]:
            for name, image in {
                "pictures": strip([COLORS["high"]]),
                "variants": strip([COLORS[role] for role in ROLES[1:]]),
                "examples": strip([(10, 10, 10), (120, 120, 120), (250, 250, 250)], rows=3),
            }.items():
                path = folder / f"units/{layer}/{name}/{channel}.webp"
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path, lossless=True)
    return folder


@pytest.fixture(scope="module", params=["http", "file"])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """Where that site is."""
    with addressed(site, request.param) as found:
        yield found


@pytest.fixture
def units(opened: Opener, address: str) -> Opener:
    """Opens the units page."""
    return lambda link="", **context: opened(urljoin(address, f"units.html{link}"), **context)


def order(page: Page) -> list[str]:
    """The units of the contact sheet in their order."""
    return [text.split()[-1] for text in page.locator(".sheet .name").all_inner_texts()]


@pytest.mark.browser
def test_the_sheet_has_every_unit_in_the_order_that_is_asked_for(units: Opener) -> None:
    """Pictures load, a unit that is never active says so, each order is in the link, and unknown figures come last."""
    page = units()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Units of {LAYERS[1]}")
    assert order(page) == ["2", "5", "11"]
    expect(page.locator(".sheet .missing")).to_have_text(["never active"])
    page.wait_for_function("() => [...document.querySelectorAll('.sheet img')].every(image => image.naturalWidth)")
    page.get_by_label("Order by").select_option("active")
    link_has(page, "sort=active")
    assert order(page) == ["11", "2", "5"]
    page.get_by_label("Order by").select_option("clarity")
    expect(page.locator(".sheet .name").first).to_have_text("Unit 2")
    assert order(page) == ["2", "5", "11"]
    page.locator("summary").click()
    expect(page.locator("tbody tr").first).to_have_text(
        "212.010.0 %0.8023 (correlation 0.75)2.0 × the highest in the images"
    )
    assert faults(page) == []
    assert too_small(page) == []


@pytest.mark.browser
def test_a_unit_has_its_pictures_examples_and_figures(units: Opener) -> None:
    """Each part shows its piece of the strip, names are text, and Back returns to the sheet."""
    page = units()
    page.get_by_role("link", name="Unit 5").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Unit 5 of {LAYERS[1]}")
    assert page.title().startswith(f"Unit 5 of {LAYERS[1]}")
    expect(page.locator("section h2")).to_have_text(
        ["Examples", "Facets", "Diversity", "Lowest activation", "Activations"]
    )
    expect(page.locator(".facet figcaption")).to_have_text(["14 patches · 2.0 × highest", "10 patches · 2.0 × highest"])
    expect(page.locator(".examples figcaption").first).to_have_text("9.00 · kind 0")
    assert page.locator("b").count() == 0
    expect(page.locator(".histogram rect")).to_have_count(3)
    for role in ("facet", "diverse", "low"):
        assert color_of(page, f"section.{role} .part") == COLORS[role]
    assert color_of(page, ".examples .part >> nth=1") == (120, 120, 120)
    assert faults(page) == []
    page.go_back()
    expect(page.locator(".sheet")).to_be_visible()


def color_of(page: Page, selector: str) -> tuple[int, int, int]:
    """The color at the center of an element on the screen."""
    element = page.locator(selector).first
    element.scroll_into_view_if_needed()
    element.locator("img").evaluate("image => image.decode()")
    shot = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"))
    red, green, blue = shot[shot.shape[0] // 2, shot.shape[1] // 2].tolist()
    return red, green, blue


@pytest.mark.browser
def test_links_lead_to_the_atlas_and_between_units(units: Opener) -> None:
    """A unit of a layer of the atlas leads to its cells, one of another layer does not; Next and Previous walk."""
    page = units(f"#layer={LAYERS[1]}&unit=2")
    link = page.get_by_role("link", name="Show the cells of the atlas")
    assert f"layer={LAYERS[1]}&channel=2" in (link.get_attribute("href") or "")
    page.get_by_role("link", name="Next unit").click()
    link_has(page, "unit=5")
    expect(page.get_by_role("link", name="Previous unit")).to_be_visible()
    other = units("#layer=classifier.1&unit=2")
    expect(other.get_by_role("heading", level=1)).to_have_text("Unit 2 of classifier.1")
    expect(other.get_by_role("link", name="Show the cells of the atlas")).to_have_count(0)


@pytest.mark.browser
def test_a_unit_that_is_not_there_is_named(units: Opener) -> None:
    """A channel that the run does not describe, and one that the layer does not have, are told apart."""
    expect(units(f"#layer={LAYERS[1]}&unit=4").get_by_role("alert")).to_contain_text("does not describe this unit")
    expect(units(f"#layer={LAYERS[1]}&unit=99").get_by_role("alert")).to_contain_text("channels 0 to 23")


@pytest.mark.browser
def test_it_fits_a_phone(units: Opener) -> None:
    """At 320 pixels nothing is wider than the screen, on the sheet and on a unit's page."""
    for link in ("", f"#layer={LAYERS[1]}&unit=2"):
        page = units(link, width=320, height=640)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
