"""The baseline of attributions: the layer's mean over a part of the images."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import zarr
from numpy.typing import NDArray
from PIL import Image

from pipeline.config.cluster import VARIABLE
from pipeline.core.artifacts import ACTIVATIONS, IMAGES
from pipeline.images.crops import network_crop
from pipeline.images.manifest import Manifest, read_manifest, write_manifest
from pipeline.model.build import build, freeze
from pipeline.model.inputs import to_tensor
from pipeline.model.layers import run_to
from pipeline.sample import baseline, shards, stage
from pipeline.sample.baseline import BaselineTask, choose_images
from pipeline.sample.shards import Sampler, SampleTask, WrittenShards, sample_shard
from pipeline.stages import STAGES, Task
from tests.sample.small_run import ARCHITECTURE, LAYERS, PREPROCESSING, params, prepared

DIGESTS = tuple(f"{number:064x}" for number in range(1000))
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One prepared run for the tests of this file."""
    return prepared(tmp_path_factory.mktemp("run"))


@pytest.fixture(autouse=True)
def _small_tasks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two images are a task of the baseline, a batch one of the shards, torch has one thread, and nothing is there."""
    monkeypatch.setattr(baseline, "PER_TASK", 2)
    monkeypatch.setattr(shards, "MIN_BATCHES", 1)
    monkeypatch.setenv(VARIABLE, json.dumps({"kind": "inline", "threads": 1}))
    yield
    for name in ("activations", ".cache"):
        shutil.rmtree(folder / "outputs" / name, ignore_errors=True)


@pytest.fixture
def summed(monkeypatch: pytest.MonkeyPatch) -> list[BaselineTask]:
    """The tasks of the baseline that are made."""
    tasks: list[BaselineTask] = []

    def count(sampler: Sampler, task: BaselineTask) -> dict[str, list[float]]:
        tasks.append(task)
        return shards.sum_images(sampler, task)

    monkeypatch.setattr(stage, "sum_images", count)
    return tasks


def run(folder: Path, layers: tuple[str, ...] = LAYERS, **settings: Any) -> Task:
    """Run the stage with few places."""
    configured = params(folder / "images", positions_per_image=2, **settings).model_copy(update={"layers": layers})
    task = Task(STAGES["sample"], configured, folder / "outputs")
    stage.run(task)
    return task


def stored(task: Task, layer: str) -> NDArray[np.float32]:
    """The baseline of a layer's artifact."""
    return np.asarray(zarr.open_array(task.path(ACTIVATIONS, layer) / "baseline", mode="r")[...])


def plain_means(folder: Path, layer: str, images: tuple[int, ...]) -> NDArray[np.float64]:
    """[image, channel] mean over the map without its border, of a plain forward pass."""
    module, found = freeze(build(ARCHITECTURE)), []
    for number in images:
        crop = network_crop(Image.open(folder / "images" / f"{number}.png"), PREPROCESSING)
        with torch.no_grad():
            output = run_to(module, layer, to_tensor(crop, PREPROCESSING)[None])
        inset = 1 if output.shape[2] > 2 else 0
        found.append(
            output[0, :, inset : output.shape[2] - inset, inset : output.shape[3] - inset].mean((1, 2)).numpy()
        )
    return np.array(found, np.float64)


