"""Opening image sets by name: shipped ones work, mistakes end in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.images import ImagesSettings
from pipeline.core.errors import AtlasError, ConfigError, ImageError
from pipeline.images.decode import upright_rgb
from pipeline.images.digits import Digits
from pipeline.images.image_set import ImageSet, open_image_set
from pipeline.images.torchvision_set import TorchvisionSet

TOYTOWN = "pipeline.images.toytown.toytown.Toytown"
DIGITS = "pipeline.images.digits.Digits"
TORCHVISION = "pipeline.images.torchvision_set.TorchvisionSet"
FAKE = {"size": 12, "image_size": (3, 20, 24), "num_classes": 4}

SETS: dict[str, dict[str, Any]] = {
    "toytown": {"_target_": TOYTOWN, "count": 12, "seed": 0},
    "digits": {"_target_": DIGITS, "size": 24},
    "torchvision": {"_target_": TORCHVISION, "dataset": "FakeData", "arguments": FAKE},
}


def opened(arguments: dict[str, Any]) -> ImageSet:
    """The image set that a configuration describes."""
    return open_image_set(ImagesSettings.model_validate(arguments))


@pytest.mark.parametrize("name", SETS)
def test_every_set_lists_opens_and_digests(name: str) -> None:
    """Keys are unique, labels name classes, images are pictures, digests are those of content, and all repeats."""
    first, second = opened(SETS[name]), opened(SETS[name])
    entries = list(first.entries())
    assert entries == list(second.entries())
    assert len({entry.key for entry in entries}) == len(entries) >= 12
    assert all(entry.label is not None and 0 <= entry.label < len(first.classes) for entry in entries)
    keys = [entry.key for entry in entries[:6]]
    assert len({first.digest(key) for key in keys}) == len(keys)
    for key in keys:
        assert first.digest(key) == second.digest(key)
        np.testing.assert_array_equal(
            np.asarray(upright_rgb(first.open(key), 10**6)), np.asarray(upright_rgb(second.open(key), 10**6))
        )


class Failing(Digits):
    """An image set that cannot be made."""

    def __init__(self) -> None:
        raise KeyError("no such weekday")


MISTAKES: dict[str, tuple[dict[str, Any], type[AtlasError], str]] = {
    "no such module": ({"_target_": "pipeline.nowhere.Set"}, ConfigError, "dotted path of a class"),
    "no such class": ({"_target_": "pipeline.images.digits.Digit"}, ConfigError, "'pipeline.images.digits.Digit'"),
    "no path": ({"_target_": "Digits"}, ConfigError, "dotted path of a class"),
    "unknown argument": ({"_target_": DIGITS, "sizes": 3}, ConfigError, "takes size"),
    "missing argument": ({"_target_": TOYTOWN, "count": 3}, ConfigError, "'seed'"),
    "no image set": ({"_target_": "fractions.Fraction"}, ConfigError, "without entries, open, digest"),
    "no scene": ({"_target_": TOYTOWN, "count": 0, "seed": 0}, ConfigError, "at least 1 scene"),
    "tiny scenes": ({"_target_": TOYTOWN, "count": 1, "seed": 0, "size": 2}, ConfigError, "16 to 1024"),
    "unknown dataset": ({"_target_": TORCHVISION, "dataset": "CIFAR11"}, ConfigError, "'CIFAR11'"),
    "no number": ({"_target_": TOYTOWN, "count": "many", "seed": 0}, ConfigError, "images.count: .*integer"),
    "too many scenes": ({"_target_": TOYTOWN, "count": 10**12, "seed": 0}, ConfigError, "at most 5,000,000"),
    "no home": (
        {"_target_": TORCHVISION, "dataset": "FakeData", "root": "~no-such-user/x"},
        ConfigError,
        "no home folder",
    ),
    "a class that fails": ({"_target_": f"{__name__}.Failing"}, ConfigError, "could not be made .*.*no such weekday"),
    "no dataset": ({"_target_": TORCHVISION, "dataset": "wrap_dataset_for_transforms_v2"}, ConfigError, "torchvision"),
    "unknown dataset argument": (
        {"_target_": TORCHVISION, "dataset": "FakeData", "arguments": {"sise": 3}},
        ConfigError,
        "sise",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_end_in_one_line(name: str) -> None:
    """Each mistake in the configuration is an error of one line that names what was found."""
    arguments, kind, complaint = MISTAKES[name]
    with pytest.raises(kind, match=complaint) as caught:
        opened(arguments)
    assert "\n" not in str(caught.value)


def test_data_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A torchvision dataset that is neither there nor to be downloaded says where it was looked for."""
    with pytest.raises(ImageError, match=str(tmp_path)):
        TorchvisionSet("CIFAR10", str(tmp_path), download=False)


def test_fingerprint_is_no_argument() -> None:
    """The folder's fingerprint is for DVC; the image set's class never sees it."""
    assert len(opened({"_target_": DIGITS, "fingerprint": "abc"}).entries()) == 1797


def test_torchvision_labels_are_those_of_the_data() -> None:
    """Labels read without decoding are the labels that come with the images."""
    images = TorchvisionSet("FakeData", arguments=FAKE)
    labels = [entry.label for entry in images.entries()]
    assert labels == [int(images._dataset[index][1]) for index in range(12)]
    assert images.classes == tuple(
        str(index) for index in range(max(label for label in labels if label is not None) + 1)
    )


def test_arguments_that_are_null_are_not_passed() -> None:
    """A null in the configuration leaves the dataset's own default."""
    images = TorchvisionSet("FakeData", arguments={**FAKE, "split": None})
    assert len(images.entries()) == 12


def test_digits_are_upright_ink_on_black() -> None:
    """The first scan is a zero: a ring of ink around a dark hole, black at the corners."""
    digits = Digits(32)
    assert digits.entries()[0].label == 0
    pixels = np.asarray(digits.open("0000").convert("L"))
    assert pixels.shape == (32, 32)
    ring = pixels[14:18].max(axis=0)
    assert min(ring[:14].max(), ring[18:].max()) > 120
    assert ring[14:18].max() < 60
    assert pixels[0, 0] < 20
