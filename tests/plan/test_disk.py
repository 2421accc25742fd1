"""Bytes on disk: those of a plan equal those of a run's files."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from omegaconf import OmegaConf

from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_config, write_params
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, LAYOUT, Artifact
from pipeline.core.cells import assign_cells
from pipeline.core.zarr_store import array, open_artifact
from pipeline.images.image_set import open_image_set
from pipeline.model.metadata import resolve_class_names
from pipeline.plan import check, disk, trial
from pipeline.plan.inputs import LevelCount, Sizes, icon_count, level_counts
from pipeline.plan.trial import check_network

ROOT = Path(__file__).parents[2]
TINY = [
    "+experiment=tiny",
    "layers=[mixed3b]",
    "model.weights=random",
    "reduce=pca",
    "render.steps=1",
    "images.count=60",
]
Make = Callable[..., Sizes]


def stored(artifact: Artifact) -> int:
    """Bytes of the numbers of a written artifact, before compression; the layer's mean is no row of a grid."""
    found = open_artifact(artifact, artifact.path(OUTPUTS, "mixed3b", "all"))
    arrays = [item for name, item in found.members(max_depth=None) if isinstance(item, zarr.Array) and name != "mean"]
    return sum(item.nbytes for item in arrays)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, Params]":
    """A tiny run up to its icons; returns its folder and settings."""
    folder = tmp_path_factory.mktemp("run")
    for name in ("conf", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)
    config = compose_config(ROOT, TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params(folder, config)
        run_stage("prepare", [])
        run_stage("sample", [])
        for stage in ("reduce", "grid", "render"):
            run_stage(stage, ["layer=mixed3b", "atlas=all"])
    return folder, parse_params(OmegaConf.to_container(config))


@pytest.fixture
def planned(run: "tuple[Path, Params]", monkeypatch: pytest.MonkeyPatch) -> "tuple[Sizes, list[LevelCount]]":
    """The plan of that run, and its levels with the occupancy that the run had."""
    folder, params = run
    monkeypatch.chdir(folder)
    sizes = check_network(params, resolve_class_names(params.model, open_image_set(params.images).classes), 60)
    metrics = json.loads((OUTPUTS / "metrics" / "grid" / "mixed3b" / "all.json").read_text())
    levels = [LevelCount(int(size), found["occupied"], found["drawn"], False) for size, found in metrics.items()]
    return sizes, levels


def test_a_run_tells_the_sizes_without_a_trial(
    run: "tuple[Path, Params]", planned: "tuple[Sizes, list[LevelCount]]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stages have stored proves that the network works, and gives the sizes that a trial gave."""
    found: list[Sizes] = []

    def note(sizes: Sizes) -> int:
        found.append(sizes)
        return 0

    monkeypatch.setattr(check, "total_bytes", note)
    monkeypatch.setattr(trial, "check_network", lambda *_: pytest.fail("the network is tried again"))
    check.check_run(run[1], OUTPUTS)
    assert found == [planned[0]]


def test_bytes_are_those_of_a_written_run(planned: "tuple[Sizes, list[LevelCount]]") -> None:
    """Within 5 %, given how many cells are occupied; a plan for one channel more would not be."""
    sizes, levels = planned
    assert disk.activations_bytes(sizes, "mixed3b") == pytest.approx(stored(ACTIVATIONS), rel=0.05)
    assert disk.layout_bytes(sizes, "all") == pytest.approx(stored(LAYOUT), rel=0.05)
    assert disk.grid_bytes(sizes, "mixed3b", levels) == pytest.approx(stored(GRID), rel=0.05)
    side = sizes.params.render.size
    icons = icon_count(levels)
    assert icons * disk.icon_row(side) == pytest.approx(stored(ICONS), rel=0.05)
    cached = (OUTPUTS / ".cache" / "images").rglob("*")
    assert sum(path.stat().st_size for path in cached if path.is_file()) > icons * 3 * side * side
    wrong = Sizes(**{**vars(sizes), "channels": {"mixed3b": 2 * sizes.channels["mixed3b"]}})
    assert disk.activations_bytes(wrong, "mixed3b") != pytest.approx(stored(ACTIVATIONS), rel=0.05)


def test_files_take_no_more_than_planned(planned: "tuple[Sizes, list[LevelCount]]") -> None:
    """The files of an artifact take at most 64 kB more than planned."""
    sizes, _ = planned
    folder = ACTIVATIONS.path(OUTPUTS, "mixed3b")
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert written < disk.activations_bytes(sizes, "mixed3b") + 2**16


def test_icons_are_those_that_render_draws(planned: "tuple[Sizes, list[LevelCount]]") -> None:
    """With the share of cells that a level has drawn, the plan has as many icons; with half of it, it has not."""
    sizes, levels = planned
    layout = open_artifact(LAYOUT, LAYOUT.path(OUTPUTS, "mixed3b", "all"))
    cut = assign_cells(np.asarray(array(layout, "xy")[:]), [level.size for level in levels])
    drawn = [int((level.count >= sizes.params.grid.min_count).sum()) for level in cut]
    icons = open_artifact(ICONS, ICONS.path(OUTPUTS, "mixed3b", "all"))
    for level, count in zip(levels, drawn, strict=True):
        of_level = Sizes(**{**vars(sizes), "fill": count / level.size**2})
        half = Sizes(**{**vars(sizes), "fill": count / level.size**2 / 2})
        for planned_sizes, same in ((of_level, True), (half, False)):
            found = {one.size: one.drawn for one in level_counts(planned_sizes, "all")}[level.size]
            assert (found == icons[f"{level.size}/icon"].shape[0]) is same  # type: ignore[union-attr]  # an array


def test_float32_takes_twice_the_room_of_float16(sizes: Make) -> None:
    """A sample of 10 channels and 5 classes is 15 numbers and 20 bytes; without attributions 10 numbers and 16."""
    assert disk.activation_row(sizes("sample.storage=float16"), "mixed3b") == 15 * 2 + 20
    assert disk.activation_row(sizes("sample.storage=float32"), "mixed3b") == 15 * 4 + 20
    assert disk.activation_row(sizes("sample.storage=float32", "sample.attribution=false"), "mixed3b") == 10 * 4 + 16


def test_channels_and_samples_of_the_site_count(sizes: Make) -> None:
    """Planes of channels are those of the levels up to site.channel_level, and points are bounded."""
    coarse, fine = (sizes(f"site.channel_level={level}") for level in (20, 40))
    planes = round(disk.PLANE_BYTES * 40 * 40 * 0.5) * (10 + 20)
    assert disk.site_bytes(fine) - disk.site_bytes(coarse) == pytest.approx(planes, rel=1e-6)
    assert disk.site_bytes(sizes("site.channel_level=80")) == disk.site_bytes(fine)
    few, many = (sizes(images=images) for images in (100_000, 200_000))
    members = 100_000 * many.params.sample.positions_per_image * disk.MEMBER_BYTES * len(many.channels)
    assert disk.site_bytes(many) - disk.site_bytes(few) - members < 2 * disk.MOST_SHOWN * disk.SHOWN_BYTES


def test_the_total_is_the_sum_of_its_parts(sizes: Make) -> None:
    """Every layer and atlas counts once."""
    run = sizes("atlases=[all,class-1]")
    total: Any = disk.image_list_bytes(run) + disk.site_bytes(run)
    for layer in run.channels:
        total += disk.activations_bytes(run, layer)
    for layer, atlas in product(run.channels, ("all", "class-1")):
        levels = level_counts(run, atlas)
        total += disk.layout_bytes(run, atlas) + disk.grid_bytes(run, layer, levels)
        total += disk.icons_bytes(run, layer, levels) + disk.tiles_bytes(run, layer, levels)
    assert disk.total_bytes(run) == total
