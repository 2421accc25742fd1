"""Time to fidelity: how fast each side's icons are as faithful as torch-lucent's of 128 steps at our size.

The target is the median raw fidelity of torch-lucent's icons after 128 steps, rendered at our size with the best of
several learning rates. Each side then counts with the fewest steps that reach the target. torch-lucent's steps have no
schedule: one run shows it after any number of steps. A budget of ours is a run of its own, with its whole schedule.
"""

from collections.abc import Iterable
from dataclasses import dataclass

TARGET_STEPS = 128


@dataclass(frozen=True)
class Point:
    """Fidelity of one side after some number of steps.

    Attributes:
        side: for people.
        steps: taken.
        rate: learning rate.
        fidelity: median raw fidelity.
        fidelity_centred: median centered fidelity.
        seen: side at which the icons were measured, pixels.
        icons_per_second: up to these steps, as they went by while the curve was measured; ratios are timed apart.
    """

    side: str
    steps: int
    rate: float
    fidelity: float
    fidelity_centred: float
    seen: int
    icons_per_second: float


def target_point(points: Iterable[Point]) -> Point:
    """The target fidelity: the best of torch-lucent's points with 128 steps."""
    return max((point for point in points if point.steps == TARGET_STEPS), key=by_fidelity)


def first_reaching(points: Iterable[Point], fidelity: float) -> Point | None:
    """The point with the fewest steps that reaches ``fidelity``, the better one of equals; None if none does."""
    reached = [point for point in points if point.fidelity >= fidelity]
    return min(reached, key=lambda point: (point.steps, -point.fidelity), default=None)


def by_fidelity(point: Point) -> float:
    """Sort key."""
    return point.fidelity
