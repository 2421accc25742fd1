"""The photograph's own pixels around a sample: what an icon has to compete with."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.real import Run
from benchmarks.render.cells import Cells
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, IMAGES
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.description import LayerShape


def patches(run: Run, cells: Cells, size: int) -> Tensor:
    """The patch of each cell's best exemplar, uint8 [cell, y, x, 3], ``size`` pixels a side.

    Pixels of the network's input, around the place that the sample's position looks at. A patch that reaches beyond
    the photograph goes on as its mirror image, as in the transforms of icons.
    """
    activations = zarr_store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(run.outputs, cells.layer))
    images = np.asarray(zarr_store.array(activations, "image")[:])[cells.exemplars[:, 0]]
    positions = np.asarray(zarr_store.array(activations, "position")[:])[cells.exemplars[:, 0]]
    photographs = Photographs(run, cells)
    cut = [photographs.around(int(row), position, size) for row, position in zip(images, positions, strict=True)]
    return torch.from_numpy(np.stack(cut))


class Photographs:
    """The run's photographs as the network sees them."""

    def __init__(self, run: Run, cells: Cells) -> None:
        """Nothing is opened yet."""
        manifest = read_manifest(IMAGES.path(run.outputs))
        self._images = ManifestImages(manifest, open_image_set(run.params.images), run.params.prepare.max_pixels)
        self._preprocessing = cells.network.preprocessing
        self._shape = cells.network.layers[cells.layer]

    def __len__(self) -> int:
        return len(self._images)

    def pixels(self, row: int) -> NDArray[np.uint8]:
        """The network's crop of a photograph, [y, x, 3]."""
        return np.asarray(network_crop(self._images.load(row), self._preprocessing))

    def around(self, row: int, position: NDArray[np.integer], size: int) -> NDArray[np.uint8]:
        """The square of ``size`` pixels that a position (y, x) of the layer's map looks at the middle of."""
        return square(self.pixels(row), position, self._shape, size)

    def middle(self, row: int, size: int) -> NDArray[np.uint8]:
        """The square of ``size`` pixels in the middle of a photograph."""
        first = (self._preprocessing.crop - size) // 2
        return self.pixels(row)[first : first + size, first : first + size]


def square(pixels: NDArray[np.uint8], position: NDArray[np.integer], shape: LayerShape, size: int) -> NDArray[np.uint8]:
    """The square around what a position looks at, cut from pixels that go on as their mirror image.

    Args:
        pixels: the network's input, [y, x, 3].
        position: (y, x) in the layer's map.
        shape: of the layer.
        size: side of the square, pixels.
    """
    wider = np.pad(pixels, ((size, size), (size, size), (0, 0)), mode="reflect")
    from_middle = position - (np.array([shape.height, shape.width]) - 1) / 2
    center = np.array(pixels.shape[:2]) / 2 + from_middle * shape.stride
    top, left = np.clip(np.rint(center + size / 2).astype(int), 0, np.array(wider.shape[:2]) - size)
    return np.asarray(wider[top : top + size, left : left + size])
