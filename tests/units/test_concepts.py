from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.images.masks import Masks
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network
from pipeline.parallel.pool import InlinePool
from pipeline.units.concepts import Overlap, OverlapCounter, count_overlap
from pipeline.units.scan import Scanner, random_rotation

SIDE = 16
PREPROCESSING = PreprocessingSettings(crop=SIDE, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
COLORS = torch.tensor([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, -1], [-1, 1, 1], [1, -1, 1]]).float()
IMAGES = 2 * len(COLORS)


class ColorDetectors(nn.Module):
    """A unit for each of six colors, which is silent at all others."""

    def __init__(self) -> None:
        super().__init__()
        self.colors, self.units = nn.Conv2d(3, len(COLORS), 1), nn.ReLU()
        self.head = nn.Linear(len(COLORS), 2)
        self.colors.weight.data = COLORS[:, :, None, None]
        self.colors.bias = nn.Parameter(torch.full((len(COLORS),), -2.0))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.units(self.colors(images)).mean((2, 3)))
        return logits


def network() -> Network:
    """For 16 × 16 pixels."""
    module = freeze(ColorDetectors())
    return Network("colors", module, ("a", "b"), PREPROCESSING, discover_layers(module, SIDE))


def planted(row: int) -> tuple[Tensor, Masks]:
    """An image with one of the colors in its left or right half, gray elsewhere, and the color's mask."""
    number, left = row % len(COLORS), row < len(COLORS)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:, slice(0, SIDE // 2) if left else slice(SIDE // 2, SIDE)] = True
    return COLORS[number][:, None, None] * torch.from_numpy(mask), {f"color {number}": mask}


class Spec:
    """Gives a counter that is there already."""

    scanner = SimpleNamespace(layer="patterns")

    def __init__(self, counter: OverlapCounter) -> None:
        self._counter = counter

    def __call__(self) -> OverlapCounter:
        """The counter."""
        return self._counter


def overlap(rotation: int | None = None) -> Overlap:
    """Of the colors' units, or of the axes of a rotation, with the masks."""
    units = range(len(COLORS))
    scanner = Scanner(network(), "units", units, lambda row: planted(row)[0], 1, "cpu", rotation)
    maps = np.stack([scanner.maps(row, units) for row in range(IMAGES)])
    thresholds = 0.3 * maps.max(axis=(0, 2, 3)).astype(np.float64)
    counter = OverlapCounter(scanner, thresholds, lambda row: planted(row)[1], PREPROCESSING)
    return count_overlap(InlinePool(None), Spec(counter), IMAGES)  # type: ignore[arg-type]  # a counter itself


def test_planted_concepts_are_found_in_their_units_and_lost_in_a_rotation() -> None:
    """Each color's unit has an overlap of 1 with its own masks and 0 with others; no axis of a rotation comes near."""
    found = overlap()
    names, iou = found.iou()
    assert names == [f"color {number}" for number in range(len(COLORS))]
    assert np.allclose(iou, np.eye(len(COLORS)))
    assert found.best(2) == ("color 2", 1.0)
    for seed in range(3):
        turned = overlap(seed)
        assert turned.mean_best(0).value < 0.8
        assert turned.mean_best(0).high < found.mean_best(0).low


def test_overlap_is_that_of_all_pixels_at_once() -> None:
    """Counts of parts add up; a concept that some images lack has no pixel there; nothing at all overlaps by 0."""
    one = Overlap({"a": np.array([2, 0])}, {"a": 4}, np.array([3, 0]))
    other = Overlap({"b": np.array([1, 0])}, {"b": 1}, np.array([5, 0]))
    names, iou = (one + other).iou()
    assert names == ["a", "b"]
    assert np.allclose(iou, np.array([[2 / (4 + 8 - 2), 1 / (1 + 8 - 1)], [0.0, 0.0]]))
    assert (one + other).best(1) is None
    assert (one + other).best(0) == ("a", 0.2)


def test_a_random_rotation_keeps_lengths() -> None:
    """It is orthogonal, depends on the seed, and is another one for another seed."""
    first, again, second = random_rotation(20, 3), random_rotation(20, 3), random_rotation(20, 4)
    assert torch.allclose(first @ first.T, torch.eye(20), atol=1e-5)
    assert torch.equal(first, again)
    assert not torch.allclose(first, second)
