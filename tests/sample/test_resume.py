"""Runs that are cut into tasks, spread over workers, killed and taken up again."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.cluster import VARIABLE
from pipeline.sample import cut, stage
from pipeline.sample.sampler import Order, Sampler, Written, sample_shard
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
    monkeypatch.setattr(cut, "FEWEST_BATCHES", 1)
    monkeypatch.setenv(VARIABLE, json.dumps({"kind": "inline", "threads": 1}))
    yield
    for name in ("activations", ".cache"):
        shutil.rmtree(folder / "outputs" / name, ignore_errors=True)


def task(folder: Path, layers: tuple[str, ...] = LAYERS, **changes: Any) -> Task:
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

    def count(sampler: Sampler, order: Order) -> dict[str, Written]:
        numbers.append((order.number, order.layers))
        return sample_shard(sampler, order)

    monkeypatch.setattr(stage, "sample_shard", count)
    return numbers


class StoppedError(Exception):
    """The run is killed."""


def stopped_after(count: int, where: str) -> Callable[[Sampler, Order], dict[str, Written]]:
    """A task that dies at the ``count``-th one, before or after it has written its shards."""

    def work(sampler: Sampler, order: Order) -> dict[str, Written]:
        if order.number == count and where == "before":
            raise StoppedError
        found = sample_shard(sampler, order)
        if order.number == count:
            raise StoppedError
        return found

    return work


def test_two_workers_give_the_same_bytes_as_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two Dask workers of one thread write the very files that one process with one thread writes."""
    stage.run(task(folder))
    expected = result(folder)
    assert sum(name.startswith("features.4.zarr/activation/c/") for name in expected) == 4
    shutil.rmtree(folder / "outputs" / "activations")
    monkeypatch.setenv(VARIABLE, json.dumps({"kind": "local", "workers": 2, "threads": 1}))
    stage.run(task(folder))
    assert result(folder) == expected


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_killed_run_goes_on_with_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[int, tuple[str, ...]]], where: str
) -> None:
    """What was finished is not made again, nothing shows before the end, and the end is the same to the byte."""
    stage.run(task(folder))
    expected, metrics = result(folder), (folder / "outputs/metrics/sample.json").read_bytes()
    shutil.rmtree(folder / "outputs" / "activations")
    with monkeypatch.context() as patch:
        patch.setattr(stage, "sample_shard", stopped_after(2, where))
        with pytest.raises(StoppedError):
            stage.run(task(folder))
    assert not list((folder / "outputs" / "activations").glob("*.zarr"))
    made.clear()
    stage.run(task(folder))
    assert [number for number, _ in made] == [2, 3]
    assert result(folder) == expected
    assert (folder / "outputs/metrics/sample.json").read_bytes() == metrics


def test_a_finished_run_makes_nothing_but_its_metrics(folder: Path, made: list[tuple[int, tuple[str, ...]]]) -> None:
    """Run again, the network is not even loaded; a damaged shard of one layer is made again, and only that."""
    stage.run(task(folder))
    expected = result(folder)
    metrics = folder / "outputs/metrics/sample.json"
    text = metrics.read_text()
    metrics.unlink()
    made.clear()
    stage.run(task(folder))
    assert made == []
    assert (result(folder), metrics.read_text()) == (expected, text)
    (folder / "outputs/activations/features.12.zarr/attribution/c/1/0").write_bytes(b"short")
    stage.run(task(folder))
    assert made == [(1, ("features.12",))]
    assert result(folder) == expected


def test_other_settings_and_layers_start_anew(folder: Path, made: list[tuple[int, tuple[str, ...]]]) -> None:
    """Another seed keeps nothing, another list of layers neither, and layers that went away leave nothing behind."""
    stage.run(task(folder))
    made.clear()
    stage.run(task(folder, border=0))
    assert len(made) == 4
    made.clear()
    stage.run(task(folder, layers=LAYERS[:1]))
    assert len(made) == 4
    assert {name.partition("/")[0] for name in result(folder)} == {"features.4.zarr"}
    assert [path.name for path in (folder / "outputs/.cache/grown/activations").iterdir()] == ["features.4.zarr"]
    assert not list((folder / "outputs").rglob("*.partial"))
    assert ACTIVATIONS.path(folder / "outputs", "features.4").is_dir()
