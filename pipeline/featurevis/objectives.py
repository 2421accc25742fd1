"""Objectives: what an image is optimized for; see :mod:`pipeline.featurevis.composition` for how they are combined.

Most of them have an own target for each image: the n-th image of the batch gets the n-th target.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import cosine_similarity

from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.activation_space import ActivationSpace
from pipeline.featurevis.composition import Objective, canonical_bytes
from pipeline.featurevis.feature_extractor import Features

MIN_COSINE = 0.1  # smallest cosine that the power is taken of: an image of negative cosine still gets a gradient
TINY = 1e-12


class Direction(Objective):
    """dot · max(cosine, 0.1) ** power at the center of a layer's map (Carter et al. 2019, with a true cosine).

    It can also be that of the map's mean activation: a whole canvas of the direction, in no particular arrangement.

    Dot product and cosine are taken in the same space. The dot product is divided by the squared norm of the target: an
    image that reaches its target has the value 1 at any layer, so that weights of regularizers mean the same
    everywhere.

    What :func:`~pipeline.featurevis.optimize.optimize` gets is a surrogate, linear in the activation, whose gradient is
    that of the objective divided by the current value of cosine ** power. That value spans ten orders of magnitude
    between an image of small cosine and a finished one; without it regularizers keep their weight at all times.

    Attributes:
        origin: [channel], see :class:`ActivationSpace`.
        root: [channel, channel] or None.
        targets: [image, channel], the directions in that space.
    """

    def __init__(
        self,
        layer: str,
        activations: Tensor,
        space: ActivationSpace,
        cosine_power: float,
        at: Literal["center", "mean"] = "center",
    ) -> None:
        """Map the directions into the space.

        Args:
            layer: dotted module path.
            activations: raw, e.g. the means of grid cells, float32 [image, channel].
            space: raw, centered or whitened.
            cosine_power: exponent of the cosine.
            at: the map's ``center``, or its ``mean`` over all positions.
        """
        self._activations = center_activations if at == "center" else mean_activations
        self.layers, self._layer, self.cosine_power = frozenset({layer}), layer, cosine_power
        self.origin = torch.from_numpy(space.origin).to(activations)
        self.root = None if space.root is None else torch.from_numpy(space.root).to(activations)
        self.targets = self.to_space(activations)
        self._raw = activations.cpu().numpy()
        self.description = {
            "direction": layer,
            "origin": array_digest(space.origin),
            "root": None if space.root is None else array_digest(space.root),
            "cosine_power": cosine_power,
            **({} if at == "center" else {"at": at}),
        }

    def __call__(self, features: Features, warmup: float) -> Tensor:
        """The surrogate of each image, [image]."""
        activations = self._activations(features[self._layer])
        surrogate = self.surrogate_gradient(activations, warmup * self.cosine_power)
        return (activations * surrogate).sum(1)

    def target_bytes(self, image: int) -> bytes:
        """The raw activation, whatever the space."""
        return canonical_bytes(self._raw[image])

    def to_space(self, activations: Tensor) -> Tensor:
        """Raw activations [image, channel] in the objective's space."""
        centered = activations - self.origin
        return centered if self.root is None else centered @ self.root

    def values(self, activations: Tensor, power: float) -> Tensor:
        """The objective itself, [image], for raw activations [image, channel] at the center of the map."""
        dot, cosine = self._dot_and_cosine(self.to_space(activations))
        return dot * cosine**power

    def surrogate_gradient(self, activations: Tensor, power: float, rows: Tensor | None = None) -> Tensor:
        """The gradient of :meth:`values` divided by cosine ** power, [image, channel], without a graph.

        It points where the objective rises, and its norm does not vanish when the cosine is small.

        Args:
            activations: raw, [image, channel].
            power: exponent of the cosine.
            rows: which target each activation has, [image]; None for the n-th target for the n-th activation.
        """
        mapped = self.to_space(activations.detach())
        targets = self.targets if rows is None else self.targets[rows]
        dot, cosine = self._dot_and_cosine(mapped, targets)
        # of dot · cosine ** p: (1 + p) target / |target|² - p · dot · mapped / |mapped|², where the cosine is not
        # clipped
        exponent = torch.where(cosine > MIN_COSINE, power, 0.0)
        towards = ((1 + exponent) / targets.square().sum(1).clamp(min=TINY))[:, None] * targets
        along = (exponent * dot / mapped.square().sum(1).clamp(min=TINY))[:, None] * mapped
        gradient: Tensor = towards - along if self.root is None else (towards - along) @ self.root.T
        return gradient

    def _dot_and_cosine(self, mapped: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor]:
        targets = self.targets if targets is None else targets
        dot = (mapped * targets).sum(1) / targets.square().sum(1).clamp(min=TINY)
        return dot, cosine_similarity(mapped, targets, dim=1).clamp(min=MIN_COSINE)


