"""Nearest images: the exact search, the two spaces, and the agreement of labels."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.explain.neighbors import label_agreement, last_layer, nearest, pixel_vector
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.inputs import to_tensor
from pipeline.model.network import Network

SIDE = 32
PREPROCESSING = PreprocessingSettings(crop=SIDE, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))
Floats = NDArray[np.float32]


def brute_force(vectors: Floats, row: int, count: int) -> list[int]:
    """Rows of the nearest others, from one difference at a time in float64."""
    squared = [float(np.square(one.astype(np.float64) - vectors[row]).sum()) for one in vectors]
    others = [other for other in range(len(vectors)) if other != row]
    return sorted(others, key=lambda other: (squared[other], other))[:count]


def rough(vectors: Floats, row: int, count: int) -> list[int]:
    """The same by a matrix product in float32."""
    squared = (vectors**2).sum(1) - 2 * vectors @ vectors[row] + (vectors[row] ** 2).sum()
    squared[row] = np.inf
    order: list[int] = np.argsort(squared, kind="stable")[:count].tolist()
    return order


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_neighbors_are_those_of_brute_force_for_any_block(offset: float) -> None:
    """Rows and distances are those of all differences, bit for bit the same for any block, also far from zero."""
    random = np.random.default_rng(0)
    vectors = (offset + random.normal(size=(90, 40))).astype(np.float32)
    vectors[60:] = vectors[:30]  # each has a duplicate
    queries = [0, 89, 33, 33, 7]
    expected, distances = nearest(vectors, queries, 6)
    assert expected.tolist() == [brute_force(vectors, row, 6) for row in queries]
    direct = np.linalg.norm(vectors[expected].astype(np.float64) - vectors[queries][:, None], axis=2)
    assert np.allclose(distances, direct, rtol=1e-12)
    assert distances[0, 0] == 0
    for block in (1, 2, 7, 45, 89, 90, 1000):
        found, again = nearest(vectors, np.array(queries), 6, block)
        assert np.array_equal(found, expected)
        assert np.array_equal(again, distances)
    # the search must not rely on the product in float32, which is wrong far from zero; without duplicates, as they tie
    some, queries = vectors[:60], [33, 7, 50]
    wrong = [rough(some, row, 6) for row in queries] != [brute_force(some, row, 6) for row in queries]
    assert wrong == (offset > 0)


def test_duplicates_are_ordered_by_row() -> None:
    """Of images with the same vector the smaller row comes first, whatever the block; the query is never among them."""
    vectors = np.ones((9, 3), np.float32)
    vectors[4] = 2
    for block in (1, 2, 4, 9):
        rows, distances = nearest(vectors, [3, 4], 4, block)
        assert rows.tolist() == [[0, 1, 2, 5], [0, 1, 2, 3]]
        assert np.allclose(distances, [[0] * 4, [np.sqrt(3)] * 4])


def test_there_are_no_more_neighbors_than_other_images() -> None:
    """Of three images each has two neighbors; a single one has none; no query gives no row."""
    vectors = np.arange(3, dtype=np.float32)[:, None]
    rows, distances = nearest(vectors, [2, 0], 5, 2)
    assert rows.tolist() == [[1, 0], [1, 2]]
    assert distances.tolist() == [[1, 2], [1, 2]]
    assert nearest(vectors[:1], [0], 5)[0].shape == (1, 0)
    assert nearest(vectors, [], 2)[0].shape == (0, 2)


def test_the_agreement_of_labels_leaves_out_what_has_none() -> None:
    """It is the share of neighbors with the query's label; queries and neighbors without a label do not count."""
    labels = np.array([0, 0, 1, -1, 1])
    neighbors = np.array([[1, 2, 4], [0, 3, 2], [0, 1, 2], [3, 3, 3]])
    found = label_agreement([0, 1, 3, 4], neighbors, labels)
    assert np.allclose(found, [1 / 3, 1 / 2, np.nan, np.nan], equal_nan=True)


