from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.synthesize.inversion import InversionConfig, invert, relative_feature_errors, relative_pixel_errors
from tests.synthesize.small_scene import MIDDLE, NARROW, WIDE, Narrowing, blobs, small_network
from tests.toytown_truth import network as demo_network
from tests.toytown_truth import unseen_scenes

SETTINGS = InversionConfig(steps=96)
BLOCKS = ("stem2", "mixed3a", "mixed3b", "mixed4a", "mixed4b")


def test_an_image_comes_back_from_a_layer_that_keeps_it_and_less_from_one_that_does_not() -> None:
    """The pixel error is below 0.05 at a layer of more values than the image has, and grows as layers get narrower."""
    photographs = blobs(3, seed=1)
    found = {
        layer: invert(small_network(Narrowing), layer, photographs, SETTINGS, 0) for layer in (WIDE, MIDDLE, NARROW)
    }
    errors = {layer: float(one.pixel_errors.mean()) for layer, one in found.items()}
    assert errors[WIDE] < 0.05, errors
    assert errors[WIDE] < errors[MIDDLE] < errors[NARROW], errors
    assert all(one.feature_errors.max() < 0.05 for one in found.values())
    others = relative_pixel_errors(found[WIDE].images, photographs.roll(1, 0))
    assert others.min() > 0.5, "each image is that of its own photograph"


def test_an_inversion_is_the_same_alone_and_in_a_batch() -> None:
    """An image does not depend on the others of its batch; another seed or another layer gives other noise."""
    photographs = blobs(3, seed=2)
    few = InversionConfig(steps=8)
    together = invert(small_network(Narrowing), NARROW, photographs, few, 0).images
    alone = invert(small_network(Narrowing), NARROW, photographs[2:], few, 0).images
    torch.testing.assert_close(alone, together[2:], atol=1e-3, rtol=0)
    other = invert(small_network(Narrowing), NARROW, photographs[2:], few, 1).images
    assert (other - alone).abs().max() > 0.01


def test_errors_of_a_copy_and_of_a_flat_image() -> None:
    """The pixel error of the photograph is 0 and that of its mean color 1; the feature error of nothing is 1."""
    photographs = blobs(2, seed=3)
    torch.testing.assert_close(relative_pixel_errors(photographs, photographs), torch.zeros(2))
    flat = photographs.mean((2, 3), keepdim=True).expand_as(photographs)
    torch.testing.assert_close(relative_pixel_errors(flat, photographs), torch.ones(2))
    torch.testing.assert_close(relative_feature_errors(torch.zeros_like(photographs), photographs), torch.ones(2))


def toytown_scenes(count: int) -> Tensor:
    """Scenes that the demo network never saw, [image, 3, 64, 64]."""
    pixels = np.stack([np.asarray(scene.image) for scene in unseen_scenes(count)])
    return torch.from_numpy(pixels).movedim(-1, 1) / 255


@pytest.mark.long
def test_deeper_layers_keep_less_of_the_pixels() -> None:
    """The mean pixel error of 20 scenes grows from block to block of the demo network, by more than 2 percent each."""
    scenes = toytown_scenes(20)
    errors = {}
    for layer in BLOCKS:
        found = invert(demo_network(learned=True), layer, scenes, InversionConfig(), 0)
        errors[layer] = float(found.pixel_errors.mean())
        assert found.feature_errors.mean() < 0.02, layer
    ordered = list(errors.values())
    assert all(after > 1.02 * before for before, after in pairwise(ordered)), errors
    assert ordered[0] < 0.4, errors
    assert ordered[-1] > 0.6, errors
