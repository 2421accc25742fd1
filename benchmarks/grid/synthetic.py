"""Synthetic activations of many samples in many clusters, stored as ``sample`` and ``reduce`` store theirs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from omegaconf import OmegaConf
from zarr.codecs import Crc32cCodec

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, LAYOUT, Artifact
from pipeline.core.files import discard, write_json
from pipeline.core.progress import log_line
from pipeline.core.zarr_store import StoredArray, stored
from pipeline.stages import STAGES, Task

LAYER, ATLAS = "layer", "all"
LEVELS = (10, 20, 40, 80, 160, 320)
CHANNELS, CLASSES, CLUSTERS = 512, 100, 300
PER_IMAGE = 4  # samples
VERSION = 1  # of the synthetic data
DONE = "done.json"  # written last: the folder is complete


@dataclass(frozen=True)
class SyntheticRun:
    """Activations with attributions, a layout, and an uncompressed copy of the activations.

    Attributes:
        samples: number of samples.
        folder: of the outputs and the copy.
    """

    samples: int
    folder: Path

    @property
    def outputs(self) -> Path:
        """The stage's ``outputs/``."""
        return self.folder / "outputs"

    def task(self) -> Task:
        """The stage with the settings of this benchmark."""
        overrides = [f"grid.levels={list(LEVELS)}".replace(" ", "")]
        params = parse_params(OmegaConf.to_container(compose_config(Path.cwd(), overrides)))
        return Task(STAGES["grid"], params, self.outputs, LAYER, ATLAS)

    def activation(self) -> StoredArray:
        """As the stage reads them."""
        return zarr_store.array(zarr_store.open_artifact(ACTIVATIONS, self.task().path(ACTIVATIONS)), "activation")

    def uncompressed(self) -> StoredArray:
        """The same, in the same shards and with the same checksums, but not compressed."""
        return stored(zarr.open_array(self.folder / "uncompressed.zarr", mode="r"))

    def xy(self) -> NDArray[np.float32]:
        """The layout [sample, 2]."""
        return np.asarray(zarr_store.array(zarr_store.open_artifact(LAYOUT, self.task().path(LAYOUT)), "xy")[...])


def synthetic_run(folder: Path, samples: int) -> SyntheticRun:
    """A run of so many samples; made only if it does not exist yet or was made by another version."""
    found = SyntheticRun(samples, folder / str(samples))
    done = found.folder / DONE
    made = {"version": VERSION, "artifacts": [_data_model(ACTIVATIONS), _data_model(LAYOUT)]}
    if not done.is_file() or json.loads(done.read_text()) != made:
        discard(found.folder)
        log_line(f"benchmarks: making {samples} samples once, in {found.folder}")
        _make(found)
        write_json(done, made)
    return found


def _data_model(artifact: Artifact) -> dict[str, Any]:
    return {"version": artifact.version, "types": {name: array.dtype for name, array in artifact.arrays.items()}}


def _make(found: SyntheticRun) -> None:
    generator = np.random.default_rng(0)
    centers = np.maximum(generator.normal(-0.2, 1, (CLUSTERS, CHANNELS)), 0).astype(np.float32)
    places = generator.random((CLUSTERS, 2))
    weights = generator.normal(scale=0.1, size=(CHANNELS, CLASSES)).astype(np.float32)
    cluster = generator.integers(0, CLUSTERS, found.samples)
    task, attributes = found.task(), {"scene": VERSION, "samples": found.samples}
    with zarr_store.create(ACTIVATIONS, task.path(ACTIVATIONS), attributes, {}) as group:
        shapes = {"activation": (found.samples, CHANNELS), "attribution": (found.samples, CLASSES)}
        arrays = {
            name: zarr_store.add_array(group, ACTIVATIONS, name, shape, dtype="float16")
            for name, shape in shapes.items()
        }
        arrays["uncompressed"] = _like(arrays["activation"], found.folder / "uncompressed.zarr")
        # whole shards of both, so that none is written twice
        step = int(np.lcm.reduce([(array.shards or array.chunks)[0] for array in arrays.values()]))
        for start in range(0, found.samples, step):
            own = cluster[start : start + step]
            rows = generator.standard_normal((len(own), CHANNELS), np.float32)
            rows *= 0.5
            rows += centers[own]
            np.maximum(rows, 0, out=rows)
            arrays["activation"][start : start + step] = rows
            arrays["uncompressed"][start : start + step] = rows
            arrays["attribution"][start : start + step] = rows @ weights
        zarr_store.write_array(group, ACTIVATIONS, "image", np.arange(found.samples) // PER_IMAGE)
    xy = np.clip(places[cluster] + generator.normal(scale=0.06, size=(found.samples, 2)), 0, 1)
    with zarr_store.create(LAYOUT, task.path(LAYOUT), attributes, {}) as group:
        zarr_store.write_array(group, LAYOUT, "sample", np.arange(found.samples))
        zarr_store.write_array(group, LAYOUT, "xy", xy.astype(np.float32))


def _like(array: "zarr.Array[Any]", path: Path) -> "zarr.Array[Any]":
    return zarr.create_array(
        path, shape=array.shape, dtype=array.dtype, chunks=array.chunks, shards=array.shards, compressors=Crc32cCodec()
    )
