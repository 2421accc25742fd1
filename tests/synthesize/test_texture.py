from itertools import pairwise

import pytest
import torch

from pipeline.synthesize.texture import (
    TextureConfig,
    cumulative_layers,
    distance_of_quarters,
    gram_distance,
    nearest_patch_distance,
    synthesize_texture,
)
from tests.synthesize.small_scene import MIDDLE, WIDE, Textural, blobs, checks, small_network, stripes

LAYERS = {WIDE: 1.0, MIDDLE: 1.0}
SETTINGS = TextureConfig(steps=192)


def test_distance_tells_textures_apart_but_not_their_arrangement() -> None:
    """It is 0 between an image and itself, at most 0.05 to the same image rolled, and far more to another texture."""
    source = torch.stack([stripes(), checks()])
    network = small_network(Textural)
    torch.testing.assert_close(gram_distance(network, LAYERS, source, source), torch.zeros(2))
    rolled = gram_distance(network, LAYERS, source.roll((3, 5), (2, 3)), source)
    assert rolled.max() <= 0.05, rolled
    other = gram_distance(network, LAYERS, source.flip(0), source)
    assert other.min() > 0.3, other


def test_distance_is_the_weighted_mean_over_layers() -> None:
    """A layer of weight 3 counts three times as much as one of weight 1."""
    first, second = stripes()[None], checks()[None]
    network = small_network(Textural)
    wide, middle = (gram_distance(network, {layer: 2.0}, first, second) for layer in (WIDE, MIDDLE))
    both = gram_distance(network, {WIDE: 3.0, MIDDLE: 1.0}, first, second)
    torch.testing.assert_close(both, (3 * wide + middle) / 4)


def test_a_texture_is_near_its_source_and_no_copy() -> None:
    """Its distance from the source is below a tenth of that of another texture; its patches are not those of it."""
    sources = torch.stack([stripes(), blobs(1, seed=4)[0]])
    network = small_network(Textural)
    found = synthesize_texture(network, LAYERS, sources, (40, 48), SETTINGS, 0)
    assert found.images.shape == (2, 3, 40, 48)
    torch.testing.assert_close(found.distances, gram_distance(network, LAYERS, found.images, sources))
    others = gram_distance(network, LAYERS, sources.flip(0), sources)
    assert (found.distances < others / 10).all(), (found.distances, others)
    copied = nearest_patch_distance(sources[1][:, 3:27, 5:29], sources[1])
    made = nearest_patch_distance(found.images[1], sources[1])
    assert copied < 0.001, copied
    assert made > 0.1, made


def test_a_texture_is_told_from_an_image_of_two() -> None:
    """The quarters of stripes are like all of them; those of an image that is half checks are not."""
    network, layers = small_network(Textural), [WIDE, MIDDLE]
    texture, other = stripes(), checks()
    two = texture.clone()
    two[:, :, two.shape[2] // 2 :] = other[:, :, two.shape[2] // 2 :]
    alike = distance_of_quarters(network, layers, texture)
    assert alike < 0.1
    assert distance_of_quarters(network, layers, two) > 3 * alike


def test_patch_distance_of_a_copy_is_zero() -> None:
    """It is 0 of the source and of a crop of it, and about the contrast of what has nothing to do with it."""
    source, other = blobs(2, seed=5)
    assert nearest_patch_distance(source, source) == pytest.approx(0, abs=1e-6)
    assert nearest_patch_distance(source[:, 2:20, 7:31], source) == pytest.approx(0, abs=1e-6)
    assert nearest_patch_distance(other, source) > 0.3


def test_a_texture_does_not_depend_on_its_batch() -> None:
    """The same source gives the same texture alone and in a batch; another seed gives another one."""
    sources = torch.stack([stripes(), checks()])
    few = TextureConfig(steps=8)
    together = synthesize_texture(small_network(Textural), LAYERS, sources, (24, 24), few, 0).images
    alone = synthesize_texture(small_network(Textural), LAYERS, sources[1:], (24, 24), few, 0).images
    torch.testing.assert_close(alone, together[1:], atol=1e-3, rtol=0)
    other = synthesize_texture(small_network(Textural), LAYERS, sources[1:], (24, 24), few, 1).images
    assert (other - alone).abs().max() > 0.01


def test_layers_are_added_one_after_the_other() -> None:
    """The n-th set has the first n layers."""
    found = cumulative_layers(["a", "b", "c"])
    assert [list(one) for one in found] == [["a"], ["a", "b"], ["a", "b", "c"]]
    assert all(before.items() < after.items() for before, after in pairwise(found))
