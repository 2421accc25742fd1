from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.layer_names import LOGITS
from pipeline.explain.deletion import Curves, center_blob, deletion_insertion, pixel_order, random_maps
from pipeline.explain.scores import Scores
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network

SIDE, STEPS, IMAGES, UNITS = 8, 16, 6, 3
ROWS = range(10, 10 + IMAGES)


def random(*size: int, seed: int = 0) -> Tensor:
    """Seeded normal numbers in float64."""
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


WEIGHT, INPUTS = random(UNITS, 3, SIDE, SIDE), random(IMAGES, 3, SIDE, SIDE, seed=1)
REMOVED = torch.full_like(INPUTS, 0.5)
OF_IMAGE = torch.arange(IMAGES) % UNITS
TRUTH = (WEIGHT[OF_IMAGE] * (INPUTS - REMOVED)).sum(1)  # what each pixel adds to the score


def linear(inputs: Tensor, units: Tensor) -> Tensor:
    """The score of a linear model."""
    return (WEIGHT[units] * inputs).sum((1, 2, 3))


def curves(heat: Tensor, images: Sequence[int] = range(IMAGES), steps: int = STEPS, batch_size: int = 5) -> Curves:
    """Of some of the images, by the linear model."""
    some, rows = list(images), [ROWS[image] for image in images]
    return deletion_insertion(
        linear,
        INPUTS[some],
        REMOVED[some],
        OF_IMAGE[some],
        heat[some],
        rows=rows,
        seed=4,
        steps=steps,
        batch_size=batch_size,
    )


def test_curves_of_a_linear_model_are_the_sums_of_what_pixels_add() -> None:
    """In the order of what each pixel adds, deletion subtracts the largest first, and insertion adds them."""
    found = curves(TRUTH)
    every = SIDE * SIDE // STEPS
    sums = np.sort(TRUTH.flatten(1).numpy(), axis=1)[:, ::-1].cumsum(axis=1)[:, every - 1 :: every]
    whole, empty = linear(INPUTS, OF_IMAGE).numpy()[:, None], linear(REMOVED, OF_IMAGE).numpy()[:, None]
    assert np.allclose(found.deletion, np.hstack([whole, whole - sums]))
    assert np.allclose(found.insertion, np.hstack([empty, empty + sums]))


def test_the_true_order_is_best_its_inverse_worst_and_a_random_one_between() -> None:
    """For each image the true order has the least area of deletion and the most of insertion; its inverse the reverse.

    Where pixels are in random order, the mean over images lies between, near the line between both ends.
    """
    best, worst, chance = (curves(heat).areas() for heat in (TRUTH, -TRUTH, random_maps(ROWS, SIDE, 4)))
    assert (best[0] < chance[0]).all()
    assert (chance[0] < worst[0]).all()
    assert (best[1] > chance[1]).all()
    assert (chance[1] > worst[1]).all()
    line = (linear(INPUTS, OF_IMAGE) + linear(REMOVED, OF_IMAGE)).numpy() / 2
    span = worst[0] - best[0]
    for area in chance:
        assert abs(((area - line) / span).mean()) < 0.1
        assert np.abs((area - line) / span).max() < 0.4


def test_curves_end_with_the_whole_image_and_the_removed_one() -> None:
    """Both curves have the same two ends, bit for bit, whatever the map; also with one step."""
    for steps in (1, STEPS):
        found = curves(random(IMAGES, SIDE, SIDE, seed=2), steps=steps)
        assert found.deletion.shape == found.insertion.shape == (IMAGES, steps + 1)
        assert np.allclose(found.deletion[:, 0], linear(INPUTS, OF_IMAGE).numpy())
        assert np.allclose(found.deletion[:, -1], linear(REMOVED, OF_IMAGE).numpy())
        assert np.array_equal(found.deletion[:, 0], found.insertion[:, -1])
        assert np.array_equal(found.deletion[:, -1], found.insertion[:, 0])


@pytest.mark.parametrize("heat", [TRUTH, torch.zeros_like(TRUTH), random_maps(ROWS, SIDE, 4)])
def test_curves_do_not_depend_on_the_batch_size_or_on_other_images(heat: Tensor) -> None:
    """They are the same for any batch size and for an image alone, with maps that have ties too."""
    whole = curves(heat)
    for batch_size in (1, 7, 1000):
        found = curves(heat, batch_size=batch_size)
        assert np.allclose(found.deletion, whole.deletion, atol=1e-12)
        assert np.allclose(found.insertion, whole.insertion, atol=1e-12)
    for some in ([4], [5, 1]):
        assert np.allclose(curves(heat, some).deletion, whole.deletion[some], atol=1e-12)
        assert np.allclose(curves(heat, some).insertion, whole.insertion[some], atol=1e-12)


@pytest.mark.parametrize("steps", [3, 7, 200])
def test_steps_need_not_divide_the_pixels(steps: int) -> None:
    """With a score that counts the changed pixels, every step has its share of them, within half a pixel."""
    removed = torch.zeros(2, 3, SIDE, SIDE)
    found = deletion_insertion(
        lambda inputs, _units: inputs[:, 0].mean((1, 2)),
        torch.ones(2, 3, SIDE, SIDE),
        removed,
        torch.zeros(2, dtype=torch.int64),
        TRUTH[:2],
        rows=(0, 1),
        seed=0,
        steps=steps,
        batch_size=64,
    )
    share = np.linspace(0, 1, steps + 1)
    half = 0.5 / SIDE**2 + 1e-6
    assert np.abs(found.deletion - (1 - share)).max() <= half
    assert np.abs(found.insertion - share).max() <= half


