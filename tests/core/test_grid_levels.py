"""Levels of stored grids and icons, as every stage reads them."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.artifacts import GRID, ICONS
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.grid_levels import grid_level, grid_levels, icon_level, level_sizes
from pipeline.core.icon_styles import add_style, stored_styles, style_group
from pipeline.core.zarr_store import create, open_artifact, write_array

SIZES = (20, 5, 100)
CELL = np.array([[0, 1], [0, 4], [3, 2]], np.int32)


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """A grid without attributions at its coarsest level, and icons of its first and third cell."""
    with create(GRID, tmp_path / "grid.zarr", {}, {}) as group:
        for size in SIZES:
            level = group.create_group(str(size))
            write_array(level, GRID, "cell", CELL)
            write_array(level, GRID, "count", np.array([7, 1, 9]))
            write_array(level, GRID, "drawn", np.array([True, False, True]))
            write_array(level, GRID, "activation", np.full((3, 2), size, np.float32))
            if size != min(SIZES):
                write_array(level, GRID, "attribution", np.full((3, 4), 0.5, np.float32))
    with create(ICONS, tmp_path / "icons.zarr", {}, {}) as stored:
        group = add_style(stored, "drawn")
        for size in SIZES:
            level = group.create_group(str(size))
            write_array(level, ICONS, "cell", np.array([0, 2]))
            write_array(level, ICONS, "fidelity", np.array([0.25, 0.75], np.float32))
    return tmp_path / "grid.zarr", tmp_path / "icons.zarr"


def test_levels_come_from_coarse_to_fine(paths: tuple[Path, Path]) -> None:
    """Sizes are ordered as numbers, and levels of chosen sizes come as chosen."""
    grid = open_artifact(GRID, paths[0])
    assert level_sizes(grid) == [5, 20, 100]
    assert [level.size for level in grid_levels(grid)] == [5, 20, 100]
    assert [level.size for level in grid_levels(grid, (100, 5))] == [100, 5]


def test_arrays_are_those_that_were_stored(paths: tuple[Path, Path]) -> None:
    """Every array comes back; without attributions there are no classes; single entries are those of the arrays."""
    grid = open_artifact(GRID, paths[0])
    level = grid_level(grid, 20)
    np.testing.assert_array_equal(level.cell, CELL)
    assert len(level) == 3
    assert level.drawn_cells.tolist() == [0, 2]
    assert level.flat_index.tolist() == [1, 4, 62]
    assert level.activation.tolist() == [[20, 20]] * 3
    assert (level.has_attribution, level.attribution.shape) == (True, (3, 4))
    assert level.at("count", 2) == 9
    coarse = grid_level(grid, 5)
    assert (coarse.has_attribution, coarse.attribution.shape) == (False, (3, 0))
    with pytest.raises(ArtifactError, match="spread"):
        _ = level.spread
    with pytest.raises(ArtifactError, match="expected level 7"):
        grid_level(grid, 7)


def test_each_style_has_its_own_icons(tmp_path: Path) -> None:
    """The first style's levels are those of the artifact, others' are below their names; unknown styles are refused."""
    with create(ICONS, tmp_path / "icons.zarr", {}, {}) as stored:
        write_array(add_style(stored, "accentuated").create_group("20"), ICONS, "fidelity", np.full(2, 0.5))
        write_array(add_style(stored, "drawn").create_group("20"), ICONS, "fidelity", np.full(2, 0.25))
    icons = open_artifact(ICONS, tmp_path / "icons.zarr")
    assert stored_styles(icons) == ("accentuated", "drawn")
    assert level_sizes(icons) == [20]
    found = {style: icon_level(style_group(icons, style), 20).fidelity[0] for style in (None, "accentuated", "drawn")}
    assert found == {None: 0.5, "accentuated": 0.5, "drawn": 0.25}
    with pytest.raises(ConfigError, match="style: expected one of accentuated, drawn, found painted"):
        style_group(icons, "painted")
    with pytest.raises(ArtifactError, match="expected level 7, found levels 20;"):
        icon_level(icons, 7)
    with create(ICONS, tmp_path / "old.zarr", {}, {}) as stored:
        stored.create_group("20")
    with pytest.raises(ArtifactError, match="expected the icons' styles"):
        stored_styles(open_artifact(ICONS, tmp_path / "old.zarr"))


def test_values_of_icons_go_to_their_cells(paths: tuple[Path, Path]) -> None:
    """Cells without an icon have NaN."""
    icons = icon_level(open_artifact(ICONS, paths[1]), 20)
    found = icons.by_cell(icons.fidelity, 3)
    assert np.array_equal(found, np.array([0.25, np.nan, 0.75], np.float32), equal_nan=True)
