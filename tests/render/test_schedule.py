import pytest

from pipeline.render.config import RenderSettings
from pipeline.render.schedule import rate_at, warmth_at


def test_it_warms_up_and_stays_warm() -> None:
    """From 0 at the first step to 1 at the end of the warm-up; without one it is warm at once."""
    warming = RenderSettings(steps=100, warmup=0.5)
    warmths = [warmth_at(step, warming) for step in range(100)]
    assert warmths[0] == 0
    assert warmths[25] == pytest.approx(0.5)
    assert warmths[50:] == [1.0] * 50
    assert warmth_at(0, RenderSettings(steps=100, warmup=0.0)) == 1


def test_the_learning_rate_cools_down() -> None:
    """It stays until the cooldown begins, then falls in a line; without one it stays to the end."""
    cooling = RenderSettings(steps=100, cooldown=0.4, learning_rate=0.1)
    rates = [rate_at(step, cooling) for step in range(100)]
    assert rates[:60] == [0.1] * 60
    assert rates[80] == pytest.approx(0.05)
    assert 0 < rates[99] < 0.003
    assert rate_at(99, RenderSettings(steps=100, cooldown=0.0, learning_rate=0.1)) == 0.1
