"""Nearest images by pixels and by the last layer (Krizhevsky et al. 2012, section 6; notes of CS231n).

The search is exact and takes one block of images at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from pipeline.model.convention import noise
from pipeline.model.interventions import record_outputs
from pipeline.model.layers import named_parts
from pipeline.model.network import Network

BLOCK = 256  # images
PIXEL_SIDE = 64  # of the images that are compared by pixels

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def nearest(vectors: Floats, rows: Sequence[int] | Ints, count: int, block: int = BLOCK) -> tuple[Ints, Doubles]:
    """The nearest other images of some images by Euclidean distance, nearest first; of equal ones the smaller row.

    An image is not its own neighbor, but one with the same vector is. Memory is bounded by two blocks of vectors, and
    a table of distances [block, block]. The result does not depend on the size of the blocks: a matrix product in
    float64 leaves out what is too far away by more than its rounding error, and the distances of the rest are summed
    from the differences, each alone.

    Args:
        vectors: of all images, [image, number], finite.
        rows: of the images whose neighbors are wanted, [query].
        count: how many neighbors; fewer where there are not as many other images.
        block: images in a block.

    Returns:
        Rows of the neighbors [query, count], and their distances [query, count].
    """
    queries = np.asarray(rows, np.int64)
    count = max(0, min(count, len(vectors) - 1))
    found, squared = np.empty((len(queries), count), np.int64), np.empty((len(queries), count))
    if count:
        for start in range(0, len(queries), block):
            span = slice(start, start + block)
            found[span], squared[span] = _nearest_of(vectors, queries[span], count, block)
    return found, np.sqrt(squared)


def _nearest_of(vectors: Floats, rows: Ints, count: int, block: int) -> tuple[Ints, Doubles]:
    """Rows and squared distances for one block of queries."""
    queries = vectors[rows].astype(np.float64)
    lengths = np.square(queries).sum(axis=1)
    found = np.full((len(rows), count), len(vectors), np.int64)
    squared = np.full((len(rows), count), np.inf)
    for first in range(0, len(vectors), block):
        some = vectors[first : first + block].astype(np.float64)
        others = np.square(some).sum(axis=1)
        rough = lengths[:, None] + others - 2 * (queries @ some.T)
        # a sum of n products is off by at most n roundings of the sum of their absolute values (Higham 2002, chapter 3)
        error = 4 * (some.shape[1] + 4) * np.finfo(np.float64).eps * (lengths + others.max())
        within = (first <= rows) & (rows < first + len(some))
        rough[within, rows[within] - first] = np.inf
        bound = squared[:, -1]
        if len(some) >= count:
            bound = np.minimum(bound, np.partition(rough, count - 1, axis=1)[:, count - 1] + error)
        close = rough <= (bound + error)[:, None]
        for query in np.flatnonzero(close.any(axis=1)):
            near = np.flatnonzero(close[query])
            near = near[near + first != rows[query]]  # the bound is infinite as long as there are few neighbors
            row = np.concatenate([found[query], near + first])
            distance = np.concatenate([squared[query], np.square(some[near] - queries[query]).sum(axis=1)])
            order = np.lexsort((row, distance))[:count]
            found[query], squared[query] = row[order], distance[order]
    return found, squared


def label_agreement(queries: Sequence[int] | Ints, neighbors: Ints, labels: Ints) -> Doubles:
    """Share of an image's neighbors that have its label, [query] in 0..1; those without a label are left out.

    Args:
        queries: rows of the images, [query].
        neighbors: rows of their neighbors, [query, count].
        labels: of all images, [image]; -1 where there is none.

    Returns:
        NaN for an image without a label, and where no neighbor has one.
    """
    own, others = labels[np.asarray(queries, np.int64)][:, None], labels[neighbors]
    known = (others >= 0) & (own >= 0)
    agreeing, total = (known & (others == own)).sum(axis=1), known.sum(axis=1)
    share: Doubles = np.divide(agreeing, total, out=np.full(len(total), np.nan), where=total > 0)
    return share


def pixel_vector(crop: Image.Image) -> Floats:
    """The RGB values of an image in 0..1, at most 64 × 64 pixels, [number].

    This is pixel space at that resolution: a side longer than 64 pixels is resized to 64, so that each pixel is the
    mean over the area that it covers, and what is finer than that does not count.

    Args:
        crop: the network's crop of an image.
    """
    values = np.moveaxis(np.asarray(crop.convert("RGB"), np.float64) / 255, -1, 0)
    down, across = (_area_weights(length) for length in values.shape[1:])
    return np.asarray(down @ values @ across.T, np.float32).reshape(-1)


def _area_weights(length: int) -> Doubles:
    """The share of each pixel of a side in each pixel of the resized side, [resized, pixel]; rows add up to 1."""
    side = min(length, PIXEL_SIDE)
    scale = length / side
    start, pixel = np.arange(side)[:, None] * scale, np.arange(length)
    overlap = np.minimum(start + scale, pixel + 1) - np.maximum(start, pixel)
    return np.asarray(overlap.clip(min=0) / scale)


@dataclass(frozen=True, eq=False)
class LastLayer:
    """What the network knows of an image just before it decides among the classes.

    Attributes:
        network: frozen.
        name: of the module or layer.
        kind: ``input`` of the linear module that gives the logits, or ``mean`` over the positions of a layer.
    """

    network: Network
    name: str
    kind: Literal["input", "mean"]

    def features(self, inputs: Tensor) -> Tensor:
        """The features of images, float32 [image, number]; see :meth:`features_and_logits`."""
        return self.features_and_logits(inputs)[0]

    def features_and_logits(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The features of images, float32 [image, number], and their logits [image, class], in one pass.

        Args:
            inputs: normalized, [image, 3, y, x].
        """
        module = self.network.module
        with torch.no_grad():
            if self.kind == "mean":
                with record_outputs(module, [self.name]) as outputs:
                    logits: Tensor = module(inputs)
                return self.network.layers[self.name].to_map(outputs[self.name]).float().mean((2, 3)), logits
            given: list[Tensor] = []
            # a later module may work in place on this very tensor
            handle = named_parts(module)[self.name].register_forward_pre_hook(
                lambda _part, values: given.append(values[0].clone())
            )
            try:
                logits = module(inputs)
            finally:
                handle.remove()
        return given[-1].float(), logits


