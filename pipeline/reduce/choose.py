"""The samples of an atlas: all of them, those of a class, or those of two classes."""

from dataclasses import dataclass

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.config.selection import SelectionSettings
from pipeline.core import zarr_store as store
from pipeline.core.artifacts import MODEL
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import DataError
from pipeline.core.moments import row_blocks
from pipeline.core.progress import log_line
from pipeline.model.network import read_description
from pipeline.reduce.select import Attributions, read_attributions, samples_of_class
from pipeline.stages import Task

MEANING = {
    "rank": "whose strongest attribution it is",
    "magnitude": "with an attribution to it",
    "both": "whose strongest attribution it is, or with one of the largest attributions to it",
}


@dataclass(frozen=True)
class Chosen:
    """The samples of an atlas.

    Attributes:
        sample: [point] rows in activations, ascending, each once.
        difference: [point] attribution to the right class less that to the left one, logit; None unless compared.
    """

    sample: NDArray[np.int64]
    difference: NDArray[np.float32] | None = None


def chosen_samples(task: Task, activations: zarr.Group) -> Chosen:
    """Choose the samples of the task's atlas.

    Raises:
        ArtifactError: attributions were not recorded, though the atlas is of a class.
        DataError: a class has too few samples.
    """
    name = parse_atlas(task.atlas)
    if name.kind == "all":
        return Chosen(np.arange(store.array(activations, "image").shape[0]))
    found = read_attributions((block for _, block in row_blocks(store.array(activations, "attribution"))), name.classes)
    classes = read_description(task.path(MODEL))["classes"]
    each = [
        _of_class(found, index, class_, classes[class_], task.layer, task.params.selection)
        for index, class_ in enumerate(name.classes)
    ]
    sample = np.unique(np.concatenate(each))
    difference = found.value[sample, 1] - found.value[sample, 0] if name.kind == "compare" else None
    return Chosen(sample, difference)


def _of_class(
    found: Attributions, index: int, class_: int, name: str, layer: str, settings: SelectionSettings
) -> NDArray[np.int64]:
    sample = samples_of_class(found.strongest, found.value[:, index], class_, settings)
    if len(sample) < settings.min_samples:
        raise DataError(
            f"class {name} at layer {layer}: expected at least {settings.min_samples} samples "
            f"{MEANING[settings.filter]}, found {len(sample)}; use more images or places, another selection.filter, "
            "or lower selection.min_samples"
        )
    log_line(f"reduce {layer}: {len(sample)} samples of class {name} ({settings.filter})")
    return sample
