"""What an icon was drawn from."""

import numpy as np

from pipeline.site.descent import Descent, descent


def key(number: int) -> bytes:
    """A key of an icon."""
    return number.to_bytes(32, "little")


def keys(*numbers: int) -> np.ndarray:
    """Keys as the icons keep them; 0 is none."""
    return np.frombuffer(b"".join(map(key, numbers)), np.uint8).reshape(-1, 32)


def test_keys_tell_what_icons_were_drawn_from() -> None:
    """An icon with a parent was drawn from it, one of the coarser level's is that one, one without a key is unknown."""
    found = descent(keys(11, 12, 3, 0), keys(1, 0, 0, 0), keys(1, 2, 3, 0))
    assert found.tolist() == [Descent.PARENT, Descent.NOISE, Descent.SAME, Descent.UNKNOWN]


def test_the_coarsest_level_comes_from_noise() -> None:
    """Without a coarser level no icon is that of another one; without icons there is nothing to tell."""
    assert descent(keys(1, 2), keys(0, 0), keys()).tolist() == [Descent.NOISE, Descent.NOISE]
    assert descent(keys(), keys(), keys(1)).tolist() == []
