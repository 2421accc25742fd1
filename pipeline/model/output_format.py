"""Which dimensions of a layer's output are places of the image, and which one is the channel: measured, not guessed.

One band of the input after the other is replaced by noise, across and down. An entry of the output has a place: the
mean of the bands that move it, weighted by how much they move it. In a reading of the output, such as
[batch, channel, y, x], these places are compared with those that the reading claims. A reading is verified if the two
correlate in y and in x.

An entry that many bands move, as behind attention or where the receptive field is the whole image, may have no place of
its own. There a reading holds if other layers of the same network verify it for outputs of the same number of
positions, or if a convolution or pooling, whose order of dimensions torch defines, has a map of that size.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from typing import NamedTuple, Self

import torch
from torch import Tensor

from pipeline.config.model import Layout, ModelSettings
from pipeline.model.description import Kind, LayerShape

BANDS = 8  # of the input, in each direction
VERIFIED = 0.8  # least correlation of measured and claimed places; a grid that is one token off has at most 0.62
MARGIN = 0.1  # by which it exceeds that of every reading of another kind
GLOBAL = 0.3  # share of the bands that move an entry, from which on its place may be hidden by others
WHOLE = 0.7  # share of the image that a token grid spans at least
SPECIAL_TOKENS = 64  # most tokens beside the patch grid
DIMENSIONS = {"map": 4, "map_last": 4, "tokens": 3, "tokens_last": 3}
CHANNEL = {"map": 1, "map_last": 3, "tokens": 2, "tokens_last": 1}


@dataclass(frozen=True)
class OutputFormat:
    """The order of dimensions of a layer's output and their sizes; see :class:`LayerShape`."""

    kind: Kind
    channels: int
    height: int
    width: int
    prefix: int
    suffix: int = 0

    def to_map(self, output: Tensor) -> Tensor:
        """See :meth:`LayerShape.to_map`."""
        return self.shape().to_map(output)

    def shape(self, stride: float = 1.0, receptive_field: int = 1) -> LayerShape:
        """The layer's shape.

        Args:
            stride: input pixels between neighboring positions.
            receptive_field: side of the square of input pixels that the central position depends on.
        """
        return LayerShape(
            self.kind, self.channels, self.height, self.width, self.prefix, stride, receptive_field, self.suffix
        )


class GivenFormat(NamedTuple):
    """What the settings say about the outputs of layers; see :class:`ModelSettings`."""

    layout: Layout | None = None
    prefix_tokens: int | None = None
    suffix_tokens: int | None = None

    @classmethod
    def of(cls, settings: ModelSettings) -> Self:
        """Those of ``settings``."""
        return cls(settings.layout, settings.prefix_tokens, settings.suffix_tokens)


MEASURED = GivenFormat()


class Grid(NamedTuple):
    """Where the positions of a reading are: for maps all entries, for tokens a part of the sequence."""

    height: int
    width: int
    prefix: int = 0
    suffix: int = 0


@dataclass(frozen=True)
class Places:
    """Where in the image the positions of one reading of an output are.

    Attributes:
        center: (y, x) of each, in bands, NaN where no band moves it; [2, y, x] for maps, [2, token] for tokens.
        share: of the bands that move a position, median over positions and the smaller of both directions, 0..1.
    """

    center: Tensor
    share: float


@dataclass(frozen=True)
class Moved:
    """How the output of one layer moves with the input.

    Attributes:
        sizes: of the output without the batch.
        readings: places by the kind of the output that is assumed.
    """

    sizes: tuple[int, ...]
    readings: Mapping[Kind, Places]


@dataclass(frozen=True)
class Unverified:
    """An output whose format is not known.

    Attributes:
        seen: what was measured, for an error line.
        guess: the reading that its sizes suggest, None where there is none.
    """

    seen: str
    guess: OutputFormat | None


def banded_images(image: Tensor, other: Tensor) -> Tensor:
    """An image [channel, y, x], and with one band after the other taken from ``other``: across, then down.

    Returns:
        [1 + 2 · BANDS, channel, y, x]
    """
    images = image.repeat(1 + 2 * BANDS, 1, 1, 1)
    for axis in (1, 2):
        for number, band in enumerate(_bands(image.shape[axis])):
            start, length = band.start, band.stop - band.start
            changed = images[1 + (axis - 1) * BANDS + number].narrow(axis, start, length)
            changed.copy_(other.narrow(axis, start, length))
    return images


