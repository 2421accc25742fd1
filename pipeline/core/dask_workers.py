"""Dask workers: processes started on this machine, or those of a scheduler that is already there."""

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dask
from distributed import Client, Nanny, Scheduler, SpecCluster

from pipeline.core.cluster import Address, Local
from pipeline.core.dask_pool import DaskPool
from pipeline.core.errors import ConfigError
from pipeline.core.malloc import ONE_ARENA
from pipeline.core.pool import Pool
from pipeline.core.progress import say

HOST = "127.0.0.1"
QUIET = {"distributed.admin.large-graph-warning-threshold": "1GiB", "distributed.logging.distributed": "warning"}


@contextmanager
def local(settings: Local) -> Iterator[Pool]:
    """Workers on this machine, reachable from nowhere else, until the block ends.

    Giving GPUs to workers is tested as far as their environment goes.
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
            "dashboard_address": f"{HOST}:0",  # else its page of health takes a port that another run may have
            "allowed_failures": settings.allowed_failures,
        }
        scheduler = {"cls": Scheduler, "options": options}
        with (
            SpecCluster(workers=workers, scheduler=scheduler, silence_logs=logging.WARNING) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield DaskPool(client, settings.threads)


def worker_environment(index: int, settings: Local) -> dict[str, str]:
    """Variables of a local worker: its threads and memory, and the one GPU of those visible here that it shall see."""
    threads = {f"{library}_NUM_THREADS": str(settings.threads) for library in ("OMP", "MKL", "OPENBLAS")}
    common = {**threads, **ONE_ARENA}  # tasks run in a thread that Dask starts
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
        # what goes wrong later is raised, in a line of ours; the client would log it as well, with a traceback
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
