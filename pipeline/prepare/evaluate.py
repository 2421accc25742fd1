"""How well a network names images."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.core.progress import progress
from pipeline.model.config import PreprocessingSettings
from pipeline.model.preprocessing import normalise

GUESSES = 5


def predict(
    module: nn.Module, images: NDArray[np.uint8], preprocessing: PreprocessingSettings, batch_size: int
) -> NDArray[np.int64]:
    """The classes that a network finds likeliest.

    Args:
        module: in evaluation mode, from normalised images to logits [image, class].
        images: [image, y, x, 3] uint8, as the network sees them.
        preprocessing: its mean and deviation normalise the images.
        batch_size: images in one pass.

    Returns:
        [image, 5] class indices, the likeliest first; fewer columns where there are fewer classes.
    """
    found: list[NDArray[np.int64]] = []
    with torch.inference_mode(), progress("evaluating", len(images), "images") as bar:
        for start in range(0, len(images), batch_size):
            pixels = torch.from_numpy(images[start : start + batch_size]).movedim(-1, 1).float() / 255
            logits = module(normalise(pixels, preprocessing))
            found.append(logits.topk(min(GUESSES, logits.shape[1]), dim=1).indices.numpy().astype(np.int64))
            bar.update(len(pixels))
    return np.concatenate(found) if found else np.zeros((0, GUESSES), np.int64)


def top_accuracy(guesses: NDArray[np.int64], classes: NDArray[np.int64], first: int) -> float:
    """Share of the images whose class is among their ``first`` guesses; images without a class (-1) do not count."""
    known = classes >= 0
    if not known.any():
        return float("nan")
    return float((guesses[known, :first] == classes[known, None]).any(axis=1).mean())
