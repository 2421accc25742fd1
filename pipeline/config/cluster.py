"""Settings of the group ``cluster``: where tasks run (in this process, on local Dask workers, on a running cluster).

They do not change a result: a task gives the same bytes wherever it runs, as long as torch has the same number of
threads in it. They are therefore no part of ``params.yaml``; the stages that DVC starts read them from the environment.
"""

import json
import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from pipeline.config.base import Settings
from pipeline.core.errors import ConfigError

VARIABLE = "ATLAS_CLUSTER"

Count = Annotated[int, Field(ge=1)]


class Inline(Settings):
    """Tasks run in the stage's own process.

    Attributes:
        kind: ``inline``.
        threads: of torch in one task; None leaves the number unchanged.
    """

    kind: Literal["inline"] = "inline"
    threads: Count | None = None


class Local(Settings):
    """Dask workers that are started on this machine, one process each.

    Attributes:
        kind: ``local``.
        workers: number of processes; None starts one for each of ``gpus``, else as many as the processors allow.
        threads: of torch in one task.
        gpus: worker i sees only GPU i modulo ``gpus``, as ``cuda``; 0 hides none.
        memory_limit: of one worker, such as ``8GB``; a worker that exceeds it is restarted.
        allowed_failures: workers that may die while they run one task before the run fails.
    """

    kind: Literal["local"] = "local"
    workers: Count | None = None
    threads: Count = 1
    gpus: Annotated[int, Field(ge=0)] = 0
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?[kMGT]i?B$")] | None = None
    allowed_failures: Annotated[int, Field(ge=0)] = 3

    def count(self) -> int:
        """Number of workers."""
        from dask.system import CPU_COUNT  # noqa: PLC0415  # slow to import, which inline runs need not wait for

        return self.workers or self.gpus or max(1, CPU_COUNT // self.threads)


class Address(Settings):
    """A running Dask scheduler.

    Attributes:
        kind: ``address``.
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``.
        scheduler_file: file that holds its address; either this or ``address``.
        threads: of torch in one task.
        timeout: of the connection, seconds.
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
    """Validate the settings of a cluster, as read from ``conf/cluster`` or JSON.

    Raises:
        ConfigError: names the first offending setting.
    """
    try:
        return CLUSTER.validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # the first part of the location is the kind, which is no key of the user's
        where = ".".join(["cluster", *(str(part) for part in first["loc"][1:])])
        message = first["msg"].removeprefix("Value error, ")
        found = "" if first["type"] == "value_error" else f", found {first['input']!r}"
        raise ConfigError(f"{where}: {message[:1].lower()}{message[1:]}{found}") from None


def to_environment(settings: Inline | Local | Address) -> str:
    """The settings as the value of the environment variable ``ATLAS_CLUSTER``."""
    return settings.model_dump_json()


def from_environment(environment: Mapping[str, str] = os.environ) -> Inline | Local | Address:
    """The settings in ``ATLAS_CLUSTER``: a kind alone, or JSON; ``inline`` where it is not set.

    Raises:
        ConfigError: they are invalid.
    """
    text = environment.get(VARIABLE, "").strip() or "inline"
    if not text.startswith("{"):
        return parse_cluster({"kind": text})
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ConfigError(f'{VARIABLE}: expected a kind or JSON such as {{"kind": "local"}}, found {error}') from None
    return parse_cluster(values)
