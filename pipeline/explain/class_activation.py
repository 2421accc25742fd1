"""Heat maps from a layer's map: CAM, Grad-CAM and activation times gradient, for maps and tokens in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from sklearn.linear_model import Ridge
from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.explain.scores import Scores
from pipeline.model.convention import noise
from pipeline.model.interventions import record_outputs, replace_output
from pipeline.model.layers import run_to
from pipeline.model.network import Network

CLOSE = 1e-4  # of the largest logit: what two ways to compute the same may differ by
PENALTY = 1.0  # of the ridge regression, of standardized means


@dataclass(frozen=True, eq=False)
class LayerGradient:
    """A layer's map for a batch, and the gradient of the scores with respect to it, both [image, channel, y, x]."""

    activation: Tensor
    gradient: Tensor

    def product(self) -> Tensor:
        """Activation times gradient, summed over the channels, [image, y, x].

        To first order, what each position adds to the score; with the baseline zero the attribution of Carter et al.
        2019.
        """
        return (self.activation * self.gradient).sum(1)

    def grad_cam(self) -> Tensor:
        """Channels weighted by their mean gradient, before the ReLU, [image, y, x] (Selvaraju et al. 2017)."""
        return (self.activation * self.gradient.mean((2, 3), keepdim=True)).sum(1)


def layer_gradient(scores: Scores, layer: str, inputs: Tensor, units: Tensor) -> LayerGradient:
    """The map of a layer, and the gradient there.

    The layer hands on a copy of its output: an operation in place that follows would otherwise change what was
    recorded, and move the gradient behind itself.

    Args:
        scores: what is explained.
        layer: with a map or a token grid.
        inputs: normalized, [image, 3, y, x].
        units: index of each image's unit, [image], int64.

    Raises:
        ModelError: the scores do not depend on the layer.
    """
    network = scores.network
    shape = network.layers[layer]
    recorded: list[Tensor] = []

    def start(output: Tensor) -> Tensor:
        recorded.append(output.detach().requires_grad_())
        return recorded[0].clone()

    with torch.enable_grad(), replace_output(network.module, layer, start):
        found = scores(inputs, units)
        if not recorded or not found.requires_grad:
            raise ModelError(
                f"explain.layers: expected a layer that {scores.layer} depend on, found {layer!r}, which comes after "
                "it or beside it; name an earlier one"
            )
        (gradient,) = torch.autograd.grad(found.sum(), recorded[0])
    return LayerGradient(shape.to_map(recorded[0].detach()), shape.to_map(gradient))


def leads_to(scores: Scores, layer: str, inputs: Tensor) -> bool:
    """Whether scores depend on a layer: those of units do not depend on layers behind theirs.

    Args:
        scores: what is explained.
        layer: with a map or a token grid.
        inputs: any, [image, 3, y, x].
    """
    try:
        layer_gradient(scores, layer, inputs, torch.zeros(len(inputs), dtype=torch.int64, device=inputs.device))
    except ModelError:
        return False
    return True


@dataclass(frozen=True, eq=False)
class CamHead:
    """The linear head that class activation maps need: mean over a map, then one weight for each class and channel.

    Attributes:
        layer: whose map it takes.
        weight: [class, channel].
        bias: [class].
        kind: the network's own last ``linear`` module; the ``map`` itself, whose channels are the classes; or one that
            was ``fitted`` to the network's logits.
        agreement: share of other images for which a fitted head predicts the network's class; None for the others.
        accuracy: shares of other images with a label that the network and the fitted head classify correctly; None
            without labels, and for the others.
    """

    layer: str
    weight: Tensor
    bias: Tensor
    kind: Literal["linear", "map", "fitted"]
    agreement: float | None = None
    accuracy: tuple[float, float] | None = None

    def heatmap(self, network: Network, inputs: Tensor, units: Tensor) -> Tensor:
        """Class activation maps [image, y, x]; their mean plus the bias is the logit (Zhou et al. 2016).

        Args:
            network: that the head belongs to.
            inputs: normalized, [image, 3, y, x].
            units: the class of each image, [image], int64.
        """
        with torch.no_grad():
            grid = network.layers[self.layer].to_map(run_to(network.module, self.layer, inputs)).float()
        return torch.einsum("bcyx,bc->byx", grid, self.weight[units])


