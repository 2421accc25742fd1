"""Texture synthesis without a network: pixel by pixel from nearest neighborhoods, and by image quilting.

Both copy pixels of the source and mix no colors. They are what texture by a network's features is compared with: what
small pieces of the source already give.
"""

from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.numba_jit import inlined_jit, jit

Values = NDArray[np.float32]  # [y, x, color]
Origins = NDArray[np.int64]  # [y, x, 2], the source's pixel (y, x) that each pixel is
LANES = 16  # values whose distance is summed before a candidate may be left
COARSE_RADIUS = 1  # of the neighborhood at the next coarser level, which is known on all sides


@dataclass(frozen=True, eq=False)
class PatchTexture:
    """A texture made of pixels of a source.

    Attributes:
        image: float32 [3, y, x] in 0..1.
        origins: int64 [y, x, 2], the source's pixel (y, x) that each pixel is.
    """

    image: Tensor
    origins: Tensor


def scan_line_texture(
    source: Tensor, size: tuple[int, int], seed: int, *, radius: int = 4, levels: int = 3
) -> PatchTexture:
    """Choose pixel by pixel, in scan-line order, the source's pixel of the nearest causal neighborhood.

    Wei & Levoy 2000, "Fast Texture Synthesis Using Tree-Structured Vector Quantization", with an exhaustive search. The
    neighborhood is what scan-line order has made already: the rows above and the pixels to the left. At all levels of a
    Gaussian pyramid but the coarsest it is joined by the surrounding pixels of the next coarser one, which gives the
    large arrangement. The canvas is larger than the result by a margin at the top and at the sides that starts from
    random pixels of the source, and is cut off.

    Args:
        source: RGB, [3, y, x].
        size: (height, width) of the result, pixels.
        seed: of the random pixels.
        radius: of the neighborhood, pixels at each level.
        levels: of the pyramid, at least 1; fewer where the source is small.

    Raises:
        ValueError: the source is smaller than a neighborhood.
    """
    _require_larger(source, 2 * radius + 2, "radius")
    pyramid = _pyramid(_rows(source), levels, 3 * radius)
    generator = np.random.default_rng(seed)
    step = 2 ** (len(pyramid) - 1)
    margin = step * ceil(2 * radius / step)
    height, width = (step * ceil(side / step) for side in size)
    parent: Values | None = None
    for level in reversed(range(len(pyramid))):
        scale = 2**level
        canvas = ((height + margin) // scale, (width + 2 * margin) // scale)
        coarser = None if parent is None else pyramid[level + 1]
        origins = _grown(pyramid[level], coarser, parent, canvas, radius, generator)
        parent = pyramid[level][origins[..., 0], origins[..., 1]]
    return _texture(source, origins[margin : margin + size[0], margin : margin + size[1]])


def quilted_texture(
    source: Tensor,
    size: tuple[int, int],
    seed: int,
    *,
    block: int = 28,
    overlap: int = 7,
    tolerance: float = 0.1,
) -> PatchTexture:
    """Lay square blocks of the source side by side, and cut each along the path where it fits best.

    Efros & Freeman 2001, "Image Quilting for Texture Synthesis and Transfer": a block is drawn among those whose
    squared error in the overlap is at most 1 + tolerance times the smallest; the minimum error boundary cut through the
    overlap is found by dynamic programming.

    Args:
        source: RGB, [3, y, x].
        size: (height, width) of the result, pixels.
        seed: of the draws.
        block: side of a block, pixels.
        overlap: of two blocks, pixels, less than half a block.
        tolerance: of the errors among which a block is drawn.

    Raises:
        ValueError: the source is not larger than a block, or the overlap is half a block or more.
    """
    _require_larger(source, block + 1, "block")
    if not 0 < overlap < block / 2:
        raise ValueError(f"overlap: expected 1 pixel to less than half a block of {block}, found {overlap}")
    pixels, generator = _rows(source), np.random.default_rng(seed)
    windows = sliding_window_view(pixels, (block, block), axis=(0, 1)).transpose(0, 1, 3, 4, 2)
    step = block - overlap
    counts = [max(1, ceil((side - overlap) / step)) for side in size]
    canvas = tuple(count * step + overlap for count in counts)
    values, origins = np.zeros((*canvas, 3), np.float32), np.zeros((*canvas, 2), np.int64)
    inside = np.moveaxis(np.indices((block, block)), 0, -1)
    for row, column in product(range(counts[0]), range(counts[1])):
        place = np.s_[row * step : row * step + block, column * step : column * step + block]
        before = values[place]
        corner = _drawn_block(windows, before, overlap, (row > 0, column > 0), tolerance, generator)
        chosen = windows[corner]
        keep = _kept(((chosen - before) ** 2).sum(-1), overlap, (row > 0, column > 0))[..., None]
        values[place] = np.where(keep, before, chosen)
        origins[place] = np.where(keep, origins[place], inside + corner)
    return _texture(source, origins[: size[0], : size[1]])


def _drawn_block(
    windows: Values,
    before: Values,
    overlap: int,
    has: tuple[bool, bool],
    tolerance: float,
    generator: np.random.Generator,
) -> tuple[int, int]:
    """The corner (y, x) in the source of a block that fits what lies there, drawn among the best.

    Args:
        windows: all blocks of the source, [y, x, row, column, color].
        before: what lies at the block's place, [row, column, color].
        overlap: pixels.
        has: whether there are blocks above and to the left.
        tolerance: of the errors among which a block is drawn.
        generator: of the draw.
    """
    above, left = has
    strips: list[tuple[slice, slice]] = [(slice(overlap), slice(None))] if above else []
    if left:
        strips.append((slice(overlap if above else 0, None), slice(overlap)))
    errors = np.zeros(windows.shape[:2], np.float64)
    for rows, columns in strips:
        difference = windows[:, :, rows, columns] - before[rows, columns]
        errors += np.einsum("abijc,abijc->ab", difference, difference)
    # a perfect fit would leave itself alone: an error of half a level of 256 in each value counts as none
    least = errors.min() + sum(before[strip].size for strip in strips) / 512**2
    good = np.flatnonzero(errors.ravel() <= (1 + tolerance) * least)
    corner = np.unravel_index(generator.choice(good), errors.shape)
    return int(corner[0]), int(corner[1])


def _kept(errors: NDArray[np.float32], overlap: int, has: tuple[bool, bool]) -> NDArray[np.bool_]:
    """Where the earlier blocks stay, [row, column]: above the upper cut and to the left of the left one.

    Args:
        errors: squared difference of the new block from what lies there, [row, column].
        overlap: pixels.
        has: whether there are blocks above and to the left.
    """
    kept = np.zeros(errors.shape, bool)
    across = np.arange(overlap)
    if has[1]:
        kept[:, :overlap] |= across < _cut(errors[:, :overlap])[:, None]
    if has[0]:
        kept[:overlap] |= (across < _cut(errors[:overlap].T)[:, None]).T
    return kept


def _cut(errors: NDArray[np.float32]) -> NDArray[np.int64]:
    """The column of the path of least error from the first row to the last, [row]; neighbors differ by at most 1."""
    cost = errors.astype(np.float64)
    for row in range(1, len(cost)):
        above = np.pad(cost[row - 1], 1, constant_values=np.inf)
        cost[row] += sliding_window_view(above, 3).min(1)
    path = np.empty(len(cost), np.int64)
    path[-1] = cost[-1].argmin()
    for row in range(len(cost) - 2, -1, -1):
        first = max(0, path[row + 1] - 1)
        path[row] = first + cost[row, first : path[row + 1] + 2].argmin()
    return path


def _grown(
    pixels: Values,
    coarser: Values | None,
    parent: Values | None,
    canvas: tuple[int, int],
    radius: int,
    generator: np.random.Generator,
) -> Origins:
    """One level of :func:`scan_line_texture`: the source's pixel (y, x) of each pixel of the canvas, [y, x, 2].

    Args:
        pixels: of the source.
        coarser: those of the source at the next coarser level; None at the coarsest.
        parent: those of the canvas at that level.
        canvas: (height, width).
        radius: of the neighborhood.
        generator: of the random pixels around the canvas.
    """
    height, width = pixels.shape[0] - radius, pixels.shape[1] - 2 * radius  # of the candidates
    offsets = _causal_offsets(radius)
    candidates = [pixels[radius + y : radius + y + height, radius + x : radius + x + width] for y, x in offsets]
    around = np.zeros((*canvas, 0), np.float32)
    if coarser is not None and parent is not None:
        rows, columns = (np.arange(side)[axis] for side, axis in ((height, np.s_[:, None]), (width, np.s_[:])))
        candidates += _surroundings(coarser, (rows + radius) // 2, (columns + radius) // 2)
        rows, columns = np.arange(canvas[0])[:, None], np.arange(canvas[1])
        around = np.concatenate(_surroundings(parent, rows // 2, columns // 2), axis=-1)
    rows = np.concatenate(candidates, axis=-1).reshape(height * width, -1)
    features = np.pad(rows, ((0, 0), (0, -rows.shape[1] % LANES)))  # zeros, as in what they are compared with
    # beyond the canvas lie random pixels
    framed = (canvas[0] + radius, canvas[1] + 2 * radius)
    drawn = generator.integers(0, pixels.shape[0] * pixels.shape[1], framed)
    made = pixels.reshape(-1, 3)[drawn]
    chosen = np.empty(canvas, np.int64)
    _grow(made, np.ascontiguousarray(around), features, np.array(offsets), pixels, width, radius, chosen)
    return np.stack([chosen // width + radius, chosen % width + radius], axis=-1)


@jit
def _grow(
    made: Values,
    around: Values,
    features: Values,
    offsets: NDArray[np.int64],
    pixels: Values,
    width: int,
    radius: int,
    chosen: NDArray[np.int64],
) -> None:
    """Fill ``chosen`` [y, x] with the number of the nearest candidate, and ``made`` with its pixel, in scan-line order.

    The candidates that continue those of the neighbors come first: a small distance early ends the sums of most others.
    """
    count, length = features.shape
    wanted = np.zeros(length, np.float32)
    for y in range(chosen.shape[0]):
        for x in range(chosen.shape[1]):
            _gather(made, y + radius, x + radius, offsets, wanted)
            for number in range(around.shape[2]):
                wanted[3 * len(offsets) + number] = around[y, x, number]
            best, least = -1, np.float32(np.inf)
            for trial in range(count + 2):
                one = trial - 2
                if trial == 0:
                    one = chosen[y, x - 1] + 1 if x else -1
                elif trial == 1:
                    one = chosen[y - 1, x] + width if y else -1
                if one < 0 or one >= count or (trial == 0 and one % width == 0):
                    continue
                distance = _distance(features[one], wanted, least)
                if distance < least:
                    best, least = one, distance
            chosen[y, x] = best
            for color in range(3):
                made[y + radius, x + radius, color] = pixels[best // width + radius, best % width + radius, color]


@inlined_jit
def _gather(made: Values, y: int, x: int, offsets: NDArray[np.int64], wanted: NDArray[np.float32]) -> None:
    """Copy the pixels around one to the start of ``wanted``."""
    for number in range(len(offsets)):
        for color in range(3):
            wanted[3 * number + color] = made[y + offsets[number, 0], x + offsets[number, 1], color]


@inlined_jit
def _distance(row: NDArray[np.float32], wanted: NDArray[np.float32], limit: np.float32) -> np.float32:
    """The squared distance, or a part of it that reaches the limit."""
    distance = np.float32(0)
    for start in range(0, len(row), LANES):
        part = np.float32(0)
        for lane in range(LANES):
            difference = row[start + lane] - wanted[start + lane]
            part += difference * difference
        distance += part
        if distance >= limit:
            break
    return distance


def _causal_offsets(radius: int) -> list[tuple[int, int]]:
    """(y, x) of the rows above and of the pixels to the left, the nearest first."""
    square = product(range(-radius, 1), range(-radius, radius + 1))
    return sorted((one for one in square if one < (0, 0)), key=lambda one: (one[0] ** 2 + one[1] ** 2, one))


def _surroundings(pixels: Values, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[Values]:
    """The pixels around given ones, each [y, x, color]; beyond the edges the last ones repeat."""
    near = range(-COARSE_RADIUS, COARSE_RADIUS + 1)
    last_row, last_column = pixels.shape[0] - 1, pixels.shape[1] - 1
    return [pixels[(rows + y).clip(0, last_row), (columns + x).clip(0, last_column)] for y, x in product(near, near)]


def _pyramid(pixels: Values, levels: int, smallest: int) -> list[Values]:
    """The pixels, and at each further level those of half the size; none is smaller than ``smallest``."""
    pyramid = [pixels]
    while len(pyramid) < levels and min(pyramid[-1].shape[:2]) // 2 >= smallest:
        fine = pyramid[-1][: pyramid[-1].shape[0] // 2 * 2, : pyramid[-1].shape[1] // 2 * 2]
        mean = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) / 4
        pyramid.append(np.ascontiguousarray(mean, np.float32))
    return pyramid


def _rows(source: Tensor) -> Values:
    return np.ascontiguousarray(source.detach().cpu().numpy().transpose(1, 2, 0), np.float32)


def _texture(source: Tensor, origins: Origins) -> PatchTexture:
    chosen = torch.from_numpy(np.ascontiguousarray(origins)).to(source.device)
    return PatchTexture(source[:, chosen[..., 0], chosen[..., 1]], chosen)


def _require_larger(source: Tensor, side: int, setting: str) -> None:
    if min(source.shape[1:]) < side:
        found = f"{source.shape[1]} × {source.shape[2]}"
        raise ValueError(f"{setting}: expected a source of at least {side} × {side} pixels, found {found}; lower it")
