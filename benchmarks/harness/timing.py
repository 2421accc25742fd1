"""Timing of several things against each other on a machine whose speed drifts.

All sides are timed in turn, A B C, A B C, and a ratio is taken within each round before the median over the rounds:
what slows the machine for a while slows both sides of a ratio.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Side:
    """One of the things compared.

    Attributes:
        run: does the work; it returns only when the work is done.
        count: units of work in one call: steps, icons.
    """

    run: Callable[[], object]
    count: float = 1.0


@dataclass(frozen=True)
class Timed:
    """Seconds that each side took for one unit of its work, by round.

    Attributes:
        seconds: by side.
    """

    seconds: Mapping[str, tuple[float, ...]]

    def median(self, side: str) -> float:
        """Median seconds of one unit of work."""
        return median(self.seconds[side])

    def ratio(self, slow: str, fast: str) -> float:
        """How many times the seconds of ``fast`` go into those of ``slow``: the median over the rounds."""
        return median(one / other for one, other in zip(self.seconds[slow], self.seconds[fast], strict=True))


def interleaved(sides: Mapping[str, Side], rounds: int, clock: Callable[[], float] = perf_counter) -> Timed:
    """Time all sides in turn, ``rounds`` times.

    Args:
        sides: by name.
        rounds: how often each is timed.
        clock: gives seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            began = clock()
            side.run()
            seconds[name].append((clock() - began) / side.count)
    return Timed({name: tuple(values) for name, values in seconds.items()})
