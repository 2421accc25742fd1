"""What a plan is computed from: how much a run has of everything, how fast the machine is, the command's options."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.config.params import Params
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.icon_styles import IconStyle
from pipeline.fitting_levels import FILL


@dataclass(frozen=True)
class Sizes:
    """How much a run has of everything.

    Attributes:
        params: its configuration.
        images: number of images that it uses.
        classes: number of classes of the network.
        channels: of every layer of the run, by dotted module path.
        fill: share of the cells of a grid level that hold a point, 0..1.
        crop: side of the network's input, pixels.
    """

    params: Params
    images: int
    classes: int
    channels: Mapping[str, int]
    fill: float
    crop: int

    @property
    def samples(self) -> int:
        """Number of rows of every activations artifact."""
        return self.images * self.params.sample.positions_per_image

    @property
    def number_bytes(self) -> int:
        """Bytes of one stored activation or attribution."""
        return np.dtype(self.params.sample.storage).itemsize

    @property
    def attributions(self) -> int:
        """Numbers in a row of attributions; 0 without attributions."""
        return self.classes if self.params.sample.attribution else 0


@dataclass(frozen=True)
class LevelCount:
    """Cells of one grid level.

    Attributes:
        size: cells a side.
        occupied: number of cells that hold a point.
        drawn: number of cells that hold enough points for an icon.
        warm_start: whether its drawn icons start from those of the coarser level.
    """

    size: int
    occupied: int
    drawn: int
    warm_start: bool


@dataclass(frozen=True)
class IconCost:
    """What one icon of a layer takes.

    Attributes:
        step: seconds of one gradient step, in a batch.
        other: seconds besides its steps: its initialization and its fidelity.
        bytes: memory that it adds to a batch.
    """

    step: float
    other: float
    bytes: int


@dataclass(frozen=True)
class GivenRates:
    """Rates that the user gives, since the machine is another one; None for those to be measured here.

    Attributes:
        images: per second in ``sample``, decoding included, of one GPU.
        icons: per second in ``render``, of one GPU.
        points: per second of a layout.
    """

    images: float | None = None
    icons: float | None = None
    points: float | None = None


@dataclass(frozen=True)
class Rates:
    """How fast one process works, and the memory it takes.

    Attributes:
        decode: images per second, from their files to the network's input, in several threads.
        digest: images per second, decoded and digested one after the other.
        forward: images per second in a plain forward pass.
        sample: images per second in the passes of the stage ``sample``, without decoding.
        sum: numbers per second, read from shards and added up over cells.
        encode: pixels of tiles per second.
        icons: by layer.
        memory: bytes of a process that has loaded the network.
        batch_bytes: bytes that a batch of ``sample`` takes beyond them.
        given: rates that replace measured ones; with ``given.icons``, only the bytes in ``icons`` count.
        large_icons: the same as ``icons`` for large ones; empty where no level has any.
    """

    decode: float
    digest: float
    forward: float
    sample: float
    sum: float
    encode: float
    icons: Mapping[str, IconCost]
    memory: int
    batch_bytes: int
    given: GivenRates = GivenRates()
    large_icons: Mapping[str, IconCost] = field(default_factory=dict)


def point_count(sizes: Sizes, atlas: str) -> int:
    """Number of samples of an atlas; for a class an upper bound, with samples shared evenly among classes.

    ``rank`` gives each sample to one class, ``magnitude`` gives a class its ``top``; ``both`` gives at most their sum.
    """
    classes = len(parse_atlas(atlas).classes)
    if not classes:
        return sizes.samples
    selection = sizes.params.selection
    ranked = round(sizes.samples / max(sizes.classes, 1))
    each = {"rank": ranked, "magnitude": selection.top, "both": ranked + selection.top}[selection.filter]
    return min(sizes.samples, classes * each)


def fitted_count(sizes: Sizes, atlas: str) -> int:
    """Number of points that the layout is computed from; the others are placed among them."""
    points = point_count(sizes, atlas)
    return min(points, sizes.params.reduce.fit_samples or points)


def level_counts(sizes: Sizes, atlas: str) -> list[LevelCount]:
    """Cells of each level of an atlas, coarse to fine."""
    grid, points = sizes.params.grid, point_count(sizes, atlas)
    warm_start = sizes.params.render.warm_steps is not None
    return [
        LevelCount(
            size=size,
            occupied=min(filled_cells(size, sizes.fill), points),
            drawn=min(filled_cells(size, sizes.fill), points // grid.min_count),
            warm_start=warm_start and index > 0,
        )
        for index, size in enumerate(grid.for_atlas(atlas))
    ]


def filled_cells(size: int, fill: float) -> int:
    """Number of cells of a ``size`` × ``size`` level within the layout's outline."""
    return round(size * size * fill)


