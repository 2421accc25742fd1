"""A network ready to be looked into."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from pipeline.model.config import PreprocessingSettings
from pipeline.model.layers import LayerShape


@dataclass(frozen=True)
class Network:
    """A frozen network in evaluation mode, and what is known about it.

    Attributes:
        name: what the page calls it.
        module: the network; no parameter wants a gradient, no module works in place.
        classes: class names in the order of the logits.
        preprocessing: from an image to the input.
        layers: every layer that gives a map or a token grid, by dotted module path.
    """

    name: str
    module: nn.Module
    classes: tuple[str, ...]
    preprocessing: PreprocessingSettings
    layers: Mapping[str, LayerShape]