def _bands(size: int) -> Iterator[slice]:
    edges = [round(number * size / BANDS) for number in range(BANDS + 1)]
    return (slice(start, stop) for start, stop in pairwise(edges))


def measure_places(output: Tensor) -> Moved:
    """The places of the entries of an output of three or four dimensions for :func:`banded_images`."""
    change = (output[1:].float() - output[:1].float()).square()
    kinds: list[Kind] = [kind for kind, dimensions in DIMENSIONS.items() if dimensions == output.ndim]  # type: ignore[misc]  # keys are kinds
    return Moved(tuple(output.shape[1:]), {kind: _places(change.sum(CHANNEL[kind])) for kind in kinds})


def _places(change: Tensor) -> Places:
    """Places of positions that each band changes by ``change`` [2 · BANDS, …]."""
    change = change.double()
    numbers = torch.arange(BANDS, dtype=torch.float64, device=change.device)
    centers, shares = [], []
    for part in (change[:BANDS], change[BANDS:]):
        # a position behind attention moves with every band: only what exceeds the usual change tells its place
        excess = (part - part.median(0, keepdim=True).values).clamp(min=0)
        centers.append(torch.tensordot(numbers, excess, dims=1) / excess.sum(0))
        share = (part.sum(0).square() / part.square().sum(0)).nanmedian() / BANDS
        shares.append(float(share.nan_to_num(1.0)))  # what nothing moves, or is not finite, has no place either
    return Places(torch.stack(centers).cpu(), min(shares))


def find_formats(
    moved: Mapping[str, Moved], given: GivenFormat, maps: Collection[str] = ()
) -> tuple[dict[str, OutputFormat], dict[str, Unverified]]:
    """The formats of layers that are verified or given, and what was seen of the others.

    Args:
        moved: by layer, of one network.
        given: by the settings; a given layout is taken without a measurement, for outputs with its number of
            dimensions.
        maps: those among the layers whose output is a map by torch's definition.
    """
    known = _verified(moved, given)
    grids = {(found.kind, _positions(found.kind, moved[name].sizes)): _grid(found) for name, found in known.items()}
    for name in maps:
        positions = _positions("map", moved[name].sizes)
        grids.setdefault(("map", positions), Grid(*positions))
    for name in moved.keys() - known.keys():
        for kind, places in moved[name].readings.items():
            if places.share < GLOBAL:  # of this size there are positions that are known to be elsewhere
                grids.pop((kind, _positions(kind, moved[name].sizes)), None)
    formats: dict[str, OutputFormat] = {}
    unverified: dict[str, Unverified] = {}
    for name, seen in moved.items():
        likely = [found for kind in seen.readings if (found := _likely(seen, kind, grids, given)) is not None]
        by_hand = [found for found in likely if found.kind == given.layout]
        if given.layout in seen.readings:
            known.pop(name, None)
            found = by_hand[0] if by_hand else None
        else:
            found = known.get(name) or _inherited(seen, grids)
        if found is not None:
            formats[name] = found
        else:
            unverified[name] = Unverified(_seen(seen, given), likely[0] if likely else None)
    return formats, unverified


def _verified(moved: Mapping[str, Moved], given: GivenFormat) -> dict[str, OutputFormat]:
    """The layers whose own places verify a reading. Maps come first: token grids have the size of a map, mostly."""
    known: dict[str, OutputFormat] = {}
    grids: dict[Grid, None] = {}
    for dimensions in (4, 3):
        for name, seen in moved.items():
            if len(seen.sizes) == dimensions - 1:
                found = _best(_scores(seen, list(grids), given))
                if found is not None:
                    known[name] = found
                    grids.setdefault(Grid(found.height, found.width))
    return known


def _best(scores: Sequence[tuple[float, OutputFormat]]) -> OutputFormat | None:
    """The verified format; None if there is none, or if outputs of another kind would do nearly as well."""
    best = max((score for score, _ in scores), default=0.0)
    near = [(found.height * found.width, score, found) for score, found in scores if score > best - MARGIN]
    if best < VERIFIED or len({found.kind for _, _, found in near}) > 1:
        return None
    # some of the rows of a token grid follow the image as well as all of them
    return max(near, key=lambda scored: scored[:2])[2]


def _scores(seen: Moved, grids: Sequence[Grid], given: GivenFormat) -> list[tuple[float, OutputFormat]]:
    """How well the places follow each possible reading, -1..1."""
    return [
        (_score(places, grid), _format(kind, seen.sizes, grid))
        for kind, places in seen.readings.items()
        for grid in _possible_grids(kind, seen.sizes, grids, given)
    ]