def cell_count(levels: list[LevelCount]) -> int:
    """Number of occupied cells of all levels of an atlas."""
    return sum(level.occupied for level in levels)


def icon_count(levels: list[LevelCount]) -> int:
    """Number of icons of all levels of an atlas, in one style."""
    return sum(level.drawn for level in levels)


def large_count(sizes: Sizes, levels: list[LevelCount]) -> int:
    """Number of large icons of an atlas, in one style."""
    return sum(level.drawn for level in levels if level.size == sizes.params.render.large_level)


def step_count(
    levels: list[LevelCount], steps: int, warm_steps: int | None, styles: Sequence[IconStyle] = ("drawn",)
) -> int:
    """Gradient steps of all icons: ``steps`` for an icon that starts from noise, ``warm_steps`` for any other.

    Icons whose cell has the same points as its parent take no steps, and failed ones are drawn again; both are rare.
    """
    return sum(
        level.drawn * ((warm_steps or steps) if level.warm_start or style == "accentuated" else steps)
        for level in levels
        for style in styles
    )


@dataclass(frozen=True)
class Options:
    """Parsed options.

    Attributes:
        gpus: numbers of GPUs of other machines, one column each; None plans for this machine.
        images: number of images, if the image set is not on this machine.
        fill: share of the cells of a grid level that hold a point, 0..1.
        given: rates of other machines.
        disk: free GB; None looks at this machine, or skips the comparison if the plan is for others.
        memory: likewise.
    """

    gpus: tuple[int, ...] | None = None
    images: int | None = None
    fill: float = FILL
    given: GivenRates = field(default_factory=GivenRates)
    disk: float | None = None
    memory: float | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to ``parser``."""
    parser.add_argument("--gpus", type=_counts, metavar="1,8,64", help="plan for machines with these numbers of GPUs")
    parser.add_argument("--images", type=_count, metavar="N", help="number of images, if they are not on this machine")
    parser.add_argument("--fill", type=_share, default=FILL, metavar="SHARE", help="share of cells that hold a point")
    for what in ("images", "icons", "points"):
        parser.add_argument(
            f"--{what}-per-second", type=_positive, metavar="N", help=f"{what} per second of another machine or GPU"
        )
    for what in ("disk", "memory"):
        parser.add_argument(f"--{what}", type=_positive, metavar="GB", help=f"free {what} of another machine")


def options_from(parsed: argparse.Namespace) -> Options:
    """The options among a parser's results."""
    given = GivenRates(parsed.images_per_second, parsed.icons_per_second, parsed.points_per_second)
    return Options(parsed.gpus, parsed.images, parsed.fill, given, parsed.disk, parsed.memory)


def _parse(kind: Callable[[str], float], text: str, expected: str, most: float = float("inf")) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value <= most or value == float("inf"):
        raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}")
    return value


def _positive(text: str) -> float:
    return _parse(float, text, "a number above 0")


def _share(text: str) -> float:
    return _parse(float, text, "a share above 0 and up to 1", 1)


def _count(text: str) -> int:
    return int(_parse(int, text.replace(",", ""), "a whole number above 0"))


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_count(part) for part in text.strip("[]").split(","))
