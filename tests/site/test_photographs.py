"""Photographs in place of icons: each cell's nearest exemplar's patch, as tiles that are loaded only when asked for."""

from pathlib import Path

import numpy as np
import pytest
from browsing import Opener, busiest, link_has, place, ready
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect
from site_planting import CROP, ICON, LAYERS, Planted, plant

from pipeline.config.model import PreprocessingSettings
from pipeline.core.site_data import read_data_script
from pipeline.images.crops import CropSize, crop_around, network_crop
from pipeline.site.photographs import photograph_pixels
from pipeline.site.stage import run
from tests.axe import faults

LAYER, SIZE = "features.7", 20
RESOURCES = "performance.getEntriesByType('resource').map(({ name }) => name)"
MAPS = {"features.3": (15, 14), "features.7": (7, 44)}  # side of the map, receptive field


def patch(planted: Planted, layer: str, sample: int) -> NDArray[np.int64]:
    """The patch around a planted sample, cut from the network's crop of its image, at its own size."""
    side, field = MAPS[layer]
    size = CropSize(field, CROP)
    root = Path(str(planted.task.params.images.model_dump()["root"]))
    seen = network_crop(
        Image.open(root / planted.keys[planted.image[sample]]).convert("RGB"),
        PreprocessingSettings(resize=64, crop=CROP),
    )
    y, x = (int(value) for value in planted.position[layer][sample])
    found = crop_around((y, x), (side, side), size.pixels, CROP)
    cut = seen.crop((found.left, found.top, found.left + found.side, found.top + found.side))
    return np.asarray(cut).astype(np.int64)


@pytest.mark.parametrize("layer", LAYERS)
def test_each_cell_shows_its_nearest_exemplar(planted: Planted, layer: str) -> None:
    """In the tiles' full-size picture a drawn cell is the patch of its first exemplar, another cell is transparent."""
    level = planted.levels[layer, SIZE]
    pixels = photograph_pixels(SIZE * ICON, SIZE, CropSize(MAPS[layer][1], CROP))
    folder = planted.site / "data" / layer / "all" / "photographs"
    image = stitched(folder, SIZE, pixels)
    rng = np.random.default_rng(0)
    for cell in rng.choice(np.flatnonzero(level.drawn), 12, replace=False):
        row, column = level.cell[cell]
        found = image[row * pixels : (row + 1) * pixels, column * pixels : (column + 1) * pixels]
        wanted = [patch(planted, layer, int(sample)) for sample in level.exemplar[cell] if sample >= 0]
        apart = [np.abs(found[2:-2, 2:-2, :3] - each[2:-2, 2:-2]).mean() for each in wanted]
        assert apart[0] < 9, cell
        assert (found[..., 3] == 255).all()
        assert len({each.tobytes() for each in wanted}) < 3 or apart[0] < np.median(apart), cell
    bare = ~np.isin(np.arange(SIZE**2), level.cell[level.drawn] @ [SIZE, 1])
    row, column = divmod(int(np.flatnonzero(bare)[0]), SIZE)
    assert (image[row * pixels + 2 : (row + 1) * pixels - 2, column * pixels + 2, 3] == 0).all()


def stitched(folder: Path, size: int, pixels: int) -> NDArray[np.int64]:
    """The full-size picture of a pyramid [y, x, (red, green, blue, alpha)], put together from its tiles."""
    side = size * pixels
    finest = (side - 1).bit_length()
    whole = np.zeros((side, side, 4), np.int64)
    for tile in (folder / f"{size}_files" / str(finest)).glob("*.webp"):
        column, row = (int(number) for number in tile.stem.split("_"))
        part = np.asarray(Image.open(tile).convert("RGBA"))
        top, left = row * 510 - (row > 0), column * 510 - (column > 0)
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    return whole


def test_a_site_without_photographs_has_none_in_tiles_either(tmp_path: Path) -> None:
    """With site.exemplars=0 there are no photograph tiles, and the manifest names none."""
    made = plant(tmp_path, samples=2000, levels=(10,), exemplars=0)
    run(made.task)
    assert not [path for path in made.site.rglob("*") if "photographs" in path.name]
    manifest = read_data_script(made.site / "data/manifest.js")
    levels = [level for layer in manifest["layers"] for atlas in layer["atlases"] for level in atlas["levels"]]
    assert levels
    assert not [level for level in levels if "photograph" in level]


