import numpy as np
import pytest
import torch

from pipeline.images.crops import Crop
from pipeline.patch.paste import CORNERS, Placement, Predictions, corner_square, paste, predict_pasted, resize

CROP, CLASSES = 12, 4
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (5, CROP, CROP, 3), np.uint8)
PATCHES = list(RANDOM.integers(0, 256, (3, 6, 6, 3), np.uint8))
WEIGHTS = torch.from_numpy(RANDOM.normal(size=(CLASSES, 3 * CROP * CROP)).astype(np.float32) / 3000)
PLACEMENTS = [Placement(patch, side, corner) for patch in range(3) for side in (3, 6) for corner in range(4)]


def forward(images: torch.Tensor) -> torch.Tensor:
    """A linear network."""
    return images.float().flatten(1) @ WEIGHTS.T


def predictions(batch_size: int) -> Predictions:
    """All placements in all images; the second patch has no class of its own."""
    return predict_pasted(forward, IMAGES, PATCHES, [3, -1, 0], PLACEMENTS, (0, 2), batch_size)


def test_predictions_are_those_of_images_pasted_one_by_one() -> None:
    """Every entry is the softmax of one image with one patch in its corner; noise has no class of its own."""
    found = predictions(7)
    for number, placement in enumerate(PLACEMENTS):
        for image, pixels in enumerate(IMAGES):
            changed = np.moveaxis(paste(pixels, PATCHES[placement.patch], placement), -1, 0)
            softmax = torch.softmax(forward(torch.from_numpy(changed.copy())[None]), 1)[0].numpy()
            assert found.top[number, image] == softmax.argmax()
            expected = [softmax[2], softmax[0], [softmax[3], np.nan, softmax[0]][placement.patch]]
            got = [values[number, image] for values in (found.target, found.source, found.own)]
            np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 64, 1000])
def test_the_batch_size_changes_nothing(batch_size: int) -> None:
    """However many images share a forward pass, the same classes win and softmax differs by rounding alone."""
    one, other = predictions(7), predictions(batch_size)
    np.testing.assert_array_equal(one.top, other.top)
    np.testing.assert_allclose(one.target, other.target, atol=1e-6)


def test_a_patch_may_be_one_pixel() -> None:
    """A patch of one pixel is pasted like any other, without a warning."""
    black = np.zeros((1, CROP, CROP, 3), np.uint8)
    placements = [Placement(0, 1, 3), Placement(0, 2, 3)]
    found = predict_pasted(lambda batch: batch.float().sum((2, 3)), black, [PATCHES[0]], [-1], placements, (0, 2), 8)
    pixel = torch.from_numpy(resize(PATCHES[0], 1)[0, 0].astype(np.float32))
    np.testing.assert_allclose(found.target[0], torch.softmax(pixel, 0)[2:], atol=1e-6)
    assert found.top[0, 0] == int(pixel.argmax())


@pytest.mark.parametrize("number", range(4))
def test_a_patch_lies_in_its_corner_and_nowhere_else(number: int) -> None:
    """Pixels change within a square of the wanted side in the named corner only."""
    black = np.zeros((CROP, CROP, 3), np.uint8)
    rows, columns = np.nonzero(paste(black, np.full((6, 6, 3), 255, np.uint8), Placement(0, 4, number)).any(axis=2))
    vertical, horizontal = CORNERS[number].split()
    assert len(rows) == 16
    assert (rows.min(), rows.max()) == ((0, 3) if vertical == "top" else (8, 11))
    assert (columns.min(), columns.max()) == ((0, 3) if horizontal == "left" else (8, 11))
    assert corner_square(number, 4, CROP) == Crop(int(columns.min()), int(rows.min()), 4)
