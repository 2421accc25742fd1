"""Made-up activations that look like a network's: clusters on low-dimensional sheets, through a ReLU."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core import artifacts as a
from pipeline.core import zarr_store as store
from pipeline.images.manifest import Manifest, write_manifest

CHANNELS, CLUSTERS, LATENT, SHEET = 512, 400, 48, 6
PER_IMAGE = 4  # samples
BLOCK = 16384
LAYER = "planted"


def blocks(count: int) -> Iterator[NDArray[np.float32]]:
    """Activations in blocks [row, channel], always the same ones: about half of the values are zero."""
    shape = np.random.default_rng(0)
    centres = shape.normal(size=(CLUSTERS, LATENT))
    sheets = shape.normal(size=(CLUSTERS, SHEET, LATENT)) * 0.4
    outward = (shape.normal(size=(LATENT, CHANNELS)) / LATENT**0.5).astype(np.float32)
    for start in range(0, count, BLOCK):
        chance = np.random.default_rng([1, start])
        size = min(BLOCK, count - start)
        cluster = chance.integers(0, CLUSTERS, size)
        along = chance.normal(size=(size, 1, SHEET))
        latent = (centres[cluster] + (along @ sheets[cluster])[:, 0]).astype(np.float32)
        noise = chance.standard_normal((size, CHANNELS), np.float32) * np.float32(0.15)
        yield np.maximum(latent @ outward + noise, 0)


def params() -> Params:
    """The default configuration, for the one layer; run in a checkout."""
    composed = compose_config(Path.cwd(), [f"layers=[{LAYER}]", "render.size_by_layer={}"])
    return parse_params(OmegaConf.to_container(composed))


def write(outputs: Path, count: int) -> None:
    """A run's images and activations, float16, as ``reduce`` reads them."""
    images = -(-count // PER_IMAGE)
    with store.create(a.ACTIVATIONS, a.ACTIVATIONS.path(outputs, LAYER), {}, {}) as group:
        shard = store.power_of_two(store.SHARD_BYTES // (2 * CHANNELS))
        stored = group.create_array(
            "activation", shape=(count, CHANNELS), dtype="float16", chunks=(1024, CHANNELS), shards=(shard, CHANNELS)
        )
        held: list[NDArray[np.float16]] = []
        first = 0
        for block in blocks(count):
            held.append(block.astype(np.float16))
            rows = sum(map(len, held))
            if rows == shard or first + rows == count:  # a shard is a whole number of blocks
                stored[first : first + rows] = np.concatenate(held)
                held, first = [], first + rows
        store.write_array(group, a.ACTIVATIONS, "image", np.arange(count) // PER_IMAGE)
    image, none = np.arange(images), np.full(images, -1)
    names = tuple(map(str, image))
    write_manifest(a.IMAGES.path(outputs), Manifest(image, names, none, none, image, image, names), {}, {})
