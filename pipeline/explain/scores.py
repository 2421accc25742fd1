"""What is explained: the logit of a class for an input, or the highest activation of a unit in it."""

import torch
from torch import Tensor

from pipeline.core.layer_names import LOGITS
from pipeline.model.layers import run_to
from pipeline.model.network import Network, output_shape


class Scores:
    """Scores of a network's classes, or of the units of one layer.

    A class is explained by its logit, before the softmax; a unit by its highest activation over the layer's map.
    Differentiable in the inputs.

    Attributes:
        network: frozen.
        layer: dotted module path, or :data:`~pipeline.core.layer_names.LOGITS`.
    """

    def __init__(self, network: Network, layer: str) -> None:
        """Prepare.

        Args:
            network: frozen, on the device of the inputs.
            layer: whose units are explained; ``logits`` for classes.

        Raises:
            ModelError: there is no such layer, or the network has no classes.
        """
        self.network, self.layer = network, layer
        self._shape = output_shape(layer, network)

    @property
    def of_classes(self) -> bool:
        """Whether the units are classes."""
        return self.layer == LOGITS

    def every(self, inputs: Tensor) -> Tensor:
        """Of every unit, [image, unit].

        Args:
            inputs: of the network, normalized, [image, 3, y, x].
        """
        if self.of_classes:
            logits: Tensor = self.network.module(inputs)
            return logits
        return self._shape.to_map(run_to(self.network.module, self.layer, inputs)).flatten(2).amax(2)

    def __call__(self, inputs: Tensor, units: Tensor) -> Tensor:
        """Of one unit for each image, [image].

        Args:
            inputs: of the network, normalized, [image, 3, y, x].
            units: index of each image's unit, [image], int64.
        """
        return self.every(inputs).gather(1, units[:, None])[:, 0]

    def shares(self, inputs: Tensor, units: Tensor) -> Tensor:
        """What deletion and insertion follow, [image]: of classes the probability, of units the score itself."""
        scores = self.every(inputs)
        if self.of_classes:
            scores = torch.softmax(scores.float(), 1)
        return scores.gather(1, units[:, None])[:, 0]
