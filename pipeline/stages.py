"""The stages: what each reads and writes, the settings it depends on, and one execution of a stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.params import Params
from pipeline.core import artifacts as a
from pipeline.core.artifacts import Artifact
from pipeline.core.files import write_csv, write_json


@dataclass(frozen=True)
class Stage:
    """One stage of the pipeline.

    Attributes:
        name: of its package, config group, params section and DVC stage.
        over: its arguments, each with the list in ``params.yaml`` whose items it runs once for.
        reads: artifacts of earlier stages.
        writes: its own artifacts.
        settings: the sections of ``params.yaml`` that can change what it writes, or parts of them, ``section.part``;
            ``{method}`` stands for the task's method.
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
EACH_UNIT_LAYER = {"layer": "unit_layers"}
EACH_EXPLAINED_LAYER = {"layer": "explained_layers"}
EACH_SYNTHESIS = {"method": "syntheses"}

STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "prepare",
            ONCE,
            (),
            (a.IMAGES, a.REJECTED, a.MODEL, a.CHECKPOINTS),
            ("seed", "images", "model", "prepare"),
        ),
        Stage("sample", ONCE, (a.IMAGES, a.MODEL), (a.ACTIVATIONS,), ("seed", "images", "layers", "sample")),
        Stage(
            "reduce",
            EACH_ATLAS,
            (a.IMAGES, a.MODEL, a.ACTIVATIONS),
            (a.LAYOUT,),
            ("seed", "layers", "selection", "reduce"),
        ),
        Stage("grid", EACH_ATLAS, (a.ACTIVATIONS, a.LAYOUT), (a.GRID,), ("grid",)),
        Stage(
            "render",
            EACH_ATLAS,
            (a.IMAGES, a.MODEL, a.ACTIVATIONS, a.LAYOUT, a.GRID),
            (a.ICONS,),
            ("seed", "images", "judge", "render"),
        ),
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
            "units",
            EACH_UNIT_LAYER,
            (a.IMAGES, a.MODEL, a.CHECKPOINTS),
            (a.UNITS,),
            ("seed", "images", "layers", "judge", "render", "units"),
        ),
        Stage(
            "explain",
            EACH_EXPLAINED_LAYER,
            (a.IMAGES, a.MODEL, a.GRID, a.ICONS),
            (a.EXPLAIN, a.HEATMAPS),
            ("seed", "images", "layers", "explain"),
        ),
        Stage(
            "synthesize",
            EACH_SYNTHESIS,
            (a.IMAGES, a.MODEL, a.GRID, a.ICONS),
            (a.SYNTHESIZE,),
            (
                *("seed", "images", "layers", "synthesize.images", "synthesize.photographs"),
                *("synthesize.batch_size", "synthesize.device", "synthesize.{method}"),
            ),
        ),
        Stage(
            "site",
            ONCE,
            (a.IMAGES, a.MODEL, a.ACTIVATIONS, a.LAYOUT, a.GRID, a.ICONS, a.TILES),
            (a.SITE,),
            (
                *("images", "layers", "atlases", "unit_layers", "explained_layers", "syntheses", "units", "place"),
                *("seed", "site"),
            ),
        ),
    )
}


# settings of class atlases and comparisons only, and of the atlas of all samples only
CLASS_ATLASES_ONLY: dict[str, Any] = {"selection": True, "grid": {"class_levels"}}
ALL_ATLAS_ONLY: dict[str, Any] = {"grid": {"levels"}}
# which further weights of the network are kept changes neither it nor the list of images
NOT_RECORDED: dict[str, Any] = {"prepare": {"checkpoint_every", "checkpoints"}}


@dataclass(frozen=True)
class Task:
    """One execution of a stage: the configuration, the folder of the artifacts, and the layer, atlas and method."""

    stage: Stage
    params: Params
    outputs: Path
    layer: str = ""
    atlas: str = "all"
    method: str = ""

    def path(self, artifact: Artifact, layer: str = "", atlas: str = "") -> Path:
        """Path of ``artifact``, of this task's layer and atlas unless others are given."""
        return artifact.path(self.outputs, layer=layer or self.layer, atlas=atlas or self.atlas, method=self.method)

    def settings(self) -> dict[str, Any]:
        """The settings that can change what this task writes; they become attributes of its artifact.

        Settings of class atlases do not belong to the atlas of all samples, and the other way round: when one of them
        changes, the other's artifact keeps its bytes, and DVC runs nothing that depends on it. Settings of checkpoints
        are recorded nowhere. References to environment variables stay references.
        """
        without = NOT_RECORDED | (CLASS_ATLASES_ONLY if self.atlas == "all" else ALL_ATLAS_ONLY)
        return self.params.as_written.model_dump(mode="json", by_alias=True, include=self._included(), exclude=without)

    def _included(self) -> dict[str, Any]:
        """The stage's settings as pydantic includes them."""
        found: dict[str, Any] = {}
        for name in self.stage.settings:
            section, _, part = name.format(method=self.method).partition(".")
            if part:
                found.setdefault(section, set()).add(part)
            else:
                found[section] = True
        return found

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write the metrics that ``dvc metrics show`` prints."""
        write_json(self.outputs / "metrics" / f"{self._name()}.json", metrics)

    def write_plot(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Write the table from which ``dvc plots show`` plots."""
        write_csv(self.outputs / "plots" / f"{self._name()}.csv", columns)

    def _name(self) -> str:
        return "/".join([self.stage.name, *(getattr(self, argument) for argument in self.stage.over)])
