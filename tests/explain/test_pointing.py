from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import DataError
from pipeline.explain.deletion import center_blob, random_maps
from pipeline.explain.pointing import (
    build_mosaics,
    choose_mosaics,
    object_masks,
    point,
    point_at_random,
    point_to_center,
    quarter_shares,
    takes_full_size,
    unite,
)
from pipeline.images.digits import Digits
from pipeline.images.image_set import Entry, ImageSet
from pipeline.images.manifest import Manifest
from pipeline.images.masks import crop_mask
from pipeline.images.toytown.toytown import CLASSES, Toytown
from tests.explain.small_networks import ChannelsLast, Linear, Pooled, Tokens, network

SIDE = 16
HALF = SIDE // 2
COLORS = torch.tensor([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, -1]]).float()
Mask = NDArray[np.bool_]


def groups_of(classes: NDArray[np.integer], count: int, seed: int = 0) -> NDArray[np.int64]:
    """The groups, which must exist."""
    found = choose_mosaics(classes, count, seed)
    assert not isinstance(found, str)
    return found


def test_mosaics_have_four_classes_and_no_image_twice() -> None:
    """Whatever the classes' sizes, each group has four images of four classes, and each image is in one at most."""
    random = np.random.default_rng(0)
    for seed in range(5):
        classes = random.choice(7, size=60, p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05])
        for count in (3, 100):
            groups = groups_of(classes, count, seed)
            assert all(len(set(classes[one])) == 4 for one in groups)
            assert len(np.unique(groups)) == groups.size


@pytest.mark.parametrize(
    ("sizes", "expected"), [((9, 9, 9, 9), 9), ((50, 1, 1, 1, 1), 1), ((24, 12, 6, 6, 6, 3, 3), 12)]
)
def test_there_are_as_many_mosaics_as_the_images_can_fill(sizes: Sequence[int], expected: int) -> None:
    """That is the largest number for which the classes have enough images, each counted once in a group at most."""
    classes = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    for count in (expected - 1, expected, expected + 5):
        assert len(groups_of(classes, count)) == min(count, expected)


def test_the_most_confident_images_come_first() -> None:
    """Of eight classes with ten images each, six mosaics take the first three of every class; places are mixed."""
    classes = np.arange(80) % 8
    groups = groups_of(classes, 6)
    assert set(groups.ravel()) == set(range(24))
    assert any(np.any(np.diff(one) < 0) for one in groups)
    assert len(groups_of(classes, 100)) == 20
    assert len(groups_of(classes, 0)) == 0


def test_mosaics_depend_on_the_seed_and_nothing_else() -> None:
    """The same seed gives the same groups, and another seed gives others."""
    classes = np.arange(80) % 8
    assert np.array_equal(groups_of(classes, 6, 1), groups_of(classes, 6, 1))
    assert not np.array_equal(groups_of(classes, 6, 1), groups_of(classes, 6, 2))


def test_fewer_than_four_classes_give_a_reason() -> None:
    """It says how many there are; images without a class count for none, and are in no mosaic."""
    assert choose_mosaics(np.array([0, 1, 2, 2, -1]), 3, 0) == "a mosaic needs images of 4 classes, found 3"
    assert choose_mosaics(np.zeros(0, np.int64), 3, 0) == "a mosaic needs images of 4 classes, found 0"
    assert set(groups_of(np.array([0, -1, 1, 2, 2, -1, 3]), 3).ravel()) <= {0, 2, 3, 6}


@pytest.mark.parametrize("side", [SIDE, 15])
def test_each_quarter_of_a_mosaic_is_its_image(side: int) -> None:
    """Images of one color fill their quarters and nothing else; an odd side leaves no pixel out."""
    quarters = torch.stack([COLORS, COLORS.flip(0)])[..., None, None].expand(2, 4, 3, side, side)
    found = build_mosaics(quarters, full_size=False)
    assert found.shape == (2, 3, side, side)
    half = side // 2
    for number, (y, x) in enumerate([(0, 0), (0, half), (half, 0), (half, half)]):
        part = found[:, :, y : side - half + y if y else half, x : side - half + x if x else half]
        assert torch.allclose(part, quarters[:, number, :, :1, :1].expand_as(part), atol=1e-6)


