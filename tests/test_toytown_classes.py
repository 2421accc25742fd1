"""What class atlases and comparisons of a network trained on toytown show, against the masks of its scenes."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pipeline.config.reduce import ReduceSettings
from pipeline.config.sample import SampleSettings
from pipeline.config.selection import SelectionSettings
from pipeline.core.cells import assign_cells
from pipeline.grid.exemplars import exemplars
from pipeline.images.crops import relative_positions
from pipeline.images.toytown.scenes import SCENE_CLASSES
from pipeline.images.toytown.toytown import CLASSES, Scene
from pipeline.model.inputs import to_tensor
from pipeline.reduce import umap
from pipeline.reduce.postprocess import comparison_axis, to_unit_square
from pipeline.reduce.selection import read_attributions, samples_of_class
from pipeline.sample.attribution import sample_batch
from pipeline.sample.baseline import sum_of_means
from tests.toytown_truth import PREPROCESSING, SIDE, network, parts, unseen_scenes

pytestmark = pytest.mark.long

LAYER, PLACES = "mixed4a", 12
NEAR = 8  # pixels around an exemplar in which a part counts as shown
TOP = 20
REDUCE = ReduceSettings(neighbors=15, epochs=150, negative_sample_rate=5)
FIREBOAT, STREETCAR = CLASSES.index("fireboat"), CLASSES.index("streetcar")
SELECTION = SelectionSettings(filter="both", top=400)


@dataclass(frozen=True)
class Samples:
    """What is sampled of all scenes.

    Attributes:
        activation, attribution: [sample, ...].
        image: [sample].
        pixel: [sample, 2] (y, x).
        part: [sample] number of the part that shows there, -1 for scenery.
    """

    activation: NDArray[np.float32]
    attribution: NDArray[np.float32]
    image: NDArray[np.int64]
    pixel: NDArray[np.int64]
    part: NDArray[np.int64]


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Scenes that training never saw."""
    return unseen_scenes(300)


@pytest.fixture(scope="module")
def samples(scenes: list[Scene]) -> Samples:
    """The trained network's activations and attributions at sampled places of the scenes."""
    learned = network(learned=True)
    places = relative_positions(0, [str(index) for index in range(len(scenes))], PLACES)
    images = torch.stack([to_tensor(scene.image, PREPROCESSING) for scene in scenes])
    shape = learned.layers[LAYER]
    settings = SampleSettings(positions_per_image=PLACES)
    baseline = sum_of_means(learned, {LAYER: shape}, images[:, None], settings)[LAYER] / len(images)
    block = sample_batch(learned, {LAYER: shape}, images, places, settings, {LAYER: baseline.astype(np.float32)})[LAYER]
    pixel = ((block["position"] + 0.5) * SIDE / shape.height).astype(np.int64)
    part = parts(scenes, pixel.reshape(len(scenes), PLACES, 2)).ravel()
    image = np.repeat(np.arange(len(scenes)), PLACES)
    return Samples(block["activation"], block["attribution"], image, pixel, part)


def part_names(scenes: list[Scene]) -> list[str]:
    """The names of parts in the order of their numbers."""
    return sorted({name for scene in scenes for name in scene.masks})


def of_class(samples: Samples, class_: int) -> NDArray[np.int64]:
    """The samples that the class's atlas holds."""
    found = read_attributions([samples.attribution], (class_,))
    return samples_of_class(found.strongest, found.value[:, 0], class_, SELECTION)


