"""Where work runs: in this process, on local Dask workers, or on a Dask cluster that is already there.

None of it changes a result: a task gives the same bytes wherever it runs, as long as torch has the same number of
threads in it. So it is kept out of ``params.yaml``, and reaches the stages that DVC starts through the environment.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from pipeline.core.errors import ConfigError
from pipeline.core.pool import InlinePool, Pool
from pipeline.core.settings import Settings

VARIABLE = "ATLAS_CLUSTER"

Count = Annotated[int, Field(ge=1)]


class Inline(Settings):
    """No scheduler.

    Attributes:
        kind: ``inline``.
        threads: of torch in one task; None leaves them as they are.
    """

    kind: Literal["inline"] = "inline"
    threads: Count | None = None


class Local(Settings):
    """Dask workers on this machine, each a process of its own.

    Attributes:
        kind: ``local``.
        workers: processes; None takes one for each GPU that is asked for, else as many as the processors allow.
        threads: of torch in one task.
        gpus: worker i sees GPU i modulo ``gpus`` alone, as ``cuda``. 0 hides none.
        memory_limit: of one worker, such as ``8GB``; one that takes more is started anew.
        allowed_failures: workers that may die of one task before the run gives up.
    """

    kind: Literal["local"] = "local"
    workers: Count | None = None
    threads: Count = 1
    gpus: Annotated[int, Field(ge=0)] = 0
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?[kMGT]i?B$")] | None = None
    allowed_failures: Annotated[int, Field(ge=0)] = 3

    def count(self) -> int:
        """How many workers there are."""
        from dask.system import CPU_COUNT  # noqa: PLC0415  # takes a while to load, which inline runs need not wait

        return self.workers or self.gpus or max(1, CPU_COUNT // self.threads)


class Address(Settings):
    """A scheduler that is already there.

    Attributes:
        kind: ``address``.
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``.
        scheduler_file: the file that it wrote its address to; either this or ``address``.
        threads: of torch in one task.
        timeout: for the scheduler's answer, seconds.
    """

    kind: Literal["address"] = "address"
    address: str | None = None
    scheduler_file: str | None = None
    threads: Count = 1
    timeout: Annotated[float, Field(gt=0)] = 10.0

    @model_validator(mode="after")
    def _one_way(self) -> "Address":
        if (self.address is None) == (self.scheduler_file is None):
            raise ValueError("expected cluster.address=tcp://HOST:PORT or cluster.scheduler_file=PATH, one of the two")
        return self


ClusterSettings = Annotated[Inline | Local | Address, Field(discriminator="kind")]
CLUSTER: TypeAdapter[Inline | Local | Address] = TypeAdapter(ClusterSettings)


def parse_cluster(values: Any) -> Inline | Local | Address:
    """Check the settings of a cluster, as ``conf/cluster`` or JSON have them.

    Raises:
        ConfigError: names the first offending setting.
    """
    try:
        return CLUSTER.validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # the first part of the place is the kind, which is none of the user's keys
        where = ".".join(["cluster", *(str(part) for part in first["loc"][1:])])
        message = first["msg"].removeprefix("Value error, ")
        found = "" if first["type"] == "value_error" else f", found {first['input']!r}"
        raise ConfigError(f"{where}: {message[:1].lower()}{message[1:]}{found}") from None


def to_environment(settings: Inline | Local | Address) -> str:
    """The settings as the stages find them in the environment variable ``ATLAS_CLUSTER``."""
    return settings.model_dump_json()


def from_environment(environment: Mapping[str, str] = os.environ) -> Inline | Local | Address:
    """The settings in ``ATLAS_CLUSTER``: a kind alone, or JSON; ``inline`` where it is not set.

    Raises:
        ConfigError: they are not right.
    """
    text = environment.get(VARIABLE, "").strip() or "inline"
    if not text.startswith("{"):
        return parse_cluster({"kind": text})
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ConfigError(f'{VARIABLE}: expected a kind or JSON such as {{"kind": "local"}}, found {error}') from None
    return parse_cluster(values)


@contextmanager
def open_pool(settings: Inline | Local | Address) -> Iterator[Pool]:
    """Workers as ``settings`` ask for them; those that were started here end with the block.

    Raises:
        ConfigError: the scheduler cannot be reached.
    """
    if isinstance(settings, Inline):
        with InlinePool(settings.threads) as inline:
            yield inline
        return
    from pipeline.core import dask_workers  # noqa: PLC0415  # takes a second to load, which inline runs need not wait

    opened = dask_workers.local(settings) if isinstance(settings, Local) else dask_workers.remote(settings)
    with opened as pool:
        yield pool