def _possible_grids(kind: Kind, sizes: tuple[int, ...], grids: Sequence[Grid], given: GivenFormat) -> list[Grid]:
    positions = _positions(kind, sizes)
    if DIMENSIONS[kind] == 4:
        return [Grid(*positions)]
    (tokens,) = positions
    sides = {(grid.height, grid.width): None for grid in grids} | {
        (side, side): None for side in range(isqrt(tokens), 0, -1)
    }
    found = []
    for height, width in sides:
        special = tokens - height * width
        if 0 <= special <= min(SPECIAL_TOKENS, height * width) and (height * width > 1 or tokens == 1):
            found += [Grid(height, width, prefix, special - prefix) for prefix in range(special + 1)]
    return [
        grid
        for grid in found
        if given.prefix_tokens in (None, grid.prefix) and given.suffix_tokens in (None, grid.suffix)
    ]


def _score(places: Places, grid: Grid) -> float:
    """The smaller of the correlations of measured and claimed places, in y and in x; 1 for a single position.

    It is 0 where less than half of the positions have a place, or where a part of the tokens follows a part of the
    image only.
    """
    sides = (grid.height, grid.width)
    flat = places.center.flatten(1)
    inside = flat[:, grid.prefix : flat.shape[1] - grid.suffix]
    claimed = torch.cartesian_prod(*(BANDS * torch.arange(side, dtype=torch.float64) / side for side in sides)).T
    moving = inside.isfinite().all(0)
    if moving.sum() * 2 < moving.numel():
        return 0.0
    score = 1.0
    for axis in (axis for axis in (0, 1) if sides[axis] > 1):
        correlation, slope = _fit(claimed[axis, moving], inside[axis, moving])
        if grid.prefix + grid.suffix and places.share < GLOBAL and slope < WHOLE:
            return 0.0
        score = min(score, correlation)
    return score


def _fit(claimed: Tensor, measured: Tensor) -> tuple[float, float]:
    """Correlation and slope of the line through the measured values."""
    claimed, measured = claimed - claimed.mean(), measured - measured.mean()
    product, scale = float(claimed @ measured), float(claimed.norm() * measured.norm())
    return (product / scale, product / float(claimed @ claimed)) if scale > 0 else (0.0, 0.0)


def _inherited(seen: Moved, grids: Mapping[tuple[Kind, tuple[int, ...]], Grid]) -> OutputFormat | None:
    """The one reading that other layers verify for this number of positions, if these have no places of their own."""
    found = [
        _format(kind, seen.sizes, grids[key])
        for kind, places in seen.readings.items()
        if (key := (kind, _positions(kind, seen.sizes))) in grids and places.share >= GLOBAL
    ]
    return found[0] if len(found) == 1 else None


def _likely(
    seen: Moved, kind: Kind, grids: Mapping[tuple[Kind, tuple[int, ...]], Grid], given: GivenFormat
) -> OutputFormat | None:
    """The reading of a kind that other layers or, without them, the sizes suggest: the fewest special tokens, first."""
    possible = _possible_grids(kind, seen.sizes, list(grids.values()), given)
    if not possible:
        return None
    usual = grids.get((kind, _positions(kind, seen.sizes)))
    best = usual if usual in possible else min(possible, key=lambda grid: (grid.prefix + grid.suffix, grid.suffix))
    return _format(kind, seen.sizes, best)


def _format(kind: Kind, sizes: tuple[int, ...], grid: Grid) -> OutputFormat:
    return OutputFormat(kind, sizes[CHANNEL[kind] - 1], *grid)


def _grid(found: OutputFormat) -> Grid:
    return Grid(found.height, found.width, found.prefix, found.suffix)


def _positions(kind: Kind, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes without the channels."""
    channel = CHANNEL[kind] - 1
    return sizes[:channel] + sizes[channel + 1 :]


def _seen(seen: Moved, given: GivenFormat) -> str:
    """What was measured of an output, for an error line."""
    best: dict[Kind, float] = {}
    for score, found in _scores(seen, [], given):
        best[found.kind] = max(score, best.get(found.kind, -1.0))
    measured = ", ".join(f"{score:.2f} as {kind}" for kind, score in best.items()) or "their number is that of no grid"
    return (
        f"[batch, {', '.join(map(str, seen.sizes))}] whose entries do not follow the places of the image ({measured})"
    )
