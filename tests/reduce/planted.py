"""A planted run on disk: images and activations of two layers, with duplicates and all-zero samples."""

import sys
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, LAYOUT
from pipeline.core.zarr_store import array, create, open_artifact, write_array
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.reduce.stage import run
from pipeline.stages import STAGES, Task
from tests.reduce.clusters import clustered

ROOT = Path(__file__).parents[2]
ZERO = np.array([3, 50, 200])
TWINS = np.array([[10, 110], [11, 111], [10, 250]])
POSITIONS = 5


def plant(outputs: Path, values: np.ndarray | None = None) -> Path:
    """Write images and activations: layer ``early`` is a rotated, noisy view of layer ``late``."""
    late, labels = clustered()
    generator = np.random.default_rng(1)
    turn = np.linalg.qr(generator.normal(size=(late.shape[1], late.shape[1])))[0]
    early = np.asarray(late @ turn + generator.normal(scale=0.05, size=late.shape), np.float32)
    for activations in (early, late):
        activations[ZERO] = 0
        activations[TWINS[:, 1]] = activations[TWINS[:, 0]]
    for layer, activations in (("early", early if values is None else values), ("late", late)):
        with create(ACTIVATIONS, ACTIVATIONS.path(outputs, layer), {}, {}) as group:
            write_array(group, ACTIVATIONS, "activation", activations)
            write_array(group, ACTIVATIONS, "image", np.arange(len(activations)) // POSITIONS)
    label = labels[::POSITIONS].astype(np.int64)
    label[0] = -1
    rows = np.arange(len(label))
    names = tuple(f"{row}.png" for row in rows)
    write_manifest(IMAGES.path(outputs), Manifest(rows, names, label, label, rows, rows, names), {}, {})
    return outputs


def task(outputs: Path, *overrides: str, layer: str = "early") -> Task:
    """One execution of ``reduce`` with settings that suit a few hundred points."""
    small = ["layers=[early,late]", "reduce.neighbors=12", "reduce.perplexity=12.0", "reduce.epochs=40"]
    composed = compose_config(ROOT, [*overrides, *small, "reduce.iterations=60"])
    return Task(STAGES["reduce"], parse_params(OmegaConf.to_container(composed)), outputs, layer, "all")


def xy(outputs: Path, layer: str = "early") -> np.ndarray:
    """The stored layout [point, 2]."""
    return np.asarray(array(open_artifact(LAYOUT, LAYOUT.path(outputs, layer, "all")), "xy")[...])


if __name__ == "__main__":  # another process lays out the planted run: a folder, then methods
    for method in sys.argv[2:]:
        run(task(plant(Path(sys.argv[1]) / method), f"reduce={method}"))