def test_images_are_resized_and_not_cropped() -> None:
    """With a side that is halved exactly, a gradient keeps its ends and its mean, and stripes become gray."""
    ramp = torch.linspace(-1, 1, SIDE).expand(1, 4, 3, SIDE, SIDE)
    quarter = build_mosaics(ramp, full_size=False)[0, 0, :HALF, :HALF]
    assert torch.allclose(quarter.mean(), torch.tensor(0.0), atol=1e-5)
    assert quarter[0, 0] < -0.8
    assert quarter[0, -1] > 0.8
    stripes = (torch.arange(SIDE) % 2 * 2.0 - 1).expand(1, 4, 3, SIDE, SIDE)
    assert build_mosaics(stripes, full_size=False)[0, 0, :, 1 : HALF - 1].abs().max() < 0.3


def in_quarter(number: int) -> torch.Tensor:
    """A map with random heat in one quarter, none elsewhere, [y, x]."""
    heat = torch.zeros(2, HALF, 2, HALF)
    heat[number // 2, :, number % 2] = torch.rand(HALF, HALF, generator=torch.Generator().manual_seed(number)) + 0.1
    return heat.reshape(SIDE, SIDE)


def test_the_share_in_the_right_quarter_is_that_of_the_positive_heat() -> None:
    """It is 1 for heat in the right quarter, 0 in another, 1/4 for constant and center blob, NaN for no positive heat.

    Negative heat is not counted.
    """
    right = torch.stack([in_quarter(number) for number in range(4)])
    wrong = right.roll(1, 0)
    flat, blob = torch.ones(4, SIDE, SIDE), center_blob(SIDE).expand(4, SIDE, SIDE)
    found = quarter_shares(torch.stack([right, wrong, right - wrong, flat, blob, -right, 0 * flat]), SIDE)
    expected = np.array([1, 0, 1, 0.25, 0.25, np.nan, np.nan])[:, None].repeat(4, 1)
    assert np.allclose(found, expected, equal_nan=True)
    assert found.dtype == np.float64


def test_maps_of_low_resolution_are_enlarged() -> None:
    """A constant map of one value has 1/4 in each quarter; four values have more than half in theirs, but not all."""
    assert np.allclose(quarter_shares(torch.ones(1, 4, 1, 1), SIDE), 0.25)
    coarse = torch.eye(4).reshape(1, 4, 2, 2)
    found = quarter_shares(coarse, SIDE)
    assert (found > 0.5).all()
    assert (found < 1).all()
    assert np.allclose(quarter_shares(torch.ones(1, 4, 1, 1), 15)[0], np.array([7 * 7, 7 * 8, 8 * 7, 8 * 8]) / 15**2)


def test_images_keep_their_size_where_the_network_takes_it() -> None:
    """A mosaic at full size is the four inputs themselves, row by row."""
    quarters = torch.randn(2, 4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found = build_mosaics(quarters, full_size=True)
    assert found.shape == (2, 3, 2 * SIDE, 2 * SIDE)
    for number, (y, x) in enumerate([(0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE)]):
        assert torch.equal(found[:, :, y : y + SIDE, x : x + SIDE], quarters[:, number])


@pytest.mark.parametrize(
    ("make", "layers", "taken"),
    [
        (Pooled, [], True),
        (Pooled, ["second"], True),
        (ChannelsLast, ["norm"], True),
        (Linear, ["same"], False),
        (Tokens, [], True),
        (Tokens, ["mix"], False),
    ],
)
def test_networks_of_one_size_are_told_by_running_them(
    make: Callable[[], nn.Module], layers: list[str], taken: bool
) -> None:
    """Convolutional networks see four whole inputs; flattened maps and token grids do not."""
    assert takes_full_size(network(make()), layers) is taken


def test_a_transformer_with_position_embeddings_takes_one_size_alone(vit: nn.Module) -> None:
    """Its embeddings are as many as the patches of its own input."""
    assert not takes_full_size(network(vit, 5, side=32), [])


@pytest.mark.parametrize("full_size", [False, True])
def test_a_detector_points_to_its_own_quarter_and_another_does_not(full_size: bool) -> None:
    """In mosaics of colors, the heat of each color lies in its quarter; the heat of the next one does not."""
    classes = np.arange(24) % 4
    groups = groups_of(classes, 6)
    mosaics = build_mosaics(
        COLORS[classes[groups]][..., None, None].expand(-1, -1, -1, SIDE, SIDE), full_size=full_size
    )
    heat = torch.einsum("mcyx,qc->mqyx", mosaics, COLORS) - 2.5
    own = torch.from_numpy(classes[groups])
    rows = torch.arange(len(groups))[:, None]
    side = mosaics.shape[-1]
    assert np.allclose(quarter_shares(heat[rows, own], side), 1)
    assert np.allclose(quarter_shares(heat[rows, (own + 1) % 4], side), 0)


def square(top: int, left: int, side: int = 4) -> Mask:
    """A square as a mask."""
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_pointing_finds_the_mask_that_the_map_shows() -> None:
    """A map of the mask hits with an overlap of 1; one of another place misses with 0; one half there has 1/3."""
    masks = np.stack([square(2, 2)] * 3)
    heat = torch.from_numpy(np.stack([square(2, 2), square(9, 9), square(2, 4)])).float()
    heat[2, 3, 4] = 2.0  # the largest value, within the mask
    found = point(heat, masks, range(3), 0)
    assert np.array_equal(found.hit, [1, 0, 1])
    assert np.allclose(found.iou, [1, 0, 8 / 24])
    assert np.array_equal(point(-heat[:1], masks[:1], (0,), 0).hit, [0])


def test_constant_maps_and_empty_masks_have_no_answer() -> None:
    """Both figures are NaN for them, and numbers for others in the same batch."""
    heat = torch.from_numpy(np.stack([square(2, 2)] * 3)).float()
    heat[0] = 0.4
    masks = np.stack([square(2, 2), square(2, 2, 0), square(2, 2)])
    found = point(heat, masks, range(3), 0)
    assert np.array_equal(np.isnan(found.hit), [True, True, False])
    assert np.array_equal(np.isnan(found.iou), [True, True, False])
    controls = point_at_random(masks), point_to_center(masks, range(3), 0)
    for control in controls:
        assert np.array_equal(np.isnan(control.hit), [False, True, False])
        assert np.array_equal(np.isnan(control.iou), [False, True, False])
    assert point(heat[:0], masks[:0], (), 0).hit.shape == point_at_random(masks[:0]).iou.shape == (0,)


def test_of_equal_largest_values_a_seeded_one_counts() -> None:
    """Of two equally high places, one in the mask, each is taken about half the time; an image always has the same."""
    count = 200
    heat = torch.zeros(count, SIDE, SIDE)
    heat[:, 3, 3] = heat[:, 12, 12] = 1
    masks = np.stack([square(2, 2)] * count)
    found = point(heat, masks, range(count), 0)
    assert 0.35 < found.hit.mean() < 0.65  # 4 standard deviations
    alone = [point(heat[:1], masks[:1], (row,), 0).hit[0] for row in range(20)]
    assert np.array_equal(alone, found.hit[:20])
    assert not np.array_equal(point(heat, masks, range(count), 1).hit, found.hit)


@pytest.mark.parametrize("side", [1, 4, 13, SIDE])
def test_the_random_control_is_the_mean_over_random_maps(side: int) -> None:
    """Hits and overlaps of 1,000 random maps have the expected means, within 4 standard errors."""
    count = 1000
    masks = np.stack([square(1 if side < SIDE else 0, 1 if side < SIDE else 0, side)] * count)
    expected = point_at_random(masks[:1])
    found = point(random_maps(range(count), SIDE, 0), masks, range(count), 0)
    assert np.isclose(expected.hit[0], side**2 / SIDE**2)
    for values, mean in ((found.hit, expected.hit[0]), (found.iou, expected.iou[0])):
        assert abs(values.mean() - mean) <= 4 * max(values.std(), 1e-9) / np.sqrt(count) + 1e-9


def test_the_center_control_finds_what_is_in_the_center() -> None:
    """A square in the center is hit with a large overlap, one in a corner is missed."""
    found = point_to_center(np.stack([square(6, 6), square(0, 0)]), (0, 1), 0)
    assert np.array_equal(found.hit, [1, 0])
    assert found.iou[0] > 0.5
    assert found.iou[1] == 0


def test_the_mask_of_the_label_counts_alone() -> None:
    """Upper and lower case are the same; without such a mask all count; without any, nothing is shown."""
    masks = {"Boat": square(0, 0), "water": square(8, 8)}
    assert np.array_equal(unite(masks, "boat", (SIDE, SIDE)), square(0, 0))
    for label in ("car", "boa", None):
        assert np.array_equal(unite(masks, label, (SIDE, SIDE)), square(0, 0) | square(8, 8))
    assert not unite({}, "boat", (SIDE, SIDE)).any()


def test_masks_are_cropped_as_images_are() -> None:
    """A mask in the center of a wide image is where the network sees it, and one outside the crop is not there."""
    settings = PreprocessingSettings(crop=SIDE, resize=SIDE)
    wide = np.zeros((2 * SIDE, 6 * SIDE), bool)
    wide[: 2 * 4, 2 * SIDE : 2 * SIDE + 2 * 4] = True
    assert np.array_equal(crop_mask(wide, settings), square(0, 0))
    outside = np.zeros_like(wide)
    outside[:, : 2 * SIDE] = True
    assert not crop_mask(outside, settings)[:, 1:].any()


class Annotated:
    """An image set of one image in each of two classes, with masks as they are given."""

    classes: Sequence[str] = ("boat", "car")

    def __init__(self, masks: Any) -> None:
        self._masks = masks

    def entries(self) -> Sequence[Entry]:
        """The images."""
        return [Entry("0", 0), Entry("1", 1), Entry("2", None)]

    def open(self, key: str) -> Image.Image:
        """Never called."""
        raise OSError(key)

    def digest(self, key: str) -> str:
        """The key."""
        return key

    def masks(self, key: str) -> Mapping[str, Mask]:
        """What was given, or an error."""
        if self._masks is None:
            raise FileNotFoundError(f"{key}.png")
        found: Mapping[str, Mask] = self._masks
        return found


def manifest(images: ImageSet, side: int) -> Manifest:
    """The list of a small set's images."""
    entries = images.entries()
    labels = np.array([-1 if one.label is None else one.label for one in entries])
    numbers, sides = np.arange(len(entries)), np.full(len(entries), side)
    keys = tuple(one.key for one in entries)
    return Manifest(numbers, keys, labels, labels, sides, sides, keys)


def test_masks_of_an_image_set_follow_the_labels() -> None:
    """The image of the class with a mask has that one; the others have all."""
    images = Annotated({"boat": square(0, 0), "water": square(8, 8)})
    find = object_masks(images, manifest(images, SIDE), PreprocessingSettings(crop=SIDE))
    assert find is not None
    assert np.array_equal(find(0), square(0, 0))
    for row in (1, 2):
        assert np.array_equal(find(row), square(0, 0) | square(8, 8))


def test_toytown_shows_the_union_of_the_parts() -> None:
    """No part is named like a class, and the scenery is in no mask."""
    images = Toytown(len(CLASSES), seed=0)
    find = object_masks(images, manifest(images, 64), PreprocessingSettings(crop=64))
    assert find is not None
    for row in range(len(CLASSES)):
        assert np.array_equal(find(row), np.logical_or.reduce(list(images.scene(row).masks.values())))
        assert 0 < find(row).mean() < 1


def test_an_image_set_without_masks_has_none() -> None:
    """There is no function then."""
    images = Digits()
    listed = manifest(Annotated({}), SIDE)
    assert object_masks(images, listed, PreprocessingSettings(crop=SIDE)) is None


@pytest.mark.parametrize("masks", [None, [1], {"fin": [[1, 0]]}, {"fin": np.zeros((SIDE, 2), bool)}])
def test_masks_that_cannot_be_had_end_in_a_line(masks: Any) -> None:
    """An error in the user's method, no mapping, and masks of another type or size are told with the image's key."""
    images = Annotated(masks)
    find = object_masks(images, manifest(images, SIDE), PreprocessingSettings(crop=SIDE))
    assert find is not None
    with pytest.raises(DataError, match=r"images: expected masks of 1 .*mend the method masks"):
        find(1)
