"""Which settings the page shows: a site is published, so only what is known to be harmless gets into it.

Settings of the stages are numbers, choices and names of layers. Arguments of image sets and networks are anything: of
these the page shows numbers, and texts by the names in :data:`SHOWN` if they look like names. Paths, URLs and all other
texts are hidden; the digests beside them tell whether two runs had the same.
"""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.core.secrets import HIDDEN, deciding_name, has_secret_form, is_secret

SHARED = ("seed", "layers", "classes", "comparisons", "atlases", "compared", "placed")
STAGES = ("prepare", "sample", "selection", "reduce", "grid", "render", "tile", "predict", "patch", "site")
NETWORKS = ("model", "judge")
OF_NETWORK = ("name", "preprocessing", "prefix_tokens", "training")  # beside its architecture, weights and classes
SHOWN = ("_target_", "fingerprint", "dataset", "split", "model_name")  # arguments whose texts are shown
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,119}")


def published_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as the page shows them, by section; what is not known is hidden."""
    return {name: _section(name, value) for name, value in settings.items()}


def published_arguments(value: Any, name: str = "") -> Any:
    """Arguments of an image set or a network as the page shows them.

    Args:
        value: nested in any way.
        name: that decides about it, see :func:`pipeline.core.secrets.deciding_name`.
    """
    if isinstance(value, Mapping):
        return {str(key): published_arguments(inner, deciding_name(name, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [published_arguments(inner, name) for inner in value]
    if is_secret(name, value):
        return HIDDEN
    if isinstance(value, str):
        return value if name in SHOWN and NAME.fullmatch(value) and not has_secret_form(value) else HIDDEN
    return value


def _section(name: str, value: Any) -> Any:
    if name in SHARED or name in STAGES or value is None:
        return value
    if name == "images":
        return published_arguments(value)
    if name == "place" and isinstance(value, Mapping):
        return {key: published_arguments(inner) if key == "images" else inner for key, inner in value.items()}
    if name in NETWORKS and isinstance(value, Mapping):
        return {key: _of_network(key, inner) for key, inner in value.items()}
    return HIDDEN


def _of_network(name: str, value: Any) -> Any:
    if name in OF_NETWORK:
        return value
    if name == "classes" and isinstance(value, list | tuple):
        return value  # the names that the page shows anyhow
    if name in ("weights", "classes") and isinstance(value, str):
        return value if re.fullmatch(r"\w{1,60}", value) and not has_secret_form(value) else HIDDEN
    return published_arguments(value, name)
