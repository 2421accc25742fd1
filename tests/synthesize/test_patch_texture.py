from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.synthesize.patch_texture import PatchTexture, _cut, quilted_texture, scan_line_texture
from tests.synthesize.small_scene import blobs, stripes

Method = Callable[..., PatchTexture]
METHODS = pytest.mark.parametrize("method", [scan_line_texture, quilted_texture])


def period(image: Tensor) -> float:
    """Of the strongest wave along x, pixels."""
    rows = image.mean((0, 1)) - image.mean()
    spectrum = torch.fft.rfft(rows).abs()
    return image.shape[2] / int(spectrum.argmax())


@METHODS
def test_every_pixel_is_one_of_the_source(method: Method) -> None:
    """The color of each pixel is exactly that of the pixel that it is said to come from."""
    source = blobs(1, seed=6, side=40)[0]
    found = method(source, (33, 45), 0)
    assert found.image.shape == (3, 33, 45)
    rows, columns = found.origins[..., 0], found.origins[..., 1]
    assert torch.equal(found.image, source[:, rows, columns])
    colors = {tuple(color) for color in source.flatten(1).T.tolist()}
    assert {tuple(color) for color in found.image.flatten(1).T.tolist()} <= colors
    assert len({tuple(one) for one in found.origins.flatten(0, 1).tolist()}) > 100, "not one pixel again and again"


@METHODS
def test_a_period_is_recovered(method: Method) -> None:
    """The texture of stripes with a period of 8 pixels has that period, in other columns than the source's own."""
    found = method(stripes(48), (48, 64), 1)
    assert period(found.image) == 8
    assert period(stripes(48, 12)) == 12, "the measure tells another period"
    assert found.image.std(1).max() < 0.1, "stripes stay upright"


@METHODS
def test_a_seed_decides(method: Method) -> None:
    """The same seed gives the same texture, another one another."""
    source = blobs(1, seed=7, side=40)[0]
    first, again, other = (method(source, (32, 32), seed).image for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@METHODS
def test_neighbors_come_from_neighbors(method: Method) -> None:
    """Most pixels continue the source's pixels of their left neighbors; in a random choice none would."""
    found = method(blobs(1, seed=8, side=40)[0], (32, 32), 0)
    steps = found.origins[:, 1:] - found.origins[:, :-1]
    assert ((steps == torch.tensor([0, 1])).all(-1)).float().mean() > 0.5


def test_a_cut_follows_the_least_error() -> None:
    """The path runs through a planted valley, one column a row at most."""
    valley = np.array([2, 2, 3, 4, 3, 2, 1, 0])
    errors = np.ones((8, 5), np.float32)
    errors[np.arange(8), valley] = 0.1
    assert _cut(errors).tolist() == valley.tolist()


def test_sources_that_are_too_small_are_refused() -> None:
    """The line names the setting and the size that was found."""
    with pytest.raises(ValueError, match=r"block: expected a source of at least 29 × 29 pixels, found 20 × 20"):
        quilted_texture(torch.zeros(3, 20, 20), (32, 32), 0)
    with pytest.raises(ValueError, match=r"radius: expected a source"):
        scan_line_texture(torch.zeros(3, 8, 20), (32, 32), 0)
    with pytest.raises(ValueError, match=r"overlap: expected"):
        quilted_texture(torch.zeros(3, 40, 40), (32, 32), 0, block=20, overlap=10)
