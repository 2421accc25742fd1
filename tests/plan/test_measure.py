"""Seconds per item, measured with a planted clock; and what is measured."""

import pytest

from pipeline.featurevis.exemplar_statistics import LAYERS, prior_channels
from pipeline.plan.measure import MIN_SECONDS, seconds_each
from pipeline.plan.trial import untried_network
from tests.plan.conftest import composed


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


def test_seconds_per_item_are_found_after_a_warm_up() -> None:
    """One item takes the planted time; the first batch, which warms up, does not count."""
    clock = Clock().work(each=0.25, first=100.0)
    assert seconds_each(clock.do, 64, clock) == 0.25
    assert clock.batches == [1, 1, 2]


def test_batches_grow_until_they_take_long_enough() -> None:
    """Fast work is measured in larger batches, up to the largest; slow work in one."""
    clock = Clock().work(each=0.001)
    assert abs(seconds_each(clock.do, 20, clock) - 0.001) < 1e-9
    assert clock.batches == [1, 1, 2, 4, 8, 16, 20]
    slow = Clock().work(each=MIN_SECONDS)
    assert seconds_each(slow.do, 64, slow) == MIN_SECONDS
    assert slow.batches == [1, 1]


def test_the_overhead_of_a_batch_is_divided_among_its_items() -> None:
    """It counts less in a larger batch."""
    clock = Clock().work(each=0.01, once=0.16)
    assert abs(seconds_each(clock.do, 16, clock) - 0.02) < 1e-9
    alone = Clock().work(each=0.01, once=0.16)
    assert abs(seconds_each(alone.do, 1, alone) - 0.17) < 1e-9


@pytest.mark.parametrize("layer", ["mixed3b", "mixed4a"])
def test_icons_are_measured_with_the_prior_of_a_run(layer: str) -> None:
    """The network that is measured has the earlier layers whose statistics a run takes, by itself or as it is told."""
    params = composed(f"layers=[{layer}]", f"+render.statistics_layers.{layer}=[stem1]")
    layers = untried_network(params, ["ant", "bee"], read_weights=False).network.layers
    assert list(prior_channels(params.render, layer, layers)) == ["stem1"]
    usual = params.render.model_copy(update={"statistics_layers": {}})
    assert len(prior_channels(usual, layer, layers)) == LAYERS
    assert not prior_channels(usual.model_copy(update={"statistics": 0.0}), layer, layers)
