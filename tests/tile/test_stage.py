import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import pyvips
import zarr
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.core import zarr_store
from pipeline.core.artifacts import GRID, ICONS, TILES
from pipeline.core.files import discard
from pipeline.core.icon_styles import IconStyle, add_style
from pipeline.stages import STAGES, Task
from pipeline.tile.stage import run

ROOT = Path(__file__).parents[2]
SIDE = 24
CELLS = {4: [[0, 0], [0, 3], [1, 2], [3, 1], [3, 3]], 8: [[0, 1], [2, 6], [7, 0], [7, 7]]}
COUNTS = {4: [40, 2, 9, 9, 20], 8: [40, 2, 10, 28]}
MISSING = 2  # row of the cell of either level that is not drawn
FAILED = 3  # row of the cell of either level whose icon failed


def color(size: int, cell: int) -> tuple[int, int, int]:
    """The planted color of an icon, different for every icon."""
    return (50 * cell + 20, 255 - 40 * cell, size * 20)


@pytest.fixture
def tiled(tmp_path: Path) -> Callable[..., Path]:
    """Icons of two levels, each in its own color; tiles them with some settings and gives the folder."""
    with zarr_store.create(GRID, GRID.path(tmp_path, "layer", "all"), {}, {}) as grid:
        for size, cells in CELLS.items():
            level = grid.create_group(str(size))
            zarr_store.write_array(level, GRID, "cell", np.array(cells))
            zarr_store.write_array(level, GRID, "count", np.array(COUNTS[size]))

    def tile(*overrides: str, styles: Sequence[IconStyle] = ("drawn",), large: int | None = None) -> Path:
        discard(ICONS.path(tmp_path, "layer", "all"))
        with zarr_store.create(ICONS, ICONS.path(tmp_path, "layer", "all"), {}, {}) as icons:
            for style in styles:
                _plant_icons(add_style(icons, style), style, large)
        params = parse_params(OmegaConf.to_container(compose_config(ROOT, ["tile.tile_size=64", *overrides])))
        task = Task(STAGES["tile"], params, tmp_path, "layer", "all")
        run(task)
        return task.path(TILES)

    return tile


def _plant_icons(icons: zarr.Group, style: IconStyle, large: int | None) -> None:
    """Icons in their colors if they are drawn, in the complementary ones if they are accentuated, or large."""
    for size, cells in CELLS.items():
        drawn = np.array([cell for cell in range(len(cells)) if cell != MISSING])
        pictures = np.stack([np.full((SIDE, SIDE, 3), color(size, cell), np.uint8) for cell in drawn])
        level = icons.create_group(str(size))
        zarr_store.write_array(level, ICONS, "cell", drawn)
        zarr_store.write_array(level, ICONS, "icon", pictures if style == "drawn" else 255 - pictures)
        if size == large:
            zarr_store.write_array(level, ICONS, "large", 255 - pictures.repeat(2, 1).repeat(2, 2))
        zarr_store.write_array(level, ICONS, "fidelity", np.where(drawn == FAILED, np.nan, 0.5))


def picture(folder: Path, size: int) -> np.ndarray:
    """The pyramid's full-resolution picture [y, x, channel], put together from its tiles."""
    described = json.loads((folder / "tiles.json").read_text())
    side = described["levels"][str(size)]["width"]
    step, overlap = described["tile_size"], described["overlap"]
    deepest = max((folder / f"{size}_files").iterdir(), key=lambda path: int(path.name))
    canvas: np.ndarray | None = None
    for path in deepest.iterdir():
        column, row = (int(part) for part in path.stem.split("_"))
        tile = pyvips.Image.new_from_file(str(path)).numpy()
        if canvas is None:
            canvas = np.zeros((side, side, tile.shape[2]), np.uint8)
        top, left = max(0, row * step - overlap), max(0, column * step - overlap)
        canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    assert canvas is not None
    return canvas


def cell_of(canvas: np.ndarray, size: int, row: int, column: int) -> np.ndarray:
    """The pixels of one cell."""
    side = len(canvas) // size
    return canvas[row * side : (row + 1) * side, column * side : (column + 1) * side]


def test_every_icon_is_at_its_place(tiled: Callable[..., Path]) -> None:
    """Lossless tiles give back each icon's pixels in its cell, and transparency in all others."""
    folder = tiled("tile.format=png")
    for size, cells in CELLS.items():
        canvas = picture(folder, size)
        assert canvas.shape == (size * SIDE, size * SIDE, 4)
        for row, column in np.ndindex(size, size):
            found = cell_of(canvas, size, row, column)
            cell = cells.index([row, column]) if [row, column] in cells else MISSING
            if cell == MISSING:
                assert not found.any()
            elif cell == FAILED:
                assert len(np.unique(found[..., :3])) == 2
                assert (found[..., 3] == 255).all()
            else:
                np.testing.assert_array_equal(found, np.broadcast_to((*color(size, cell), 255), found.shape))


def test_a_level_with_large_icons_shows_them(tiled: Callable[..., Path]) -> None:
    """Its image has that many more pixels, each large icon in its cell; other levels show their icons."""
    folder = tiled("tile.format=png", large=4)
    described = json.loads((folder / "tiles.json").read_text())["levels"]
    assert described == {
        "4": {"width": 4 * 2 * SIDE, "height": 4 * 2 * SIDE, "large": True},
        "8": {"width": 8 * SIDE, "height": 8 * SIDE},
    }
    shown = cell_of(picture(folder, 4), 4, *CELLS[4][1])
    assert shown.shape == (2 * SIDE, 2 * SIDE, 4)
    assert (shown[..., :3] == 255 - np.array(color(4, 1))).all()
    assert len(np.unique(cell_of(picture(folder, 4), 4, *CELLS[4][FAILED])[..., :3])) == 2
    assert (cell_of(picture(folder, 8), 8, *CELLS[8][1])[..., :3] == color(8, 1)).all()