@pytest.mark.parametrize("largest", [256, 3])
def test_the_baseline_is_the_mean_over_the_chosen_images(
    folder: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    """It is that of plain passes over every image, or over the chosen ones of many, and not that of others."""
    monkeypatch.setattr(baseline, "LARGEST", largest)
    task = run(folder)
    part = choose_images(0, read_manifest(IMAGES.path(folder / "outputs")).digest)
    assert len(part.images) == min(7, largest)
    for layer in LAYERS:
        means = plain_means(folder, layer, tuple(range(7)))
        found = stored(task, layer)
        np.testing.assert_allclose(found, means[list(part.images)].mean(axis=0), rtol=1e-3, atol=1e-5)
        others = [number for number in range(7) if number not in part.images] or [0]
        assert not np.allclose(found, means[others].mean(axis=0), rtol=1e-3)


def test_attributions_of_a_mean_differ_from_those_of_zero_alone(folder: Path) -> None:
    """Activations stay the same, attributions change, and only the mean is stored."""
    files = {}
    for name in ("mean", "zero"):
        group = zarr.open_group(run(folder, baseline=name).path(ACTIVATIONS, LAYERS[0]), mode="r")
        files[name] = {key: np.asarray(found[...]) for key, found in group.arrays()}
    assert files["mean"].keys() - files["zero"].keys() == {"baseline"}
    np.testing.assert_array_equal(files["mean"]["activation"], files["zero"]["activation"])
    assert not np.allclose(files["mean"]["attribution"], files["zero"]["attribution"], rtol=0.1)


def test_the_part_of_the_images_is_bounded_and_drawn_by_the_seed() -> None:
    """The same seed gives the same images whatever their order in the set; another seed gives others."""
    part = choose_images(0, DIGESTS)
    assert len(part.images) == baseline.LARGEST
    assert list(part.images) == sorted(set(part.images))
    backwards = choose_images(0, DIGESTS[::-1])
    assert set(backwards.digests) == set(part.digests)
    assert len(set(choose_images(1, DIGESTS).images) & set(part.images)) < 0.5 * baseline.LARGEST
    assert len(choose_images(0, DIGESTS[:5]).images) == 5


@pytest.mark.parametrize("change", [{"batch_size": 1}, {"batch_size": 3}, {"integration_steps": 2}])
def test_the_batch_size_changes_no_bit_of_the_baseline(folder: Path, change: dict[str, Any]) -> None:
    """The same bytes come out for any batch size."""
    expected = {layer: stored(run(folder), layer).tobytes() for layer in LAYERS}
    changed = run(folder, **change)
    assert {layer: stored(changed, layer).tobytes() for layer in LAYERS} == expected


def test_another_layer_and_a_kill_sum_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, summed: list[BaselineTask]
) -> None:
    """Finished sums are kept over a kill, and those of finished layers when one is added; the bytes are the same."""
    expected = stored(run(folder), LAYERS[1]).tobytes()
    assert [task.number for task in summed] == [0, 1, 2, 3]
    shutil.rmtree(folder / "outputs" / "activations")
    shutil.rmtree(folder / "outputs" / ".cache")
    summed.clear()
    made = shards.sum_images

    def killed(sampler: Sampler, task: BaselineTask) -> dict[str, list[float]]:
        if task.number == 2:
            raise KeyboardInterrupt
        return made(sampler, task)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "sum_images", killed)
        with pytest.raises(KeyboardInterrupt):
            run(folder, LAYERS[:1])
    summed.clear()
    run(folder, LAYERS[:1])
    assert [(task.number, task.layers) for task in summed] == [(2, LAYERS[:1]), (3, LAYERS[:1])]
    summed.clear()
    assert stored(run(folder), LAYERS[1]).tobytes() == expected
    assert [(task.number, task.layers) for task in summed] == [(number, LAYERS[1:]) for number in range(4)]


def chosen_rows(manifest: Manifest, rows: list[int]) -> Manifest:
    """Some rows of a manifest, in this order."""
    columns: dict[str, Any] = {}
    for field in fields(manifest):
        values = getattr(manifest, field.name)
        columns[field.name] = values[rows] if isinstance(values, np.ndarray) else tuple(values[row] for row in rows)
    return Manifest(**columns)


@pytest.mark.parametrize(("largest", "anew"), [(256, True), (2, False)])
def test_shards_are_kept_where_more_images_leave_the_baseline(
    folder: Path, monkeypatch: pytest.MonkeyPatch, largest: int, anew: bool
) -> None:
    """More images that are not among the chosen ones sample themselves alone; those that are change every shard."""
    monkeypatch.setattr(baseline, "LARGEST", largest)
    every = read_manifest(IMAGES.path(folder / "outputs"))
    chosen = choose_images(0, every.digest).images
    order = [*chosen, *(number for number in range(7) if number not in chosen)]
    made: list[int] = []

    def count_shard(sampler: Sampler, task: SampleTask) -> dict[str, WrittenShards]:
        made.append(task.number)
        return sample_shard(sampler, task)

    monkeypatch.setattr(stage, "sample_shard", count_shard)
    try:
        for count in (5, 7):
            made.clear()
            write_manifest(IMAGES.path(folder / "outputs"), chosen_rows(every, order[:count]), {}, {})
            run(folder, LAYERS[1:], batch_size=1)
    finally:
        write_manifest(IMAGES.path(folder / "outputs"), every, {}, {})
    assert made == (list(range(7)) if anew else [5, 6])