def test_pixels_are_means_over_areas() -> None:
    """A side of 128 is the mean of 2 × 2 pixels, one of 96 keeps the mean and mixes its pixels, one of 20 stays."""
    values = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    expected = values.reshape(64, 2, 64, 2, 3).mean((1, 3)) / 255
    assert np.allclose(pixel_vector(Image.fromarray(values)), np.moveaxis(expected, -1, 0).reshape(-1), atol=1e-6)
    part = values[:96, :96]
    found = pixel_vector(Image.fromarray(part)).reshape(3, 64, 64)
    assert np.allclose(found.mean((1, 2)), part.mean((0, 1)) / 255, atol=1e-6)
    first = np.array([1, 0.5]) / 1.5  # the first of 64 pixels covers one pixel and a half
    assert np.allclose(found[:, 0, 0], np.einsum("yxc,y,x->c", part[:2, :2] / 255, first, first), atol=1e-6)
    small = values[:20, :20]
    assert np.allclose(pixel_vector(Image.fromarray(small)), np.moveaxis(small, -1, 0).reshape(-1) / 255)


class Invariant(nn.Module):
    """A convolution over the torus, and the mean over its positions: a shift changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv2d(3, 12, 5, padding=2, padding_mode="circular")
        self.head = nn.Linear(12, 4)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.filters(images).relu().mean((2, 3)))
        return logits


def network(module: nn.Module, classes: int = 4) -> Network:
    """The module, frozen, with its layers."""
    freeze(module)
    names = tuple(f"class {number}" for number in range(classes))
    return Network("small", module, names, PREPROCESSING, discover_layers(module, SIDE))


def test_a_shift_moves_an_image_away_by_pixels_and_not_by_features() -> None:
    """By features each image's neighbor is its shifted copy, at a distance of next to 0; by pixels it is another."""
    torch.manual_seed(0)
    last = last_layer(network(Invariant()))
    assert (last.name, last.kind) == ("head", "input")
    images = np.random.default_rng(0).integers(0, 256, (16, SIDE, SIDE, 3), np.uint8)
    images = np.concatenate([images, np.roll(images, 4, axis=2)])
    copies = np.arange(16) + 16
    inputs = torch.stack([to_tensor(Image.fromarray(one), PREPROCESSING) for one in images])
    by_features, near = nearest(last.features(inputs).numpy(), range(16), 1)
    assert np.array_equal(by_features[:, 0], copies)
    by_pixels, far = nearest(np.stack([pixel_vector(Image.fromarray(one)) for one in images]), range(16), 1)
    assert (by_pixels[:, 0] != copies).mean() > 0.8
    assert near.max() < 1e-4
    assert far.min() > 1
    # without a shift, pixels find the copy too
    unmoved = np.concatenate([images[:16], images[:16]])
    found, _ = nearest(np.stack([pixel_vector(Image.fromarray(one)) for one in unmoved]), range(16), 1)
    assert np.array_equal(found[:, 0], copies)


class Gated(nn.Module):
    """A linear gate for the channels, and a map with a channel for each class whose mean is the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.filters, self.gate, self.classify = nn.Conv2d(3, 6, 3), nn.Linear(6, 6), nn.Conv2d(6, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = self.filters(images)
        grid = grid * self.gate(grid.mean((2, 3))).sigmoid()[:, :, None, None]
        logits: Tensor = self.classify(grid).mean((2, 3))
        return logits


class Hidden(nn.Module):
    """Two linear modules at the end, of which the first is made last, and an operation in place after the second."""

    def __init__(self) -> None:
        super().__init__()
        self.filters, self.head = nn.Conv2d(3, 4, 3), nn.Linear(7, 4)
        self.hidden = nn.Linear(4, 7)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        values = self.hidden(self.filters(images).mean((2, 3))).relu()
        logits: Tensor = self.head(values)
        values.zero_()
        return logits


def test_the_last_layer_is_what_the_logits_are_made_of(vit: nn.Module) -> None:
    """It is what the last linear module takes, in the order of calls; a gate is none; else a map's mean."""
    torch.manual_seed(0)
    images = torch.rand(3, 3, SIDE, SIDE)
    hidden = network(Hidden())
    last = last_layer(hidden)
    assert (last.name, last.kind) == ("head", "input")
    features = last.features(images)
    assert features.shape == (3, 7)
    assert features.any()
    assert torch.allclose(hidden.module.head(features), hidden.module(images))  # type: ignore[operator]  # a module
    gated = network(Gated())
    last = last_layer(gated)
    assert (last.name, last.kind) == ("filters", "mean")
    grid = gated.module.filters(images)  # type: ignore[operator]  # a module
    assert torch.allclose(last.features(images), grid.mean((2, 3)), atol=1e-6)
    transformer = network(vit, 5)
    last = last_layer(transformer)
    assert (last.name, last.kind) == ("heads.head", "input")
    assert torch.allclose(transformer.module.heads(last.features(images)), transformer.module(images), atol=1e-5)  # type: ignore[operator]  # a module
