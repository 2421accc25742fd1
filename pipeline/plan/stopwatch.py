"""How long one of many alike takes, found in about a second."""

from collections.abc import Callable
from time import perf_counter

Clock = Callable[[], float]
Work = Callable[[int], object]

ENOUGH = 0.5  # seconds; a batch that takes so long tells enough


def seconds_each(work: Work, largest: int, clock: Clock = perf_counter) -> float:
    """Seconds that each of a batch takes, once it is warm; see :func:`enough`."""
    size, seconds = enough(work, largest, clock)
    return seconds / size


def enough(work: Work, largest: int, clock: Clock = perf_counter) -> tuple[int, float]:
    """A batch that takes long enough to trust the clock, or is as large as they come; and the seconds that it takes.

    Args:
        work: does a batch of so many.
        largest: batch.
        clock: seconds.
    """
    work(1)
    size = 1
    while True:
        seconds = timed(work, size, clock)
        if seconds >= ENOUGH or size >= largest:
            return size, seconds
        size = min(2 * size, largest)


def timed(work: Work, size: int, clock: Clock = perf_counter) -> float:
    """Seconds of one batch."""
    began = clock()
    work(size)
    return clock() - began