@pytest.mark.parametrize(("side", "larger"), [(SIDE // 2, False), (SIDE, False), (SIDE + 2, True)])
def test_a_level_whose_large_icons_are_reduced_counts_as_any_other(
    tiled: Callable[..., Path], side: int, larger: bool
) -> None:
    """Only tiles with more pixels than the icons are said to be large, as they end the map's zoom earlier."""
    folder = tiled("tile.format=png", f"tile.icon_size={side}", large=4)
    described = json.loads((folder / "tiles.json").read_text())["levels"]
    assert described["4"].get("large", False) is larger


@pytest.mark.parametrize(("form", "channels"), [("webp", 4), ("jpeg", 3)])
def test_lossy_formats_come_close(tiled: Callable[..., Path], form: str, channels: int) -> None:
    """In the middle of its cell an icon's color is there to a few shades; an empty cell is clear, in JPEG white."""
    canvas = picture(tiled(f"tile.format={form}"), 4)
    assert canvas.shape[2] == channels
    middle = cell_of(canvas, 4, 0, 0)[SIDE // 2, SIDE // 2]
    np.testing.assert_allclose(middle[:3], color(4, 0), atol=12)
    empty = cell_of(canvas, 4, 2, 0)[SIDE // 2, SIDE // 2]
    np.testing.assert_allclose(empty, [0, 0, 0, 0] if channels == 4 else [255] * 3, atol=2)


@pytest.mark.parametrize("size", [10, 40])
def test_cells_of_another_size(tiled: Callable[..., Path], size: int) -> None:
    """``icon_size`` scales every level's picture, and icons stay in their cells."""
    folder = tiled("tile.format=png", f"tile.icon_size={size}")
    canvas = picture(folder, 8)
    assert canvas.shape == (8 * size, 8 * size, 4)
    np.testing.assert_array_equal(cell_of(canvas, 8, 2, 6)[size // 2, size // 2, :3], color(8, 1))
    assert not cell_of(canvas, 8, 2, 5).any()


def test_sparse_cells_are_drawn_smaller(tiled: Callable[..., Path]) -> None:
    """With ``size_by_density`` area follows count up to the mean of 80 / 16, in the middle of the cell."""
    canvas = picture(tiled("tile.format=png", "tile.size_by_density=true"), 4)
    assert (cell_of(canvas, 4, 0, 0)[..., 3] > 0).all()  # 40 samples
    sparse = cell_of(canvas, 4, 0, 3)[..., 3] > 0  # 2 samples
    assert sparse.sum() == pytest.approx(SIDE**2 * 2 / 5, rel=0.05)
    rows = np.flatnonzero(sparse.any(axis=1))
    assert abs(rows[0] - (SIDE - 1 - rows[-1])) <= 1
    assert (cell_of(picture(tiled("tile.format=png"), 4), 4, 0, 3)[..., 3] > 0).all()


def test_the_description_fits_the_files(tiled: Callable[..., Path]) -> None:
    """tiles.json names each level's size, and each level has its .dzi and its folder; nothing else is left."""
    folder = tiled()
    described = json.loads((folder / "tiles.json").read_text())
    assert (described["format"], described["tile_size"], described["overlap"]) == ("webp", 64, 1)
    assert described["levels"] == {str(size): {"width": size * SIDE, "height": size * SIDE} for size in CELLS}
    expected = {"tiles.json", "4.dzi", "8.dzi", "4_files", "8_files"}
    assert {path.name for path in folder.iterdir()} == expected
    assert [path.name for path in folder.parent.iterdir()] == ["all"]
    metrics = json.loads((folder.parents[3] / "metrics/tile/layer/all.json").read_text())
    assert metrics["4"]["failed"] == 1
    assert metrics["8"]["files"] == sum(path.is_file() for path in (folder / "8_files").rglob("*"))


def test_tiles_repeat_bit_for_bit(tiled: Callable[..., Path]) -> None:
    """Tiling the same icons again writes the same files with the same bytes."""
    folder = tiled()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert tiled() == folder
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_each_style_has_its_pyramids(tiled: Callable[..., Path]) -> None:
    """Those of the first style are the same files as alone, those of the other lie in a folder named after it."""
    before = {path: path.read_bytes() for path in tiled("tile.format=png").rglob("*.png")}
    folder = tiled("tile.format=png", styles=("drawn", "accentuated"))
    described = json.loads((folder / "tiles.json").read_text())
    assert described["styles"] == ["drawn", "accentuated"]
    other = folder / "accentuated"
    found = {path: path.read_bytes() for path in folder.rglob("*.png") if not path.is_relative_to(other)}
    assert found == before
    (other / "tiles.json").write_text(json.dumps(described))
    for size in CELLS:
        one, two = (picture(place, size)[..., :3] for place in (folder, other))
        np.testing.assert_array_equal(cell_of(two, size, *CELLS[size][0]), 255 - cell_of(one, size, *CELLS[size][0]))
    metrics = json.loads((folder.parents[3] / "metrics/tile/layer/all.json").read_text())
    assert metrics["4"]["accentuated"]["files"] == metrics["4"]["files"]


def test_a_failed_run_leaves_the_old_tiles(tiled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing stops half-way, what was there stays whole."""
    folder = tiled()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("pipeline.tile.stage._count_files", fail)
    with pytest.raises(OSError, match="no space left"):
        tiled("tile.format=png")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
