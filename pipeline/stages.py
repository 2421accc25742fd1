"""The stages: what each reads and writes, which settings it follows, and one execution of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core import artifacts as a
from pipeline.core.artifacts import Artifact
from pipeline.core.files import write_csv, write_json
from pipeline.params import Params


@dataclass(frozen=True)
class Stage:
    """One stage of the pipeline.

    Attributes:
        name: of its package, config group, params section and DVC stage.
        over: what it runs once for each of: the argument, and the list in ``params.yaml`` that it goes through.
        reads: artifacts of earlier stages.
        writes: its own artifacts.
        settings: the sections of ``params.yaml`` that can change what it writes.
    """

    name: str
    over: Mapping[str, str]
    reads: tuple[Artifact, ...]
    writes: tuple[Artifact, ...]
    settings: tuple[str, ...]


ONCE: Mapping[str, str] = {}
EACH_LAYER = {"layer": "layers"}
EACH_ATLAS = {"layer": "layers", "atlas": "atlases"}
EACH_COMPARISON = {"layer": "layers", "atlas": "compared"}
EACH_PLACED = {"layer": "placed"}

STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("prepare", ONCE, (), (a.IMAGES, a.REJECTED, a.MODEL), ("seed", "images", "model", "prepare")),
        Stage("sample", ONCE, (a.IMAGES, a.MODEL), (a.ACTIVATIONS,), ("seed", "images", "layers", "sample")),
        Stage(
            "reduce",
            EACH_ATLAS,
            (a.IMAGES, a.MODEL, a.ACTIVATIONS),
            (a.LAYOUT,),
            ("seed", "layers", "selection", "reduce"),
        ),
        Stage("grid", EACH_ATLAS, (a.ACTIVATIONS, a.LAYOUT), (a.GRID,), ("grid",)),
        Stage("render", EACH_ATLAS, (a.GRID, a.ACTIVATIONS, a.MODEL), (a.ICONS,), ("seed", "render")),
        Stage("tile", EACH_ATLAS, (a.ICONS, a.GRID), (a.TILES,), ("tile",)),
        Stage(
            "predict",
            EACH_LAYER,
            (a.IMAGES, a.MODEL, a.ACTIVATIONS, a.LAYOUT, a.GRID),
            (a.PREDICT,),
            ("seed", "images", "sample", "predict"),
        ),
        Stage(
            "patch",
            EACH_COMPARISON,
            (a.IMAGES, a.MODEL, a.ACTIVATIONS, a.GRID),
            (a.PATCH,),
            ("seed", "images", "patch"),
        ),
        Stage(
            "place",
            EACH_PLACED,
            (a.MODEL, a.ACTIVATIONS, a.LAYOUT),
            (a.PLACE,),
            ("seed", "prepare", "sample", "reduce", "grid", "place"),
        ),
        Stage(
            "site",
            ONCE,
            (a.IMAGES, a.MODEL, a.ACTIVATIONS, a.LAYOUT, a.GRID, a.ICONS, a.TILES),
            (a.SITE,),
            ("images", "layers", "atlases", "place", "site"),
        ),
    )
}


# settings that concern class atlases and comparisons alone, and the atlas of all samples alone
CLASSES_ALONE: dict[str, Any] = {"selection": True, "grid": {"class_levels"}}
WHOLE_ALONE: dict[str, Any] = {"grid": {"levels"}}


@dataclass(frozen=True)
class Task:
    """One execution of a stage: the configuration, where artifacts lie, and which layer and atlas."""

    stage: Stage
    params: Params
    outputs: Path
    layer: str = ""
    atlas: str = "all"

    def path(self, artifact: Artifact, layer: str = "", atlas: str = "") -> Path:
        """Where ``artifact`` lies, of this task's layer and atlas unless others are named."""
        return artifact.path(self.outputs, layer=layer or self.layer, atlas=atlas or self.atlas)

    def settings(self) -> dict[str, Any]:
        """The settings that can change what this task writes, as its artifact's attributes keep them.

        Those of class atlases leave the atlas of all samples alone, and the other way round: its artifact stays the
        same to the byte, and nothing that is made from it runs again.
        """
        idle = CLASSES_ALONE if self.atlas == "all" else WHOLE_ALONE
        return self.params.model_dump(mode="json", by_alias=True, include=set(self.stage.settings), exclude=idle)

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write the numbers that ``dvc metrics show`` prints."""
        write_json(self.outputs / "metrics" / f"{self._name()}.json", metrics)

    def write_plot(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Write the table that ``dvc plots show`` draws for this task."""
        write_csv(self.outputs / "plots" / f"{self._name()}.csv", columns)

    def _name(self) -> str:
        return "/".join([self.stage.name, *(getattr(self, argument) for argument in self.stage.over)])
