"""A pool of Dask workers, wherever they are."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, Future, KilledWorker, as_completed
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.protocol.pickle import dumps, loads

from pipeline.core.errors import ConfigError
from pipeline.core.pool import once, use_threads

Made = TypeVar("Made")
Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # tasks that are on their way for each worker, so that none waits for the next


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
        # paths of the configuration count from the folder of the run, wherever the workers were started
        made, folder = dumps(setup), str(Path.cwd())
        key, work = hashlib.sha256(made + os.fsencode(folder)).hexdigest(), dumps((function, made, folder))
        with _explained():
            # a result of its own: workers fetch it once each, and one that is lost with its worker is made again
            shared = self._client.submit(_as_it_is, work, pure=False)
            yield from self._run_all(partial(_run, key, self._threads), shared, enumerate(tasks))

    def _run_all(
        self, run: Callable[[bytes, bytes], Any], shared: "Future[bytes]", tasks: Iterator[tuple[int, Any]]
    ) -> Iterator[tuple[int, Any]]:
        running: dict[Future[Any], int] = {}
        finished = as_completed(loop=self._client.loop)
        try:
            while True:
                for index, task in islice(tasks, max(0, self._room() - len(running))):
                    future = self._client.submit(run, shared, dumps(task), pure=False)
                    running[future] = index
                    finished.add(future)
                if not running:
                    return
                future = next(finished)
                yield running.pop(future), future.result()
        finally:
            if running:
                with suppress(CommClosedError):
                    self._client.cancel(list(running))

    def _room(self) -> int:
        """Tasks that may be on their way; workers may come and go."""
        threads: dict[str, int] = self._client.nthreads()
        return AHEAD * max(1, sum(threads.values()))


@contextmanager
def _explained() -> Iterator[None]:
    """Errors of the cluster, not of tasks, in one line of ours."""
    try:
        yield
    except KilledWorker as error:
        raise ConfigError(
            f"cluster: expected a task to end, found that {error.allowed_failures + 1} workers died of it, most "
            "likely for lack of memory; make batches smaller or start fewer workers"
        ) from None
    except (FutureCancelledError, CommClosedError):
        raise ConfigError(
            "cluster: expected the scheduler to stay, found it gone; start it again and run again"
        ) from None


def _as_it_is(value: bytes) -> bytes:
    return value


def _run(key: str, threads: int, shared: bytes, task: bytes) -> Any:
    """One task, in a worker."""
    use_threads(threads)
    function, setup, folder = loads(shared)
    _enter(folder)
    return function(once(key, partial(_made, setup)), loads(task))


def _enter(folder: str) -> None:
    """Make the folder of the run the current one; a worker runs one task at a time."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(
            f"cluster: expected workers to find the folder of the run at {folder}, found: {error.strerror}; start them "
            "where it lies at the same path"
        ) from None


def _made(setup: bytes) -> Any:
    return loads(setup)()
