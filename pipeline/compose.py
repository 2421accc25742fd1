"""From ``conf/`` and overrides to ``params.yaml``, the one file that stages and DVC read."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import MISSING, DictConfig, OmegaConf

import hydra_plugins.atlas  # noqa: F401  # registers the resolvers of conf/, also where Hydra has scanned its plugins before
from pipeline.core.errors import AtlasError, ConfigError
from pipeline.core.whole import whole

CONFIG, CLUSTER = "config", "cluster"
OF_CLUSTER = re.compile(r"[+~]*cluster([=.@]|$)")  # overrides of where work runs
PARAMS = "params.yaml"
# a resolver of ours has refused what it was given, in a line of its own
RAISED_BY_RESOLVER = re.compile(r"(?:Config|Image|Model)Error raised while resolving interpolation: (.*)")


def compose_config(root: Path, overrides: Sequence[str]) -> DictConfig:
    """The configuration of ``conf/`` with ``overrides``, every interpolation resolved.

    Args:
        root: the project, which holds ``conf/``.
        overrides: in Hydra's grammar: ``render.steps=64``, ``images=digits``, ``+experiment=NAME``.

    Raises:
        ConfigError: an override is malformed, a group, option or key is unknown, or a value is missing.
    """
    return _composed(root, CONFIG, overrides)


def compose_cluster(root: Path, overrides: Sequence[str]) -> tuple[DictConfig | None, list[str]]:
    """Where work shall run, and the overrides that concern something else; None where nothing is said about it.

    Raises:
        ConfigError: as in :func:`compose_config`.
    """
    own = [override for override in overrides if OF_CLUSTER.match(override)]
    others = [override for override in overrides if not OF_CLUSTER.match(override)]
    return (_composed(root, CLUSTER, own)[CLUSTER] if own else None), others


def _composed(root: Path, name: str, overrides: Sequence[str]) -> DictConfig:
    try:
        with initialize_config_dir(str(root / "conf"), version_base=None):
            config = compose(name, list(overrides))
        _refuse_unsaid(config)
        OmegaConf.resolve(config)
    except AtlasError:
        raise
    except Exception as error:
        # Hydra and OmegaConf have errors of their own, but an odd override makes them raise plain ones as well
        found = RAISED_BY_RESOLVER.match(str(error))
        raise ConfigError(found[1] if found else f"conf: {_reason(error)}") from error
    return config


def write_params(root: Path, config: DictConfig) -> Path:
    """Write ``params.yaml``, in the very form that ``dvc exp run`` writes it."""
    path = root / PARAMS
    with whole(path) as partial:
        partial.write_text(OmegaConf.to_yaml(config), encoding="utf-8")
    return path


def _refuse_unsaid(config: DictConfig) -> None:
    for key in _unsaid(OmegaConf.to_container(config)):
        raise ConfigError(f"{key}: expected a value, found none; give it as {key}=VALUE")


def _unsaid(values: Any, where: str = "") -> Iterator[str]:
    """Keys that ``conf/`` leaves to the user."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _unsaid(value, f"{where}.{key}".removeprefix("."))
    elif values == MISSING:
        yield where


def _reason(error: Exception) -> str:
    """Hydra's message in one line, without its pointers to its own documentation."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [
        line
        for line in lines
        if line and not line.startswith(("See https", "Config search path", "full_key", "object_type"))
    ]
    return " ".join(kept) or type(error).__name__
