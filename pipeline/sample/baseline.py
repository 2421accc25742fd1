"""The baseline of attributions: each layer's mean activation, from a first pass over part of the images.

An activation of zero is one that most networks never have: batch normalization, residual sums and layer norms put a
layer's activations elsewhere. Attributions that compare with the layer's mean name what a cell's images show more often
than those that compare with zero; ``python -m benchmarks attribution`` measures it.

The part is bounded, since the mean of a few hundred images' maps is as good a baseline as that of all. It depends on
the seed and on the images alone. Images pass through the network one by one, and their sums are added in double
precision in the images' order, so the mean depends neither on the batch size nor on workers.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.sample import SampleSettings
from pipeline.core.files import identity
from pipeline.core.resumable import Checkpoint
from pipeline.core.zarr_store import write_shards
from pipeline.model.description import LayerShape
from pipeline.model.layers import number_type, run_to_all
from pipeline.model.network import Network
from pipeline.model.positions import interior, require_finite

ARRAY = "baseline"  # of the artifact, and the task that writes it
LARGEST = 256  # images of the pass
PER_TASK = 32


@dataclass(frozen=True)
class BaselineTask:
    """A task, as it is sent to a worker.

    Attributes:
        number: of the task.
        images: rows of the manifest.
        layers: those whose sums are missing.
    """

    number: int
    images: tuple[int, ...]
    layers: tuple[str, ...]


@dataclass(frozen=True)
class BaselinePart:
    """The images whose mean is the baseline.

    Attributes:
        images: rows of the manifest, ascending.
        digests: theirs.
    """

    images: tuple[int, ...]
    digests: tuple[str, ...]

    @property
    def identity(self) -> str:
        """Digest of the images."""
        return identity(self.digests)

    def spans(self) -> list[slice]:
        """The images of each task."""
        return [slice(start, start + PER_TASK) for start in range(0, len(self.images), PER_TASK)]

    def contents(self) -> dict[str, str]:
        """What the results of each task depend on, see :class:`pipeline.core.resumable.ResumableArtifact`."""
        sums = {task_name(number): identity(self.digests[span]) for number, span in enumerate(self.spans())}
        return {ARRAY: self.identity, **sums}

    def pending(self, checkpoints: Mapping[str, Checkpoint]) -> list[BaselineTask]:
        """The tasks whose sums some layer lacks; a layer whose baseline is written lacks none."""
        lacking = {layer: found for layer, found in checkpoints.items() if found.task_record(ARRAY) is None}
        tasks = []
        for number, span in enumerate(self.spans()):
            layers = (layer for layer, found in lacking.items() if found.task_record(task_name(number)) is None)
            if missing := tuple(layers):
                tasks.append(BaselineTask(number, self.images[span], missing))
        return tasks

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a layer's baseline, if it is not there, once all its tasks are finished."""
        if checkpoint.task_record(ARRAY) is not None:
            return
        payloads = [checkpoint.task_record(task_name(number)) for number in range(len(self.spans()))]
        total = np.sum([payload["sum"] for payload in payloads if payload], axis=0)
        mean = (total / len(self.images)).astype(np.float32)
        checkpoint.finish(ARRAY, write_shards(checkpoint.folder, {ARRAY: mean}, 0), {})


def choose_images(seed: int, digests: Sequence[str]) -> BaselinePart:
    """At most :data:`LARGEST` of the images: those of the smallest hashes of seed and digest."""
    ranked = (
        (hashlib.sha256(f"{seed}/baseline/{digest}".encode()).digest(), row) for row, digest in enumerate(digests)
    )
    rows = tuple(sorted(row for _, row in heapq.nsmallest(LARGEST, ranked)))
    return BaselinePart(rows, tuple(digests[row] for row in rows))


def task_name(number: int) -> str:
    """Name of a task, for its record."""
    return f"{ARRAY}-{number}"


def sum_of_means(
    network: Network, shapes: Mapping[str, LayerShape], images: Iterable[Tensor], settings: SampleSettings
) -> dict[str, NDArray[np.float64]]:
    """The sum over images of each layer's mean over the positions that can be sampled, [channel] by layer.

    Args:
        network: on ``settings.device``.
        shapes: of the layers.
        images: network input [1, 3, y, x], one by one.
        settings: of the stage.

    Raises:
        DataError: an activation is not finite.
    """
    sums = {layer: np.zeros(shape.channels) for layer, shape in shapes.items()}
    for image in images:
        with torch.no_grad(), number_type(settings.device, settings.dtype):
            outputs = run_to_all(network.module, list(shapes), image.to(settings.device))
        for layer, shape in shapes.items():
            mean = interior(shape.to_map(outputs[layer]), settings.border).double().mean(dim=(0, 2, 3)).cpu().numpy()
            require_finite(layer, mean)
            sums[layer] += mean
    return sums
