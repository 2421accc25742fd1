"""Seconds per item of repeated work, measured in about a second."""

from collections.abc import Callable
from time import perf_counter

Clock = Callable[[], float]
Work = Callable[[int], object]

MIN_SECONDS = 0.5  # of a batch whose time is reliable


def seconds_each(work: Work, largest: int, clock: Clock = perf_counter) -> float:
    """Seconds per item of a batch, after a warm-up; see :func:`timed_batch`."""
    size, seconds = timed_batch(work, largest, clock)
    return seconds / size


def timed_batch(work: Work, largest: int, clock: Clock = perf_counter) -> tuple[int, float]:
    """The size and seconds of a batch that takes at least :data:`MIN_SECONDS`, or is the largest.

    Args:
        work: works on a batch of the given size.
        largest: size of a batch.
        clock: seconds.
    """
    work(1)
    size = 1
    while True:
        seconds = seconds_of(work, size, clock)
        if seconds >= MIN_SECONDS or size >= largest:
            return size, seconds
        size = min(2 * size, largest)


def seconds_of(work: Work, size: int, clock: Clock = perf_counter) -> float:
    """Seconds of one batch."""
    start = clock()
    work(size)
    return clock() - start
