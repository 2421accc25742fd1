import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core import moments
from pipeline.core.artifacts import GRID, LAYOUT
from pipeline.core.resumable import ARTIFACT, WORK, TaskResults
from pipeline.core.zarr_store import array, create, open_artifact, write_array
from pipeline.grid import tasks
from pipeline.grid.stage import run
from tests.grid.planted import ROOT, grid_task, plant

TASKS = 10  # of each pass: 600 samples in blocks of 64
WORK_FOLDER = Path(WORK) / "grid" / "layer" / "all.zarr"
MADE = 3 * TASKS + 6  # sums of two arrays, and cosines; 6 arrays are computed from the sums
KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.core import moments
from pipeline.core.resumable import TaskResults
from pipeline.grid import stage, tasks
from tests.grid.planted import grid_task

create_arrays, count = TaskResults.create_arrays, 0

def dying(self, task, arrays):
    global count
    count += 1
    if count == int(sys.argv[2]):
        (self.folder / "arrays" / f"{next(iter(arrays))}.0123.partial").write_bytes(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    return create_arrays(self, task, arrays)

TaskResults.create_arrays = dying
tasks.READ_PER_WRITTEN, tasks.COSINE_BLOCKS, moments.BLOCK_BYTES = 0, 1, 1
stage.run(grid_task(Path(sys.argv[1])))
"""


class Interrupted(BaseException):
    """Ends a run in its middle; nothing catches it."""


class Counted:
    """Lists the arrays that are computed, and may interrupt the run in the middle of one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.until: int | None = None
        create_arrays = TaskResults.create_arrays

        @contextmanager
        def counted(results: TaskResults, task: str, arrays: Mapping[str, Any]) -> Iterator[dict[str, NDArray[Any]]]:
            with create_arrays(results, task, arrays) as created:
                yield created
                if self.until is not None and len(self.names) >= self.until:
                    raise Interrupted
                self.names += arrays

        monkeypatch.setattr(TaskResults, "create_arrays", counted)

    def run(self, outputs: Path, *overrides: str, until: int | None = None) -> list[str]:
        """Run the stage, and interrupt it after so many arrays; returns the names of those that it computed."""
        self.names, self.until = [], until
        if until is None:
            run(grid_task(outputs, *overrides))
        else:
            with pytest.raises(Interrupted):
                run(grid_task(outputs, *overrides))
        return self.names


def small_tasks(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """One task for each block of 64 samples, and what counts them."""
    monkeypatch.setenv("ATLAS_CLUSTER", '{"kind": "inline", "threads": 1}')
    monkeypatch.setattr(moments, "BLOCK_BYTES", 1)
    monkeypatch.setattr(tasks, "READ_PER_WRITTEN", 0)
    monkeypatch.setattr(tasks, "COSINE_BLOCKS", 1)
    return Counted(monkeypatch)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Small tasks, counted."""
    return small_tasks(monkeypatch)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of a grid whose stage was left alone."""
    outputs = tmp_path_factory.mktemp("alone")
    plant(outputs, attribution=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert len(small_tasks(monkeypatch).run(outputs)) == MADE
    return grid_bytes(outputs)


def grid_bytes(outputs: Path) -> dict[str, bytes]:
    """Every file of the grid, by name."""
    top = GRID.path(outputs, "layer", "all")
    return {file.relative_to(top).as_posix(): file.read_bytes() for file in top.rglob("*") if file.is_file()}


def arrays(outputs: Path) -> list[Path]:
    """Files of the tasks' arrays that are there."""
    return sorted((outputs / WORK).rglob("*.npy"))


@pytest.mark.parametrize("until", [0, 7, TASKS + 3, 2 * TASKS + 8, MADE - 1])
def test_an_interrupted_grid_goes_on(until: int, tmp_path: Path, counted: Counted, alone: dict[str, bytes]) -> None:
    """Interrupted anywhere, the second run makes only what is missing and ends with the same bytes."""
    plant(tmp_path / "other", attribution=True)
    first = counted.run(tmp_path / "other", until=until)
    second = counted.run(tmp_path / "other")
    expensive = [name for name in first if name.startswith(("sums", "cosines"))]
    assert not set(expensive) & set(second)
    assert MADE <= len(first) + len(second) <= MADE + 5  # merging, which takes no pass, may begin anew
    assert grid_bytes(tmp_path / "other") == alone
    assert not arrays(tmp_path / "other")


def test_a_finished_grid_is_not_made_again(tmp_path: Path, counted: Counted, alone: dict[str, bytes]) -> None:
    """Stopped after its grid was written, a run only prints its numbers; a damaged or lost grid is computed again."""
    outputs = tmp_path / "other"
    plant(outputs, attribution=True)
    counted.run(outputs)
    metrics = (outputs / "metrics" / "grid" / "layer" / "all.json").read_bytes()
    (outputs / "metrics" / "grid" / "layer" / "all.json").unlink()
    assert counted.run(outputs) == []
    assert (outputs / "metrics" / "grid" / "layer" / "all.json").read_bytes() == metrics
    stored = GRID.path(outputs, "layer", "all")
    shard = next(file for file in (stored / "10" / "activation" / "c").rglob("*") if file.is_file())
    shard.write_bytes(shard.read_bytes()[:-5])
    assert len(counted.run(outputs)) == MADE
    assert grid_bytes(outputs) == alone
    kept = WORK_FOLDER / ARTIFACT
    # metadata are written again; only lost shards have to be computed
    for gone, made in ((Path("10"), MADE), (Path("5") / "zarr.json", 0), (Path(), MADE)):
        for top in (stored, outputs / kept):
            shutil.rmtree(top / gone) if (top / gone).is_dir() else (top / gone).unlink()
        assert len(counted.run(outputs)) == made
        assert grid_bytes(outputs) == alone


def test_a_removed_grid_is_committed_again(tmp_path: Path, counted: Counted, alone: dict[str, bytes]) -> None:
    """DVC removes outputs before it runs a stage: a run that was killed before DVC stored them computes nothing."""
    outputs = tmp_path / "other"
    plant(outputs, attribution=True)
    counted.run(outputs)
    shutil.rmtree(GRID.path(outputs, "layer", "all"))
    assert counted.run(outputs) == []
    assert grid_bytes(outputs) == alone


def test_a_finished_grid_of_another_layout_is_made_again(tmp_path: Path, counted: Counted) -> None:
    """A layout with other places but the same settings has another grid, as other code or another machine makes it."""
    plant(tmp_path, attribution=True)
    counted.run(tmp_path)
    before = grid_bytes(tmp_path)
    stored = LAYOUT.path(tmp_path, "layer", "all")
    attributes = (stored / "zarr.json").read_bytes()
    sample, xy = (np.asarray(array(open_artifact(LAYOUT, stored), name)[...]) for name in ("sample", "xy"))
    with create(LAYOUT, stored, {}, {}) as group:
        write_array(group, LAYOUT, "sample", sample)
        write_array(group, LAYOUT, "xy", xy[:, ::-1])
    (stored / "zarr.json").write_bytes(attributes)
    assert len(counted.run(tmp_path)) == MADE
    assert grid_bytes(tmp_path) != before


@pytest.mark.long
def test_a_killed_grid_goes_on(tmp_path: Path, counted: Counted, alone: dict[str, bytes]) -> None:
    """After a kill in either pass all bytes are those of a grid left alone."""
    outputs = tmp_path / "other"
    plant(outputs, attribution=True)
    for until in (5, 2 * TASKS + 6):  # counted anew in each run
        done = subprocess.run([sys.executable, "-c", KILLED, str(outputs), str(until)], cwd=ROOT, check=False)
        assert done.returncode == -signal.SIGKILL
        assert list((outputs / WORK).rglob("*.partial"))
    assert {file.stem.split("-")[0] for file in arrays(outputs)} >= {"cosines", "means"}
    assert 0 < len(counted.run(outputs)) < TASKS
    assert grid_bytes(outputs) == alone


@pytest.mark.parametrize("until", [8, MADE - 2])
def test_damaged_parts_are_made_again(until: int, tmp_path: Path, counted: Counted, alone: dict[str, bytes]) -> None:
    """Parts that were cut short, emptied or changed do not count; the others do."""
    plant(tmp_path / "other", attribution=True)
    counted.run(tmp_path / "other", until=until)
    files = [file for file in arrays(tmp_path / "other") if file.stem.startswith(("sums", "cosines"))]
    short, empty, flipped = files[:3]
    short.write_bytes(short.read_bytes()[:-9])
    empty.write_bytes(b"")
    content = bytearray(flipped.read_bytes())
    content[200] ^= 1
    flipped.write_bytes(content)
    again = counted.run(tmp_path / "other")
    assert {short.stem, empty.stem, flipped.stem} <= set(again)
    assert not {file.stem for file in files[3:]} & set(again)
    assert grid_bytes(tmp_path / "other") == alone


def test_damaged_means_are_made_again(tmp_path: Path, counted: Counted, alone: dict[str, bytes]) -> None:
    """When the means are damaged, the first pass runs again, and the grid is right."""
    plant(tmp_path / "other", attribution=True)
    counted.run(tmp_path / "other", until=MADE - 2)
    (means,) = (tmp_path / "other" / WORK).rglob("means.npy")
    means.write_bytes(means.read_bytes()[:-100])
    again = counted.run(tmp_path / "other")
    assert len([name for name in again if name.startswith("sums-activation")]) == TASKS
    assert grid_bytes(tmp_path / "other") == alone


@pytest.mark.parametrize("changed", ["grid.levels=[6,12]", "grid.exemplars=2"])
def test_other_settings_start_anew(changed: str, tmp_path: Path, counted: Counted) -> None:
    """Parts made with other settings are thrown away: the grid is that of the new settings, all of it made now."""
    for name in ("alone", "other"):
        plant(tmp_path / name, attribution=True)
    counted.run(tmp_path / "other", until=MADE - 2)
    fresh = counted.run(tmp_path / "alone", changed)
    assert counted.run(tmp_path / "other", changed) == fresh
    assert grid_bytes(tmp_path / "other") == grid_bytes(tmp_path / "alone")


def test_another_layout_starts_anew(tmp_path: Path, counted: Counted) -> None:
    """Parts made from another layout are thrown away."""
    plant(tmp_path, attribution=True)
    counted.run(tmp_path, until=MADE - 2)
    with create(LAYOUT, LAYOUT.path(tmp_path, "layer", "all"), {"another": True}, {}) as group:
        write_array(group, LAYOUT, "sample", np.arange(1))
        write_array(group, LAYOUT, "xy", np.full((1, 2), 0.5))
    again = counted.run(tmp_path)
    assert len([name for name in again if name.startswith("sums")]) == 2 * TASKS
    assert len([name for name in again if name.startswith("cosines")]) == 1  # the only block with a sample


@pytest.mark.long
def test_two_workers_give_the_bytes_of_inline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: Counted, alone: dict[str, bytes]
) -> None:
    """Two Dask workers of one thread each end with the bytes of a run without them; results stay on the disk."""
    plant(tmp_path / "other", attribution=True)
    monkeypatch.setenv("ATLAS_CLUSTER", '{"kind": "local", "workers": 2, "threads": 1}')
    assert not any(name.startswith(("sums", "cosines")) for name in counted.run(tmp_path / "other"))
    assert grid_bytes(tmp_path / "other") == alone
