"""Composes ``conf/`` and overrides to ``params.yaml``, the file that stages and DVC read."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import MISSING, DictConfig, OmegaConf

# registers the resolvers of conf/, also where Hydra has scanned its plugins before
from hydra_plugins.atlas import merging
from pipeline.config.environment import resolve_config
from pipeline.config.renamed import renamed_setting
from pipeline.core.errors import AtlasError, ConfigError
from pipeline.core.files import atomic
from pipeline.core.progress import log_line

CONFIG, CLUSTER = "config", "cluster"
CLUSTER_OVERRIDE = re.compile(r"[+~]*cluster([=.@]|$)")  # names the group cluster
PARAMS = "params.yaml"
# an error of our own resolvers, whose message is a line for the user
RESOLVER_ERROR = re.compile(r"(?:Config|Image|Model)Error raised while resolving interpolation: (.*)")


def compose_config(root: Path, overrides: Sequence[str]) -> DictConfig:
    """The configuration of ``conf/`` with ``overrides``, interpolations and ``render.dtype=auto`` resolved.

    References to environment variables stay in the arguments of image sets and networks, see
    :mod:`pipeline.config.environment`.

    Args:
        root: the project, which holds ``conf/``.
        overrides: in Hydra's grammar: ``render.steps=64``, ``images=digits``, ``+experiment=NAME``.

    Raises:
        ConfigError: an override is malformed or uses an old name of a setting, a group, option or key is unknown, or a
            value is missing.
    """
    config = _compose(root, CONFIG, overrides)
    if OmegaConf.select(config, "render.dtype") == "auto":
        from pipeline.number_type import native_number_type  # noqa: PLC0415  # loads torch, which `atlas init` need not

        config.render.dtype = native_number_type(str(OmegaConf.select(config, "render.device")))
        log_line(f"render.dtype=auto: {config.render.dtype} on this machine's {config.render.device}")
    return config


def compose_cluster(root: Path, overrides: Sequence[str]) -> tuple[DictConfig | None, list[str]]:
    """The configuration of ``cluster``, None without an override of it; and the other overrides.

    Raises:
        ConfigError: as in :func:`compose_config`.
    """
    of_cluster = [override for override in overrides if CLUSTER_OVERRIDE.match(override)]
    others = [override for override in overrides if not CLUSTER_OVERRIDE.match(override)]
    return (_compose(root, CLUSTER, of_cluster)[CLUSTER] if of_cluster else None), others


def _compose(root: Path, name: str, overrides: Sequence[str]) -> DictConfig:
    for override in overrides:
        renamed = renamed_setting(override.lstrip("+~").partition("=")[0])
        if renamed:
            raise ConfigError(renamed)
    _check_quotes(overrides)
    try:
        with initialize_config_dir(str(root / "conf"), version_base=None), merging():
            config = compose(name, list(overrides))
        _check_missing(config)
        resolve_config(config)
    except AtlasError:
        raise
    except Exception as error:
        # Hydra and OmegaConf have their own errors, but malformed overrides make them raise built-in ones too
        found = RESOLVER_ERROR.match(str(error))
        raise ConfigError(found[1] if found else f"conf: {_reason(error)}") from error
    return config


def _check_quotes(overrides: Sequence[str]) -> None:
    """Answer an override that Hydra's grammar does not take as it stands with the quoted one that it takes."""
    parser = OverridesParser.create()
    for override in overrides:
        key, equals, value = override.partition("=")
        parsed = _parsed(parser, override)
        if not (equals and key) or "${" in value or not (parsed is None or parsed.is_sweep_override()):
            continue
        if value.startswith(("[", "{")) and value.endswith(("]", "}")):
            raise ConfigError(
                f"{key}: expected a list or mapping in Hydra's grammar, found {value}; quote its texts, as in "
                """'["a text", "another (one)"]'"""
            )
        escaped = value.replace('"', '\\"')
        quoted = f'{key}="{escaped}"'
        if _parsed(parser, quoted) is not None:
            raise ConfigError(
                f"{key}: expected a value in Hydra's grammar, found {value}; give it in quotes: {shlex.quote(quoted)}"
            )


def _parsed(parser: OverridesParser, override: str) -> Override | None:
    """The override as Hydra reads it; None where its grammar does not take it."""
    try:
        return parser.parse_override(override)
    except HydraException:
        return None


def write_params(root: Path, config: DictConfig) -> Path:
    """Write ``params.yaml`` with the same bytes as ``dvc exp run`` writes."""
    path = root / PARAMS
    with atomic(path) as partial:
        partial.write_text(OmegaConf.to_yaml(config), encoding="utf-8")
    return path


def _check_missing(config: DictConfig) -> None:
    for key in _missing_keys(OmegaConf.to_container(config)):
        raise ConfigError(f"{key}: expected a value, found none; give it as {key}=VALUE")


def _missing_keys(values: Any, where: str = "") -> Iterator[str]:
    """Keys without a value (``???`` in ``conf/``)."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _missing_keys(value, f"{where}.{key}".removeprefix("."))
    elif values == MISSING:
        yield where


def _reason(error: Exception) -> str:
    """Hydra's message in one line, without its links and search path."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [
        line
        for line in lines
        if line and not line.startswith(("See https", "Config search path", "full_key", "object_type"))
    ]
    return " ".join(kept) or type(error).__name__
