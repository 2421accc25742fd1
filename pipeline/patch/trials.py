"""Pictures with patches pasted into their corners => what the network answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    source, target = classes
    plain = _channels_first(pictures)
    cut = {key: _channels_first(resized(patches[key[0]], key[1])) for key in {(t.patch, t.side) for t in trials}}
    shape, total = (len(trials), len(pictures)), len(trials) * len(pictures)
    top = np.zeros(total, np.int64)
    target_, source_, own_ = (np.full(total, np.nan, np.float32) for _ in range(3))
    for start in range(0, total, batch_size):
        numbers = np.arange(start, min(start + batch_size, total))
        probabilities = torch.softmax(forward(_batch(plain, cut, trials, numbers)).float(), dim=1).cpu().numpy()
        top[numbers] = probabilities.argmax(axis=1)
        target_[numbers], source_[numbers] = probabilities[:, target], probabilities[:, source]
        owns = np.array([own[trials[trial].patch] for trial in (numbers // len(pictures)).tolist()])
        own_[numbers] = np.where(owns >= 0, probabilities[np.arange(len(numbers)), owns], np.nan)
        done(len(numbers))
    return Answers(top.reshape(shape), *(values.reshape(shape) for values in (target_, source_, own_)))


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
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, -3)))
