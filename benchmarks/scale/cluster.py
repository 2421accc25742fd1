"""A Dask cluster of separate processes, as one starts it by hand: ``dask scheduler`` and ``dask worker``."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from pipeline.config.cluster import Address, to_environment
from pipeline.core.malloc import ONE_ARENA

HOST = "127.0.0.1"
START_TIMEOUT = 60.0  # seconds for a process to start
COMMON = ("--host", HOST, "--no-dashboard")


class Cluster:
    """One scheduler and its one-thread workers.

    Attributes:
        folder: of their files and logs.
        scheduler: its process.
        workers: their processes.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        """Start the processes, and wait until all workers are connected to the scheduler."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = folder / "scheduler.json"
        self._file.unlink(missing_ok=True)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", "0", *COMMON)
        self._wait_for_file()
        for _ in range(workers):
            self.add_worker()
        self._wait_for_workers()

    @property
    def environment(self) -> str:
        """Value of ``ATLAS_CLUSTER`` that makes stages use the workers."""
        return to_environment(Address(scheduler_file=str(self._file), threads=1))

    def add_worker(self) -> None:
        """Start one more worker: one process with one thread, which is not restarted."""
        arguments = ["--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--death-timeout", "20"]
        where = ["--local-directory", str(self.folder)]
        self.workers.append(self._start("worker", *arguments, *where, *COMMON))

    def stop(self) -> None:
        """End all processes."""
        for process in (*self.workers, self.scheduler):
            process.terminate()
        for process in (*self.workers, self.scheduler):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, what: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self._file), *arguments]
        environment = {**os.environ, **ONE_ARENA, "OMP_NUM_THREADS": "1"}
        number = len(self.workers)
        with (self.folder / f"{what}-{number}.txt").open("wb") as printed:
            return subprocess.Popen(command, env=environment, stdout=printed, stderr=printed)  # noqa: S603  # our own

    def _wait_for_file(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.scheduler.poll() is None:
            try:
                json.loads(self._file.read_text())
            except (OSError, ValueError):
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"the scheduler did not come up; see {self.folder}")

    def _wait_for_workers(self) -> None:
        from distributed import Client  # noqa: PLC0415  # takes a second to load

        with Client(scheduler_file=str(self._file), set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=START_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """``kill -9``."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@contextmanager
def use_cluster(cluster: Cluster | None) -> Iterator[None]:
    """While the block lasts, stages of this process run on ``cluster``, or inline with one thread where it is None."""
    before = os.environ.get("ATLAS_CLUSTER")
    os.environ["ATLAS_CLUSTER"] = cluster.environment if cluster else '{"kind": "inline", "threads": 1}'
    try:
        yield
    finally:
        os.environ.pop("ATLAS_CLUSTER")
        if before is not None:
            os.environ["ATLAS_CLUSTER"] = before
