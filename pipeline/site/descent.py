"""Keys of icons => what each icon was drawn from."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint8]


class Descent(IntEnum):
    """What an icon was drawn from; the page knows these numbers too."""

    UNKNOWN = 0
    NOISE = 1
    PARENT = 2  # the icon of the cell around it
    SAME = 3  # nothing anew: it is the icon of the cell around it


def descent(key: Keys, parent: Keys, above: Keys) -> NDArray[np.uint8]:
    """[icon] what each was drawn from, as :class:`Descent`.

    Args:
        key: [icon, 32] names; zeros where an icon could not be drawn.
        parent: [icon, 32] names of the icons that they were drawn from; zeros for noise.
        above: [icon, 32] names of the coarser level's icons.
    """
    known = {name.tobytes() for name in above if name.any()}
    same = np.array([name.tobytes() in known for name in key], bool)
    found = np.where(parent.any(axis=1), Descent.PARENT, Descent.NOISE)
    found = np.where(same, Descent.SAME, found)
    return np.where(key.any(axis=1), found, Descent.UNKNOWN).astype(np.uint8)
