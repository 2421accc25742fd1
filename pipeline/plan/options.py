"""What the command line of ``atlas plan`` says besides the overrides."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.plan.given import FILL, Given


@dataclass(frozen=True)
class Options:
    """The options.

    Attributes:
        gpus: numbers of GPUs, each a column, on machines that are not here; None plans for this machine.
        images: how many images there are; then the image set need not be here.
        fill: share of the cells of a level that a layout reaches, 0..1.
        given: rates of those machines.
        disk: GB that are free; None looks here, unless the plan is for other machines.
        memory: likewise.
    """

    gpus: tuple[int, ...] | None = None
    images: int | None = None
    fill: float = FILL
    given: Given = field(default_factory=Given)
    disk: float | None = None
    memory: float | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let ``parser`` take them."""
    parser.add_argument("--gpus", type=_counts, metavar="1,8,64", help="plan for machines with so many GPUs")
    parser.add_argument("--images", type=_count, metavar="N", help="plan for N images, which need not be here")
    parser.add_argument("--fill", type=_share, default=FILL, metavar="SHARE", help="of cells that a layout reaches")
    for what in ("images", "icons", "points"):
        parser.add_argument(
            f"--{what}-per-second", type=_positive, metavar="N", help=f"{what} that another machine or GPU manages"
        )
    for what in ("disk", "memory"):
        parser.add_argument(f"--{what}", type=_positive, metavar="GB", help=f"{what} that is free on another machine")


def options_from(found: argparse.Namespace) -> Options:
    """The options that a parser found."""
    given = Given(found.images_per_second, found.icons_per_second, found.points_per_second)
    return Options(found.gpus, found.images, found.fill, given, found.disk, found.memory)


def _checked(kind: Callable[[str], float], text: str, wanted: str, most: float = float("inf")) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value <= most or value == float("inf"):
        raise argparse.ArgumentTypeError(f"expected {wanted}, found {text!r}")
    return value


def _positive(text: str) -> float:
    return _checked(float, text, "a number above 0")


def _share(text: str) -> float:
    return _checked(float, text, "a share above 0 and up to 1", 1)


def _count(text: str) -> int:
    return int(_checked(int, text.replace(",", ""), "a whole number above 0"))


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_count(part) for part in text.strip("[]").split(","))
