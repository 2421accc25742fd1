"""Synthetic activations: clusters on low-dimensional sheets, through a ReLU."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core import artifacts as a
from pipeline.core import zarr_store
from pipeline.images.manifest import Manifest, write_manifest

CHANNELS, CLUSTERS, LATENT, SHEET = 512, 400, 48, 6
PER_IMAGE = 4  # samples
BLOCK = 16384
LAYER = "synthetic"


def blocks(count: int) -> Iterator[NDArray[np.float32]]:
    """Activations in blocks [row, channel], the same in every call: about half of the values are zero."""
    shape = np.random.default_rng(0)
    centers = shape.normal(size=(CLUSTERS, LATENT))
    sheets = shape.normal(size=(CLUSTERS, SHEET, LATENT)) * 0.4
    outward = (shape.normal(size=(LATENT, CHANNELS)) / LATENT**0.5).astype(np.float32)
    for start in range(0, count, BLOCK):
        generator = np.random.default_rng([1, start])
        size = min(BLOCK, count - start)
        cluster = generator.integers(0, CLUSTERS, size)
        along = generator.normal(size=(size, 1, SHEET))
        latent = (centers[cluster] + (along @ sheets[cluster])[:, 0]).astype(np.float32)
        noise = generator.standard_normal((size, CHANNELS), np.float32) * np.float32(0.15)
        yield np.maximum(latent @ outward + noise, 0)


def params() -> Params:
    """The default configuration for this layer; run in a checkout."""
    composed = compose_config(Path.cwd(), [f"layers=[{LAYER}]", "render.size_by_layer={}"])
    return parse_params(OmegaConf.to_container(composed))


def write(outputs: Path, count: int) -> None:
    """Write the images and activations, float16, of a run, as ``reduce`` reads them."""
    images = -(-count // PER_IMAGE)
    with zarr_store.create(a.ACTIVATIONS, a.ACTIVATIONS.path(outputs, LAYER), {}, {}) as group:
        shard = zarr_store.power_of_two(zarr_store.SHARD_BYTES // (2 * CHANNELS))
        stored = group.create_array(
            "activation", shape=(count, CHANNELS), dtype="float16", chunks=(1024, CHANNELS), shards=(shard, CHANNELS)
        )
        pending: list[NDArray[np.float16]] = []
        first = 0
        for block in blocks(count):
            pending.append(block.astype(np.float16))
            rows = sum(map(len, pending))
            if rows == shard or first + rows == count:  # a shard holds a whole number of blocks
                stored[first : first + rows] = np.concatenate(pending)
                pending, first = [], first + rows
        zarr_store.write_array(group, a.ACTIVATIONS, "image", np.arange(count) // PER_IMAGE)
    image, none = np.arange(images), np.full(images, -1)
    names = tuple(map(str, image))
    write_manifest(a.IMAGES.path(outputs), Manifest(image, names, none, none, image, image, names), {}, {})
