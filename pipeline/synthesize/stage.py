"""Entry of the stage ``synthesize``: images, network and atlas in; the sheet of one method out."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.config.cluster import from_environment
from pipeline.config.synthesize import MethodName
from pipeline.core.artifacts import GRID, IMAGES, MODEL, SYNTHESIZE
from pipeline.core.code_dependencies import stage_digest
from pipeline.core.files import atomic, identity
from pipeline.core.progress import counted, log_line
from pipeline.core.resumable import TaskResults, work_folder
from pipeline.core.zarr_store import artifact_identity, open_artifact
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import read_manifest
from pipeline.images.thumbnails import label_name
from pipeline.model.description import read_description
from pipeline.model.network import load_network
from pipeline.parallel.pool import open_pool
from pipeline.parallel.tasks import Tasks
from pipeline.stages import Task
from pipeline.synthesize import (
    accentuation_sheet,
    deep_dream_sheet,
    inversion_sheet,
    painting_sheet,
    region_query_sheet,
    style_sheet,
    texture_sheet,
)
from pipeline.synthesize.context import Context
from pipeline.synthesize.sheet import Sheet, write_sheet
from pipeline.synthesize.worker import WorkerSpec

SHEETS: Mapping[MethodName, Callable[[Context], Sheet]] = {
    "deep_dream": deep_dream_sheet.make,
    "accentuation": accentuation_sheet.make,
    "inversion": inversion_sheet.make,
    "texture": texture_sheet.make,
    "style_transfer": style_sheet.make,
    "painting": painting_sheet.make,
    "region_query": region_query_sheet.make,
}


def run(task: Task) -> None:
    """Make the sheet of the task's method.

    Raises:
        ConfigError: an image, a class, a layer or a cell is named that there is not.
        ArtifactError: the atlas is missing or damaged.
    """
    # stays after the commit: what is asked for besides costs only that
    work = work_folder(task.outputs, task.path(SYNTHESIZE))
    results = TaskResults(work.absolute(), _results_key(task))
    with open_pool(from_environment()) as pool:
        context = _context(task, Tasks(pool, results, f"synthesize {task.method}"))
        sheet = SHEETS[context.method](context)
    with atomic(task.path(SYNTHESIZE)) as folder:
        write_sheet(folder, sheet, _own_settings(task))
    task.write_metrics({"pictures": len(sheet), **sheet.metrics})
    log_line(f"  {counted(len(sheet), 'picture')} → {task.path(SYNTHESIZE)}")


def _context(task: Task, tasks: Tasks) -> Context:
    """What the module of the sheet gets."""
    (method,) = (name for name in SHEETS if name == task.method)
    settings = task.params.synthesize
    manifest = read_manifest(task.path(IMAGES))
    network = load_network(task.path(MODEL), settings.device)
    labels = open_image_set(task.params.images).classes
    return Context(
        method=method,
        settings=settings,
        atlas_layers=task.params.layers,
        outputs=task.outputs,
        manifest=manifest,
        network=network,
        seed=task.params.seed,
        spec=WorkerSpec(
            model=task.path(MODEL).absolute(),
            manifest=task.path(IMAGES).absolute(),
            images=task.params.as_written.images,
            settings=settings,
            seed=task.params.seed,
        ),
        label_of=lambda row: label_name(manifest, row, labels, network.classes) or "",
        tasks=tasks,
    )


def _own_settings(task: Task) -> dict[str, Any]:
    """The settings of the method."""
    found: dict[str, Any] = getattr(task.params.as_written.synthesize, task.method).model_dump(mode="json")
    return found


def _results_key(task: Task) -> str:
    """Digest of everything that the results of tasks depend on."""
    settings = task.params.synthesize
    grids = [artifact_identity(open_artifact(GRID, task.path(GRID, layer))) for layer in task.params.layers]
    made_from = [read_manifest(task.path(IMAGES)).identity, read_description(task.path(MODEL))["identity"], *grids]
    shared = [task.params.seed, list(task.params.layers), settings.images, settings.batch_size, settings.device]
    return identity([task.method, *shared, _own_settings(task), *made_from, stage_digest("synthesize")])
