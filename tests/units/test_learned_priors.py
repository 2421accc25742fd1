import pytest
import torch
from torch import Tensor

from pipeline.featurevis.parameterization import FixedMagnitudes, PixelValues, image_parameterization, mean_magnitudes
from pipeline.units.learned_priors import (
    PATCH,
    DenoiserFilter,
    GeneratedImages,
    patch_database,
    train_autoencoder,
    train_denoiser,
)

SIDE = 24


def stripes(count: int, seed: int, side: int = SIDE) -> Tensor:
    """Images of colored stripes of random direction, width and shift, [image, 3, side, side] in 0..1."""
    random = torch.rand(count, 6, 1, 1, generator=torch.Generator().manual_seed(seed))
    places = torch.arange(side) / side
    along = torch.where(random[:, 0] < 0.5, places[:, None], places)
    wave = torch.sin(2 * torch.pi * (along * (2 + 2 * random[:, 1]) + random[:, 2]))
    return 0.5 + 0.35 * wave[:, None] * (0.5 + random[:, 3:6])


IMAGES, UNSEEN = stripes(200, 0), stripes(20, 1)


def error(images: Tensor, truth: Tensor) -> float:
    """Mean squared error."""
    return float((images - truth).square().mean())


def test_a_denoiser_takes_noise_off_images_like_its_own() -> None:
    """Of unseen stripes it takes off most of the noise; half the strength goes half the way; noise alone it keeps."""
    denoiser = train_denoiser(IMAGES, steps=80, seed=0)
    noise = 0.2 * torch.randn(UNSEEN.shape, generator=torch.Generator().manual_seed(2))
    noisy = UNSEEN + noise
    whole, half = (DenoiserFilter(denoiser, strength)(noisy) for strength in (1.0, 0.5))
    assert error(whole, UNSEEN) < 0.4 * error(noisy, UNSEEN)
    assert torch.allclose(half, (noisy + whole) / 2, atol=1e-6)
    assert torch.equal(train_denoiser(IMAGES, steps=2, seed=3)(noisy), train_denoiser(IMAGES, steps=2, seed=3)(noisy))


def test_a_generator_makes_images_like_its_own() -> None:
    """It reproduces unseen stripes better than their mean does, and a vertical image never becomes a horizontal one."""
    generated = GeneratedImages(train_autoencoder(IMAGES, steps=150, seed=0))
    assert generated.decode(torch.zeros(2, *generated.shape)).shape == (2, 3, SIDE, SIDE)
    found = generated.decode(generated.encode(UNSEEN))
    assert error(found, UNSEEN) < 0.6 * error(IMAGES.mean(0).expand_as(UNSEEN), UNSEEN)
    assert 0 <= found.min() <= found.max() <= 1


def test_a_database_of_patches_knows_its_own() -> None:
    """Images of the database stay as they are, noise becomes like them; colors as a whole are kept."""
    database = patch_database(IMAGES[:20], strength=1.0, seed=0)
    assert error(database(IMAGES[:4]), IMAGES[:4]) < 1e-8
    noise = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    filtered = database(noise)
    assert error(filtered, noise) > 0.01
    assert error(database(filtered), filtered) < 0.3 * error(filtered, noise)
    assert torch.allclose(filtered[..., :PATCH, :PATCH].mean(), noise[..., :PATCH, :PATCH].mean(), atol=0.05)


def test_pixel_values_are_themselves_and_come_back_from_saturation() -> None:
    """Encoding and decoding are inverse; a value beyond white is white and still has a gradient."""
    values = PixelValues(SIDE, SIDE)
    assert torch.allclose(values.decode(values.encode(UNSEEN)), UNSEEN.clamp(0, 1), atol=1e-6)
    beyond = torch.full((1, *values.shape), 9.0, requires_grad=True)
    image = values.decode(beyond)
    assert (image == 1).all()
    (gradient,) = torch.autograd.grad(image.sum(), beyond)
    assert (gradient == 0.25).all()


@pytest.mark.parametrize("decorrelate", [True, False])
def test_phases_keep_the_magnitudes_of_photographs(decorrelate: bool) -> None:
    """Whatever its phases, an image has the given magnitudes; an image's own phases come back."""
    pixels = image_parameterization("pixel", (SIDE, SIDE), decorrelate=decorrelate)
    grain = 0.1 * torch.randn(IMAGES.shape, generator=torch.Generator().manual_seed(3))
    magnitude = mean_magnitudes((IMAGES + grain).clamp(0.02, 0.98), pixels)
    fixed = FixedMagnitudes(pixels, magnitude)
    phases = 6 * torch.randn(3, *fixed.shape, generator=torch.Generator().manual_seed(0))
    images = fixed.decode(phases)
    spectra = torch.fft.rfft2(pixels.encode(images), norm="ortho").abs()
    inner = (slice(None), slice(None), slice(1, SIDE // 2), slice(1, SIDE // 2))
    expected = magnitude.expand_as(spectra)[inner]
    # as far as no value is darker than black can be stored
    assert (spectra[inner] - expected).abs().median() < 0.05 * expected.median()
    again = fixed.decode(fixed.encode(images))
    assert error(again, images) < 0.2 * error(images[[1, 2, 0]], images)
