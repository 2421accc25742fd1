from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import DataError
from pipeline.model.discovery import discover_layers
from pipeline.model.layers import get_layer
from pipeline.model.network import Network
from pipeline.parallel.pool import InlinePool
from pipeline.units import scan as scanning
from pipeline.units.examples import choose_examples
from pipeline.units.scan import BINS, Histogram, Scan, Scanner, scan_images

SIDE, IMAGES = 32, 23
UNITS = (0, 3, 7)


def network(module: nn.Module) -> Network:
    """For 32 × 32 pixels."""
    return Network("small", module, tuple("abcde"), PreprocessingSettings(crop=SIDE), discover_layers(module, SIDE))


@pytest.fixture(scope="module")
def images() -> Tensor:
    """Random inputs; some are equal, so that activations tie within an image and between images."""
    found = torch.randn(IMAGES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    found[9] = found[4]
    found[12:15] = found[12]
    found[2] = 0.0
    return found


def by_hook(module: nn.Module, layer: str, images: Tensor) -> NDArray[np.float32]:
    """The layer's outputs image by image, from a plain hook."""
    outputs: list[Tensor] = []
    handle = get_layer(module, layer).register_forward_hook(
        lambda _module, _inputs, output: outputs.append(output.clone())
    )
    with torch.no_grad():
        for image in images:
            module(image[None])
    handle.remove()
    return torch.cat(outputs).numpy()


def cnn_map(module: nn.Module, images: Tensor) -> NDArray[np.float32]:
    """The rectified map of the small CNN, [image, channel, y, x]."""
    return by_hook(module, "second_relu", images)


def vit_map(module: nn.Module, images: Tensor) -> NDArray[np.float32]:
    """The token grid of the small vision transformer without its class token, [image, channel, y, x]."""
    tokens = by_hook(module, "encoder.layers.encoder_layer_1", images)
    return np.moveaxis(tokens[:, 1:], 2, 1).reshape(len(tokens), -1, 4, 4)


@pytest.fixture(params=["cnn", "vit"])
def case(request: pytest.FixtureRequest, images: Tensor) -> tuple[Scanner, NDArray[np.float32]]:
    """A scanner of some units, and the layer's map by a plain hook."""
    module: nn.Module = request.getfixturevalue(request.param)
    layer = "second_relu" if request.param == "cnn" else "encoder.layers.encoder_layer_1"
    scanner = Scanner(network(module), layer, UNITS, lambda row: images[row], 5, "cpu")
    return scanner, (cnn_map if request.param == "cnn" else vit_map)(module, images)


def test_examples_are_those_of_brute_force(case: tuple[Scanner, NDArray[np.float32]]) -> None:
    """Image, position and activation of every example are what a sort of all positions finds, ties in their order."""
    scanner, grid = case
    found = scanner(range(IMAGES))
    for number, unit in enumerate(UNITS):
        flat = grid[:, unit].reshape(IMAGES, -1)
        width = grid.shape[3]
        by_kind = choose_examples(found, number, 6, width)
        for kind, sign, reducer in (("highest", -1, flat.max(1)), ("lowest", 1, flat.min(1))):
            order = sorted(range(IMAGES), key=lambda row: (sign * reducer[row], row))[:6]  # used at once
            example = by_kind[kind]  # type: ignore[index]  # one of the three kinds
            assert_same(example.image, order, example.activation, reducer)
            for image, (y, x) in zip(example.image, example.position, strict=True):
                assert y * width + x == np.flatnonzero(np.isclose(flat[image], reducer[image], atol=1e-6))[0]
        middle = by_kind["middle"]
        assert middle.activation.min() <= np.median(flat.max(1)) <= middle.activation.max()
        assert len(set(middle.image.tolist())) == 6


def assert_same(
    found: NDArray[np.int64], wanted: list[int], activation: NDArray[np.float32], values: NDArray[np.float32]
) -> None:
    """The same images in the same order, but for those whose values are equal but for rounding."""
    np.testing.assert_allclose(activation, values[wanted], atol=1e-5)
    for one, other in zip(found.tolist(), wanted, strict=True):
        assert one == other or values[one] == pytest.approx(values[other], abs=1e-6)


def test_equal_images_come_in_their_order(cnn: nn.Module, images: Tensor) -> None:
    """Of images with the same pixels the first comes first; a unit that is never active has the first images."""
    same = images[:1].expand(6, 3, SIDE, SIDE)
    found = Scanner(network(cnn), "second_relu", UNITS, lambda row: same[row], 4, "cpu")(range(6))
    for number in range(len(UNITS)):
        examples = choose_examples(found, number, 3, 4)
        assert examples["highest"].image.tolist() == [0, 1, 2]
        assert examples["lowest"].image.tolist() == [0, 1, 2]


def test_statistics_are_those_of_all_positions(case: tuple[Scanner, NDArray[np.float32]]) -> None:
    """Share above zero and correlations equal numpy's over all positions; a shuffled map's do not."""
    scanner, grid = case
    found = scanner(range(IMAGES))
    rows = np.moveaxis(grid, 1, -1).reshape(-1, grid.shape[1])
    assert found.positions == len(rows)
    wanted = np.atleast_2d(np.corrcoef(rows.T.astype(np.float64)))
    shuffled = np.atleast_2d(np.corrcoef(np.random.default_rng(0).permuted(rows.T.astype(np.float64), axis=1)))
    varies = rows.std(0) > 0
    for number, unit in enumerate(UNITS):
        assert found.active[number] == (rows[:, unit] > 0).sum()
        if varies[unit]:
            np.testing.assert_allclose(found.correlations(number, unit)[varies], wanted[unit][varies], atol=1e-5)
            assert np.abs(found.correlations(number, unit)[varies] - shuffled[unit][varies]).max() > 0.1


def test_parts_and_batches_change_nothing(cnn: nn.Module, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass in parts has the numbers of one over all images at once."""
    scanner = Scanner(network(cnn), "second_relu", UNITS, lambda row: images[row], 5, "cpu")
    monkeypatch.setattr(scanning, "IMAGES_PER_TASK", 7)

    class Spec:
        layer = "second_relu"

        def __call__(self) -> Scanner:
            return scanner

    parts, whole = scan_images(InlinePool(None), Spec(), IMAGES), scanner(range(IMAGES))  # type: ignore[arg-type]  # as far as it is used
    for name in ("highest", "highest_at", "lowest", "lowest_at", "active"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-6)
    np.testing.assert_array_equal(parts.histogram.counts, whole.histogram.counts)
    np.testing.assert_allclose(parts.products, whole.products, rtol=1e-9)


def test_histograms_add_up_in_any_order() -> None:
    """Counts are those of numpy's histogram in the same bins, whatever the parts and their order."""
    random = np.random.default_rng(0)
    values = (random.normal(size=(3, 400)) * 10.0 ** random.uniform(-3, 2, size=(3, 400))).astype(np.float32)
    values[2] = np.maximum(values[2], 0)
    whole = Histogram.of(values)
    cuts = [values[:, start : start + 50] for start in range(0, 400, 50)]
    for parts in (cuts, cuts[::-1]):
        added = reduce(Histogram.__add__, [Histogram.of(part) for part in parts])
        np.testing.assert_array_equal(added.exponent, whole.exponent)
        np.testing.assert_array_equal(added.counts, whole.counts)
    for unit in range(3):
        edges = (np.arange(2 * BINS + 1) - BINS) * 2.0 ** whole.exponent[unit]
        np.testing.assert_array_equal(whole.counts[unit], np.histogram(values[unit].astype(np.float64), edges)[0])
        assert whole.counts[unit].sum() == 400


def test_activations_that_are_not_finite_are_refused(cnn: nn.Module, images: Tensor) -> None:
    """One line names the layer."""
    broken = images.clone()
    broken[3] = float("nan")
    scanner = Scanner(network(cnn), "second_relu", UNITS, lambda row: broken[row], 5, "cpu")
    with pytest.raises(DataError, match="second_relu: expected finite activations"):
        scanner(range(IMAGES))


def test_a_layer_of_one_value_has_no_correlation() -> None:
    """What does not vary correlates with nothing, also with itself."""
    one = Scan(
        *(np.ones((1, 1), np.float32), np.zeros((1, 1), np.int64)) * 2,
        histogram=Histogram.of(np.ones((1, 4), np.float32)),
        active=np.array([4]),
        positions=4,
        sums=np.array([4.0, 4.0]),
        squares=np.array([4.0, 4.0]),
        products=np.array([[4.0, 4.0]]),
    )
    assert one.correlations(0, 0).tolist() == [0.0, 0.0]


def test_maps_are_those_of_a_plain_hook(case: tuple[Scanner, NDArray[np.float32]]) -> None:
    """The maps of some units in one image are its outputs there, in the order of the units that are asked for."""
    scanner, grid = case
    for row in (0, 9):
        found = scanner.maps(row, [2, 0])
        assert np.allclose(found, grid[row, [UNITS[2], UNITS[0]]], atol=1e-5)


@pytest.mark.parametrize("share", [0.005, 0.1, 0.5])
def test_a_threshold_is_exceeded_by_its_share(share: float) -> None:
    """The share of values above it is the one that is asked for, to the width of a bin, for any distribution."""
    random = np.random.default_rng(0)
    values = np.stack([random.normal(size=20_000), random.exponential(3, 20_000), -random.exponential(1, 20_000)])
    histogram = Histogram.of(values.astype(np.float32))
    found = histogram.exceeded_at(share)
    width = 2.0**histogram.exponent
    exact = np.quantile(values, 1 - share, axis=1)
    assert (np.abs(found - exact) <= width).all()
    silent = Histogram.of(np.zeros((1, 10), np.float32)).exceeded_at(share)
    assert 0 <= silent[0] < 1e-30


def test_a_unit_that_is_hardly_ever_active_has_the_threshold_0(case: tuple[Scanner, NDArray[np.float32]]) -> None:
    """Where fewer positions than the share are above zero, the threshold is 0, not somewhere in the bin of zeros."""
    scanner, grid = case
    found = scanner(range(len(grid)))
    rare = replace(found, active=np.array([0, found.positions // 2, 3]))
    thresholds = rare.exceeded_at(0.25)
    assert thresholds[0] == thresholds[2] == 0
    assert thresholds[1] == found.histogram.exceeded_at(0.25)[1]