def test_photographs_repeat_bit_for_bit(planted: Planted) -> None:
    """A second run of the stage writes the same tiles with the same bytes."""
    folder = planted.site / "data" / LAYER / "all" / "photographs"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert before
    assert not [path for path in before if path.suffix not in (".webp", ".dzi")]
    run(planted.task)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def color(page: Page, planted: Planted, cell: int) -> list[int]:
    """Color of the picture in the middle of a cell."""
    x, y = place(page, planted.levels[LAYER, SIZE], cell)
    read = """([x, y]) => {
        const canvas = document.querySelector(".pane canvas:not(.overlay, .crossfade)");
        const { left, top } = canvas.getBoundingClientRect();
        return Array.from(canvas.getContext("2d").getImageData(x - left, y - top, 1, 1).data.slice(0, 3));
    }"""
    found: list[int] = page.evaluate(read, [x, y])
    return found


@pytest.mark.browser
@pytest.mark.parametrize("address", ["http"], indirect=True)
def test_a_key_shows_photographs(opened: Opener, planted: Planted) -> None:
    """The key and the switch show the patches, which a link keeps and the caption names; before, none is loaded."""
    page = opened(f"#layer={LAYER}&level={SIZE}&labels=off")
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    cell = busiest(planted.levels[LAYER, SIZE])
    page.wait_for_timeout(200)
    icon = color(page, planted, cell)
    assert not [url for url in page.evaluate(RESOURCES) if "photographs" in url]
    expect(page.locator(".caption")).not_to_contain_text("Photographs")
    page.keyboard.press("e")
    page.wait_for_selector("html[data-style=photographs]", state="attached")
    page.wait_for_timeout(100)
    shown = patch(planted, LAYER, int(planted.levels[LAYER, SIZE].exemplar[cell, 0]))
    middle = shown[len(shown) // 2 - 2 : len(shown) // 2 + 3, len(shown) // 2 - 2 : len(shown) // 2 + 3].reshape(-1, 3)
    found = color(page, planted, cell)
    assert np.abs(middle - found).mean(axis=1).min() < 40
    assert np.abs(np.array(icon) - found).max() > 8
    assert any("photographs" in url for url in loaded)
    expect(page.locator(".caption")).to_contain_text("Photographs: each cell shows the patch of its nearest exemplar")
    link_has(page, "photographs=on")
    assert page.locator(".styles input:checked").input_value() == "photographs"
    assert faults(page) == []
    other = opened(page.url)
    other.wait_for_selector("html[data-style=photographs]", state="attached")
    other.locator(".styles label", has_text="Icons").click()
    other.wait_for_selector("html[data-style=drawn]", state="attached")
    other.wait_for_timeout(200)
    assert "photographs" not in other.url
    assert color(other, planted, cell) == pytest.approx(icon, abs=2)
    other.keyboard.press("?")
    expect(other.get_by_role("dialog")).to_contain_text("photographs")


@pytest.mark.browser
@pytest.mark.parametrize("address", ["http"], indirect=True)
def test_photographs_reach_both_maps_and_every_level(opened: Opener) -> None:
    """In the split view both maps show photographs, and so does another level."""
    page = opened(f"#layer={LAYER}&level={SIZE}&photographs=on&beside=features.3~all~")
    page.wait_for_selector('html[data-split^="features.3/all"]', state="attached")
    ready(page, f"{LAYER}/all/{SIZE}/")
    page.wait_for_load_state("networkidle")
    urls = " ".join(page.evaluate(RESOURCES))
    assert f"{LAYER}/all/photographs/20_files" in urls
    assert "features.3/all/photographs/20_files" in urls
    page.locator("input[value='40']").check()
    ready(page, f"{LAYER}/all/40/")
    assert "photographs/40_files" in " ".join(page.evaluate(RESOURCES))
