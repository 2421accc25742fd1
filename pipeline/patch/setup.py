"""The setup that both directions of the test share: the network, the images and the comparison's grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.patch import PatchSettings
from pipeline.core.errors import escape_control_chars
from pipeline.core.grid_levels import GridLevel
from pipeline.images.crops import Crop, CropSize, crop_around
from pipeline.images.manifest import Manifest
from pipeline.model.description import LayerShape
from pipeline.model.inputs import normalize
from pipeline.model.network import Network
from pipeline.patch.experiment import ClassImages, PairTest
from pipeline.patch.paste import Pixels, batched_logits
from pipeline.patch.patches import (
    Patch,
    PatchSource,
    atlas_patches,
    ranked_exemplars,
)

Content = dict[str, Any]


@dataclass(frozen=True)
class Setup:
    """What both directions share.

    Attributes:
        network: on the settings' device.
        shape: of the layer.
        manifest: of the images.
        load: returns the network's crop [y, x, 3] of the image in a row.
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
    levels: Sequence[GridLevel]
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
        return CropSize(self.shape.receptive_field, self.crop).pixels

    def image_content(self, row: int) -> Content:
        """An image's name and that of its class, as the network or else the image set names it."""
        class_, label = int(self.manifest.class_[row]), int(self.manifest.label[row])
        name = self.network.classes[class_] if class_ >= 0 else self.labels[label] if label >= 0 else None
        return {"key": escape_control_chars(self.manifest.key[row]), "label": name}

    def settings_content(self) -> Content:
        """The settings of both directions, as the page shows them."""
        settings = self.settings
        return {
            "crop": self.crop,
            "patch": {"side": self.side, "limited": self.shape.receptive_field > self.side},
            "sizes": settings.sizes,
            "curve": settings.curve,
            "keep": settings.keep,
            "pool": settings.pool,
            "min_images": settings.min_images,
            "resamples": settings.resamples,
            "seed": self.seed,
        }

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class] of images uint8 [image, 3, y, x]."""
        pixels = images.to(self.settings.device).float() / 255
        inputs = normalize(pixels, self.network.preprocessing).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            logits: Tensor = self.network.module(inputs)
        return logits

    def class_images(self, class_: int) -> ClassImages:
        """The images of a class, at most as many as configured, and the network's predictions for them."""
        listed = np.flatnonzero(self.manifest.class_ == class_)
        distinct = listed[first_occurrences([self.manifest.digest[row] for row in listed])]
        rows = spread_evenly(distinct, self.settings.images)
        pixels = np.zeros((len(rows), self.crop, self.crop, 3), np.uint8)
        softmax = np.zeros((0, len(self.network.classes)), np.float32)
        if len(rows):
            pixels = np.stack([self.load(int(row)) for row in rows])
            softmax = torch.softmax(batched_logits(self.forward, pixels, self.settings.batch_size), dim=1).numpy()
        return ClassImages(len(listed), rows, pixels, softmax, class_)

    def pair_test(self, images: ClassImages, target: int) -> PairTest:
        """The test from the images' class to the target."""
        source = PatchSource(self.load, self.manifest.class_, self.forward)
        gray = np.rint(255 * np.array(self.network.preprocessing.mean)).astype(np.uint8)
        return PairTest(
            images=images,
            target=target,
            candidates=self._candidates(source, images.class_, target),
            source=source,
            forward=self.forward,
            side=self.side,
            gray=np.broadcast_to(gray, (self.crop, self.crop, 3)),
            settings=self.settings,
            seed=self.seed,
        )

    def _candidates(self, patch_source: PatchSource, source: int, target: int) -> list[Patch]:
        exemplars = ranked_exemplars(self.levels, source, target, rightwards=target == self.pair[1])
        return atlas_patches(patch_source, exemplars, self.image, self._square, self.pair, self.settings.candidates)

    def _square(self, sample: int) -> Crop:
        y, x = (int(value) for value in self.position[sample])
        return crop_around((y, x), (self.shape.height, self.shape.width), self.side, self.crop)


def first_occurrences(digests: Sequence[str]) -> NDArray[np.int64]:
    """The first index of each digest, ascending: duplicates would count twice and could be in both halves."""
    first = {digest: index for index, digest in reversed(list(enumerate(digests)))}
    return np.array(sorted(first.values()), np.int64)


def spread_evenly(rows: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """At most ``limit`` of the rows, at equal steps through all of them."""
    if len(rows) <= limit:
        return rows
    return rows[np.floor(np.arange(limit) * len(rows) / limit).astype(np.int64)]
