import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms._presets import ImageClassification

from pipeline.model.config import PreprocessingSettings
from pipeline.model.preprocessing import network_crop, to_tensor


def picture(width: int, height: int) -> Image.Image:
    """A colour picture whose every pixel differs from its neighbours."""
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 300), (256, 256)])
def test_preprocessing_is_that_of_the_published_weights(width: int, height: int) -> None:
    """Resize, crop and normalisation give what torchvision's own preset gives."""
    settings = PreprocessingSettings(resize=64, crop=56)
    image = picture(width, height)
    preset = ImageClassification(crop_size=56, resize_size=64, interpolation=InterpolationMode.BILINEAR)
    torch.testing.assert_close(to_tensor(network_crop(image, settings), settings), preset(image))


def test_small_images_are_enlarged_not_framed() -> None:
    """An image smaller than the crop fills it; no black frame is shown to the network."""
    white = Image.new("RGB", (20, 30), "white")
    crop = network_crop(white, PreprocessingSettings(crop=40))
    assert crop.size == (40, 40)
    assert np.asarray(crop).min() == 255


def test_images_of_the_right_size_are_left_alone() -> None:
    """Without resizing, an image of the crop's size is untouched."""
    image = picture(32, 32)
    np.testing.assert_array_equal(np.asarray(network_crop(image, PreprocessingSettings(crop=32))), np.asarray(image))