def own_head(network: Network) -> CamHead | None:
    """The head that the network ends with, where that is a mean over a map and a linear module, or the mean alone.

    It is found by running the network: its deepest map whose mean is what the last linear module takes.

    Args:
        network: with classes.
    """
    images = noise(network.preprocessing.crop).to(next(network.module.parameters()).device)
    linear = [part for part in network.module.modules() if isinstance(part, nn.Linear)]
    given: dict[nn.Module, Tensor] = {}

    def record(part: nn.Module, values: tuple[Any, ...]) -> None:
        if values and isinstance(values[0], Tensor):
            given[part] = values[0].clone()  # a later module may work in place on this very tensor

    handles = [part.register_forward_pre_hook(record) for part in linear]
    try:
        with torch.no_grad(), record_outputs(network.module, network.layers) as outputs:
            logits = network.module(images)
    finally:
        for handle in handles:
            handle.remove()
    for layer in reversed(list(network.layers)):
        shape = network.layers[layer]
        if layer not in outputs or shape.prefix or shape.suffix or shape.height * shape.width == 1:
            continue  # a map of one position, such as the mean itself, shows nothing
        mean = shape.to_map(outputs[layer]).mean((2, 3))
        if mean.shape == logits.shape and _close(mean, logits):
            classes = logits.shape[1]
            return CamHead(layer, torch.eye(classes).to(mean), mean.new_zeros(classes), "map")
        for part in linear:
            values = given.get(part)
            if values is None or values.shape != mean.shape or not _close(values, mean):
                continue
            if part.out_features == logits.shape[1] and _close(part(values), logits):
                bias = logits.new_zeros(logits.shape[1]) if part.bias is None else part.bias.detach()
                return CamHead(layer, part.weight.detach(), bias, "linear")
    return None


def deepest_map(network: Network) -> str:
    """The deepest layer with several positions whose channels are not the classes, for a head that is fitted."""
    found = [
        name
        for name, shape in network.layers.items()
        if shape.height * shape.width > 1 and shape.channels != len(network.classes)
    ]
    return found[-1] if found else list(network.layers)[-1]


def _close(found: Tensor, expected: Tensor) -> bool:
    return bool((found - expected).abs().max() <= CLOSE * expected.abs().max())


def fitted_head(layer: str, means: Tensor, logits: Tensor, labels: Sequence[int], bias_free: bool = False) -> CamHead:
    """A head that is fitted to the network's logits on every other image, and tested on the rest.

    Args:
        layer: whose map is averaged.
        means: of the map over its positions, [image, channel].
        logits: of the network, [image, class].
        labels: class of each image, -1 where it has none.
        bias_free: fit no bias.
    """
    train, test = slice(0, None, 2), slice(1, None, 2)
    scale = means[train].std(0).clamp(min=1e-12)
    ridge = Ridge(PENALTY, fit_intercept=not bias_free)
    ridge.fit((means[train] / scale).double().numpy(), logits[train].double().numpy())
    weight = torch.from_numpy(ridge.coef_).reshape(logits.shape[1], -1).to(means) / scale
    bias = torch.as_tensor(ridge.intercept_).to(means) * means.new_ones(logits.shape[1])
    predicted, own = (means[test] @ weight.T + bias).argmax(1), logits[test].argmax(1)
    label = torch.tensor(list(labels))[test]
    known = label >= 0
    accuracy = None
    if known.any():
        accuracy = (float((own == label)[known].float().mean()), float((predicted == label)[known].float().mean()))
    return CamHead(layer, weight, bias, "fitted", float((predicted == own).float().mean()), accuracy)
