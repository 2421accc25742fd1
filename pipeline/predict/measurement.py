"""Measuring how interventions on many samples change the logits, and estimates of that with bootstrap intervals."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.bootstrap import Interval, weighted_interval
from pipeline.core.progress import progress
from pipeline.model.inputs import input_batches
from pipeline.model.interventions import intervened_logits
from pipeline.model.network import Network

RESOLUTION = 2.0**-18  # of a logit, as a fraction of the largest one: smaller differences are float32 rounding
DECIMALS = 4

Floats = NDArray[np.float64]
Statistics = Mapping[str, Floats]  # name → statistic under each weighting


@dataclass(frozen=True)
class SamplePositions:
    """Where samples are: the image and the position in the layer's map.

    Attributes:
        image: [sample] row of the image.
        position: [sample, 2] (y, x) in the layer's map.
    """

    image: NDArray[np.int64]
    position: NDArray[np.int32]


@dataclass(frozen=True)
class InterventionRunner:
    """Runs interventions on one layer of a network.

    Attributes:
        network: the network.
        layer: dotted path of the layer.
        load: returns the network input [3, y, x] of the image in a row.
        batch_size: images in one forward pass.
        device: where the network is.
    """

    network: Network
    layer: str
    load: Callable[[int], Tensor]
    batch_size: int
    device: str

    def logit_changes(
        self,
        description: str,
        samples: SamplePositions,
        keep: Floats,
        add: Callable[[range], NDArray[Any]],
        relative: bool = False,
    ) -> Floats:
        """The logits after each intervention minus those of the first: [intervention, sample, class].

        Args:
            description: shown beside the progress.
            samples: whose activations are changed.
            keep: [intervention] factor of the activation; the first intervention must change nothing.
            add: returns what is added to a range of the samples, [intervention, sample, channel].
            relative: in units of the activation's norm.
        """
        changes = []
        count = len(samples.image)
        with progress(description, count, "sample") as bar:
            for span, inputs in input_batches(lambda i: self.load(int(samples.image[i])), count, self.batch_size):
                logits = intervened_logits(
                    self.network,
                    self.layer,
                    inputs.to(self.device, memory_format=torch.channels_last),
                    torch.from_numpy(samples.position[span.start : span.stop]).long().to(self.device),
                    torch.from_numpy(keep).float().to(self.device),
                    torch.from_numpy(add(span)).float().to(self.device),
                    relative,
                )
                changes.append(rounded_changes(logits.cpu().numpy().astype(np.float64)))
                bar.update(len(span))
        return np.concatenate(changes, axis=1)


def rounded_changes(logits: Floats) -> Floats:
    """Differences from the first intervention [intervention, sample, class], rounded to steps above float32 rounding.

    Otherwise classes that an intervention does not reach at all would be ranked by the rounding of their logits.
    """
    step = RESOLUTION * np.abs(logits).max(axis=(0, 2), keepdims=True)
    step = np.where(step > 0, step, 1.0)
    changes: Floats = np.rint((logits - logits[:1]) / step) * step
    return changes


def rounded(value: float) -> float | None:
    """To four decimals; None for NaN. Another batch size may change a number beyond these."""
    return None if math.isnan(value) else round(value, DECIMALS) + 0.0


def rounded_interval(found: Interval) -> dict[str, float | None]:
    """An interval as the page shows it."""
    return {"value": rounded(found.value), "low": rounded(found.low), "high": rounded(found.high)}


def intervals(statistics: Statistics) -> dict[str, dict[str, float | None]]:
    """The rounded interval of each statistic [weighting], by name."""
    return {name: rounded_interval(weighted_interval(values)) for name, values in statistics.items()}


def differences(one: Statistics, two: Statistics) -> dict[str, Floats]:
    """``one`` minus ``two``, by name: paired differences, since both come from the same resamples."""
    return {name: one[name] - two[name] for name in one}
