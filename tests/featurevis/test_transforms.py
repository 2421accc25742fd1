import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from torch.nn.functional import affine_grid, avg_pool2d, cosine_similarity

from pipeline.featurevis.transforms import IDENTITY, RandomAffine, _resampled, _sampling_grid, centered_on, resample

AFFINE = RandomAffine(jitter=0.1, scale=(0.8, 1.3), rotation=25.0)
PLAIN = torch.tensor([0.5, 0.5, 0.5, 0.5])


def one_by_one(image: NDArray[np.float32], uniforms: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """The transform of one image [3, y, x], pixel by pixel, with the same uniforms."""
    side = image.shape[-1]
    shift = (2 * uniforms[:2] - 1) * AFFINE.jitter * side
    scale = np.exp(np.log(0.8) + (np.log(1.3) - np.log(0.8)) * uniforms[2])
    angle = np.radians((2 * uniforms[3] - 1) * AFFINE.rotation)
    transformed = np.zeros((3, size, size))
    for row in range(size):
        for column in range(size):
            x = ((column + 0.5) / size - 0.5) * side / scale
            y = ((row + 0.5) / size - 0.5) * side / scale
            source_x = np.cos(angle) * x - np.sin(angle) * y + shift[0] + side / 2 - 0.5
            source_y = np.sin(angle) * x + np.cos(angle) * y + shift[1] + side / 2 - 0.5
            for plane in range(3):
                value = map_coordinates(image[plane], [[source_y], [source_x]], order=1, mode="reflect")
                transformed[plane, row, column] = value[0]
    return transformed


@pytest.mark.parametrize("size", [12, 19])
def test_a_batch_is_resampled_as_one_by_one(size: int) -> None:
    """Each image of a batch is resampled by its own matrix, as if it had been resampled alone by a slow loop."""
    generator = torch.Generator().manual_seed(0)
    images, uniforms = torch.rand(4, 3, 12, 12, generator=generator), torch.rand(4, 4, generator=generator)
    transformed = resample(images, AFFINE.matrices(uniforms, (12, 12)), (size, size))
    expected = np.stack([one_by_one(p, d, size) for p, d in zip(images.numpy(), uniforms.numpy(), strict=True)])
    np.testing.assert_allclose(transformed.numpy(), expected, atol=2e-4)
    assert np.abs(transformed[0].numpy() - expected[1]).mean() > 0.05


def test_a_view_without_freedom_is_the_picture() -> None:
    """No shift, scale or rotation: the image itself."""
    image = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    still = IDENTITY.matrices(torch.rand(2, 4), (9, 9))
    torch.testing.assert_close(resample(image, still, (9, 9)), image, atol=1e-5, rtol=0)


def test_transforms_stay_within_their_range() -> None:
    """Shifts and scales reach their bounds and do not exceed them."""
    matrices = AFFINE.matrices(torch.rand(20_000, 4, generator=torch.Generator().manual_seed(0)), (9, 9))
    scale = 1 / matrices[:, :, :2].det().sqrt()
    shift = matrices[:, :, 2].abs()
    assert scale.min().item() == pytest.approx(0.8, abs=0.01)
    assert scale.max().item() == pytest.approx(1.3, abs=0.01)
    assert shift.max().item() == pytest.approx(0.2, abs=0.001)


def test_an_aimed_view_puts_the_center_where_it_is_reported() -> None:
    """A dot in the middle of the image appears at the target, after a rotation and a scaling too."""
    image = torch.zeros(1, 3, 33, 33)
    image[:, :, 16, 16] = 1
    uniforms = torch.tensor([[0.5, 0.5, 0.9, 0.8]])
    aim = (4.0 / 33 * 2, -6.0 / 33 * 2)
    transformed = resample(image, centered_on(AFFINE.matrices(uniforms, (33, 33)), aim), (33, 33))[0, 0]
    assert divmod(int(transformed.argmax()), 33) == (16 - 6, 16 + 4)
    plain = resample(image, AFFINE.matrices(uniforms, (33, 33)), (33, 33))[0, 0]
    assert divmod(int(plain.argmax()), 33) == (16, 16)


@pytest.mark.parametrize("size", [1, 12, 19])
def test_places_are_those_of_an_affine_grid(size: int) -> None:
    """Sampling points are those of torch's own, slower affine grid."""
    matrices = AFFINE.matrices(torch.rand(5, 4, generator=torch.Generator().manual_seed(0)), (size, size))
    expected = affine_grid(matrices, [5, 3, size, size], align_corners=False)
    torch.testing.assert_close(_sampling_grid(matrices, (size, size)), expected, atol=1e-6, rtol=0)
    assert (_sampling_grid(matrices, (size, size)) - expected.roll(1, 0)).abs().max() > 0.05


def test_gradient_goes_back_to_the_pixels_that_were_seen() -> None:
    """Each image gets the gradient of its own transformed image, and no other."""
    generator = torch.Generator().manual_seed(0)
    images, uniforms = torch.rand(3, 3, 12, 12, generator=generator), torch.rand(3, 4, generator=generator)
    images.requires_grad_(True)
    transformed = resample(images, AFFINE.matrices(uniforms, (12, 12)), (9, 9))
    (gradient,) = torch.autograd.grad(transformed[1].sum(), images)
    assert gradient[[0, 2]].abs().max() == 0
    assert gradient[1].sum().item() == pytest.approx(transformed[1].numel(), rel=1e-4)


def test_gradient_resampled_back_is_the_exact_one_but_for_the_mirror() -> None:
    """Smooth gradients within the image go back as differentiation says, place and size; by another matrix not."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(6, 3, 48, 48, generator=generator).requires_grad_(True)
    matrices = AFFINE.matrices(torch.rand(6, 4, generator=generator), (48, 48))
    gradient = torch.zeros(6, 3, 48, 48)
    gradient[:, :, 16:32, 16:32] = avg_pool2d(torch.randn(6, 3, 18, 18, generator=generator), 3, stride=1)
    (back,) = torch.autograd.grad(resample(images, matrices, (48, 48)), images, gradient)
    (exact,) = torch.autograd.grad(_resampled(images, matrices, (48, 48), "reflection"), images, gradient)
    assert cosine_similarity(back.flatten(1), exact.flatten(1)).min() > 0.97
    assert (back.flatten(1).sum(1) / exact.flatten(1).sum(1) - 1).abs().max() < 0.02
    assert cosine_similarity(back.roll(1, 0).flatten(1), exact.flatten(1)).max() < 0.5


def test_the_gradient_of_the_identity_is_exact() -> None:
    """No shift, scale or rotation: the gradient comes back as it is."""
    image = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    gradient = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(1))
    still = IDENTITY.matrices(torch.rand(2, 4), (9, 9))
    (back,) = torch.autograd.grad(resample(image, still, (9, 9)), image, gradient)
    torch.testing.assert_close(back, gradient, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(10, 16), (16, 10), (13, 13)])
def test_an_oblong_image_is_rotated_without_distortion(size: tuple[int, int]) -> None:
    """Each pixel comes from where a plain rotation, shift and scale in pixels puts it."""
    height, width = size
    image = torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    uniforms = torch.tensor([0.6, 0.45, 0.7, 0.9])
    found = resample(image[None], AFFINE.matrices(uniforms, size)[None], size)[0]
    shift = (2 * uniforms[:2].numpy() - 1) * AFFINE.jitter
    scale = np.exp(np.log(0.8) + (np.log(1.3) - np.log(0.8)) * uniforms[2].item())
    angle = np.radians((2 * uniforms[3].item() - 1) * AFFINE.rotation)
    y, x = np.mgrid[:height, :width]
    x, y = (x + 0.5 - width / 2) / scale, (y + 0.5 - height / 2) / scale
    source_x = np.cos(angle) * x - np.sin(angle) * y + shift[0] * width + width / 2 - 0.5
    source_y = np.sin(angle) * x + np.cos(angle) * y + shift[1] * height + height / 2 - 0.5
    expected = np.stack([map_coordinates(p, [source_y, source_x], order=1, mode="reflect") for p in image.numpy()])
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-4)
    assert np.abs(image.numpy() - expected).mean() > 0.05


def test_gradient_of_an_oblong_image_goes_back_to_its_pixels() -> None:
    """For smooth gradients the resampled one is nearly the exact one, in any aspect."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 32, 56, generator=generator).requires_grad_(True)
    matrices = AFFINE.matrices(torch.rand(4, 4, generator=generator), (32, 56))
    gradient = torch.zeros(4, 3, 32, 56)
    gradient[:, :, 11:21, 20:36] = avg_pool2d(torch.randn(4, 3, 12, 18, generator=generator), 3, stride=1)
    (back,) = torch.autograd.grad(resample(images, matrices, (32, 56)), images, gradient)
    (exact,) = torch.autograd.grad(_resampled(images, matrices, (32, 56), "reflection"), images, gradient)
    assert cosine_similarity(back.flatten(1), exact.flatten(1)).min() > 0.95
    assert cosine_similarity(back.roll(1, 0).flatten(1), exact.flatten(1)).max() < 0.5
