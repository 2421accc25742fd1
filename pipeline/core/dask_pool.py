"""Pools of Dask workers: processes on this machine, or those of a scheduler that is already there."""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import dask
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker, Nanny, Scheduler, SpecCluster, as_completed
from distributed.client import FutureCancelledError
from distributed.protocol.pickle import dumps, loads

from pipeline.core.cluster import Address, Local
from pipeline.core.errors import ConfigError
from pipeline.core.pool import Pool, once, use_threads
from pipeline.core.progress import say

Made = TypeVar("Made")
Item = TypeVar("Item")
Result = TypeVar("Result")

HOST = "127.0.0.1"
AHEAD = 2  # tasks that are on their way for each worker, so that none waits for the next
QUIET = {"distributed.admin.large-graph-warning-threshold": "1GiB", "distributed.logging.distributed": "warning"}


class DaskPool:
    """The workers of one scheduler."""

    def __init__(self, client: Client, threads: int) -> None:
        """Use a connected client.

        Args:
            client: of the scheduler.
            threads: of torch in one task.
        """
        self._client, self._threads = client, threads

    def map_unordered(
        self, function: Callable[[Made, Item], Result], tasks: Iterable[Item], setup: Callable[[], Made]
    ) -> Iterator[tuple[int, Result]]:
        """See :meth:`pipeline.core.pool.Pool.map_unordered`."""
        made = dumps(setup)
        # a result of its own: workers fetch it once each, and one that is lost with its worker is made again
        shared = self._client.submit(_as_it_is, dumps((function, made)), pure=False)
        run = partial(_run, hashlib.sha256(made).hexdigest(), self._threads)
        numbered = enumerate(tasks)
        running: dict[Future[Any], int] = {}
        finished = as_completed(loop=self._client.loop)
        try:
            while True:
                for index, task in islice(numbered, max(0, self._room() - len(running))):
                    future = self._client.submit(run, shared, dumps(task), pure=False)
                    running[future] = index
                    finished.add(future)
                if not running:
                    return
                future = next(finished)
                yield running.pop(future), self._result(future)
        finally:
            if running:
                self._client.cancel(list(running))

    def _room(self) -> int:
        """Tasks that may be on their way; workers may come and go."""
        threads: dict[str, int] = self._client.nthreads()
        return AHEAD * max(1, sum(threads.values()))

    def _result(self, future: "Future[Any]") -> Any:
        try:
            return future.result()
        except KilledWorker as error:
            raise ConfigError(
                f"cluster: expected a task to end, found that {error.allowed_failures + 1} workers died of it, most "
                "likely for lack of memory; make batches smaller or start fewer workers"
            ) from None
        except FutureCancelledError:
            raise ConfigError(
                "cluster: expected the scheduler to stay, found it gone; start it again and run again"
            ) from None


@contextmanager
def local(settings: Local) -> Iterator[Pool]:
    """Workers on this machine, reachable from nowhere else, until the block ends.

    Giving GPUs to workers is tested as far as their environment goes.
    """
    count = settings.workers or settings.gpus or max(1, CPU_COUNT // settings.threads)
    with tempfile.TemporaryDirectory(prefix="atlas-workers-") as folder, dask.config.set(QUIET):
        common = {
            "host": HOST,
            "nthreads": 1,
            "memory_limit": settings.memory_limit or 0,
            "local_directory": folder,
            "dashboard": False,
            "silence_logs": logging.WARNING,
        }
        workers = {
            index: {"cls": Nanny, "options": {**common, "env": worker_environment(index, settings)}}
            for index in range(count)
        }
        options = {"host": HOST, "port": 0, "dashboard": False, "allowed_failures": settings.allowed_failures}
        scheduler = {"cls": Scheduler, "options": options}
        with (
            SpecCluster(workers=workers, scheduler=scheduler, silence_logs=logging.WARNING) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield DaskPool(client, settings.threads)


def worker_environment(index: int, settings: Local) -> dict[str, str]:
    """Variables of a local worker: its threads, and the one GPU of those visible here that it shall see."""
    threads = {f"{library}_NUM_THREADS": str(settings.threads) for library in ("OMP", "MKL", "OPENBLAS")}
    if not settings.gpus:
        return threads
    visible = [device for device in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if device]
    devices = visible or [str(device) for device in range(settings.gpus)]
    if len(devices) < settings.gpus:
        raise ConfigError(
            f"cluster.gpus: expected {settings.gpus} GPUs, found CUDA_VISIBLE_DEVICES={','.join(devices)}; "
            "ask for fewer"
        )
    return {**threads, "CUDA_VISIBLE_DEVICES": devices[index % settings.gpus]}


@contextmanager
def remote(settings: Address) -> Iterator[Pool]:
    """The workers of a scheduler that is already there; they stay when the block ends.

    Raises:
        ConfigError: the scheduler cannot be reached.
    """
    address = settings.address or _read_address(Path(settings.scheduler_file or ""))
    with dask.config.set(QUIET):
        try:
            client: Client = Client(address, timeout=settings.timeout, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"cluster.address: expected a Dask scheduler at {address}, found none ({_one_line(error)}); start one "
                "with 'dask scheduler', or take cluster=local"
            ) from None
        with client:
            if not client.nthreads():
                say(f"cluster: waiting for workers at {address}")
            yield DaskPool(client, settings.threads)


def _read_address(path: Path) -> str:
    try:
        return str(json.loads(path.read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f"cluster.scheduler_file: expected {path} to hold a scheduler's address, found none; start it with "
            f"'dask scheduler --scheduler-file {path}'"
        ) from None


def _as_it_is(value: bytes) -> bytes:
    return value


def _run(key: str, threads: int, shared: bytes, task: bytes) -> Any:
    """One task, in a worker."""
    use_threads(threads)
    function, setup = loads(shared)
    return function(once(key, partial(_made, setup)), loads(task))


def _made(setup: bytes) -> Any:
    return loads(setup)()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
