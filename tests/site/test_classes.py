import numpy as np

from pipeline.site.classes import block_size, heat, strength, top_classes


def test_top_classes_are_the_largest() -> None:
    """The listed classes are the largest ones in falling order; equal ones come by their number."""
    attribution = np.array([[0.1, 3, -2, 3], [5, 0, 1, 2]], np.float32)
    classes, values = top_classes(attribution, 3)
    assert classes.tolist() == [[1, 3, 0], [0, 3, 2]]
    assert np.allclose(values, np.array([[3, 3, 0.1], [5, 2, 1]]))


def test_fewer_classes_than_asked_are_all_listed() -> None:
    """Two classes cannot fill a list of five, and no class at all gives an empty one."""
    assert top_classes(np.ones((3, 2), np.float32), 5)[0].shape == (3, 2)
    assert top_classes(np.ones((3, 0), np.float32), 5)[0].shape == (3, 0)


def test_heat_can_be_turned_back() -> None:
    """Signed squares of the heat give the attribution back, finely near zero, and never with the wrong sign."""
    attribution = np.linspace(-4, 4, 801, dtype=np.float32)[:, None]
    plane = heat(attribution, 4.0)[0].astype(float) / 127
    found = np.sign(plane) * plane**2 * 4
    assert np.abs(found - attribution[:, 0]).max() <= 4 / 127
    near = np.abs(attribution[:, 0]) < 0.1
    assert np.abs(found - attribution[:, 0])[near].max() < 0.1 * 4 / 127 * 2
    assert (found * attribution[:, 0] >= 0).all()


def test_heat_is_the_same_for_equal_attributions_of_all_classes() -> None:
    """One scale for all classes: equal attributions give equal heat, a stronger class more."""
    planes = heat(np.array([[1.0, 1.0, 2.0]], np.float32), 8.0)[:, 0]
    assert planes[0] == planes[1] < planes[2] < 127


def test_heat_without_any_attribution_is_cold() -> None:
    """A scale of zero divides nothing."""
    assert not heat(np.zeros((4, 2), np.float32), 0.0).any()


def test_strength_is_the_median_of_the_strongest() -> None:
    """A layer whose cells' strongest classes have 1, 2 and 9 logits has a strength of 2."""
    assert strength(np.array([[1, -8], [2, 0], [0, 9]], np.float32)) == 2
    assert strength(np.zeros((0, 5), np.float32)) == 0


def test_files_of_heat_stay_small() -> None:
    """A file never holds more than its limit, unless a single class does."""
    assert block_size(100) * 100 <= 2**18
    assert block_size(10**7) == 1
