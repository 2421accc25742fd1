"""Runs that are split into tasks, spread over workers, killed and resumed."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.cluster import VARIABLE
from pipeline.core.artifacts import ACTIVATIONS, IMAGES
from pipeline.images.manifest import Manifest, read_manifest, write_manifest
from pipeline.sample import shards, stage
from pipeline.sample.shards import Sampler, SampleTask, WrittenShards, sample_shard
from pipeline.stages import STAGES, Task
from tests.sample.small_run import LAYERS, params, prepared

SETTINGS = {"positions_per_image": 3, "batch_size": 2}  # four batches of seven images


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One prepared run for the tests of this file."""
    return prepared(tmp_path_factory.mktemp("run"))


@pytest.fixture(autouse=True)
def _small_tasks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every batch is a task, torch has one thread, and nothing is there."""
    monkeypatch.setattr(shards, "MIN_BATCHES", 1)
    monkeypatch.setenv(VARIABLE, json.dumps({"kind": "inline", "threads": 1}))
    yield
    wipe(folder)


def wipe(folder: Path) -> None:
    """Remove everything that the stage has written, also what it would resume."""
    for name in ("activations", ".cache"):
        shutil.rmtree(folder / "outputs" / name, ignore_errors=True)


def task_of(folder: Path, layers: tuple[str, ...] = LAYERS, **changes: Any) -> Task:
    """The stage on the prepared run."""
    configured = params(folder / "images", **SETTINGS, **changes)
    return Task(STAGES["sample"], configured.model_copy(update={"layers": layers}), folder / "outputs")


def result(folder: Path) -> dict[str, bytes]:
    """Every file of the stage's outputs."""
    found = folder / "outputs" / "activations"
    return {str(file.relative_to(found)): file.read_bytes() for file in found.rglob("*") if file.is_file()}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, tuple[str, ...]]]:
    """The tasks that are made, with their layers."""
    numbers: list[tuple[int, tuple[str, ...]]] = []

    def count(sampler: Sampler, task: SampleTask) -> dict[str, WrittenShards]:
        numbers.append((task.number, task.layers))
        return sample_shard(sampler, task)

    monkeypatch.setattr(stage, "sample_shard", count)
    return numbers


class StoppedError(Exception):
    """The run is killed."""


def stopped_after(count: int, where: str) -> Callable[[Sampler, SampleTask], dict[str, WrittenShards]]:
    """A task that is killed at the ``count``-th one, before or after it has written its shards."""

    def work(sampler: Sampler, task: SampleTask) -> dict[str, WrittenShards]:
        if task.number == count and where == "before":
            raise StoppedError
        found = sample_shard(sampler, task)
        if task.number == count:
            raise StoppedError
        return found

    return work


