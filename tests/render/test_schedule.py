import pytest

from pipeline.config.render import RenderSettings
from pipeline.render.schedule import Schedule, cold_start, warm_start

SETTINGS = RenderSettings(
    steps=100, learning_rate=0.1, cooldown=0.4, warmup=0.5, redirect=0.8, warm_steps=30, warm_rate=0.05
)


def test_it_warms_up_and_stays_warm() -> None:
    """From 0 at the first step to 1 at the end of the warm-up; without one it is warm at once."""
    warmths = [cold_start(SETTINGS).warmth_at(step) for step in range(100)]
    assert warmths[0] == 0
    assert warmths[25] == pytest.approx(0.5)
    assert warmths[50:] == [1.0] * 50
    assert Schedule(100, 0.1, 0.4, 0.0, 0.0).warmth_at(0) == 1


def test_the_learning_rate_cools_down() -> None:
    """It stays until the cooldown begins, then falls in a line; without one it stays to the end."""
    rates = [cold_start(SETTINGS).rate_at(step) for step in range(100)]
    assert rates[:60] == [0.1] * 60
    assert rates[80] == pytest.approx(0.05)
    assert 0 < rates[99] < 0.003
    assert Schedule(100, 0.1, 0.0, 0.5, 0.0).rate_at(99) == 0.1


def test_silent_units_pass_less_and_less() -> None:
    """All of their gradient at the first step, half in the middle of the share, none after it; a share of 0 never."""
    shares = [cold_start(SETTINGS).redirect_at(step) for step in range(100)]
    assert shares[0] == 1
    assert shares[40] == pytest.approx(0.5)
    assert 0 < shares[79] < 0.02
    assert shares[80:] == [0.0] * 20
    assert Schedule(100, 0.1, 0.4, 0.5, 0.0).redirect_at(0) == 0


def test_a_warm_start_is_shorter_and_has_its_power_at_once() -> None:
    """Fewer steps, its own learning rate, full power from the first step, and the rest as from noise."""
    warm, cold = warm_start(SETTINGS), cold_start(SETTINGS)
    assert (warm.steps, cold.steps) == (30, 100)
    assert (warm.rate_at(0), cold.rate_at(0)) == (0.05, 0.1)
    assert (warm.warmth_at(0), cold.warmth_at(0)) == (1.0, 0.0)
    assert (warm.cooldown, warm.redirect) == (cold.cooldown, cold.redirect)
    assert warm.redirect_at(12) == pytest.approx(0.5)


def test_the_defaults_warm_start_is_shorter() -> None:
    """What the defaults ask of a finer level is less than what they ask of the first."""
    assert warm_start(RenderSettings()).steps < cold_start(RenderSettings()).steps
