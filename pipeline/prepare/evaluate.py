"""How well a network names images."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.model.config import PreprocessingSettings
from pipeline.model.inputs import normalize

GUESSES = 5
BATCH = 32


class Guesses:
    """The classes that a network finds likeliest, for images that come one after the other.

    Args:
        module: in evaluation mode, from normalised images to logits [image, class].
        preprocessing: its mean and deviation normalise the images.
    """

    def __init__(self, module: nn.Module, preprocessing: PreprocessingSettings) -> None:
        self._module = module
        self._preprocessing = preprocessing
        self._waiting: list[NDArray[np.uint8]] = []
        self._found: list[NDArray[np.int64]] = []

    def add(self, image: NDArray[np.uint8]) -> None:
        """Take one more image, [y, x, 3], as the network sees it."""
        self._waiting.append(image)
        if len(self._waiting) == BATCH:
            self._guess()

    def result(self) -> NDArray[np.int64]:
        """[image, 5] class indices, the likeliest first; fewer columns where there are fewer classes."""
        if self._waiting:
            self._guess()
        return np.concatenate(self._found) if self._found else np.zeros((0, GUESSES), np.int64)

    def _guess(self) -> None:
        pixels = torch.from_numpy(np.stack(self._waiting)).movedim(-1, 1).float() / 255
        self._waiting = []
        with torch.inference_mode():
            logits = self._module(normalize(pixels, self._preprocessing))
        best = logits.topk(min(GUESSES, logits.shape[1]), dim=1).indices
        self._found.append(best.numpy().astype(np.int64))


def top_accuracy(guesses: NDArray[np.int64], classes: NDArray[np.int64], first: int) -> float | None:
    """Share of the images whose class is among their ``first`` guesses, 0..1.

    Images without a class (-1) do not count; None where no image has one.
    """
    known = classes >= 0
    if not known.any():
        return None
    return float((guesses[known, :first] == classes[known, None]).any(axis=1).mean())
