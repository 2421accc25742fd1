"""The network, the images and the two classes, ready for both directions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.escaping import escape_control_chars
from pipeline.images.manifest import Manifest
from pipeline.model.layers import LayerShape
from pipeline.model.network import Network
from pipeline.model.preprocessing import normalise
from pipeline.patch.candidates import Cells, ranked_exemplars
from pipeline.patch.config import PatchSettings
from pipeline.patch.direction import Direction, Subjects
from pipeline.patch.groups import from_atlas
from pipeline.patch.images import first_of_each, spread_evenly
from pipeline.patch.sources import Patch, Sources
from pipeline.patch.squares import Square, around, patch_side
from pipeline.patch.trials import Pixels, in_batches

Content = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What both directions share.

    Attributes:
        network: on the settings' device.
        shape: of the layer.
        manifest: of the images.
        load: the network's crop [y, x, 3] of the image in a row.
        labels: names of the image set's own classes.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.
        levels: of the comparison's grid.
        pair: the left and the right class.
        settings: of the stage.
        seed: of the run.
    """

    network: Network
    shape: LayerShape
    manifest: Manifest
    load: Callable[[int], Pixels]
    labels: Sequence[str]
    image: NDArray[np.int64]
    position: NDArray[np.int32]
    levels: Sequence[Cells]
    pair: tuple[int, int]
    settings: PatchSettings
    seed: int

    @property
    def crop(self) -> int:
        """Side of the network's input, pixels."""
        return self.network.preprocessing.crop

    @property
    def side(self) -> int:
        """Side of a patch that is cut out, pixels."""
        return patch_side(self.shape.receptive_field, self.crop)

    def about(self, row: int) -> Content:
        """An image's name, and that of its class as the network or else the image set knows it."""
        class_, label = int(self.manifest.class_[row]), int(self.manifest.label[row])
        known = self.network.classes[class_] if class_ >= 0 else self.labels[label] if label >= 0 else None
        return {"key": escape_control_chars(self.manifest.key[row]), "label": known}

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits [picture, class] of pictures uint8 [picture, 3, y, x]."""
        pixels = pictures.to(self.settings.device).float() / 255
        inputs = normalise(pixels, self.network.preprocessing).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            logits: Tensor = self.network.module(inputs)
        return logits

    def subjects(self, class_: int) -> Subjects:
        """The images of a class, at most as many as are wanted, and what the network says to them."""
        listed = np.flatnonzero(self.manifest.class_ == class_)
        rows = spread_evenly(listed[first_of_each([self.manifest.digest[row] for row in listed])], self.settings.images)
        pictures = np.zeros((len(rows), self.crop, self.crop, 3), np.uint8)
        softmax = np.zeros((0, len(self.network.classes)), np.float32)
        if len(rows):
            pictures = np.stack([self.load(int(row)) for row in rows])
            softmax = torch.softmax(in_batches(self.forward, pictures, self.settings.batch_size), dim=1).numpy()
        return Subjects(len(listed), rows, pictures, softmax, class_)

    def direction(self, subjects: Subjects, target: int) -> Direction:
        """Everything that the test from the subjects' class to the target needs."""
        sources = Sources(self.load, self.manifest.class_, self.forward)
        grey = np.rint(255 * np.array(self.network.preprocessing.mean)).astype(np.uint8)
        return Direction(
            subjects=subjects,
            target=target,
            proposed=self._proposed(sources, subjects.class_, target),
            sources=sources,
            forward=self.forward,
            side=self.side,
            grey=np.broadcast_to(grey, (self.crop, self.crop, 3)),
            settings=self.settings,
            seed=self.seed,
        )

    def _proposed(self, sources: Sources, source: int, target: int) -> list[Patch]:
        """The atlas's candidates, best first."""
        exemplars = ranked_exemplars(self.levels, source, target, rightwards=target == self.pair[1])
        return from_atlas(sources, exemplars, self.image, self._square, self.pair, self.settings.candidates)

    def _square(self, sample: int) -> Square:
        y, x = (int(value) for value in self.position[sample])
        return around((y, x), self.shape.height, self.shape.width, self.side, self.crop)


def settings_told(bench: Bench) -> Content:
    """What holds for both directions, as the page shows it."""
    settings = bench.settings
    return {
        "crop": bench.crop,
        "patch": {"side": bench.side, "limited": bench.shape.receptive_field > bench.side},
        "sizes": settings.sizes,
        "curve": settings.curve,
        "kept": settings.kept,
        "pool": settings.pool,
        "min_images": settings.min_images,
        "resamples": settings.resamples,
        "seed": bench.seed,
    }
