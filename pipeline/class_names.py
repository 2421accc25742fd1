"""Resolves the classes of a configuration, by name or number, to the names of their atlases."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from pipeline.config.images import ImagesSettings
from pipeline.config.model import ModelSettings
from pipeline.core.atlas_names import AtlasName, class_id
from pipeline.core.errors import ConfigError
from pipeline.images.image_set import open_image_set
from pipeline.model.metadata import resolve_class_names


def atlas_names(
    classes: Any,
    comparisons: Any,
    images: Mapping[str, Any],
    model: Mapping[str, Any],
) -> list[str]:
    """The names of all atlases of a run, each once: ``all``, ``class-<id>``, ..., ``compare-<id>-<id>``, ...

    Args:
        classes: a list of classes with an atlas of their own, by name or number.
        comparisons: a list of pairs of classes, likewise.
        images: the section ``images``; its class names are the network's if that is trained on it.
        model: the section ``model``.

    Raises:
        ConfigError: ``classes`` or ``comparisons`` is no list, a class is not one of the network's, or a comparison is
            not a pair of different classes.
    """
    single = _as_list(classes, "classes: expected a list, as in [fireboat, 3]")
    pairs = _as_list(comparisons, "comparisons: expected a list of pairs, as in [[streetcar, fireboat]]")
    try:
        names = _network_classes(images, model)
    except ValidationError:
        return ["all"]  # parse_params names the error in these sections
    atlases = [AtlasName("all"), *(AtlasName("class", (class_id(name, names, "classes"),)) for name in single)]
    for pair in pairs:
        ids = tuple(class_id(name, names, "comparisons") for name in _pair(pair))
        if ids[0] == ids[1]:
            raise ConfigError(f"comparisons: expected two different classes, found {pair[0]} twice")
        atlases.append(AtlasName("compare", ids))
    return list(dict.fromkeys(map(str, atlases)))


def _as_list(value: Any, expected: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{expected}, found {value}")
    return value


def _pair(pair: Any) -> Sequence[str | int]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise ConfigError(f"comparisons: expected pairs of classes, as in [[streetcar, fireboat]], found {pair}")
    return pair


def _network_classes(images: Mapping[str, Any], model: Mapping[str, Any]) -> Sequence[str]:
    network = ModelSettings.model_validate_json(json.dumps(model))
    labels: Sequence[str] = ()
    if network.classes is None and network.weights == "train":
        labels = open_image_set(ImagesSettings.model_validate_json(json.dumps(images))).classes
    names = resolve_class_names(network, labels)
    if names is None:
        raise ConfigError("classes: expected a network with named classes, found none; give model.classes")
    return names
