"""Networks as the settings describe them, with given or initial weights."""

import re
from collections.abc import Sequence
from functools import partial

from torch import nn

from pipeline.config.environment import resolve_settings
from pipeline.config.model import ModelSettings
from pipeline.core.errors import ConfigError, ModelError
from pipeline.core.progress import log_line
from pipeline.model.build import build, freeze
from pipeline.model.convention import adapt, find_convention
from pipeline.model.discovery import discover_layers
from pipeline.model.metadata import resolve_class_names, resolve_preprocessing
from pipeline.model.network import Network
from pipeline.model.output_format import GivenFormat
from pipeline.model.weights import load_weights, read_weights

# the section of a setting in an error line; not in a path of the same form, nor in a prefix of parameter names
SETTING = re.compile(rf"(?<![\w./])model\.(?=(?:{'|'.join(ModelSettings.model_fields)})\b)")


def make_module(settings: ModelSettings, names: Sequence[str] | None, seed: int, crop: int) -> nn.Module:
    """The network with its initial weights, adapted to RGB images; frozen unless it is to be trained.

    Args:
        settings: of the network.
        names: of its classes, None where none are given.
        seed: of the initial weights.
        crop: side of its input, pixels.

    Raises:
        ModelError: it cannot be built, its code fails, or the weights do not fit.
    """
    module = build(settings.architecture, len(names) if names else None, seed)
    adapt(module, find_convention(module, crop, seed))
    if settings.weights == "train":
        return module
    if settings.weights != "random":
        found = read_weights(settings.architecture, settings.weights, module.state_dict())
        load_weights(module, found.weights, settings.weights, found.source)
        if found.unusual:
            log_line(f"model.weights: {settings.weights}: {found.source}")
    return freeze(module)


def load_configured_network(settings: ModelSettings, group: str, device: str = "cpu") -> Network:
    """The network that settings describe, with given weights, frozen, on ``device``.

    Args:
        settings: of the network, which may refer to environment variables.
        group: of the settings, for error lines.
        device: where it shall run.

    Raises:
        ConfigError: its weights are to be trained, it lacks preprocessing, or a variable is not set here.
        ModelError: it cannot be built, or the weights do not fit.
    """
    settings = resolve_settings(settings, group)
    if settings.weights == "train":
        raise ConfigError(
            f"{group}.weights: expected weights that are known already, found train; give a file or a name"
        )
    try:
        preprocessing = resolve_preprocessing(settings)
        names = resolve_class_names(settings, ())
        rebuild = partial(make_module, settings, names, 0, preprocessing.crop)
        module = rebuild()
        layers = discover_layers(module, preprocessing.crop, GivenFormat.of(settings))
    except (ConfigError, ModelError) as error:  # whose lines name the settings of the network to visualize
        raise type(error)(SETTING.sub(f"{group}.", str(error))) from None
    return Network(settings.name, module.to(device), names or (), preprocessing, layers, rebuild=rebuild)
