"""Real images and a real network for the benchmark of sampling, prepared once and kept."""

import json
import os
import shutil
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor

from benchmarks.real import real_data
from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import IMAGES, MODEL
from pipeline.core.files import write_json
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest, write_manifest
from pipeline.model.inputs import to_tensor
from pipeline.model.network import Network, load_network
from pipeline.stages import STAGES, Task

SCRATCH = Path("outputs/.bench/sample")
OVERRIDES = (
    "+experiment=imagenet_sample",
    "model.preprocessing.resize=256",
    "model.preprocessing.crop=224",
    "sample.positions_per_image=4",
    "prepare.evaluate=false",
)
DONE = "done.json"  # written last: the folder is complete


@dataclass(frozen=True)
class RealInput:
    """Some images and the network.

    Attributes:
        params: of the run.
        outputs: the folder with the manifest of these images and the network.
        network: in this process.
    """

    params: Params
    outputs: Path
    network: Network

    def task(self, layers: tuple[str, ...], **sample: Any) -> Task:
        """The stage at these layers, with some settings changed."""
        settings = self.params.sample.model_copy(update=sample)
        return Task(
            STAGES["sample"], self.params.model_copy(update={"layers": layers, "sample": settings}), self.outputs
        )

    def decoded(self) -> list[Tensor]:
        """All batches of input as the stage makes them, [image, 3, y, x]."""
        images = ManifestImages(
            read_manifest(IMAGES.path(self.outputs)), open_image_set(self.params.images), self.params.prepare.max_pixels
        )
        preprocessing, size = self.network.preprocessing, self.params.sample.batch_size
        inputs = [to_tensor(network_crop(images.load(row), preprocessing), preprocessing) for row in range(len(images))]
        return [torch.stack(inputs[start : start + size]) for start in range(0, len(inputs), size)]


def real_input(count: int) -> RealInput:
    """The first ``count`` of the real images.

    Raises:
        ConfigError: the real network and photographs are missing.
    """
    os.environ["ATLAS_REAL_DATA"] = str(real_data())  # where conf/ looks
    params = parse_params(OmegaConf.to_container(compose_config(Path.cwd(), OVERRIDES)))
    outputs = SCRATCH / str(count)
    shutil.rmtree(outputs, ignore_errors=True)
    prepared = _prepared(params)
    manifest = read_manifest(IMAGES.path(prepared))
    some = replace(manifest, **{column.name: getattr(manifest, column.name)[:count] for column in fields(manifest)})
    write_manifest(IMAGES.path(outputs), some, {}, {})
    shutil.copytree(MODEL.path(prepared), MODEL.path(outputs))
    return RealInput(params, outputs, load_network(MODEL.path(outputs)))


def _prepared(params: Params) -> Path:
    folder, sections = SCRATCH / "all", {"seed", "images", "model", "prepare"}
    made = {
        "settings": params.model_dump(mode="json", by_alias=True, include=sections),
        "versions": {artifact.name: artifact.version for artifact in (IMAGES, MODEL)},
    }
    if not (folder / DONE).is_file() or json.loads((folder / DONE).read_text()) != made:
        shutil.rmtree(folder, ignore_errors=True)
        import_module("pipeline.prepare.stage").run(Task(STAGES["prepare"], params, folder))
        write_json(folder / DONE, made)
    return folder
