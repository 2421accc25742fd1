"""The base of every section of the configuration."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen section of ``params.yaml``: unknown keys, wrong types and values out of range are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _known_device(device: str) -> str:
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdecimal()):
        raise ValueError("expected cpu, cuda, cuda:N or mps")
    return device


Device = Annotated[str, AfterValidator(_known_device)]
