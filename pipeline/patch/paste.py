"""Pasting patches into the corners of images, and the network's predictions for the results."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pipeline.images.crops import Crop

Pixels = NDArray[np.uint8]
Forward = Callable[[Tensor], Tensor]  # uint8 images [image, 3, y, x] → logits [image, class]

CORNERS = ("top left", "top right", "bottom left", "bottom right")


@dataclass(frozen=True)
class Placement:
    """Where a patch is pasted: index of the patch, side in pixels, index into :data:`CORNERS`."""

    patch: int
    side: int
    corner: int


@dataclass(frozen=True)
class Predictions:
    """The network's predictions for pasted images; all arrays [placement, image].

    Attributes:
        top: the class of the largest logit.
        target, source, own: softmax of the target class, of the image's own class, and of the class of the image that
            the patch was cut from; NaN where that has none.
    """

    top: NDArray[np.int64]
    target: NDArray[np.float32]
    source: NDArray[np.float32]
    own: NDArray[np.float32]

    def reshape(self, *shape: int) -> "Predictions":
        """The same with the placements in these dimensions: [*shape, image]."""
        softmax = (values.reshape(*shape, -1) for values in (self.target, self.source, self.own))
        return Predictions(self.top.reshape(*shape, -1), *softmax)


def pasted_side(share: float, crop: int) -> int:
    """Side of a pasted patch in pixels, from its fraction of the input's side."""
    return min(crop, max(1, round(share * crop)))


def corner_square(corner: int, side: int, crop: int) -> Crop:
    """The square of this side in a corner of the input, see :data:`CORNERS`."""
    far = crop - side
    return Crop(far * (corner % 2), far * (corner // 2), side)


def resize(patch: Pixels, side: int) -> Pixels:
    """The patch [y, x, 3] at another side, [side, side, 3]."""
    return np.asarray(Image.fromarray(patch).resize((side, side), Image.Resampling.BICUBIC))


def paste(image: Pixels, patch: Pixels, placement: Placement) -> Pixels:
    """A copy of the image [y, x, 3] with the patch pasted into it."""
    square = corner_square(placement.corner, placement.side, len(image))
    copy = image.copy()
    copy[square.top : square.top + square.side, square.left : square.left + square.side] = resize(patch, placement.side)
    return copy


def batched_logits(forward: Forward, images: Pixels, batch_size: int) -> Tensor:
    """Logits [image, class] of images [image, y, x, 3] without a patch."""
    plain = _channels_first(images)
    return torch.cat([forward(batch).float().cpu() for batch in torch.split(plain, batch_size)])


def predict_pasted(
    forward: Forward,
    images: Pixels,
    patches: Sequence[Pixels],
    own: Sequence[int],
    placements: Sequence[Placement],
    classes: tuple[int, int],
    batch_size: int,
    done: Callable[[int], None] = lambda _count: None,
) -> Predictions:
    """The predictions for every placement pasted into every image.

    Args:
        forward: of the network.
        images: [image, y, x, 3].
        patches: each [y, x, 3].
        own: for each patch the class of the image it was cut from, -1 for none.
        placements: what to paste where.
        classes: source and target.
        batch_size: images in one forward pass.
        done: called with the number of newly predicted images.
    """
    owns = np.repeat([own[placement.patch] for placement in placements], len(images))
    parts = []
    for numbers, batch in _batches(images, patches, placements, batch_size):
        parts.append(_predictions(forward(batch), classes, owns[numbers]))
        done(len(numbers))
    columns = (np.concatenate(column).reshape(len(placements), len(images)) for column in zip(*parts, strict=True))
    return Predictions(*columns)


def _predictions(logits: Tensor, classes: tuple[int, int], own: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    """The fields of :class:`Predictions`, each [image], from logits [image, class]."""
    softmax = torch.softmax(logits.float(), dim=1).cpu().numpy()
    source, target = classes
    own_softmax = np.where(own >= 0, softmax[np.arange(len(own)), own], np.float32(np.nan))
    return softmax.argmax(axis=1), softmax[:, target], softmax[:, source], own_softmax


def _batches(
    images: Pixels, patches: Sequence[Pixels], placements: Sequence[Placement], batch_size: int
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Every image with every placement, placement by placement: their numbers, and [image, 3, y, x]."""
    plain, total = _channels_first(images), len(placements) * len(images)
    resized = {key: _channels_first(resize(patches[key[0]], key[1])) for key in {(p.patch, p.side) for p in placements}}
    for start in range(0, total, batch_size):
        numbers = np.arange(start, min(start + batch_size, total))
        yield numbers, _batch(plain, resized, placements, numbers)


def _batch(
    plain: Tensor,
    resized: dict[tuple[int, int], Tensor],
    placements: Sequence[Placement],
    numbers: NDArray[np.int64],
) -> Tensor:
    """The images of these numbers, with their patches pasted in."""
    which, image = np.divmod(numbers, len(plain))
    batch = plain[torch.from_numpy(image)]
    for number in np.unique(which).tolist():
        placement = placements[number]
        square = corner_square(placement.corner, placement.side, plain.shape[-1])
        first, last = np.searchsorted(which, [number, number + 1])
        rows, columns = (slice(edge, edge + square.side) for edge in (square.top, square.left))
        batch[first:last, :, rows, columns] = resized[placement.patch, placement.side]
    return batch


def _channels_first(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.moveaxis(pixels, -1, -3).copy())
