"""References to environment variables in the arguments of image sets and networks.

A user writes ``${oc.env:NAME}``. What is composed for ``params.yaml`` keeps the reference, and each stage resolves it,
so that the value is in no file; a worker of a cluster resolves it too, so that no scheduler sees the value. A reference
has the first digits of the value's digest, ``${env:NAME,1a2b}``, since DVC compares texts: enough to notice that the
value is another one, too few to guess it by. The reference to a secret has none, ``${oc.env:NAME}``: a new token
changes no result.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.resolvers import oc

from pipeline.config.base import Settings
from pipeline.core.errors import ConfigError
from pipeline.core.secrets import deciding_name, has_secret_form, is_secret, remember

REFERENCE = re.compile(r"\$\{(?:oc\.env:(\w+)|env:(\w+),([0-9a-f]{4}))\}")
DIGITS = 4  # hexadecimal, of a digest
# where settings are arguments of a user's code, and the keys of these that are not
PLACES = (
    ("images",),
    ("place", "images"),
    *((m, k) for m in ("model", "judge") for k in ("architecture", "weights", "classes")),
)
KEPT_OUT = ("_target_", "fingerprint")
AnySettings = TypeVar("AnySettings", bound=Settings)
MARKED = re.compile("\ue000(\\w+)\ue001")  # a variable's name, between letters that no text has


def resolve_config(config: DictConfig) -> None:
    """Resolve every interpolation in place, but keep references to environment variables in :data:`PLACES`.

    A setting that is computed from a variable in another way (``oc.decode``) is resolved.
    """
    unresolved = deepcopy(config)
    OmegaConf.resolve(config)
    with _marking_variables():
        found = [value for place in PLACES for value in _marked_values(config, unresolved, place)]
    secret = {name for value in found for name in value.secret_variables()}
    for value in found:
        text = MARKED.sub(lambda mark: _reference(mark[1], mark[1] in secret), value.marked)
        if resolve_references(text, value.key) == value.text:
            value.container[value.key] = text


def resolve_references(values: Any, where: str) -> Any:
    """The value with references replaced by the values of the variables, which are masked in all text from now on.

    Args:
        values: a setting, nested in any way.
        where: its dotted name, for error lines.

    Raises:
        ConfigError: a variable is not set, or has another value than when the reference was composed.
    """
    if isinstance(values, Mapping):
        return {key: resolve_references(value, f"{where}.{key}") for key, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(resolve_references(value, where) for value in values)
    if isinstance(values, str):
        return REFERENCE.sub(lambda found: _value(found, where), values)
    return values


def resolve_settings(settings: AnySettings, where: str) -> AnySettings:
    """Settings as written with references replaced, as :func:`resolve_references`; resolved ones as they are.

    Args:
        settings: of an image set or a network.
        where: their section, for error lines.
    """
    written = settings.model_dump(mode="json", by_alias=True)
    resolved = resolve_references(written, where)
    return settings if resolved == written else type(settings).model_validate_json(json.dumps(resolved))


def resolve_places(values: Any) -> Any:
    """A composed configuration with the references in :data:`PLACES` resolved, as :func:`resolve_references`."""
    for place in PLACES:
        values = _replaced(values, place, partial(resolve_references, where=".".join(place)))
    return values


def without_references(values: Any) -> Any:
    """A value, nested in any way, in which the references are empty."""
    if isinstance(values, Mapping):
        return {key: without_references(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [without_references(value) for value in values]
    return REFERENCE.sub("", values) if isinstance(values, str) else values


def _replaced(values: Any, place: tuple[str, ...], change: Callable[[Any], Any]) -> Any:
    if not place:
        return change(values)
    if not isinstance(values, Mapping) or place[0] not in values:
        return values
    return {**values, place[0]: _replaced(values[place[0]], place[1:], change)}


def _value(found: re.Match[str], where: str) -> str:
    name, digest = found[1] or found[2], found[3]
    value = os.environ.get(name)
    if value is None:
        raise ConfigError(
            f"{where}: expected the environment variable {name}, found none; set it where this runs (export {name}=...)"
        )
    if digest is not None and digest != _digest(value):
        raise ConfigError(
            f"{where}: expected the environment variable {name} as params.yaml was composed with, found another value; "
            "run 'atlas run' again, and give the workers of a cluster the same one"
        )
    remember(value, f"${{oc.env:{name}}}")
    return value


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:DIGITS]


@contextmanager
def _marking_variables() -> Iterator[None]:
    """Within the block ``${oc.env:NAME}`` gives a mark with the name in place of the value."""

    def mark(name: str, default: Any = None) -> Any:
        return f"\ue000{name}\ue001" if name in os.environ else default

    OmegaConf.register_new_resolver("oc.env", mark, replace=True)
    try:
        yield
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


@dataclass(frozen=True)
class _Marked:
    """A text that variables are part of: where it is, the name that decides about it, its value, also with marks."""

    container: DictConfig | ListConfig
    key: Any
    name: str
    text: str
    marked: str

    def secret_variables(self) -> set[str]:
        """Names of the variables in it that hold secrets, as far as this setting shows it."""
        names = set(MARKED.findall(self.marked))
        if is_secret(self.name, self.text) or has_secret_form(self.text):
            return names
        return {name for name in names if is_secret(name, os.environ[name])}


def _marked_values(resolved: Any, unresolved: Any, keys: tuple[Any, ...], name: str = "") -> Iterator[_Marked]:
    """The texts at one place of a configuration, and below, that variables are part of."""
    key, *below = keys
    value = resolved.get(key) if isinstance(resolved, DictConfig) else resolved[key]
    if value is None or key in KEPT_OUT:
        return
    if isinstance(resolved, DictConfig):
        name = deciding_name(name, key)
    try:
        marked = unresolved[key]
    except OmegaConfBaseException:  # a resolver that needs the value itself
        return
    if isinstance(value, DictConfig | ListConfig):
        inner = (
            [below] if below else [[name] for name in (value if isinstance(value, DictConfig) else range(len(value)))]
        )
        for place in inner:
            yield from _marked_values(value, marked, tuple(place), name)
    elif isinstance(value, str) and isinstance(marked, str) and MARKED.search(marked):
        yield _Marked(resolved, key, name, value, marked)


def _reference(name: str, secret: bool) -> str:
    return f"${{oc.env:{name}}}" if secret else f"${{env:{name},{_digest(os.environ[name])}}}"
