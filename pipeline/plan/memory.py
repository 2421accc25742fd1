"""How many bytes of memory each stage holds at once: what grows with the run, and what a process takes anyway."""

from collections.abc import Sequence

from pipeline.core.statistics import BLOCK_BYTES
from pipeline.plan.counts import LevelCount, laid_out, level_counts, points
from pipeline.plan.given import FLOAT_BYTES, Drawing, Rates, Sizes
from pipeline.plan.volume import sample_row
from pipeline.sample.attribution import TANGENTS
from pipeline.sample.cut import cut
from pipeline.sample.streams import stream_count

SUM_BYTES = 8  # sums are float64
LISTED = 600  # bytes of an image's entry and of its line in the list, while it is made
PLACED = 64  # bytes of a point besides its activation: row, image, label, place before and after it is framed
LIVE = 4  # outputs as large as the largest that a pass holds at once: values and tangents, before and after a layer
EDGE = 100  # bytes of one neighbour of a point: found, weighed, made symmetric, and stepped along


def prepare(sizes: Sizes, rates: Rates) -> int:
    """The list of images; and the images themselves, twice, where a network is trained on them."""
    trained = sizes.params.model.weights == "train"
    pixels = 3 * sizes.crop**2 * sizes.images * 2 if trained else 0
    return rates.memory + LISTED * sizes.images + pixels


def sample(sizes: Sizes, rates: Rates) -> int:
    """Batches on their way through the network, and the rows of one task, once more while they are written."""
    settings, row = sizes.params.sample, sum(sample_row(sizes, layer) for layer in sizes.channels)
    task = cut(sizes.images, settings.batch_size, settings.positions_per_image, row)
    passes = stream_count(settings.device, settings.attribution) * rates.pass_bytes
    return rates.memory + passes + 2 * min(task.shard_rows, sizes.samples) * row


def reduce(sizes: Sizes, rates: Rates, layer: str, atlas: str) -> int:
    """The points that are laid out, three times over, and the neighbours of those that are not placed later."""
    settings, found = sizes.params.reduce, points(sizes, atlas)
    width = min(sizes.channels[layer], settings.components or sizes.channels[layer])
    neighbours = int(3 * settings.perplexity) if settings.method == "tsne" else settings.neighbors
    graph = 0 if settings.method == "pca" else neighbours * EDGE * laid_out(sizes, atlas)
    return rates.memory + graph + found * (3 * FLOAT_BYTES * width + PLACED)


def grid(sizes: Sizes, rates: Rates, layer: str, levels: list[LevelCount], found: int) -> int:
    """Sums of both halves of the images and of attributions, of all levels; blocks of rows; what points lie where."""
    cells = sum(level.occupied for level in levels)
    width = 2 * sizes.channels[layer] + sizes.attributed
    of_points = found * (PLACED + SUM_BYTES * len(levels))
    return rates.memory + 2 * BLOCK_BYTES + cells * width * SUM_BYTES + of_points


def render(sizes: Sizes, rates: Rates, layer: str, levels: list[LevelCount], drawing: Drawing) -> int:
    """A batch of icons, and all finished ones with their means of three kinds."""
    side = sizes.params.render.for_layer(layer).size
    finished = 2 * 3 * side * side + 3 * FLOAT_BYTES * sizes.channels[layer]
    return (
        rates.memory + sizes.params.render.batch_size * drawing.bytes + sum(level.drawn for level in levels) * finished
    )


def site(sizes: Sizes, rates: Rates) -> int:
    """Which image and label lies in which cell, of all layers; the attributions of the largest level, twice."""
    cells = max(level.occupied for atlas in sizes.params.atlases for level in level_counts(sizes, atlas))
    members = len(sizes.channels) * sizes.samples * (PLACED + SUM_BYTES)
    return rates.memory + members + cells * sizes.attributed * FLOAT_BYTES * 2


def pass_bytes(numbers: Sequence[int], first: int, batch: int, attributed: bool) -> int:
    """What a batch of the stage ``sample`` takes on its way through the network.

    Args:
        numbers: of the output of each layer for one image, in the order of the layers.
        first: which of them is the first that is looked at.
        batch: images in it.
        attributed: tangents of many positions are carried through what follows that layer.
    """
    tangents = max(numbers[first:]) * max(batch, TANGENTS) if attributed else 0
    return LIVE * FLOAT_BYTES * max(max(numbers) * batch, tangents)
