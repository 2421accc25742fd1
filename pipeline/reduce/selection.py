"""The samples of an atlas: all of them, those of a class, or those of two compared classes.

Class filters follow Carter et al. 2019, "Focusing on a Single Classification".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.config.selection import SelectionSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import MODEL
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import DataError
from pipeline.core.moments import row_blocks
from pipeline.core.progress import counted, log_line
from pipeline.model.description import read_description
from pipeline.stages import Task

FILTER_DESCRIPTIONS = {
    "rank": "whose strongest attribution it is",
    "magnitude": "with an attribution to it",
    "both": "whose strongest attribution it is, or with one of the largest attributions to it",
}


@dataclass(frozen=True)
class AtlasSamples:
    """The samples of an atlas.

    Attributes:
        sample: [point] rows in activations, ascending and unique.
        difference: [point] attribution to the right class minus that to the left one, logit; None unless the atlas is
            a comparison.
    """

    sample: NDArray[np.int64]
    difference: NDArray[np.float32] | None = None


def select_samples(task: Task, activations: zarr.Group) -> AtlasSamples:
    """Select the samples of the task's atlas.

    Raises:
        ArtifactError: the atlas is of a class, but attributions were not recorded.
        DataError: a class has too few samples.
    """
    name = parse_atlas(task.atlas)
    if name.kind == "all":
        return AtlasSamples(np.arange(zarr_store.array(activations, "image").shape[0]))
    blocks = (block for _, block in row_blocks(zarr_store.array(activations, "attribution")))
    attributions = read_attributions(blocks, name.classes)
    class_names = read_description(task.path(MODEL))["classes"]
    per_class = [
        _checked_samples(attributions, index, class_, class_names[class_], task.layer, task.params.selection)
        for index, class_ in enumerate(name.classes)
    ]
    sample = np.unique(np.concatenate(per_class))
    difference = attributions.value[sample, 1] - attributions.value[sample, 0] if name.kind == "compare" else None
    return AtlasSamples(sample, difference)


def _checked_samples(
    attributions: "ClassAttributions", index: int, class_: int, name: str, layer: str, settings: SelectionSettings
) -> NDArray[np.int64]:
    sample = samples_of_class(attributions.strongest, attributions.value[:, index], class_, settings)
    if len(sample) < settings.min_samples:
        raise DataError(
            f"class {name} at layer {layer}: expected at least {settings.min_samples} samples "
            f"{FILTER_DESCRIPTIONS[settings.filter]}, found {len(sample)}; use more images or positions per image, "
            "another selection.filter, or lower selection.min_samples"
        )
    log_line(f"reduce {layer}: {counted(len(sample), 'sample')} of class {name} ({settings.filter})")
    return sample


@dataclass(frozen=True)
class ClassAttributions:
    """The attributions that class filters need.

    Attributes:
        strongest: [sample] class of the largest attribution, the first of equal ones; -1 where none is positive.
        value: [sample, requested class] logit.
    """

    strongest: NDArray[np.int64]
    value: NDArray[np.float32]


def read_attributions(blocks: Iterable[NDArray[np.float32]], classes: Sequence[int]) -> ClassAttributions:
    """Read attributions [sample, class] once, in blocks of rows, and keep those to ``classes``."""
    strongest, value = [np.zeros(0, np.int64)], [np.zeros((0, len(classes)), np.float32)]
    for block in blocks:
        strongest.append(np.where(block.max(axis=1) > 0, block.argmax(axis=1), -1))
        value.append(block[:, list(classes)])
    return ClassAttributions(np.concatenate(strongest), np.concatenate(value))


def samples_of_class(
    strongest: NDArray[np.int64], value: NDArray[np.float32], class_: int, settings: SelectionSettings
) -> NDArray[np.int64]:
    """The samples of a class, ascending and unique.

    Args:
        strongest: [sample] as in :class:`ClassAttributions`.
        value: [sample] attribution to the class, logit. Only samples with a positive one can be selected.
        class_: index of the class.
        settings: the filter.
    """
    selected = np.zeros(len(value), bool)
    if settings.filter in ("rank", "both"):
        selected |= strongest == class_
    if settings.filter in ("magnitude", "both"):
        largest = np.argsort(-value, kind="stable")[: settings.top]  # ties are broken by row
        selected[largest[value[largest] > 0]] = True
    return np.flatnonzero(selected)
