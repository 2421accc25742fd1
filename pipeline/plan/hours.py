"""How many seconds each stage takes: what there is to do, divided by how fast it is done."""

from collections.abc import Sequence

from pipeline.plan.counts import LevelCount, icon_steps, icons, laid_out, points
from pipeline.plan.given import Rates, Sizes

TRAINING = 3  # passes that a training step costs: one forward, and back twice as long
# points a second of a layout, on two cores; they differ with the points and are no more than a first guess
LAID = {"umap": 5000.0, "tsne": 200.0, "pca": 50_000.0}
PLACED = 10_000.0  # points a second that are placed among those laid out
PYRAMID = 4 / 3  # pixels of all sizes of a tiled picture for one of the full size
READS = 2  # passes of the stage grid over the activations; attributions are read once


def prepare(sizes: Sizes, rates: Rates) -> float:
    """Every image is decoded once; the network is trained on them, or looks at them once where that is wanted."""
    model, passes = sizes.params.model, 0
    if model.weights == "train":
        passes = model.training.epochs * TRAINING * (2 if model.training.robust else 1)
    elif model.weights != "random":
        passes = int(sizes.params.prepare.evaluate)
    return sizes.images / rates.listed + passes * sizes.images / rates.evaluated


def sample_rate(rates: Rates) -> float:
    """Images a second of one process: images are decoded beside the network, so the slower of the two counts."""
    return rates.given.images or min(rates.decoded, rates.passed)


def sample(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> tuple[float, ...]:
    """Seconds for each number of GPUs."""
    return tuple(sizes.images / (sample_rate(rates) * count) for count in gpus)


def reduce(sizes: Sizes, rates: Rates, atlas: str) -> float:
    """One layout."""
    laid, found = laid_out(sizes, atlas), points(sizes, atlas)
    return laid / (rates.given.points or LAID[sizes.params.reduce.method]) + (found - laid) / PLACED


def grid_numbers(sizes: Sizes, layer: str, atlas: str) -> int:
    """Numbers that the stage grid reads."""
    return points(sizes, atlas) * (READS * sizes.channels[layer] + sizes.attributed)


def grid(sizes: Sizes, rates: Rates, layer: str, atlas: str) -> float:
    """One grid, all levels together."""
    return grid_numbers(sizes, layer, atlas) / rates.summed


def render(sizes: Sizes, rates: Rates, layer: str, levels: list[LevelCount], gpus: Sequence[int]) -> tuple[float, ...]:
    """Seconds for each number of GPUs."""
    if rates.given.icons:
        one = icons(levels) / rates.given.icons
    else:
        settings, drawing = sizes.params.render, rates.drawing[layer]
        steps = icon_steps(levels, settings.steps, settings.warm_steps)
        one = icons(levels) * drawing.rest + steps * drawing.step
    return tuple(one / count for count in gpus)


def tile(levels: list[LevelCount], side: int, rates: Rates) -> float:
    """One atlas's tiles, with icons of ``side`` pixels."""
    return PYRAMID * icons(levels) * side * side / rates.encoded


def site(pictures: int, rates: Rates) -> float:
    """The pictures of exemplars; what else the pages hold is written in no time."""
    return pictures / rates.listed
