"""What a worker of the stage has open: the network and the images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_tensor

from pipeline.config.images import ImagesSettings
from pipeline.config.synthesize import SynthesizeSettings
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.inputs import normalize
from pipeline.model.layers import run_to
from pipeline.model.network import load_network


@dataclass(frozen=True, eq=False)
class WorkerSpec:
    """Everything that :class:`Worker` is built from; small enough to travel to a worker.

    Attributes:
        model: folder of the saved network, at the same path for all workers.
        manifest: path of the list of images.
        images: settings of the image set as written: a worker resolves references to environment variables.
        settings: of the stage.
        seed: of the run.
    """

    model: Path
    manifest: Path
    images: ImagesSettings
    settings: SynthesizeSettings
    seed: int

    def __call__(self) -> "Worker":
        """The worker itself, in its process."""
        return Worker(self)


class Worker:
    """The network and the images, and what sheets need of both.

    Attributes:
        spec: what it was built from.
        network: on the device of the settings.
        side: of the network's input, pixels.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        """Open the images and the network."""
        self.spec = spec
        self.settings, self.seed = spec.settings, spec.seed
        self._images = ManifestImages(read_manifest(spec.manifest), open_image_set(spec.images))
        self.network = load_network(spec.model, spec.settings.device)
        self.side = self.network.preprocessing.crop

    def photograph(self, row: int, longest_side: int | None) -> Tensor:
        """The whole image in a row, [3, y, x] in 0..1.

        Args:
            row: in the list of images.
            longest_side: it is resized to that; None keeps its size.
        """
        image = self._images.load(row).convert("RGB")
        if longest_side is not None:
            scale = longest_side / max(image.size)
            width, height = (max(1, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        return self._on_device(image)

    def crop(self, row: int, side: int | None = None) -> Tensor:
        """The part of an image that the network sees, [3, side, side] in 0..1.

        Args:
            row: in the list of images.
            side: pixels; None for the side of the network's input.
        """
        crop = network_crop(self._images.load(row), self.network.preprocessing).convert("RGB")
        if side is not None and crop.size != (side, side):
            crop = crop.resize((side, side), Image.Resampling.LANCZOS)
        return self._on_device(crop)

    def maps(self, layer: str, rows: Sequence[int]) -> NDArray[np.float32]:
        """Maps of a layer for what the network sees of some images, [image, channel, y, x]."""
        inputs = normalize(torch.stack([self.crop(row) for row in rows]), self.network.preprocessing)
        with torch.no_grad():
            found = run_to(self.network.module, layer, inputs.contiguous(memory_format=torch.channels_last))
        return np.asarray(self.network.layers[layer].to_map(found).float().cpu().numpy())

    def _on_device(self, image: Image.Image) -> Tensor:
        pixels: Tensor = to_tensor(image)
        return pixels.to(self.settings.device)
