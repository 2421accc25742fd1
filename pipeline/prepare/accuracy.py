"""Top-k accuracy of a network on labeled images."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.config.model import PreprocessingSettings
from pipeline.model.inputs import normalize

TOP = 5
BATCH_SIZE = 32


class TopPredictions:
    """The most probable classes of images that are added one after the other.

    Args:
        module: in evaluation mode, from normalized images to logits [image, class].
        preprocessing: its mean and standard deviation normalize the images.
    """

    def __init__(self, module: nn.Module, preprocessing: PreprocessingSettings) -> None:
        self._module = module
        self._preprocessing = preprocessing
        self._pending: list[NDArray[np.uint8]] = []
        self._found: list[NDArray[np.int64]] = []

    def add(self, image: NDArray[np.uint8]) -> None:
        """Add an image [y, x, 3], cropped as for the network."""
        self._pending.append(image)
        if len(self._pending) == BATCH_SIZE:
            self._predict()

    def result(self) -> NDArray[np.int64]:
        """[image, 5] class indices, the most probable first; fewer columns where there are fewer classes."""
        if self._pending:
            self._predict()
        return np.concatenate(self._found) if self._found else np.zeros((0, TOP), np.int64)

    def _predict(self) -> None:
        pixels = torch.from_numpy(np.stack(self._pending)).movedim(-1, 1).float() / 255
        self._pending = []
        with torch.inference_mode():
            logits = self._module(normalize(pixels, self._preprocessing))
        best = logits.topk(min(TOP, logits.shape[1]), dim=1).indices
        self._found.append(best.numpy().astype(np.int64))


def top_accuracy(predictions: NDArray[np.int64], classes: NDArray[np.int64], first: int) -> float | None:
    """Share of the images whose class is among their ``first`` predictions, 0..1.

    Images without a class (-1) do not count; None where no image has one.
    """
    known = classes >= 0
    if not known.any():
        return None
    return float((predictions[known, :first] == classes[known, None]).any(axis=1).mean())
