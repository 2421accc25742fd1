"""Counts over all samples of a layer that tell how much its activations and attributions say."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Tally:
    """Running counts over blocks of samples.

    A ReLU after the last convolution closes most (position, class) gates and makes those attributions exactly zero; at
    early layers attributions are small against what the logits are. Both are worth knowing before reading a label.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.all_zero = True
        self._silent_samples = 0
        self._channels = 0
        self._attributions = 0
        self._zero_attributions = 0
        self._without_attribution = 0
        self._absolute_attribution = 0.0

    def add(self, block: dict[str, NDArray[Any]]) -> None:
        """Count one block: ``activation`` [row, channel] and, where recorded, ``attribution`` [row, class]."""
        activation = block["activation"]
        silent = ~activation.any(axis=1)
        self.samples += len(activation)
        self._channels = activation.shape[1]
        self._silent_samples += int(silent.sum())
        self.all_zero &= bool(silent.all())
        if "attribution" in block:
            attribution = block["attribution"]
            zero = attribution == 0
            self._attributions += attribution.size
            self._zero_attributions += int(zero.sum())
            self._without_attribution += int(zero.all(axis=1).sum())
            self._absolute_attribution += float(np.abs(attribution).sum(dtype=np.float64))

    def metrics(self) -> dict[str, Any]:
        """The counts, as ``dvc metrics show`` prints them."""
        counts: dict[str, Any] = {
            "samples": self.samples,
            "channels": self._channels,
            "silent_samples": self._silent_samples,
        }
        if self._attributions:
            counts["zero_attributions"] = round(self._zero_attributions / self._attributions, 4)
            counts["samples_without_attribution"] = self._without_attribution
            counts["mean_absolute_attribution"] = self._absolute_attribution / self._attributions
        return counts

    def summary(self) -> str:
        """The counts in half a line."""
        text = f"{self.samples} samples of {self._channels} channels, {self._silent_samples} of them silent"
        if self._attributions:
            text += f", {self._zero_attributions / self._attributions:.0%} of the attributions exactly zero"
        return text
