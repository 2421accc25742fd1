"""Which samples belong to a class, by their attributions (Carter et al. 2019, "Focusing on a Single Class")."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.selection import SelectionSettings


@dataclass(frozen=True)
class Attributions:
    """What selecting needs of the attributions of every sample.

    Attributes:
        strongest: [sample] the class of the largest attribution, -1 where none is positive; the first of equal ones.
        value: [sample, wanted class] logit.
    """

    strongest: NDArray[np.int64]
    value: NDArray[np.float32]


def read_attributions(blocks: Iterable[NDArray[np.float32]], classes: Sequence[int]) -> Attributions:
    """Go once through attributions [sample, class], given in blocks of rows, and keep what concerns ``classes``."""
    strongest, value = [np.zeros(0, np.int64)], [np.zeros((0, len(classes)), np.float32)]
    for block in blocks:
        strongest.append(np.where(block.max(axis=1) > 0, block.argmax(axis=1), -1))
        value.append(block[:, list(classes)])
    return Attributions(np.concatenate(strongest), np.concatenate(value))


def samples_of_class(
    strongest: NDArray[np.int64], value: NDArray[np.float32], class_: int, settings: SelectionSettings
) -> NDArray[np.int64]:
    """The samples of a class, ascending, each once.

    Args:
        strongest: [sample] as in :class:`Attributions`.
        value: [sample] attribution to the class, logit. Only positive ones make a sample one of the class.
        class_: its number.
        settings: which filter.
    """
    wanted = np.zeros(len(value), bool)
    if settings.filter in ("rank", "both"):
        wanted |= strongest == class_
    if settings.filter in ("magnitude", "both"):
        largest = np.argsort(-value, kind="stable")[: settings.top]  # equal ones by their row
        wanted[largest[value[largest] > 0]] = True
    return np.flatnonzero(wanted)
