"""Large icons on the page: one level's tiles have more pixels, and lie where those of the other levels do."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from browsing import Opener, busiest, ready
from playwright.sync_api import Page, expect
from site_planting import ICON, LAYERS, Planted, plant, tile_digests, write_tiles
from test_site_data import unpacked

from pipeline.core.artifacts import ICONS, TILES
from pipeline.core.site_data import read_data_script
from pipeline.core.zarr_store import array, level, write_array
from pipeline.site.stage import run

LAYER, COARSE, SIZE = LAYERS[-1], 5, 10
FIDELITY = 0.77


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A small run whose finer level has large icons at one layer."""
    made = plant(tmp_path_factory.mktemp("large"), 4000, (COARSE, SIZE))
    planted_level = made.levels[LAYER, SIZE]
    drawn = np.flatnonzero(planted_level.drawn)
    folder = made.task.path(TILES, LAYER, "all")
    icons = level(zarr.open_group(made.task.path(ICONS, LAYER, "all"), mode="r+"), SIZE)
    large = np.asarray(array(icons, "icon")[...]).repeat(2, 1).repeat(2, 2)
    write_array(icons, ICONS, "large", large)
    write_array(icons, ICONS, "large_fidelity_centred", np.full(len(drawn), FIDELITY))
    write_array(icons, ICONS, "large_key", np.ones((len(drawn), 32)))
    shutil.rmtree(folder / f"{SIZE}_files")
    write_tiles(folder / str(SIZE), planted_level, planted_level.cell[drawn], large)
    tiles = json.loads((folder / "tiles.json").read_text())
    side = SIZE * 2 * ICON
    tiles["levels"][str(SIZE)] = {"width": side, "height": side, "large": True}
    tiles["digests"] = tile_digests(folder)
    (folder / "tiles.json").write_text(json.dumps(tiles))
    run(made.task)
    return made


def test_the_site_says_which_level_has_large_icons(planted: Planted) -> None:
    """The manifest marks that level of that layer alone; its cells have the large icons' fidelity."""
    manifest = read_data_script(planted.site / "data/manifest.js")
    marked = {
        (layer["name"], entry["size"]): (entry.get("large", False), entry["width"])
        for layer in manifest["layers"]
        for entry in layer["atlases"][0]["levels"]
    }
    assert {key for key, (large, _) in marked.items() if large} == {(LAYER, SIZE)}
    assert marked[LAYER, SIZE][1] == 2 * ICON * SIZE
    folder: Path = planted.site / "data" / LAYER / "all"
    drawn = planted.levels[LAYER, SIZE].drawn
    found = unpacked(read_data_script(folder / str(SIZE) / "cells.js")["large_fidelity_centred"])
    np.testing.assert_allclose(found[drawn], FIDELITY, atol=1e-4)
    assert np.isnan(found[~drawn]).all()
    assert "large_fidelity_centred" not in read_data_script(folder / str(COARSE) / "cells.js")


def corners(page: Page, size: int) -> tuple[float, float]:
    """Left edge and side of the whole atlas on the screen, from the centers of the first two cells of a level."""
    first, second = (page.evaluate("column => atlas.cellToPoint(0, column).x", column) for column in (0, 1))
    return first - (second - first) / 2, size * (second - first)


@pytest.mark.browser
def test_large_icons_lie_in_their_cells_and_are_not_blown_up_more_than_twice(opened: Opener, planted: Planted) -> None:
    """Levels share one frame; zooming in ends at twice a large icon's pixels, at eight times an icon's elsewhere."""
    planted_level = planted.levels[LAYER, SIZE]
    row, column = planted_level.cell[busiest(planted_level)]
    frames = []
    for size, largest in ((COARSE, 8 * ICON), (SIZE, 2 * 2 * ICON)):
        page = opened(f"#layer={LAYER}&level={size}")
        ready(page, f"{LAYER}/all/{size}/")
        page.wait_for_timeout(200)
        frames.append(corners(page, size))
        page.locator(".openseadragon-canvas").first.focus()
        for _ in range(14):
            page.keyboard.press("+")
        page.wait_for_timeout(1200)
        assert corners(page, size)[1] / size == pytest.approx(largest, rel=0.02)
    np.testing.assert_allclose(frames[0], frames[1], atol=1)
    page = opened(f"#layer={LAYER}&level={SIZE}&pin={SIZE}.{row}.{column}")
    ready(page, f"{LAYER}/all/{SIZE}/")
    icon = page.locator(".panel .enlarge .icon")
    assert icon.evaluate("element => element.clientWidth") <= 2 * 2 * ICON
    page.locator(".panel .enlarge").click()
    facts = page.get_by_role("dialog").locator(".facts")
    expect(facts).to_contain_text(re.compile(rf"{2 * ICON} × {2 * ICON} pixels: a larger rendering .* is 0\.77"))


@pytest.mark.browser
def test_other_levels_say_nothing_of_large_icons(opened: Opener, planted: Planted) -> None:
    """The dialog of a coarser level's icon gives its own size alone."""
    planted_level = planted.levels[LAYER, COARSE]
    row, column = planted_level.cell[busiest(planted_level)]
    page = opened(f"#layer={LAYER}&level={COARSE}&pin={COARSE}.{row}.{column}")
    page.locator(".panel .enlarge").click()
    expect(page.get_by_role("dialog").locator(".facts")).to_contain_text(
        f"Rendered at{ICON} × {ICON} pixelsInitialized"
    )