def direction(
    layer: str,
    activations: Tensor,
    space: ActivationSpace,
    cosine_power: float,
    at: Literal["center", "mean"] = "center",
) -> Direction:
    """Point along raw activations [image, channel] at the center of the map or in its mean; see :class:`Direction`."""
    return Direction(layer, activations, space, cosine_power, at)


class _Layout(Objective):
    """The mean over a layer's map of the :class:`Direction` objective, with a direction of its own at each position."""

    def __init__(
        self, layer: str, directions: Tensor, labels: Tensor, space: ActivationSpace, cosine_power: float
    ) -> None:
        self.layers, self._layer = frozenset({layer}), layer
        self._directions = Direction(layer, directions, space, cosine_power)
        self._labels = labels
        self.description = {
            "layout": dict(self._directions.description),
            "directions": array_digest(directions.cpu().numpy()),
        }

    def __call__(self, features: Features, warmup: float) -> Tensor:
        """The surrogate of each image, [image]; see :class:`Direction`."""
        grid = features[self._layer].float()
        labels = resized_labels(self._labels.to(grid.device), (grid.shape[2], grid.shape[3])).flatten()
        activations = grid.movedim(1, -1).flatten(0, 2)
        power = warmup * self._directions.cosine_power
        surrogate = self._directions.surrogate_gradient(activations, power, labels.clamp(min=0))
        values = (activations * surrogate).sum(1) * (labels >= 0)
        return values.view(len(grid), -1).mean(1)

    def target_bytes(self, image: int) -> bytes:
        return canonical_bytes(self._labels[image].cpu().numpy())


def layout(layer: str, directions: Tensor, labels: Tensor, space: ActivationSpace, cosine_power: float) -> Objective:
    """Point along another direction in each part of a layer's map: the arrangement is given, not its directions alone.

    With a single label it is the mean over all positions of what :func:`direction` is at the center.

    Args:
        layer: dotted module path.
        directions: raw activations, float32 [direction, channel], on the device.
        labels: row of the direction that is wanted at each place, int64 [image, row, column]; -1 for none. Enlarged or
            reduced to the layer's map by the nearest neighbor.
        space: raw, centered or whitened.
        cosine_power: exponent of the cosine.
    """
    return _Layout(layer, directions, labels, space, cosine_power)


class _Indexed(Objective):
    """One output of a layer or of the logits for each image."""

    def __init__(self, kind: str, layer: str, indices: Sequence[int]) -> None:
        self.layers, self._kind, self._layer = frozenset({layer}), kind, layer
        self._indices = np.asarray(indices, np.int64)
        self.description = {kind: layer}

    def __call__(self, features: Features, warmup: float) -> Tensor:
        del warmup
        outputs = features[self._layer]
        if self._kind == "neuron":
            outputs = center_activations(outputs)
        elif self._kind == "channel":
            outputs = outputs.float().mean((2, 3))
        elif self._kind == "probability":
            outputs = outputs.float().softmax(1)
        indices = torch.from_numpy(self._indices).to(outputs.device)
        return outputs.float().gather(1, indices[:, None])[:, 0]

    def target_bytes(self, image: int) -> bytes:
        return canonical_bytes(self._indices[image])


def neuron(layer: str, channels: Sequence[int]) -> Objective:
    """The activation of one channel for each image, at the center of the layer's map."""
    return _Indexed("neuron", layer, channels)


def channel(layer: str, channels: Sequence[int]) -> Objective:
    """The mean activation of one channel for each image, over the layer's map."""
    return _Indexed("channel", layer, channels)


def logit(classes: Sequence[int]) -> Objective:
    """The logit of one class for each image."""
    return _Indexed("logit", LOGITS, classes)


def probability(classes: Sequence[int]) -> Objective:
    """The softmax probability of one class for each image; unlike a logit it also rises as other classes fall."""
    return _Indexed("probability", LOGITS, classes)


class _Linear(Objective):
    """A weighted sum of channels for each image."""

    def __init__(self, layer: str, vectors: Tensor, at: Literal["center", "mean"]) -> None:
        self.layers, self._layer, self._vectors = frozenset({layer}), layer, vectors
        self._activations = center_activations if at == "center" else mean_activations
        self._raw = vectors.cpu().numpy()
        self.description = {"linear": layer, **({} if at == "mean" else {"at": at})}

    def __call__(self, features: Features, warmup: float) -> Tensor:
        del warmup
        outputs = features[self._layer]
        activations = outputs.float() if self._layer == LOGITS else self._activations(outputs)
        return (activations * self._vectors).sum(1)

    def target_bytes(self, image: int) -> bytes:
        return canonical_bytes(self._raw[image])


