"""Counts over all samples: how much of a layer is zero, how large attributions are, whether predictions differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import counted

MANY_IMAGES, ONE_CLASS = 20, 0.95  # images, and the share predicted as one class, from which that is told


@dataclass(frozen=True)
class ActivationStats:
    """Counts over some samples; those of several shards add up.

    A ReLU after the last convolution closes most (position, class) gates and makes those attributions exactly zero; at
    early layers attributions are small compared to the logits. Both are worth knowing before reading a label. They are
    counted before values are rounded for the disk.

    Attributes:
        samples: how many.
        silent_samples: those whose activation is zero in every channel.
        attributions: numbers, over samples and classes; 0 where none are recorded.
        zero_attributions: those of them that are exactly zero.
        samples_without_attribution: those with zeros only.
        absolute_attribution: sum of all magnitudes.
    """

    samples: int = 0
    silent_samples: int = 0
    attributions: int = 0
    zero_attributions: int = 0
    samples_without_attribution: int = 0
    absolute_attribution: float = 0.0

    def __add__(self, other: "ActivationStats") -> "ActivationStats":
        return ActivationStats(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))

    @property
    def all_zero(self) -> bool:
        """Whether every activation of the layer is zero."""
        return self.silent_samples == self.samples

    def payload(self) -> dict[str, Any]:
        """The counts as JSON holds them; ``ActivationStats(**payload)`` restores them."""
        return asdict(self)

    def metrics(self, channels: int) -> dict[str, Any]:
        """The counts, as ``dvc metrics show`` prints them."""
        counts: dict[str, Any] = {
            "samples": self.samples,
            "channels": channels,
            "silent_samples": self.silent_samples,
        }
        if self.attributions:
            counts["zero_attributions"] = round(self.zero_attributions / self.attributions, 4)
            counts["samples_without_attribution"] = self.samples_without_attribution
            counts["mean_absolute_attribution"] = self.absolute_attribution / self.attributions
        return counts

    def summary(self, channels: int) -> str:
        """The counts in half a line."""
        text = (
            f"{counted(self.samples, 'sample')} of {counted(channels, 'channel')}, {self.silent_samples} of them silent"
        )
        if self.attributions:
            text += f", {self.zero_attributions / self.attributions:.0%} of the attributions exactly zero"
        return text


def activation_stats(block: Mapping[str, NDArray[Any]]) -> ActivationStats:
    """Count one block: ``activation`` [row, channel] and, where recorded, ``attribution`` [row, class]."""
    activation = block["activation"]
    silent = int((~activation.any(axis=1)).sum())
    if "attribution" not in block:
        return ActivationStats(len(activation), silent)
    attribution = block["attribution"]
    nonzero = np.count_nonzero(attribution, axis=1)
    return ActivationStats(
        len(activation),
        silent,
        attribution.size,
        attribution.size - int(nonzero.sum()),
        int((nonzero == 0).sum()),
        float(np.abs(attribution).sum(dtype=np.float64)),
    )


def sum_stats(payloads: Iterable[Mapping[str, Any]]) -> ActivationStats:
    """The sum of counts as :meth:`ActivationStats.payload` returned them, in their order."""
    return sum((ActivationStats(**payload) for payload in payloads), ActivationStats())


def one_class_note(image: NDArray[np.int64], prediction: NDArray[np.int32], classes: Sequence[str]) -> str | None:
    """A line if the network predicts one class for nearly all images, as one with random weights does.

    Args:
        image: row of each sample's image, [sample].
        prediction: class that the network predicts for it, [sample].
        classes: of the network.
    """
    _, first = np.unique(image, return_index=True)
    counts = np.bincount(prediction[first], minlength=len(classes))
    most = int(counts.argmax())
    if len(first) < MANY_IMAGES or counts[most] < ONE_CLASS * len(first):
        return None
    return (
        f"sample: the network predicts {classes[most]!r} for {counts[most]:,} of {counted(len(first), 'image')}; "
        "unless they show that, its weights may not be those of a trained network (model.weights)"
    )
