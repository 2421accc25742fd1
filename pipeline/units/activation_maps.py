"""Activation maps: where in an image a unit is active, laid over the image (Zhou et al. 2015; Bau et al. 2017).

The map is enlarged to the image. What it leaves below a threshold is darkened; the threshold is the activation that a
small share of all positions of all images exceeds.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.layer_names import LOGITS
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages
from pipeline.parallel.pool import Pool
from pipeline.units.examples import choose_examples
from pipeline.units.inputs import Inputs
from pipeline.units.scan import Scan, Scanner, ScannerSpec

EXCEEDED = 0.005  # share of all positions above the threshold, as in Network Dissection
DARK = 0.25  # brightness that is left below the threshold
SIDE = 144  # of a picture, pixels

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def activation_maps(inputs: Inputs, pool: Pool, scanner: ScannerSpec, scan: Scan) -> list[list[Pixels]]:
    """The activation maps of each unit, uint8 [SIDE, SIDE, 3] each, in the images of its highest activations.

    There are none where the run shows no photograph, for the logits, which have no map, and for a unit that no image
    activates.

    Args:
        inputs: of the stage.
        pool: the workers.
        scanner: of the units.
        scan: of all images.
    """
    count = 0 if inputs.layer == LOGITS else inputs.units.examples
    chosen: list[list[int]] = [
        choose_examples(scan, unit, count, inputs.shape.width)["highest"].image.tolist()
        if scan.highest[:, unit].max() > 0
        else []
        for unit in range(len(inputs.channels))
    ]
    units_of: dict[int, list[int]] = {}
    for unit, rows in enumerate(chosen):
        for row in rows:
            units_of.setdefault(row, []).append(unit)
    images = ManifestImages(inputs.manifest, open_image_set(inputs.patches.images))
    thresholds = scan.exceeded_at(EXCEEDED)
    found: dict[tuple[int, int], Pixels] = {}
    for row, grids in unit_maps(pool, scanner, units_of):
        crop = network_crop(images.load(row), inputs.network.preprocessing)
        for unit, grid in zip(units_of[row], grids, strict=True):
            found[unit, row] = masked(crop, grid, float(thresholds[unit]))
    return [[found[unit, row] for row in rows] for unit, rows in enumerate(chosen)]


def unit_maps(pool: Pool, spec: ScannerSpec, wanted: Mapping[int, Sequence[int]]) -> Iterator[tuple[int, Floats]]:
    """Each image's row and the maps of its units, [unit, y, x], in the order of completion.

    Args:
        pool: the workers.
        spec: of their scanners.
        wanted: for each image's row the numbers of its units in the scan.
    """
    tasks = sorted(wanted.items())
    for index, maps in pool.map_unordered(_maps, tasks, spec):
        yield tasks[index][0], maps


def masked(image: Image.Image, grid: Floats, threshold: float) -> Pixels:
    """An image with everything darkened where a unit's map is at most the threshold, uint8 [SIDE, SIDE, 3].

    Args:
        image: the network's crop, square.
        grid: the unit's map of it, [y, x].
        threshold: activation.
    """
    pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float32)
    enlarged = Image.fromarray(np.ascontiguousarray(grid, np.float32)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    bright = np.where(np.asarray(enlarged) > threshold, 1.0, DARK)[..., None]
    return np.asarray(np.round(pixels * bright), np.uint8)


def _maps(scanner: Scanner, task: tuple[int, Sequence[int]]) -> Floats:
    """In a worker."""
    row, units = task
    return scanner.maps(row, units)
