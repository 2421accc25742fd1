"""A pool of Dask workers: processes started on this machine, or the workers of a running scheduler."""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import dask
from distributed import Client, Future, KilledWorker, Nanny, Scheduler, SpecCluster, as_completed
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.protocol.pickle import dumps, loads

from pipeline.config.cluster import Address, Local
from pipeline.core.errors import ConfigError
from pipeline.core.malloc import ONE_ARENA
from pipeline.core.progress import log_line
from pipeline.core.secrets import redact
from pipeline.parallel.process import cached_per_process, use_threads

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")

TASKS_PER_THREAD = 2  # submitted tasks for each worker thread, so that no worker waits for its next task
HOST = "127.0.0.1"
QUIET = {"distributed.admin.large-graph-warning-threshold": "1GiB", "distributed.logging.distributed": "warning"}


class DaskPool:
    """The workers of one scheduler; see :class:`pipeline.parallel.pool.Pool`."""

    def __init__(self, client: Client, threads: int) -> None:
        """Use a connected client.

        Args:
            client: of the scheduler.
            threads: of torch in one task.
        """
        self._client, self._threads = client, threads

    def map_unordered(
        self, function: Callable[[State, Item], Result], tasks: Iterable[Item], setup: Callable[[], State]
    ) -> Iterator[tuple[int, Result]]:
        """See :meth:`pipeline.parallel.pool.Pool.map_unordered`."""
        # paths in the settings are relative to the folder of the run, wherever the workers were started
        pickled, folder = dumps(setup), str(Path.cwd())
        key, work = hashlib.sha256(pickled + os.fsencode(folder)).hexdigest(), dumps((function, pickled, folder))
        with _cluster_errors():
            # a future of its own: each worker fetches it once, and it is computed again if its worker is lost
            shared = self._client.submit(_identity, work, pure=False)
            yield from self._run_all(partial(_run, key, self._threads), shared, enumerate(tasks))

    def _run_all(
        self, run: Callable[[bytes, bytes], Any], shared: "Future[bytes]", tasks: Iterator[tuple[int, Any]]
    ) -> Iterator[tuple[int, Any]]:
        running: dict[Future[Any], int] = {}
        completed = as_completed(loop=self._client.loop)
        try:
            while True:
                for index, task in islice(tasks, max(0, self._capacity() - len(running))):
                    future = self._client.submit(run, shared, dumps(task), pure=False)
                    running[future] = index
                    completed.add(future)
                if not running:
                    return
                future = next(completed)
                yield running.pop(future), future.result()
        finally:
            if running:
                with suppress(CommClosedError):
                    self._client.cancel(list(running))

    def _capacity(self) -> int:
        """Tasks that may be submitted at once; workers may come and go."""
        threads: dict[str, int] = self._client.nthreads()
        return TASKS_PER_THREAD * max(1, sum(threads.values()))


@contextmanager
def local_workers(settings: Local) -> Iterator[DaskPool]:
    """Workers on this machine, reachable from no other, until the block ends.

    Tests of GPU assignment cover the environment of the workers alone.

    Raises:
        ConfigError: a worker died before it had started.
    """
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
            for index in range(settings.count())
        }
        options = {
            "host": HOST,
            "port": 0,
            "dashboard": False,
            "dashboard_address": f"{HOST}:0",  # the default health page takes a port that another run may use
            "allowed_failures": settings.allowed_failures,
        }
        scheduler = {"cls": Scheduler, "options": options}
        with ExitStack() as started:
            try:
                cluster = SpecCluster(workers=workers, scheduler=scheduler, silence_logs=logging.WARNING)
                client = started.enter_context(Client(started.enter_context(cluster), set_as_default=False))
            except (RuntimeError, OSError) as error:
                raise ConfigError(
                    f"cluster.workers: expected {settings.count()} local workers to start, found: {_one_line(error)}; "
                    "run again, with fewer workers where memory is short"
                ) from error
            yield DaskPool(client, settings.threads)


def worker_environment(index: int, settings: Local) -> dict[str, str]:
    """Environment variables of a local worker: its threads, its memory, and the one visible GPU that it uses.

    Raises:
        ConfigError: fewer GPUs are visible than ``cluster.gpus`` asks for.
    """
    threads = {f"{library}_NUM_THREADS": str(settings.threads) for library in ("OMP", "MKL", "OPENBLAS")}
    common = {**threads, **ONE_ARENA}  # Dask runs tasks in a thread that it starts
    if not settings.gpus:
        return common
    visible = [device for device in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if device]
    devices = visible or [str(device) for device in range(settings.gpus)]
    if len(devices) < settings.gpus:
        raise ConfigError(
            f"cluster.gpus: expected {settings.gpus} GPUs, found CUDA_VISIBLE_DEVICES={','.join(devices)}; "
            "ask for fewer"
        )
    return {**common, "CUDA_VISIBLE_DEVICES": devices[index % settings.gpus]}


@contextmanager
def remote_workers(settings: Address) -> Iterator[DaskPool]:
    """The workers of a running scheduler; they stay when the block ends.

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
                "with 'dask scheduler', or use cluster=local"
            ) from None
        # later errors are raised as ConfigError; the client would log them as well, with a traceback
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        with client:
            if not client.nthreads():
                log_line(f"cluster: waiting for workers at {address}")
            yield DaskPool(client, settings.threads)


@contextmanager
def _cluster_errors() -> Iterator[None]:
    """Raise errors of the cluster (not of tasks) as ConfigError."""
    try:
        yield
    except KilledWorker as error:
        raise ConfigError(
            f"cluster: expected a task to end, found that {error.allowed_failures + 1} workers died while they ran "
            "it, most likely for lack of memory; make batches smaller or start fewer workers"
        ) from None
    except (FutureCancelledError, CommClosedError):
        raise ConfigError(
            "cluster: expected a running scheduler, found that it stopped; start it again and run again"
        ) from None


def _identity(value: bytes) -> bytes:
    return value


def _run(key: str, threads: int, shared: bytes, task: bytes) -> Any:
    """Run one task, in a worker."""
    use_threads(threads)
    function, setup, folder = loads(shared)
    _change_folder(folder)
    try:
        return function(cached_per_process(key, partial(_call, setup)), loads(task))
    except Exception as error:
        # it returns through the scheduler, and a user's code may say anything
        error.args = tuple(redact(value) if isinstance(value, str) else value for value in error.args)
        raise


def _change_folder(folder: str) -> None:
    """Make the folder of the run the current one; a worker runs one task at a time."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(
            f"cluster: expected workers to find the folder of the run at {folder}, found: {error.strerror}; start them "
            "where it has the same path"
        ) from None


def _call(setup: bytes) -> Any:
    return loads(setup)()


def _read_address(path: Path) -> str:
    try:
        return str(json.loads(path.read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f"cluster.scheduler_file: expected {path} to hold a scheduler's address, found none; start it with "
            f"'dask scheduler --scheduler-file {path}'"
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
