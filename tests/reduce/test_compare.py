import numpy as np

from pipeline.reduce.compare import across, spread_along, upright


def test_no_difference_lies_in_the_middle() -> None:
    """Equal attributions lie at exactly one half, larger ones of the right class to the right of it, in order."""
    difference = np.random.default_rng(0).gamma(1, size=400).astype(np.float32) - np.float32(0.3)
    difference[:7] = 0
    x, axis = across(difference)
    assert (x[:7] == 0.5).all()
    assert (np.sign(x - 0.5) == np.sign(difference)).all()
    inside = np.abs(difference) <= axis.scale
    np.testing.assert_allclose((x[inside] - 0.5) * 2 * axis.scale, difference[inside], atol=1e-6)


def test_the_edges_are_the_99th_percentile() -> None:
    """One sample in a hundred lies beyond the edges, and is put on them."""
    difference = np.linspace(-1, 1, 1001).astype(np.float32)
    x, axis = across(difference)
    np.testing.assert_allclose(axis.scale, 0.99, atol=0.002)
    assert abs(axis.clipped - 0.01) < 0.002
    assert (x.min(), x.max()) == (0, 1)


def test_samples_that_all_agree_lie_in_the_middle() -> None:
    """Without any difference there is no scale to divide by, and every sample stays in the middle."""
    x, axis = across(np.zeros(5, np.float32))
    assert (x == 0.5).all()
    assert axis.clipped == 0


def test_a_line_is_turned_to_run_with_its_reference() -> None:
    """A one-dimensional layout that runs against the reference is turned over, one that runs with it is not."""
    reference = np.arange(50.0)
    line = (reference**2 / 50)[:, None]
    for given in (line, -line):
        np.testing.assert_allclose(upright(given, reference), line - line.mean())


def test_spreading_keeps_the_order() -> None:
    """Values spread all the way fill the range evenly in their order; left alone they stay as they are."""
    y = np.random.default_rng(0).random((200, 1)) ** 4
    np.testing.assert_array_equal(spread_along(y, 0), y)
    np.testing.assert_allclose(np.sort(spread_along(y, 1)[:, 0]), (np.arange(200) + 0.5) / 200)
    np.testing.assert_array_equal(np.argsort(spread_along(y, 0.6)[:, 0]), np.argsort(y[:, 0]))
