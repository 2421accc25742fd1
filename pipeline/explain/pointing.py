"""Where heat maps point: to the right quarter of a mosaic of four images, and to what the mask of an image shows.

The grid pointing game is that of Böhle et al. 2021, "Convolutional Dynamic Alignment Networks for Interpretable
Classifications"; the pointing game that of Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import hypergeom
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.config.model import PreprocessingSettings
from pipeline.explain.deletion import center_blob, pixel_order
from pipeline.explain.heatmaps import enlarge, is_constant
from pipeline.images.image_set import ImageSet
from pipeline.images.manifest import Manifest
from pipeline.images.masks import Mask, crop_mask, masks_of
from pipeline.model.convention import noise
from pipeline.model.network import Network

QUARTERS = 4  # of a mosaic: upper left, upper right, lower left, lower right

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def choose_mosaics(classes: NDArray[np.integer], count: int, seed: int) -> Ints | str:
    """Groups of four images of four different classes, or the reason why there are none.

    Each image is in one group at most. The classes take turns to give their images, those first that the network is
    most confident of: before the second image of a class, every class has given its first. Which classes are in one
    group, and in which quarter, is random as far as all images fit into the groups.

    Args:
        classes: of each candidate, in the order of the network's confidence, the highest first, [candidate]; candidates
            without a class have -1 and are left out.
        count: groups that are wanted; there are fewer where the candidates cannot fill as many.
        seed: of the run.

    Returns:
        numbers of the candidates, [mosaic, quarter], the quarters row by row.
    """
    usable = np.flatnonzero(classes >= 0)
    known = len(np.unique(classes[usable]))
    if known < QUARTERS:
        return f"a mosaic needs images of {QUARTERS} classes, found {known}"
    random = np.random.default_rng([seed, len(classes)])
    sizes = np.bincount(classes[usable])
    while np.minimum(sizes, count).sum() < QUARTERS * count:  # no class is in a group twice
        count -= 1
    left: list[list[int]] = [[] for _ in sizes]
    for image in _in_turns(classes, usable, random)[: QUARTERS * count]:
        left[classes[image]].append(int(image))
    groups = []
    for _ in range(count):
        # those with the most images left, or the last groups would lack classes
        order = np.lexsort((random.random(len(left)), np.array([-len(one) for one in left])))
        groups.append(random.permutation([left[one].pop(0) for one in order[:QUARTERS]]))
    return np.array(groups, np.int64).reshape(-1, QUARTERS)


def _in_turns(classes: NDArray[np.integer], usable: NDArray[np.intp], random: np.random.Generator) -> NDArray[np.intp]:
    """The usable images by their place within their class, and in random order where that is the same."""
    place = np.empty(len(usable), np.int64)
    for one in np.unique(classes[usable]):
        own = classes[usable] == one
        place[own] = np.arange(own.sum())
    return usable[np.lexsort((random.permutation(len(usable)), place))]


def takes_full_size(network: Network, layers: Sequence[str]) -> bool:
    """Whether a network can see mosaics of four whole inputs, as Böhle et al. build them.

    A network that flattens its last map, or has a position embedding for each patch, takes inputs of one size alone.

    Args:
        network: it is run once.
        layers: whose maps are used; token grids have the size that they have for the network's own input.
    """
    if any(network.layers[layer].is_tokens for layer in layers):
        return False
    inputs = noise(2 * network.preprocessing.crop, 1).to(next(network.module.parameters()).device)
    try:
        with torch.no_grad():
            network.module(inputs)
    except (RuntimeError, ValueError, AssertionError):  # what networks raise for a size that they do not take
        return False
    return True


def build_mosaics(quarters: Tensor, *, full_size: bool) -> Tensor:
    """Mosaics of four inputs each, [mosaic, 3, y, x].

    Args:
        quarters: normalized inputs, [mosaic, quarter, 3, side, side], the quarters row by row.
        full_size: mosaics have twice the side of an input. Otherwise they are as large as an input, and each input is
            resized to its quarter, with antialiasing; where the side is odd, the left and upper quarters are a pixel
            smaller than the others.
    """
    side = quarters.shape[-1]
    if full_size:
        upper, lower = (torch.cat([quarters[:, one], quarters[:, one + 1]], dim=3) for one in (0, 2))
        return torch.cat([upper, lower], dim=2).contiguous(memory_format=torch.channels_last)
    mosaics = quarters.new_empty(len(quarters), *quarters.shape[2:])
    for number, (rows, columns) in enumerate(_places(side)):
        size = (rows.stop - rows.start, columns.stop - columns.start)
        mosaics[:, :, rows, columns] = interpolate(
            quarters[:, number], size, mode="bilinear", align_corners=False, antialias=True
        )
    return mosaics.contiguous(memory_format=torch.channels_last)


def _places(side: int) -> list[tuple[slice, slice]]:
    """Rows and columns of each quarter of a mosaic."""
    halves = (slice(0, side // 2), slice(side // 2, side))
    return [(rows, columns) for rows in halves for columns in halves]


def quarter_shares(heat: Tensor, side: int) -> Floats:
    """The share of the positive heat that lies in the right quarter, 0..1, [mosaic, quarter].

    NaN where no heat is positive. By chance it is the quarter's share of the area: 1/4 where the side is even.

    Args:
        heat: heat maps of mosaics, in any resolution, [mosaic, quarter, y, x]: that of each quarter for its class.
        side: of the mosaics, pixels.
    """
    positive = enlarge(heat.clamp(min=0).flatten(0, 1), side).cpu().double().reshape(*heat.shape[:2], side, side)
    right = [positive[:, number, *place].sum((1, 2)) for number, place in enumerate(_places(side))]
    shares: Floats = (torch.stack(right, 1) / positive.sum((2, 3))).numpy()
    return shares


@dataclass(frozen=True, eq=False)
class Pointing:
    """How well heat maps point to masks; NaN where a map is constant or a mask empty.

    Attributes:
        hit: 1 where the largest value lies in the mask, else 0; or the probability of it; [image].
        iou: intersection over union of the mask and as many of the highest pixels as it has, 0..1, [image].
    """

    hit: Floats
    iou: Floats


def point(heat: Tensor, masks: Mask, rows: Sequence[int], seed: int) -> Pointing:
    """Compare heat maps with masks.

    Of pixels with equal values those come first that :func:`pipeline.explain.deletion.pixel_order` draws.

    Args:
        heat: heat maps in the resolution of the masks, [image, y, x].
        masks: of the images, [image, y, x].
        rows: numbers that name the images, 0 or higher, for the order of equal values.
        seed: of the run.
    """
    inside = np.take_along_axis(_flat(masks), pixel_order(heat, rows, seed), axis=1)
    sizes = inside.sum(axis=1)
    both = np.array([row[:size].sum() for row, size in zip(inside, sizes, strict=True)], np.int64)
    known = (sizes > 0) & ~is_constant(heat).cpu().numpy()
    iou = both / np.maximum(2 * sizes - both, 1)
    return Pointing(np.where(known, inside[:, 0], np.nan), np.where(known, iou, np.nan))


def point_to_center(masks: Mask, rows: Sequence[int], seed: int) -> Pointing:
    """A control: :func:`point` with the center blob as the heat map of every image.

    Args:
        masks: of the images, [image, side, side].
        rows: as for :func:`point`.
        seed: of the run.
    """
    side = masks.shape[-1]
    return point(center_blob(side).expand(len(masks), side, side), masks, rows, seed)


def point_at_random(masks: Mask) -> Pointing:
    """A control: what :func:`point` gives on average for maps whose pixels are in random order.

    The number of highest pixels in the mask then has a hypergeometric distribution.

    Args:
        masks: of the images, [image, y, x].
    """
    flat = _flat(masks)
    pixels, sizes = flat.shape[1], flat.sum(axis=1)
    hit = np.where(sizes > 0, sizes / pixels, np.nan)
    return Pointing(hit, np.array([_mean_iou(int(size), pixels) for size in sizes], np.float64))


def _flat(masks: Mask) -> Mask:
    """The masks as [image, pixel], also of no image."""
    return masks.reshape(len(masks), masks.shape[1] * masks.shape[2])


def _mean_iou(size: int, pixels: int) -> float:
    """The mean intersection over union of a mask with as many random pixels; NaN for an empty mask."""
    if not size:
        return np.nan
    both = np.arange(max(0, 2 * size - pixels), size + 1)
    weights = hypergeom.pmf(both, pixels, size, size)
    return float(weights @ (both / (2 * size - both)) / weights.sum())


def object_masks(
    images: ImageSet, manifest: Manifest, preprocessing: PreprocessingSettings
) -> Callable[[int], Mask] | None:
    """A function that gives the mask of what the image in a row shows; None where the image set has no masks.

    Where masks are named like the image's label, that is what they show; otherwise all masks together. The function
    raises DataError where the image set's own method fails, or gives something else than masks of the image.

    Args:
        images: the image set.
        manifest: list of its images.
        preprocessing: of the network, whose input is the part of the image that counts.

    Returns:
        a function of a row that gives bool [crop, crop].
    """
    find = masks_of(images, manifest)
    if find is None:
        return None

    def mask_of(row: int) -> Mask:
        size = (int(manifest.height[row]), int(manifest.width[row]))
        label = int(manifest.label[row])
        return crop_mask(unite(find(row), images.classes[label] if label >= 0 else None, size), preprocessing)

    return mask_of


def unite(masks: Mapping[str, Mask], label: str | None, size: tuple[int, int]) -> Mask:
    """The masks that are named like a label, or all masks where none is, as one, [y, x].

    Args:
        masks: by concept, [y, x] each.
        label: upper and lower case are the same; None for an image without one.
        size: height and width of the image, pixels.
    """
    own = [mask for name, mask in masks.items() if label is not None and name.casefold() == label.casefold()]
    united: Mask = np.logical_or.reduce([np.zeros(size, bool), *(own or masks.values())])
    return united
