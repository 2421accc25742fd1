"""Whether the engine that is asked for is there."""

from importlib.util import find_spec

from pipeline.config.reduce import ReduceSettings
from pipeline.core.errors import ConfigError


def check_engine(settings: ReduceSettings) -> None:
    """Raise ConfigError if TorchDR is asked for and not installed."""
    if settings.engine == "torchdr" and settings.method != "pca" and find_spec("torchdr") is None:
        raise ConfigError(
            "reduce.engine: expected the package torchdr for engine torchdr, found none; "
            "run 'uv sync --extra torchdr', or set reduce.engine=own"
        )
