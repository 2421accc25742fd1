"""What is told of the predictions for all images."""

import numpy as np
import pytest

from pipeline.sample.stats import MANY_IMAGES, one_class_note

CLASSES = ("cat", "dog", "lighthouse")


@pytest.mark.parametrize(("others", "told"), [(0, True), (2, True), (3, False), (20, False)])
def test_one_class_for_nearly_all_images_is_told(others: int, told: bool) -> None:
    """Of 40 images with three samples each, all but a few are of one class; three others are too many."""
    image = np.repeat(np.arange(40), 3)
    prediction = np.where(image < others, 0, 2).astype(np.int32)
    note = one_class_note(image, prediction, CLASSES)
    assert (note is not None) == told
    if note:
        assert f"predicts 'lighthouse' for {40 - others} of 40 images" in note


def test_few_images_may_be_of_one_class() -> None:
    """With fewer images nothing is said, however often they are sampled."""
    image = np.repeat(np.arange(MANY_IMAGES - 1), 50)
    assert one_class_note(image, np.zeros(len(image), np.int32), CLASSES) is None