@pytest.mark.long
def test_two_workers_give_the_same_bytes_as_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two Dask workers of one thread write the very files that one process with one thread writes."""
    stage.run(task_of(folder))
    expected = result(folder)
    assert sum(name.startswith("features.4.zarr/activation/c/") for name in expected) == 4
    wipe(folder)
    monkeypatch.setenv(VARIABLE, json.dumps({"kind": "local", "workers": 2, "threads": 1}))
    stage.run(task_of(folder))
    assert result(folder) == expected


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_killed_run_goes_on_with_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[int, tuple[str, ...]]], where: str
) -> None:
    """What was finished is not made again, nothing shows before the end, and the end is the same to the byte."""
    stage.run(task_of(folder))
    expected, metrics = result(folder), (folder / "outputs/metrics/sample.json").read_bytes()
    wipe(folder)
    with monkeypatch.context() as patch:
        patch.setattr(stage, "sample_shard", stopped_after(2, where))
        with pytest.raises(StoppedError):
            stage.run(task_of(folder))
    assert not list((folder / "outputs" / "activations").glob("*.zarr"))
    made.clear()
    stage.run(task_of(folder))
    assert [number for number, _ in made] == [2, 3]
    assert result(folder) == expected
    assert (folder / "outputs/metrics/sample.json").read_bytes() == metrics


def test_a_finished_run_makes_nothing_but_its_metrics(folder: Path, made: list[tuple[int, tuple[str, ...]]]) -> None:
    """Run again, the network is not even loaded; a damaged shard of one layer is made again, and only that."""
    stage.run(task_of(folder))
    expected = result(folder)
    metrics = folder / "outputs/metrics/sample.json"
    text = metrics.read_text()
    metrics.unlink()
    made.clear()
    stage.run(task_of(folder))
    assert made == []
    assert (result(folder), metrics.read_text()) == (expected, text)
    (folder / "outputs/activations/features.12.zarr/attribution/c/1/0").write_bytes(b"short")
    stage.run(task_of(folder))
    assert made == [(1, ("features.12",))]
    assert result(folder) == expected


def test_a_removed_artifact_is_committed_again(folder: Path, made: list[tuple[int, tuple[str, ...]]]) -> None:
    """DVC removes outputs before it runs a stage: a run that was killed before DVC stored them computes nothing."""
    stage.run(task_of(folder))
    expected = result(folder)
    made.clear()
    shutil.rmtree(folder / "outputs" / "activations")
    stage.run(task_of(folder))
    assert made == []
    assert result(folder) == expected


def test_one_more_layer_samples_that_layer_alone(folder: Path, made: list[tuple[int, tuple[str, ...]]]) -> None:
    """The shards of the other layer are kept, and every byte is that of both layers sampled together."""
    stage.run(task_of(folder))
    expected = result(folder)
    wipe(folder)
    stage.run(task_of(folder, layers=LAYERS[:1]))
    shutil.rmtree(folder / "outputs" / "activations")  # as DVC does
    made.clear()
    stage.run(task_of(folder))
    assert made == [(number, LAYERS[1:]) for number in range(4)]
    assert result(folder) == expected


@pytest.mark.parametrize("dies", [False, True])
def test_more_images_sample_those_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[int, tuple[str, ...]]], dies: bool
) -> None:
    """Shards whose images are the same are kept, also over a kill; every byte is that of all images at once."""
    stage.run(task_of(folder, baseline="zero"))
    expected = result(folder)
    wipe(folder)
    every = read_manifest(IMAGES.path(folder / "outputs"))
    five = {field.name: getattr(every, field.name)[:5] for field in fields(every)}
    try:
        write_manifest(IMAGES.path(folder / "outputs"), Manifest(**five), {}, {})
        stage.run(task_of(folder, baseline="zero"))
        shutil.rmtree(folder / "outputs" / "activations")  # as DVC does
    finally:
        write_manifest(IMAGES.path(folder / "outputs"), every, {}, {})
    made.clear()
    if dies:
        with monkeypatch.context() as patch:
            patch.setattr(stage, "sample_shard", stopped_after(3, "before"))
            with pytest.raises(StoppedError):
                stage.run(task_of(folder, baseline="zero"))
        assert made == []  # what dies notes nothing, and has computed the third shard
    stage.run(task_of(folder, baseline="zero"))
    assert made == [(number, LAYERS) for number in (range(3, 4) if dies else range(2, 4))]
    assert result(folder) == expected
    assert not list((folder / "outputs").rglob("previous"))


def test_other_settings_and_layers_start_anew(folder: Path, made: list[tuple[int, tuple[str, ...]]]) -> None:
    """Another seed keeps nothing, another list of layers neither, and layers that went away leave nothing behind."""
    stage.run(task_of(folder))
    made.clear()
    stage.run(task_of(folder, border=0))
    assert len(made) == 4
    made.clear()
    stage.run(task_of(folder, layers=LAYERS[:1]))
    assert len(made) == 4
    assert {name.partition("/")[0] for name in result(folder)} == {"features.4.zarr"}
    assert [path.name for path in (folder / "outputs/.cache/resumable/activations").iterdir()] == ["features.4.zarr"]
    assert not list((folder / "outputs").rglob("*.partial"))
    assert ACTIVATIONS.path(folder / "outputs", "features.4").is_dir()