def shows(samples: Samples, scenes: list[Scene], sample: int, wanted: frozenset[str]) -> bool:
    """Whether a part covers a twentieth of the square around a sample."""
    y, x = samples.pixel[sample]
    square = slice(max(0, y - NEAR), y + NEAR), slice(max(0, x - NEAR), x + NEAR)
    masks = scenes[samples.image[sample]].masks
    return any(masks[name][square].mean() > 0.05 for name in wanted & set(masks))


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; those of length 0 stay as they are."""
    scaled: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
    return scaled


def cells_that_show(
    samples: Samples, scenes: list[Scene], chosen: NDArray[np.int64], wanted: frozenset[str], top: int | None
) -> float:
    """Share of an atlas's cells most of whose exemplars show a wanted part; ``top`` by attribution to fireboat."""
    values = samples.activation[chosen]
    xy, _ = to_unit_square(umap.embed(unit(values), REDUCE, 0), 1, 0.1)
    level = assign_cells(xy, [10])[0]
    centred = values - samples.activation.mean(axis=0)
    means = np.stack([centred[level.of_point == cell].mean(axis=0) for cell in range(len(level.cell))])
    cosines = (unit(centred) * unit(means)[level.of_point]).sum(axis=1).astype(np.float32)
    found = exemplars(cosines, level.of_point, chosen, samples.image[chosen], len(level.cell), 9)
    speaks = [samples.attribution[chosen[level.of_point == cell], FIREBOAT].mean() for cell in range(len(level.cell))]
    drawn = np.flatnonzero(level.count >= 5)
    best = drawn[np.argsort(-np.array(speaks)[drawn])][:top]
    hits = [[shows(samples, scenes, int(s), wanted) for s in found[cell] if s >= 0] for cell in best]
    return float(np.mean([np.mean(row) > 0.5 for row in hits]))


def test_the_fireboat_atlas_shows_fireboats(samples: Samples, scenes: list[Scene]) -> None:
    """Nine of ten of the class atlas's top cells show a part of a fireboat, half as many again as of all cells."""
    fireboat = SCENE_CLASSES["fireboat"].parts | SCENE_CLASSES["fireboat"].extras
    own, everything = of_class(samples, FIREBOAT), np.arange(len(samples.image))
    share = cells_that_show(samples, scenes, own, fireboat, TOP)
    whole = cells_that_show(samples, scenes, everything, fireboat, None)
    leaves = cells_that_show(samples, scenes, own, frozenset({"leaves"}), TOP)
    assert share >= 0.9, (share, whole)
    assert share > 1.5 * whole, (share, whole)
    assert leaves == 0


def test_a_comparison_orders_parts_by_their_class(samples: Samples, scenes: list[Scene]) -> None:
    """Between streetcar and fireboat, wheels and rails lie at one end, water at the other, windows between them."""
    chosen = np.union1d(of_class(samples, STREETCAR), of_class(samples, FIREBOAT))
    x, _ = comparison_axis(samples.attribution[chosen, FIREBOAT] - samples.attribution[chosen, STREETCAR])
    names = np.array([*part_names(scenes), ""])[samples.part[chosen]]
    order = {"wheels": -1, "rails": -1, "windows": 0, "water": 1}
    shown = np.isin(names, list(order))
    code = np.array([order[name] for name in names[shown]])
    assert spearmanr(code, x[shown]).statistic > 0.7
    shuffled = np.random.default_rng(0).permutation(code)
    assert abs(spearmanr(shuffled, x[shown]).statistic) < 0.15
    ends = [float(np.median(x[shown][code == place])) for place in (-1, 0, 1)]
    assert ends[0] < ends[1] < ends[2]


@pytest.mark.parametrize(("left", "between", "right"), [("house", "lighthouse", "fish"), ("tree", "bird", "fish")])
def test_a_class_that_shares_parts_lies_between(samples: Samples, left: str, between: str, right: str) -> None:
    """Images of a class that shares parts with both lie between theirs in the comparison of the two."""
    x, _ = comparison_axis(samples.attribution[:, CLASSES.index(right)] - samples.attribution[:, CLASSES.index(left)])
    label = samples.image % len(CLASSES)
    places = [float(x[label == CLASSES.index(name)].mean()) for name in (left, between, right)]
    assert places[0] < places[1] < places[2]
