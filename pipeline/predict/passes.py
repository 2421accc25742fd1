"""Changed activations of many samples: batch by batch through the network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.progress import progress
from pipeline.model.batches import batches
from pipeline.model.network import Network
from pipeline.predict.rerun import changed_logits

RESOLUTION = 2.0**-18  # of a logit, as a share of the largest one: what lies below is rounding of float32

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Samples that are changed: [sample] arrays.

    Attributes:
        image: row of the image.
        position: [sample, 2] (y, x) in the layer's map.
    """

    image: NDArray[np.int64]
    position: NDArray[np.int32]


@dataclass(frozen=True)
class Runner:
    """The network, its layer, and how images come to it.

    Attributes:
        load: the network input [3, y, x] of an image's row.
        batch_size: images in one pass.
        device: where the network is.
    """

    network: Network
    layer: str
    load: Callable[[int], Tensor]
    batch_size: int
    device: str

    def run(
        self, what: str, places: Places, keep: Floats, add: Callable[[range], NDArray[Any]], relative: bool = False
    ) -> Floats:
        """[change, sample, class]: by how much each change raises the logits above those of the first.

        Args:
            what: shown beside the progress.
            places: the samples.
            keep: [change] share of the activation that stays; the first change is to change nothing.
            add: the [change, sample, channel] that is added to a range of the samples.
            relative: as shares of the activation's length.
        """
        rises = []
        with progress(what, len(places.image), "sample") as bar:
            for span, inputs in batches(lambda i: self.load(int(places.image[i])), len(places.image), self.batch_size):
                logits = changed_logits(
                    self.network,
                    self.layer,
                    inputs.to(self.device, memory_format=torch.channels_last),
                    torch.from_numpy(places.position[span.start : span.stop]).long().to(self.device),
                    torch.from_numpy(keep).float().to(self.device),
                    torch.from_numpy(add(span)).float().to(self.device),
                    relative,
                )
                rises.append(resolved(logits.cpu().numpy().astype(np.float64)))
                bar.update(len(span))
        return np.concatenate(rises, axis=1)


def resolved(logits: Floats) -> Floats:
    """Differences from the first change [change, sample, class], in steps that are beyond rounding.

    Without this, classes that a change does not reach at all would be ranked by the rounding of their logits.
    """
    step = RESOLUTION * np.abs(logits).max(axis=(0, 2), keepdims=True)
    step = np.where(step > 0, step, 1.0)
    steps: Floats = np.rint((logits - logits[:1]) / step) * step
    return steps
