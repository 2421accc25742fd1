"""The options of ``atlas plan`` besides overrides."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.plan.inputs import FILL, GivenRates


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
