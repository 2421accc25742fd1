"""The sheet of textures: images in rows, their texture by more and more layers and by two ways without a network."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from pipeline.featurevis.renderer import to_uint8
from pipeline.parallel.tasks import Arrays
from pipeline.synthesize.context import Context
from pipeline.synthesize.layer_choice import spread_layers
from pipeline.synthesize.patch_texture import PatchTexture, quilted_texture, scan_line_texture
from pipeline.synthesize.sheet import Column, Measure, Picture, Row, Sheet
from pipeline.synthesize.texture import (
    TextureConfig,
    cumulative_layers,
    gram_distance,
    nearest_patch_distance,
    synthesize_texture,
)
from pipeline.synthesize.worker import Worker

SOURCE_SIDE = 128  # of a source, pixels, at most: the search for neighborhoods compares all of its pixels
BLOCK = 0.25  # side of a quilted block, as a share of the source's
OVERLAP = 0.25  # of two blocks, as a share of a block
MEASURES = (
    Measure(
        "distance",
        "distance",
        "Of the Gram matrices from the image's, squared and relative, as a mean over all layers: 0 for the image.",
    ),
    Measure(
        "novelty",
        "novelty",
        "Mean distance of a patch from the image's nearest one, in standard deviations of the image: 0 for a copy.",
    ),
)
PATCH_COLUMNS = (
    Column(
        "Pixel by pixel",
        "Without a network: each pixel is the one of the image with the nearest neighborhood.",
        "Wei & Levoy 2000",
    ),
    Column("Quilting", "Without a network: blocks of the image, cut where they fit best.", "Efros & Freeman 2001"),
)

Way = Literal["scan_line", "quilting"]


@dataclass(frozen=True)
class TextureTask:
    """One texture.

    Attributes:
        row: of the image.
        layers: of the network that the distance is measured at.
        way: by the first so many layers, or one without a network.
    """

    row: int
    layers: tuple[str, ...]
    way: int | Way


@dataclass(frozen=True)
class SourceTask:
    """A source, and its distance from another one.

    Attributes:
        row: of the image.
        other: of the other image.
        layers: of the network.
    """

    row: int
    other: int
    layers: tuple[str, ...]


def make(context: Context) -> Sheet:
    """Make each image's texture in each way."""
    settings, images = context.settings.texture, context.images
    layers = tuple(settings.layers or spread_layers(context.network.layers))
    ways: list[int | Way] = [*range(1, len(layers) + 1), "scan_line", "quilting"]
    others = [*images[1:], *images[:1]]
    sources = context.run(
        "sources", source_task, [SourceTask(*pair, layers) for pair in zip(images, others, strict=True)]
    )
    done = context.run("textures", texture_task, [TextureTask(row, layers, way) for row in images for way in ways])
    rows = []
    for number, (row, source) in enumerate(zip(images, sources, strict=True)):
        own = done[number * len(ways) : (number + 1) * len(ways)]
        values = [{name: float(one[name]) for name in ("distance", "novelty")} for one in own]
        pictures = [Picture(one["image"], value) for one, value in zip(own, values, strict=True)]
        rows.append(Row(context.image_name(row), context.manifest.key[row], [Picture(source["image"]), *pictures]))
    apart = float(np.mean([one["distance"] for one in sources]))
    reached = float(np.mean([one["distance"] for one in done[len(layers) - 1 :: len(ways)]]))
    return Sheet(
        method="texture",
        columns=[Column("Image"), *_layer_columns(layers), *PATCH_COLUMNS],
        rows=rows,
        measures=MEASURES,
        notes=[f"The distance between two of the images is {apart:.2g} in the mean."] if len(images) > 1 else [],
        metrics={"distance": reached, **({"distance_apart": apart} if len(images) > 1 else {})},
    )


def source_task(worker: Worker, task: SourceTask) -> Arrays:
    """``image``: the source, uint8 [y, x, 3]; ``distance`` from the other one."""
    source, other = _source(worker, task.row), _source(worker, task.other)
    distance = gram_distance(worker.network, dict.fromkeys(task.layers, 1.0), other[None], source[None])
    return {"image": to_uint8(source[None])[0].cpu().numpy(), "distance": np.array(float(distance))}


def texture_task(worker: Worker, task: TextureTask) -> Arrays:
    """``image``, uint8 [y, x, 3]; ``distance`` from the source and ``novelty``."""
    source, own = _source(worker, task.row), worker.settings.texture
    if isinstance(task.way, int):
        layers = cumulative_layers(task.layers)[task.way - 1]
        config = TextureConfig(steps=own.steps)
        size = (own.size, own.size)
        image = synthesize_texture(worker.network, layers, source[None], size, config, worker.seed).images[0]
    else:
        image = _patch_texture(worker, source, task.way).image
    distance = gram_distance(worker.network, dict.fromkeys(task.layers, 1.0), image[None], source[None])
    return {
        "image": to_uint8(image[None])[0].cpu().numpy(),
        "distance": np.array(float(distance)),
        "novelty": np.array(nearest_patch_distance(image, source)),
    }


def _patch_texture(worker: Worker, source: Tensor, way: Way) -> PatchTexture:
    own, side = worker.settings.texture, min(source.shape[1:])
    size = (own.size, own.size)
    if way == "scan_line":
        return scan_line_texture(source, size, worker.seed, radius=min(own.patch // 2, side // 2 - 1))
    block = max(4, round(BLOCK * side))
    return quilted_texture(source, size, worker.seed, block=block, overlap=max(1, round(OVERLAP * block)))


def _source(worker: Worker, row: int) -> Tensor:
    return worker.crop(row, min(worker.side, SOURCE_SIDE))


def _layer_columns(layers: tuple[str, ...]) -> list[Column]:
    first, *others = layers
    text = "From noise to the same Gram matrices, at this layer and those to the left of it."
    return [Column(first, text, "Gatys et al. 2015"), *(Column(f"+ {layer}", text) for layer in others)]