def linear(layer: str, vectors: Tensor, at: Literal["center", "mean"] = "mean") -> Objective:
    """The dot product of a layer's activation with the vectors [image, channel]: a weighted sum of channels.

    Args:
        layer: dotted module path, or the logits, which have no map.
        vectors: weights of the channels, on the device.
        at: the ``mean`` over the map, or its ``center``.
    """
    return _Linear(layer, vectors, at)


class _DeepDream(Objective):
    def __init__(self, layer: str) -> None:
        self.layers, self._layer = frozenset({layer}), layer
        self.description = {"deep_dream": layer}

    def __call__(self, features: Features, warmup: float) -> Tensor:
        del warmup
        return features[self._layer].float().square().flatten(1).mean(1)


def deep_dream(layer: str) -> Objective:
    """The mean square of a layer's activations: more of whatever it finds (Mordvintsev et al. 2015)."""
    return _DeepDream(layer)


class _Distance(Objective):
    """Minus the squared distance of some statistic of a layer from a target, over the target's squared norm."""

    def __init__(self, kind: str, layer: str, targets: Tensor) -> None:
        self.layers, self._kind, self._layer = frozenset({layer}), kind, layer
        self._targets = targets.detach().float()
        self._norms = self._targets.flatten(1).square().sum(1).clamp(min=TINY)
        self.description = {kind: layer}

    def __call__(self, features: Features, warmup: float) -> Tensor:
        del warmup
        found: Tensor = _STATISTICS[self._kind](features[self._layer].float())
        return -(found - self._targets).flatten(1).square().sum(1) / self._norms

    def target_bytes(self, image: int) -> bytes:
        return canonical_bytes(self._targets[image].cpu().numpy())


def inversion(layer: str, features: Tensor) -> Objective:
    """Reproduce the layer's map of given images, to see what it keeps of them (Mahendran & Vedaldi 2015).

    Args:
        layer: dotted module path.
        features: of the images to be reproduced, [image, channel, y, x].
    """
    return _Distance("inversion", layer, features)


def gram(layer: str, features: Tensor) -> Objective:
    """Reproduce the Gram matrix of the layer's map of given images: their texture (Gatys et al. 2016).

    Args:
        layer: dotted module path.
        features: of the images whose texture is wanted, [image, channel, y, x]; of any height and width.
    """
    return gram_target(layer, gram_matrix(features))


def gram_target(layer: str, matrices: Tensor) -> Objective:
    """As :func:`gram`, of Gram matrices themselves, e.g. of the mean of two textures.

    Args:
        layer: dotted module path.
        matrices: that are wanted, see :func:`gram_matrix`, [image, channel, channel].
    """
    return _Distance("gram", layer, matrices)


class _FeatureStatistics(Objective):
    def __init__(self, layer: str, statistics: Tensor, deviation: Tensor) -> None:
        self.layers, self._layer = frozenset({layer}), layer
        self._statistics, self._deviation = statistics.detach().float(), deviation.detach().float()
        self.description = {"feature_statistics": layer, "deviation": array_digest(self._deviation.cpu().numpy())}

    @property
    def redirected_layers(self) -> frozenset[str]:
        """None: the whole map has a gradient from its mean."""
        return frozenset()

    def __call__(self, features: Features, warmup: float) -> Tensor:
        del warmup
        found = channel_statistics(features[self._layer])
        return -((found - self._statistics) / self._deviation).square().sum(1).mean(1)

    def target_bytes(self, image: int) -> bytes:
        return canonical_bytes(self._statistics[image].cpu().numpy())


def feature_statistics(layer: str, statistics: Tensor, deviation: Tensor) -> Objective:
    """Reproduce mean and standard deviation of each channel over a layer's map: the style of images (Li et al. 2017).

    The value is minus the mean over channels of ((m - m*) / s)² + ((d - d*) / t)², with m and d the mean and the
    standard deviation of the image, m* and d* those that are wanted, and s and t what they usually deviate by.

    Args:
        layer: dotted module path.
        statistics: that are wanted, [image, 2, channel], see :func:`channel_statistics`.
        deviation: by which each is divided, [2, channel], above 0.
    """
    return _FeatureStatistics(layer, statistics, deviation)


