"""Pictures with patches pasted into their corners => what the network answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pipeline.patch.squares import corner

Pixels = NDArray[np.uint8]
Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Trial:
    """One way to paste: which patch, how large (pixels), into which corner."""

    patch: int
    side: int
    corner: int


@dataclass(frozen=True)
class Answers:
    """What the network says to pictures; all arrays [trial, image].

    Attributes:
        top: the class of the largest logit.
        target, source, own: softmax of the class aimed at, of the image's own class, and of the class of the image
            that the patch was cut from; NaN where that has none.
    """

    top: NDArray[np.int64]
    target: NDArray[np.float32]
    source: NDArray[np.float32]
    own: NDArray[np.float32]

    def shaped(self, *shape: int) -> "Answers":
        """The same with the trials in the order of these dimensions: [*shape, image]."""
        softmax = (values.reshape(*shape, -1) for values in (self.target, self.source, self.own))
        return Answers(self.top.reshape(*shape, -1), *softmax)


def resized(patch: Pixels, side: int) -> Pixels:
    """The patch [y, x, 3] at another side, [side, side, 3]."""
    return np.asarray(Image.fromarray(patch).resize((side, side), Image.Resampling.BICUBIC))


def pasted(picture: Pixels, patch: Pixels, trial: Trial) -> Pixels:
    """A copy of the picture [y, x, 3] with the patch in it."""
    square = corner(trial.corner, trial.side, len(picture))
    copy = picture.copy()
    copy[square.top : square.top + square.side, square.left : square.left + square.side] = resized(patch, trial.side)
    return copy


def in_batches(forward: Forward, pictures: Pixels, batch_size: int) -> Tensor:
    """Logits [picture, class] of pictures [picture, y, x, 3] as they are."""
    plain = _channels_first(pictures)
    return torch.cat([forward(batch).float().cpu() for batch in torch.split(plain, batch_size)])


def answers(
    forward: Forward,
    pictures: Pixels,
    patches: Sequence[Pixels],
    own: Sequence[int],
    trials: Sequence[Trial],
    classes: tuple[int, int],
    batch_size: int,
    done: Callable[[int], None] = lambda _count: None,
) -> Answers:
    """Try every trial on every picture.

    Args:
        forward: logits [picture, class] of pictures uint8 [picture, 3, y, x].
        pictures: [image, y, x, 3].
        patches: each [y, x, 3].
        own: for each patch the class of the image it was cut from, -1 for none.
        trials: what to paste.
        classes: source and target.
        batch_size: pictures in one pass.
        done: told how many pictures were answered.
    """
    owns = np.repeat([own[trial.patch] for trial in trials], len(pictures))
    parts = []
    for numbers, batch in _batches(pictures, patches, trials, batch_size):
        parts.append(_answered(forward(batch), classes, owns[numbers]))
        done(len(numbers))
    kinds = (np.concatenate(kind).reshape(len(trials), len(pictures)) for kind in zip(*parts, strict=True))
    return Answers(*kinds)


def _answered(logits: Tensor, classes: tuple[int, int], own: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    """What :class:`Answers` holds, in its order, of logits [picture, class]; each [picture]."""
    softmax = torch.softmax(logits.float(), dim=1).cpu().numpy()
    source, target = classes
    of_own = np.where(own >= 0, softmax[np.arange(len(own)), own], np.float32(np.nan))
    return softmax.argmax(axis=1), softmax[:, target], softmax[:, source], of_own


def _batches(
    pictures: Pixels, patches: Sequence[Pixels], trials: Sequence[Trial], batch_size: int
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Every picture with every patch pasted in, trial by trial: their numbers, and [picture, 3, y, x]."""
    plain, total = _channels_first(pictures), len(trials) * len(pictures)
    cut = {key: _channels_first(resized(patches[key[0]], key[1])) for key in {(t.patch, t.side) for t in trials}}
    for start in range(0, total, batch_size):
        numbers = np.arange(start, min(start + batch_size, total))
        yield numbers, _batch(plain, cut, trials, numbers)


def _batch(
    plain: Tensor, cut: dict[tuple[int, int], Tensor], trials: Sequence[Trial], numbers: NDArray[np.int64]
) -> Tensor:
    """The pictures of these numbers, trial by trial, with their patches pasted in."""
    which, image = np.divmod(numbers, len(plain))
    batch = plain[torch.from_numpy(image)]
    for number in np.unique(which).tolist():
        trial = trials[number]
        square = corner(trial.corner, trial.side, plain.shape[-1])
        first, last = np.searchsorted(which, [number, number + 1])
        rows, columns = (slice(edge, edge + square.side) for edge in (square.top, square.left))
        batch[first:last, :, rows, columns] = cut[trial.patch, trial.side]
    return batch


def _channels_first(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.moveaxis(pixels, -1, -3).copy())
