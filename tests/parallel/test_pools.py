"""Where work runs: inline, on local Dask workers, and through a scheduler's address."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf

from pipeline.config.cluster import Address, Inline, Local, from_environment, parse_cluster, to_environment
from pipeline.core.errors import ConfigError, DataError
from pipeline.parallel import pool as pool_module
from pipeline.parallel.dask import DaskPool, worker_environment
from pipeline.parallel.pool import Pool, open_pool
from pipeline.parallel.process import CACHED, cached_per_process, thread_count

WORKERS = 2
CONF = Path(__file__).parents[2] / "conf" / "cluster"


class Made(NamedTuple):
    """What the tests' setup makes: a matrix, and the folder in which it records the process that made it."""

    matrix: torch.Tensor
    folder: Path


def make(folder: Path, seed: int) -> Made:
    """A setup that leaves a file for each time it is called."""
    for number in count():
        try:
            (folder / f"made-{os.getpid()}-{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        break
    return Made(torch.randn(300, 300, generator=torch.Generator().manual_seed(seed)), folder)


def product(made: Made, task: int) -> NDArray[np.float32]:
    """A task whose bits would change with torch's threads or with another setup."""
    column: NDArray[np.float32] = (made.matrix @ torch.full((300, 1), 0.1 * (task + 1))).numpy()
    return column


def fail(_made: Made, task: int) -> int:
    """A task that fails in our own way, or in Python's."""
    if task == 3:
        raise DataError("here: expected one thing, found another; do this")
    if task == 4:
        raise KeyError("plain")
    return task


def die_once(made: Made, task: int) -> int:
    """A task that takes its worker with it the first time."""
    if task == 5:
        try:
            (made.folder / "died").touch(exist_ok=False)
        except FileExistsError:
            return task
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def die(_made: Made, _task: int) -> int:
    """A task that kills its worker."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def who(_made: Made, _task: int) -> tuple[int, int, str]:
    """The process, its number of threads, and the GPU it sees."""
    return os.getpid(), torch.get_num_threads(), os.environ.get("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture(scope="module")
def workers() -> Iterator[DaskPool]:
    """Two local workers, started once for all tests; each would see a GPU of its own."""
    settings = Local(workers=WORKERS, gpus=WORKERS, allowed_failures=1)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CUDA_VISIBLE_DEVICES", "4,7")
        with open_pool(settings) as pool:
            assert isinstance(pool, DaskPool)
            yield pool


def everything(pool: Pool, tmp_path: Path) -> dict[int, bytes]:
    """Results of twenty tasks, by number."""
    found = pool.map_unordered(product, range(20), partial(make, tmp_path, 0))
    return {index: result.tobytes() for index, result in found}


def test_local_workers_give_the_bytes_of_inline(workers: DaskPool, tmp_path: Path) -> None:
    """Every task has its result under its number, in the same bytes; another setup gives others."""
    with open_pool(Inline(threads=1)) as inline:
        expected = everything(inline, tmp_path)
        other = dict(inline.map_unordered(product, range(20), partial(make, tmp_path, 1)))
    assert len(list(tmp_path.glob("made-*"))) == 2
    assert everything(workers, tmp_path) == expected
    assert sorted(expected) == list(range(20))
    assert all(other[index].tobytes() != expected[index] for index in expected)


def test_setup_runs_once_in_each_process(workers: DaskPool, tmp_path: Path) -> None:
    """Forty tasks in two rounds load what they share once in each of two workers, which each see one GPU."""
    setup, seen = partial(make, tmp_path, 2), set()
    for _ in range(2):
        seen |= {result for _, result in workers.map_unordered(who, range(20), setup)}
    processes = {process for process, *_ in seen}
    assert len(processes) == WORKERS
    assert os.getpid() not in processes
    assert sorted(path.name for path in tmp_path.glob("made-*")) == sorted(f"made-{pid}-0" for pid in processes)
    assert {threads for _, threads, _ in seen} == {1}
    assert sorted(device for *_, device in seen) == ["4", "7"]


def test_tasks_are_taken_as_workers_get_free(workers: DaskPool, tmp_path: Path) -> None:
    """Of endless tasks only as many are taken as were done and are on their way, and one may stop at any time."""
    for pool, ahead in ((workers, 2 * WORKERS), (pool_module.InlinePool(1), 0)):
        tasks = count()
        results = pool.map_unordered(product, tasks, partial(make, tmp_path, 0))
        for _ in range(6):
            next(results)
        results.close()  # type: ignore[attr-defined]  # an iterator that is a generator
        assert next(tasks) <= 6 + ahead


def test_what_a_task_raises_is_raised_here(workers: DaskPool, tmp_path: Path) -> None:
    """Our own errors keep their kind and their line, others their kind, and the workers go on with other tasks."""
    setup = partial(make, tmp_path, 0)
    with open_pool(Inline(threads=1)) as inline:
        for pool in (inline, workers):
            with pytest.raises(DataError) as told:
                dict(pool.map_unordered(fail, [0, 3, 1], setup))
            assert str(told.value) == "here: expected one thing, found another; do this"
            with pytest.raises(KeyError, match="plain"):
                dict(pool.map_unordered(fail, [4], setup))
            assert dict(pool.map_unordered(fail, [1, 2], setup)) == {0: 1, 1: 2}


def test_a_scheduler_is_found_by_its_address(workers: DaskPool, tmp_path: Path) -> None:
    """Through a file that holds the address of a scheduler its workers give the same bytes, and outlive the pool."""
    expected = everything(workers, tmp_path)
    path = tmp_path / "scheduler.json"
    path.write_text(json.dumps({"address": workers._client.scheduler_info()["address"]}))
    for settings in (Address(scheduler_file=str(path)), Address(address=json.loads(path.read_text())["address"])):
        with open_pool(settings) as pool:
            assert everything(pool, tmp_path) == expected
    assert everything(workers, tmp_path) == expected


def test_a_killed_worker_loses_nothing(workers: DaskPool, tmp_path: Path) -> None:
    """Tasks of a worker that dies run on another; a task that always kills ends in one line."""
    setup = partial(make, tmp_path, 0)
    assert dict(workers.map_unordered(die_once, range(20), setup)) == {task: task for task in range(20)}
    assert (tmp_path / "died").exists()
    with pytest.raises(ConfigError, match="2 workers died while they ran it"):
        dict(workers.map_unordered(die, [0], setup))


@pytest.mark.parametrize("error", [RuntimeError("Nanny failed to start."), OSError("no port"), TimeoutError("late")])
def test_a_worker_that_dies_at_its_start_is_told_in_one_line(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever Dask raises while it starts the workers, the line says so; what the block raises stays as it is."""

    def fail(**_options: object) -> None:
        raise error

    monkeypatch.setattr("pipeline.parallel.dask.SpecCluster", fail)
    line = f"cluster.workers: expected 2 local workers to start, found: {error}"
    with pytest.raises(ConfigError, match=line), open_pool(Local(workers=2)):
        pass


def test_no_scheduler_is_told_in_one_line(tmp_path: Path) -> None:
    """An address without a server, or a file without an address: the error names it and what to do."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        unreachable = Address(address=address, timeout=0.3)
        with pytest.raises(ConfigError, match=address) as told, open_pool(unreachable):
            pass
    assert "\n" not in str(told.value)
    for name in ("missing.json", "empty.json"):
        (tmp_path / "empty.json").write_text("{}")
        with (
            pytest.raises(ConfigError, match="scheduler_file"),
            open_pool(Address(scheduler_file=str(tmp_path / name))),
        ):
            pass


def test_shipped_settings_pass_through_the_environment() -> None:
    """Every option of conf/cluster is what the environment carries; a kind alone and nothing at all are understood."""
    for path in sorted(CONF.glob("*.yaml")):
        values = OmegaConf.to_container(OmegaConf.load(path))
        assert isinstance(values, dict)
        if path.stem == "address":
            values["address"] = "tcp://10.0.0.1:8786"
        settings = parse_cluster(values)
        assert settings.model_dump() == values
        assert from_environment({"ATLAS_CLUSTER": to_environment(settings)}) == settings
        assert settings.kind == path.stem
    assert from_environment({}) == Inline()
    assert from_environment({"ATLAS_CLUSTER": "local"}) == Local()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("locale", "^cluster: "),
        ("{kind: local}", "expected a kind or JSON"),
        ("[]", "^cluster: "),
        ('{"kind": "local", "workers": 0}', "^cluster.workers: .*found 0"),
        ('{"kind": "local", "memory_limit": "much"}', "^cluster.memory_limit: "),
        ('{"kind": "inline", "workers": 2}', "^cluster.workers: "),
        ("address", "cluster.address=tcp"),
        ('{"kind": "address", "address": "tcp://a:1", "scheduler_file": "b"}', "one of the two"),
    ],
)
def test_wrong_settings_are_told_in_one_line(text: str, line: str) -> None:
    """A mistake in the environment names the setting."""
    with pytest.raises(ConfigError, match=line) as told:
        from_environment({"ATLAS_CLUSTER": text})
    assert "\n" not in str(told.value)


def test_workers_take_turns_on_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker i sees GPU i modulo their number; more GPUs than are visible are refused.

    Threads reach every library, and all of them share their memory.
    """
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    seen = [worker_environment(index, Local(gpus=2))["CUDA_VISIBLE_DEVICES"] for index in range(4)]
    assert seen == ["0", "1", "0", "1"]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "3")
    assert worker_environment(0, Local(threads=3)) == {**threads, "MALLOC_ARENA_MAX": "1"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    with pytest.raises(ConfigError, match="expected 2 GPUs"):
        worker_environment(0, Local(gpus=2))


def test_few_shared_objects_are_kept() -> None:
    """The same key gives the same object, until newer ones have taken its place."""
    first = cached_per_process("a", object)
    assert cached_per_process("a", object) is first
    for number in range(CACHED):
        cached_per_process(number, object)
    assert cached_per_process("a", object) is not first


@pytest.mark.parametrize(
    ("value", "threads"), [("3", 3), ("2,5", 2), (" 4 ", 4), ("0", None), ("many", None), ("", None)]
)
def test_threads_are_counted_without_torch(value: str, threads: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of OMP_NUM_THREADS, else one for each core; torch's own count where torch is loaded."""
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert thread_count() == torch.get_num_threads()
    monkeypatch.delitem(sys.modules, "torch")
    assert thread_count() == (threads or len(os.sched_getaffinity(0)))
    assert "torch" not in sys.modules


def test_inline_gives_back_the_threads(tmp_path: Path) -> None:
    """Torch has the threads that were asked for while tasks run, and its own afterwards."""
    before = torch.get_num_threads()
    with open_pool(Inline(threads=before + 1)) as inline:
        ((_, (_, threads, _)),) = inline.map_unordered(who, [0], partial(make, tmp_path, 0))
    assert threads == before + 1
    assert torch.get_num_threads() == before
