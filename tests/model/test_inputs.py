import threading
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms._presets import ImageClassification

from pipeline.config.model import PreprocessingSettings
from pipeline.images.crops import network_crop
from pipeline.model.inputs import PREFETCH, decoder_threads, input_batches, to_tensor

INTERPOLATIONS: tuple[Literal["bilinear", "bicubic", "nearest"], ...] = ("bilinear", "bicubic", "nearest")


def picture(width: int, height: int) -> Image.Image:
    """An RGB image whose every pixel differs from its neighbors."""
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 301), (256, 256), (641, 427), (57, 83), (64, 97)])
def test_preprocessing_is_that_of_the_published_weights(width: int, height: int) -> None:
    """Resize, crop and normalization give what torchvision's own preset gives."""
    image = picture(width, height)
    for method in INTERPOLATIONS:
        settings = PreprocessingSettings(resize=64, crop=57, interpolation=method)
        preset = ImageClassification(crop_size=57, resize_size=64, interpolation=InterpolationMode(method))
        torch.testing.assert_close(to_tensor(network_crop(image, settings), settings), preset(image))


def test_small_images_are_enlarged_not_padded() -> None:
    """An image smaller than the crop fills it; nothing is padded with black."""
    white = Image.new("RGB", (20, 30), "white")
    crop = network_crop(white, PreprocessingSettings(crop=40))
    assert crop.size == (40, 40)
    assert np.asarray(crop).min() == 255


def test_images_of_the_right_size_are_left_alone() -> None:
    """Without resizing, an image of the crop's size is untouched."""
    image = picture(32, 32)
    np.testing.assert_array_equal(np.asarray(network_crop(image, PreprocessingSettings(crop=32))), np.asarray(image))


def numbered_input(number: int) -> Tensor:
    """An input whose values identify its number, channels last in memory as decoded images are."""
    return torch.arange(5 * 4 * 3, dtype=torch.float32).reshape(5, 4, 3).movedim(-1, 0) + 100 * number


@pytest.mark.parametrize(("count", "size"), [(7, 3), (6, 3), (2, 5), (0, 4)])
def test_every_image_comes_once_and_in_order(count: int, size: int) -> None:
    """Batches hold all images in order, the last one the remainder, channels last in memory."""
    found = list(input_batches(numbered_input, count, size))
    assert [number for span, _ in found for number in span] == list(range(count))
    assert all(len(span) == size for span, _ in found[:-1])
    for span, inputs in found:
        assert torch.equal(inputs, torch.stack([numbered_input(number) for number in span]))
        assert inputs.is_contiguous(memory_format=torch.channels_last)


def test_no_more_is_decoded_than_a_few_batches_ahead() -> None:
    """While a batch is used, at most PREFETCH more are decoded, in threads of their own."""
    loaded: list[int] = []
    threads: set[int] = set()

    def load(number: int) -> Tensor:
        loaded.append(number)
        threads.add(threading.get_ident())
        return numbered_input(number)

    for span, _ in input_batches(load, 40, 2):
        assert max(loaded) < span.stop + PREFETCH * 2
    assert threading.get_ident() not in threads
    assert len(threads) <= decoder_threads("cpu") <= 2


def test_an_unreadable_image_ends_the_batches() -> None:
    """The error of a decoder reaches the caller as it was, at its own batch."""

    def load(number: int) -> Tensor:
        if number == 5:
            raise OSError("number 5")
        return numbered_input(number)

    found: list[range] = []
    with pytest.raises(OSError, match="number 5"):
        found.extend(span for span, _ in input_batches(load, 10, 2))
    assert found == [range(2), range(2, 4)]
