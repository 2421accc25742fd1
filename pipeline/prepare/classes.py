"""From the image set's labels to the network's classes."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def match_classes(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.int64]:
    """The network's class for each class of the image set.

    Equal lists match in order. Otherwise classes match by name (letters' case aside); names that the network has twice
    match nothing, being ambiguous. Where no name matches at all, lists of equal length match in order: folders are
    often named by codes.

    Args:
        labels: names of the image set's classes.
        classes: names of the network's classes.

    Returns:
        [label] int64 index into ``classes``, -1 where there is none.
    """
    own = [label.casefold() for label in labels]
    known = [name.casefold() for name in classes]
    if own == known:
        return np.arange(len(own), dtype=np.int64)
    times = Counter(known)
    places = {name: index for index, name in enumerate(known) if times[name] == 1}
    found = np.array([places.get(label, -1) for label in own], dtype=np.int64)
    if len(own) == len(known) and (found < 0).all():
        return np.arange(len(own), dtype=np.int64)
    return found
