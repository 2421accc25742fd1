"""Rates are counts divided by seconds of a clock; here a planted one."""

from pipeline.plan.measure import MIN_SECONDS, seconds_each


class Clock:
    """A clock that only work moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.batches: list[int] = []

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    def work(self, each: float, once: float = 0.0, first: float = 0.0) -> "Clock":
        """Set how long work takes: each of a batch, once for every batch, and more the first time."""
        self.each, self.once, self.first = each, once, first
        return self

    def do(self, count: int) -> None:
        """Work on a batch."""
        self.now += count * self.each + self.once + (0.0 if self.batches else self.first)
        self.batches.append(count)


def test_the_time_of_one_is_found_whatever_the_first_took() -> None:
    """One of a batch takes what was planted; the first batch, which is cold, does not count."""
    clock = Clock().work(each=0.25, first=100.0)
    assert seconds_each(clock.do, 64, clock) == 0.25
    assert clock.batches == [1, 1, 2]


def test_batches_grow_until_the_clock_can_be_trusted() -> None:
    """Quick work is done in larger batches, up to the largest; slow work once more and no longer."""
    clock = Clock().work(each=0.001)
    assert abs(seconds_each(clock.do, 20, clock) - 0.001) < 1e-9
    assert clock.batches == [1, 1, 2, 4, 8, 16, 20]
    slow = Clock().work(each=MIN_SECONDS)
    assert seconds_each(slow.do, 64, slow) == MIN_SECONDS
    assert slow.batches == [1, 1]


def test_what_a_batch_takes_anyway_is_shared_out() -> None:
    """A cost of each batch is divided among its members: it counts less in a larger one."""
    clock = Clock().work(each=0.01, once=0.16)
    assert abs(seconds_each(clock.do, 16, clock) - 0.02) < 1e-9
    alone = Clock().work(each=0.01, once=0.16)
    assert abs(seconds_each(alone.do, 1, alone) - 0.17) < 1e-9
