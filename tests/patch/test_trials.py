import numpy as np
import pytest
import torch

from pipeline.patch.choice import best_dynamic, best_static, taken
from pipeline.patch.squares import CORNERS, Square, around, corner, pasted_side
from pipeline.patch.trials import Answers, Trial, answers, pasted, resized

CROP, CLASSES = 12, 4
RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (5, CROP, CROP, 3), np.uint8)
PATCHES = list(RANDOM.integers(0, 256, (3, 6, 6, 3), np.uint8))
WEIGHTS = torch.from_numpy(RANDOM.normal(size=(CLASSES, 3 * CROP * CROP)).astype(np.float32) / 3000)
TRIALS = [Trial(patch, side, place) for patch in range(3) for side in (3, 6) for place in range(4)]


def forward(pictures: torch.Tensor) -> torch.Tensor:
    """A linear network."""
    return pictures.float().flatten(1) @ WEIGHTS.T


def answered(batch_size: int) -> Answers:
    """All trials on all pictures; the second patch has no class of its own."""
    return answers(forward, PICTURES, PATCHES, [3, -1, 0], TRIALS, (0, 2), batch_size)


def test_answers_are_those_of_pictures_pasted_one_by_one() -> None:
    """Every entry is the softmax of the one picture with the one patch in its corner; noise has no class of its own."""
    found = answered(7)
    for number, trial in enumerate(TRIALS):
        for image, picture in enumerate(PICTURES):
            changed = np.moveaxis(pasted(picture, PATCHES[trial.patch], trial), -1, 0)
            softmax = torch.softmax(forward(torch.from_numpy(changed.copy())[None]), 1)[0].numpy()
            assert found.top[number, image] == softmax.argmax()
            expected = [softmax[2], softmax[0], [softmax[3], np.nan, softmax[0]][trial.patch]]
            got = [values[number, image] for values in (found.target, found.source, found.own)]
            np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 64, 1000])
def test_the_batch_size_changes_nothing(batch_size: int) -> None:
    """However many pictures share a pass, the same classes win and softmax differs by rounding alone."""
    one, other = answered(7), answered(batch_size)
    np.testing.assert_array_equal(one.top, other.top)
    np.testing.assert_allclose(one.target, other.target, atol=1e-6)


def test_a_patch_may_be_one_pixel() -> None:
    """The smallest patch is tried like any other, without a word from the libraries beneath."""
    black = np.zeros((1, CROP, CROP, 3), np.uint8)
    trials = [Trial(0, 1, 3), Trial(0, 2, 3)]
    found = answers(lambda batch: batch.float().sum((2, 3)), black, [PATCHES[0]], [-1], trials, (0, 2), 8)
    pixel = torch.from_numpy(resized(PATCHES[0], 1)[0, 0].astype(np.float32))
    np.testing.assert_allclose(found.target[0], torch.softmax(pixel, 0)[2:], atol=1e-6)
    assert found.top[0, 0] == int(pixel.argmax())


@pytest.mark.parametrize("number", range(4))
def test_a_patch_lies_in_its_corner_and_nowhere_else(number: int) -> None:
    """Pixels change within a square of the wanted side in the named corner only."""
    black = np.zeros((CROP, CROP, 3), np.uint8)
    rows, columns = np.nonzero(pasted(black, np.full((6, 6, 3), 255, np.uint8), Trial(0, 4, number)).any(axis=2))
    vertical, horizontal = CORNERS[number].split()
    assert len(rows) == 16
    assert (rows.min(), rows.max()) == ((0, 3) if vertical == "top" else (8, 11))
    assert (columns.min(), columns.max()) == ((0, 3) if horizontal == "left" else (8, 11))
    assert corner(number, 4, CROP) == Square(int(columns.min()), int(rows.min()), 4)


def test_a_square_lies_around_its_position_but_inside() -> None:
    """The middle position gives the middle square, a border position one that is moved inside."""
    assert around((3, 3), 7, 7, 20, 70) == Square(25, 25, 20)
    assert around((0, 6), 7, 7, 30, 70) == Square(40, 0, 30)
    assert pasted_side(0.25, 64) == 16


def planted_answers() -> Answers:
    """[patch 2, configuration 3, image 4]: the first patch is best in configuration 1, the second in 2."""
    top = np.ones((2, 3, 4), np.int64)
    target = np.full((2, 3, 4), 0.1, np.float32)
    top[0, 1, :2], target[0, 1, :2] = 2, 0.6
    top[1, 2, :3], target[1, 2, :3] = 2, 0.5
    target[1, 0, 3] = 0.4
    return Answers(top, target, target, target)


def test_static_takes_what_flips_most_and_ranks_patches_by_it() -> None:
    """Each patch gets its best configuration for all images; the patch that flips more comes first."""
    chosen, order = best_static(planted_answers(), 2)
    assert chosen.tolist() == [1, 2]
    assert order.tolist() == [1, 0]


def test_dynamic_takes_the_best_of_each_image_and_never_flips_less() -> None:
    """Each image has its own choice, a flip before any larger softmax."""
    found = planted_answers()
    found.target[0, 0, 0], found.top[0, 2, 3] = 0.95, 2
    dynamic = best_dynamic(found, 2)
    assert dynamic.tolist() == [[1, 1, 0, 2], [2, 2, 2, 0]]
    static, _ = best_static(found, 2)
    flips = [(taken(found.top, way) == 2).sum() for way in (static, dynamic)]
    assert flips == [5, 6]
    assert taken(found.target, dynamic)[1, 3] == np.float32(0.4)