def test_areas_are_those_of_known_curves() -> None:
    """A line from 1 to 0 has the area 1/2, a constant its value, and a step its trapezoids."""
    lines = np.array([[1, 0.5, 0], [2, 2, 2], [1, 0, 0]])
    deletion, insertion = Curves(lines, 3 * lines).areas()
    assert np.allclose(deletion, [0.5, 2, 0.25])
    assert np.allclose(insertion, [1.5, 6, 0.75])


def test_no_images_have_no_curves() -> None:
    """Nothing is run for them."""
    found = curves(TRUTH, [])
    assert found.deletion.shape == found.insertion.shape == (0, STEPS + 1)
    assert random_maps([], SIDE, 0).shape == (0, SIDE, SIDE)


def test_equal_values_are_in_an_order_drawn_for_each_image() -> None:
    """The order depends on the seed and the image's number; different values keep theirs.

    A map that is constant but for rounding errors is constant, and one that varies as little around 0 is none.
    """
    flat = torch.full((3, SIDE, SIDE), 0.7)
    order = pixel_order(flat, (5, 6, 5), 1)
    assert np.array_equal(np.sort(order, axis=1), np.arange(SIDE * SIDE)[None].repeat(3, 0))
    assert np.array_equal(order[0], order[2])
    assert not np.array_equal(order[0], order[1])
    assert not np.array_equal(order[0], pixel_order(flat[:1], (5,), 2)[0])
    rising = torch.arange(SIDE * SIDE).reshape(1, SIDE, SIDE) * 1e-9
    assert np.array_equal(pixel_order(flat[:1].double() + rising, (5,), 1)[0], order[0])
    assert np.array_equal(pixel_order(rising, (5,), 1)[0], np.arange(SIDE * SIDE)[::-1])
    halves = torch.zeros(1, SIDE, SIDE)
    halves[:, SIDE // 2 :] = 1
    first = pixel_order(halves, (5,), 1)[0][: SIDE * SIDE // 2]
    assert set(first) == set(range(SIDE * SIDE // 2, SIDE * SIDE))
    assert not np.array_equal(first, np.sort(first))


def test_random_maps_depend_on_the_seed_and_the_image_alone() -> None:
    """An image has the same one in any company, others with another number or seed, and none is that of the ties."""
    maps = random_maps((3, 8), SIDE, 1)
    assert torch.equal(random_maps((8,), SIDE, 1)[0], maps[1])
    assert not torch.equal(maps[0], maps[1])
    assert not torch.equal(random_maps((3,), SIDE, 2)[0], maps[0])
    assert not np.array_equal(pixel_order(maps, (3, 8), 1), pixel_order(torch.zeros_like(maps), (3, 8), 1))


@pytest.mark.parametrize("side", [7, 8])
def test_the_center_blob_falls_with_the_distance_from_the_center(side: int) -> None:
    """Its order is that of the distance; at one standard deviation it is e to the power of -1/2."""
    blob = center_blob(side)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    distance = (y**2 + x**2).ravel()
    assert (np.diff(distance[pixel_order(blob[None], (0,), 0)[0]]) >= 0).all()
    assert torch.allclose(blob, torch.from_numpy(np.exp(-(y**2 + x**2) / (2 * (side / 4) ** 2))).float())


def test_the_center_blob_finds_what_is_in_the_center_alone() -> None:
    """For a square in the center its deletion has less area than a random order; for one in a corner it has more."""
    areas = []
    for start in (SIDE // 2 - 1, 0):
        inputs = torch.zeros(1, 3, SIDE, SIDE)
        inputs[..., start : start + 2, start : start + 2] = 1
        heats = (center_blob(SIDE)[None], random_maps((0,), SIDE, 0))
        areas.append(
            [
                deletion_insertion(
                    lambda inputs, _units: inputs.sum((1, 2, 3)),
                    inputs,
                    torch.zeros_like(inputs),
                    torch.zeros(1, dtype=torch.int64),
                    heat,
                    rows=(0,),
                    seed=0,
                    steps=STEPS,
                    batch_size=8,
                ).areas()[0][0]
                for heat in heats
            ]
        )
    (center, chance), (corner, other_chance) = areas
    assert center < 0.2 * chance
    assert corner > other_chance


def test_scores_of_classes_give_probabilities() -> None:
    """With :meth:`Scores.shares` the curves of a class start and end with its probability, and take no gradient."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = freeze(
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
        )
    layers = discover_layers(module, SIDE)
    network = Network("small", module, ("a", "b", "c"), PreprocessingSettings(crop=SIDE), layers)
    inputs, units = INPUTS.float(), OF_IMAGE
    found = deletion_insertion(
        Scores(network, LOGITS).shares,
        inputs,
        torch.zeros_like(inputs),
        units,
        TRUTH,
        rows=ROWS,
        seed=0,
        steps=STEPS,
        batch_size=9,
    )
    with torch.no_grad():
        ends = [torch.softmax(module(one), 1)[range(IMAGES), units] for one in (inputs, torch.zeros_like(inputs))]
    assert np.allclose(found.deletion[:, 0], ends[0], atol=1e-6)
    assert np.allclose(found.deletion[:, -1], ends[1], atol=1e-6)
    assert (found.deletion > 0).all()
    assert (found.deletion < 1).all()