class _Diversity(Objective):
    couples_images = True

    def __init__(self, layer: str) -> None:
        self.layers, self._layer = frozenset({layer}), layer
        self.description = {"diversity": layer}

    def __call__(self, features: Features, warmup: float) -> Tensor:
        del warmup
        grams = gram_matrix(features[self._layer]).flatten(1)
        grams = grams / grams.norm(dim=1, keepdim=True).clamp(min=TINY)
        cosines = grams @ grams.T
        others = cosines.sum(1) - cosines.diagonal()
        mean: Tensor = others / max(1, len(grams) - 1)
        return -mean


def diversity(layer: str) -> Objective:
    """Minus the mean cosine of an image's Gram matrix to those of the others: images of one target that differ.

    As in the diversity term of Olah et al. 2017. It couples the images of a batch.
    """
    return _Diversity(layer)


class _Alignment(Objective):
    couples_images = True

    def __init__(self, layer: str, decay_ratio: float) -> None:
        self.layers, self._layer, self._decay_ratio = frozenset({layer}), layer, decay_ratio
        self.description = {"alignment": layer, "decay_ratio": decay_ratio}

    def __call__(self, features: Features, warmup: float) -> Tensor:
        del warmup
        rows = features[self._layer].float().flatten(1)
        costs = rows.new_zeros(len(rows))
        for offset in range(1, min(4, len(rows) - 1) + 1):
            distance = (rows[offset:] - rows[:-offset]).square().mean(1) / self._decay_ratio ** (offset - 1)
            costs = costs + torch.cat([distance, distance.new_zeros(offset)])
            costs = costs + torch.cat([distance.new_zeros(offset), distance])
        return -costs / 2


def alignment(layer: str, decay_ratio: float = 2.0) -> Objective:
    """Minus the squared distance of a layer's map to those of up to four neighbors in the batch on either side.

    Keeps the images of an interpolation aligned (Mordvintsev et al. 2018, "Differentiable Image Parameterizations"). It
    couples the images of a batch.

    Args:
        layer: dotted module path.
        decay_ratio: a neighbor one further away counts less by this factor.
    """
    return _Alignment(layer, decay_ratio)


def center_activations(grid: Tensor) -> Tensor:
    """The activation at the center of maps [image, channel, y, x], float32 [image, channel]."""
    center: Tensor = grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2]
    return center.float()


def mean_activations(grid: Tensor) -> Tensor:
    """The mean activation over maps [image, channel, y, x], float32 [image, channel]."""
    mean: Tensor = grid.sum((2, 3), dtype=torch.float32) / (grid.shape[2] * grid.shape[3])
    return mean


def resized_labels(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Labels [image, row, column] at another size, [image, *size], each that of the nearest place."""
    rows, columns = (
        ((2 * torch.arange(new, device=labels.device) + 1) * old) // (2 * new)
        for new, old in zip(size, labels.shape[1:], strict=True)
    )
    return labels[:, rows[:, None], columns]


def gram_matrix(grid: Tensor) -> Tensor:
    """Mean products of channels over maps [image, channel, y, x], float32 [image, channel, channel]."""
    rows = grid.float().flatten(2)
    products: Tensor = rows @ rows.mT / rows.shape[2]
    return products


def channel_statistics(grid: Tensor) -> Tensor:
    """Mean and standard deviation of each channel over maps [image, channel, y, x], float32 [image, 2, channel]."""
    statistics: Tensor = _ChannelStatistics.apply(grid)
    return statistics


class _ChannelStatistics(torch.autograd.Function):
    """The same as by automatic differentiation, in a third of the passes over memory."""

    @staticmethod
    def forward(ctx: Any, grid: Tensor) -> Tensor:
        count, dtype = grid.shape[2] * grid.shape[3], torch.promote_types(grid.dtype, torch.float32)
        mean = grid.sum((2, 3), dtype=dtype) / count
        squares = torch.linalg.vector_norm(grid, dim=(2, 3), dtype=dtype).square() / count
        deviation = (squares - mean.square()).clamp(min=TINY).sqrt()
        ctx.save_for_backward(grid, mean, deviation)
        return torch.stack([mean, deviation], dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        grid, mean, deviation = ctx.saved_tensors
        count = grid.shape[2] * grid.shape[3]
        slope = gradient[:, 1] / (deviation * count)
        offset = gradient[:, 0] / count - slope * mean
        # in the grid's own order of dimensions in memory, as it is added to the gradient from deeper layers
        return torch.addcmul(offset.to(grid)[:, :, None, None], grid, slope.to(grid)[:, :, None, None])


def array_digest(values: NDArray[Any]) -> list[Any]:
    """An array in a description: its type, its shape and the SHA-256 (hex) of its bytes."""
    return [values.dtype.name, list(values.shape), sha256(canonical_bytes(values)).hexdigest()]


_STATISTICS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "inversion": lambda grid: grid,
    "gram": gram_matrix,
}
