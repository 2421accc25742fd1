"""What every sheet is made from: the settings, the run's artifacts, and tasks that run on workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pipeline.config.synthesize import MethodName, SynthesizeSettings
from pipeline.images.choice import chosen_images
from pipeline.images.manifest import Manifest
from pipeline.model.network import Network
from pipeline.parallel.tasks import Arrays, Tasks
from pipeline.synthesize.worker import Worker, WorkerSpec

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Context:
    """What the stage gives the module of a sheet.

    Attributes:
        method: that is run.
        settings: of the stage.
        atlas_layers: of the run's atlas, from shallow to deep.
        outputs: folder of the run's artifacts.
        manifest: lists the images.
        network: for the names and shapes of its layers and classes; workers have their own.
        seed: of the run.
        spec: of the workers.
        label_of: names the label of the image in a row; empty without one.
        tasks: where work runs.
    """

    method: MethodName
    settings: SynthesizeSettings
    atlas_layers: Sequence[str]
    outputs: Path
    manifest: Manifest
    network: Network
    seed: int
    spec: WorkerSpec
    label_of: Callable[[int], str]
    tasks: Tasks

    @cached_property
    def images(self) -> list[int]:
        """Rows of the chosen images."""
        return chosen_images(self.settings.images, self.manifest, "synthesize.images")

    def image_name(self, row: int) -> str:
        """The label of an image, or its key where it has none."""
        return self.label_of(row) or self.manifest.key[row]

    def run(
        self, kind: str, work: Callable[[Worker, Item], Arrays], items: Sequence[Item], unit: str = "picture"
    ) -> list[Arrays]:
        """What tasks find, in the order of their items; each is kept as soon as it is finished.

        Args:
            kind: of the tasks; no other kind of this method has this name.
            work: does one task; a function that workers can import. Its result follows from the item alone.
            items: of the tasks; picklable.
            unit: what an item is, singular, for the progress.
        """
        return self.tasks.run(kind, self.spec, work, items, unit)
