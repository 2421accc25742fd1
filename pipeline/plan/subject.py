"""The network of a plan: built as configured, with random weights, which take the same time as any others."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from pipeline.images.image_set import ImageSet
from pipeline.model.build import build, freeze
from pipeline.model.discovery import OutputFormat, output_formats
from pipeline.model.layers import LayerShape, require_layer
from pipeline.model.metadata import resolve_class_names, resolve_preprocessing
from pipeline.model.network import Network
from pipeline.params import Params


@dataclass(frozen=True)
class Subject:
    """What is planned for.

    Attributes:
        network: whose ``layers`` are those that the run looks at.
        forms: of all layers that keep places apart, in their order.
    """

    network: Network
    forms: dict[str, OutputFormat]


def subject(params: Params, images: ImageSet) -> Subject:
    """The network and its layers; no weights are read or downloaded.

    Raises:
        ModelError: it cannot be built, or has no such layer.
    """
    settings, model = resolve_preprocessing(params.model), params.model
    names = resolve_class_names(model, images.classes)
    module = freeze(build(model.architecture, len(names) if names else None, params.seed))
    forms = output_formats(module, settings.crop, model.prefix_tokens)
    shapes = {layer: _shape(require_layer(layer, forms), settings.crop) for layer in params.layers}
    classes = tuple(str(number) for number in range(logit_count(module, settings.crop)))
    return Subject(Network(model.name, module, classes, settings, shapes), forms)


def logit_count(module: nn.Module, crop: int) -> int:
    """How many classes a network tells apart; 0 if its output is no row of logits."""
    with torch.no_grad():
        logits = module(torch.zeros(1, 3, crop, crop))
    return int(logits.shape[1]) if isinstance(logits, Tensor) and logits.ndim == 2 else 0


def _shape(form: OutputFormat, crop: int) -> LayerShape:
    """A layer's shape as far as it is known without the search for its stride and receptive field, which takes long."""
    return LayerShape(**asdict(form), stride=1.0, receptive_field=crop)