def last_layer(network: Network) -> LastLayer:
    """The last layer before the logits, found by running the network.

    That is the input of the linear module that is called last, of those that take [image, number] and return as many
    numbers as there are logits: gates within a network have linear modules too. Without such a module it is the mean
    of the deepest layer whose channels are not the classes.

    Args:
        network: with classes.
    """
    device = next((parameter.device for parameter in network.module.parameters()), torch.device("cpu"))
    images = noise(network.preprocessing.crop).to(device)
    called: list[tuple[str, int]] = []

    def record(name: str) -> Callable[..., None]:
        def before(part: nn.Linear, values: tuple[Any, ...]) -> None:
            if values and isinstance(values[0], Tensor) and values[0].ndim == 2 and len(values[0]) == len(images):
                called.append((name, part.out_features))

        return before

    linear = {name: part for name, part in named_parts(network.module).items() if isinstance(part, nn.Linear)}
    handles = [part.register_forward_pre_hook(record(name)) for name, part in linear.items()]
    try:
        with torch.no_grad():
            classes = network.module(images).shape[-1]
    finally:
        for handle in handles:
            handle.remove()
    heads = [name for name, numbers in called if numbers == classes]
    if heads:
        return LastLayer(network, heads[-1], "input")
    layers = list(network.layers)
    deepest = (name for name in reversed(layers) if network.layers[name].channels != classes)
    return LastLayer(network, next(deepest, layers[-1]), "mean")
