"""Input for the benchmarks, made once and kept: the cells of 1,000 photographs in real networks, and of toytown."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import ACTIVATIONS, GRID, IMAGES, LAYOUT, MODEL
from pipeline.core.errors import ConfigError
from pipeline.core.files import write_json
from pipeline.core.progress import log_line
from pipeline.stages import STAGES, Task

SCRATCH = Path("outputs/.bench")
SQUEEZENET, EFFICIENTNET = "imagenet_sample", "efficientnet_lite0"  # experiments
TOYTOWN = "toytown"  # the configuration without an experiment
# attributions and the network's accuracy take most of the time and change no direction
OVERRIDES = ("grid.levels=[5,10,20]", "sample.attribution=false", "prepare.evaluate=false")
WEIGHTS = "squeezenet1_0.safetensors"
DONE = "done.json"  # written last: what lies beside it is whole


@dataclass(frozen=True)
class Run:
    """A finished run as far as the grid.

    Attributes:
        params: its configuration.
        outputs: the folder of its artifacts.
    """

    params: Params
    outputs: Path


def real_run(experiment: str = SQUEEZENET) -> Run:
    """The run on an input, started from nothing only when it is not there yet or was made otherwise.

    Args:
        experiment: of ``conf/experiment``, whose network it is, or :data:`TOYTOWN`.

    Raises:
        ConfigError: the real network and photographs are not there.
    """
    params, outputs = real_params(experiment), SCRATCH / experiment
    made = _made(params)
    done = outputs / DONE
    if not done.is_file() or json.loads(done.read_text()) != made:
        done.unlink(missing_ok=True)
        log_line(f"benchmarks: making the cells of {experiment} once, in {outputs} (some minutes)")
        for task in _tasks(params, outputs):
            import_module(f"pipeline.{task.stage.name}.stage").run(task)
        write_json(done, made)
    return Run(params, outputs)


def real_params(experiment: str) -> Params:
    """The configuration of such a run.

    Raises:
        ConfigError: the real network and photographs are not there.
    """
    if experiment == TOYTOWN:
        return _params(OVERRIDES)
    folder = real_data()
    os.environ["ATLAS_REAL_DATA"] = str(folder)  # where conf/ looks
    images = (
        [] if experiment == SQUEEZENET else [f"images.root={folder}/images", f"images.classes={folder}/classes.tsv"]
    )
    return _params([f"+experiment={experiment}", *images, *OVERRIDES])


def real_data() -> Path:
    """The folder of the real network and photographs.

    Raises:
        ConfigError: they are not there.
    """
    folder = Path(os.environ.get("ATLAS_REAL_DATA", "../shared/imagenet-sample")).resolve()
    if not ((folder / WEIGHTS).is_file() and (folder / "images").is_dir()):
        raise ConfigError(
            f"{folder}: expected a real network ({WEIGHTS}) and photographs (images/), found none; "
            "set ATLAS_REAL_DATA to their folder"
        )
    return folder


def _params(overrides: Sequence[str]) -> Params:
    return parse_params(OmegaConf.to_container(compose_config(Path.cwd(), overrides)))


def _made(params: Params) -> dict[str, Any]:
    """All that says whether a kept run is the one that would be made now."""
    settings = {"seed", "layers", "images", "model", "prepare", "sample", "selection", "reduce", "grid"}
    versions = {artifact.name: artifact.version for artifact in (IMAGES, MODEL, ACTIVATIONS, LAYOUT, GRID)}
    return {"settings": params.model_dump(mode="json", by_alias=True, include=settings), "versions": versions}


def _tasks(params: Params, outputs: Path) -> Iterator[Task]:
    yield Task(STAGES["prepare"], params, outputs)
    yield Task(STAGES["sample"], params, outputs)
    for stage in ("reduce", "grid"):
        for layer in params.layers:
            yield Task(STAGES[stage], params, outputs, layer)
