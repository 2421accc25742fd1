"""Texture synthesis: from noise to an image whose Gram matrices at several layers are those of a source.

After Gatys et al. 2015, "Texture Synthesis Using Convolutional Neural Networks". A Gram matrix, the mean products of
channels over a layer's map, knows which features occur together but not where: the arrangement of the source is lost
and its texture stays. Layers are added one after the other: the first alone give colors, deeper ones structure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import unfold

from pipeline.featurevis.composition import Objective, canonical_bytes
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import gram_matrix, gram_target
from pipeline.featurevis.optimize import OptimizerConfig, image_generator, noise_and_uniforms, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.transforms import IDENTITY, resample
from pipeline.model.network import Network

Grams = Mapping[str, Tensor]  # layer → [image, channel, channel]
TINY = 1e-12
PATCH = 12  # side of the patches that tell a copy, pixels
CHUNK = 512  # patches that are compared at once


@dataclass(frozen=True)
class TextureConfig:
    """The optimization of one texture.

    Attributes:
        steps: of Adam.
        learning_rate: of the first step, in units of the standard deviation of photographs' color planes.
        init_std: standard deviation of the noise that a texture starts from, in the same units.
        total_variation: weight of the total variation, beside relative Gram distances of weight 1.
        decay_power: of the Fourier parameterization, see
            :class:`~pipeline.featurevis.parameterization.FourierBasis`.
        cooldown: share of the steps at the end over which the learning rate falls to 0.
    """

    steps: int = 256
    learning_rate: float = 0.2
    init_std: float = 0.3
    total_variation: float = 0.0
    decay_power: float = 1.2
    cooldown: float = 1.0


@dataclass(frozen=True, eq=False)
class Textures:
    """Synthesized textures.

    Attributes:
        images: float32 [image, 3, y, x] in 0..1.
        distances: float32 [image], from the sources: the weighted mean of :func:`gram_distance` over the layers.
    """

    images: Tensor
    distances: Tensor


def synthesize_texture(
    network: Network,
    layers: Mapping[str, float],
    sources: Tensor,
    size: tuple[int, int],
    config: TextureConfig,
    seed: int,
    dtype: Literal["float32", "bfloat16"] = "float32",
) -> Textures:
    """Synthesize the texture of each source on a canvas of any size.

    Each texture starts from noise of its own around the source's mean color. The noise follows from the seed and the
    source alone, so that textures of different layers can be compared.

    Args:
        network: on the device where it shall run.
        layers: weights of their relative Gram distances, above 0.
        sources: RGB in 0..1, [image, 3, y, x], on that device.
        size: (height, width) of the canvas, pixels.
        config: of the optimization.
        seed: of the noise.
        dtype: number type of the network's pass.

    Raises:
        ConfigError: source or canvas are too small for the layers.
        ModelError: there is no such layer.
    """
    grams = source_grams(network, list(layers), sources, dtype)
    extractor = FeatureExtractor(network, list(layers), size, dtype, size_setting="size")
    objective = gram_objective(layers, grams)
    pixels = image_parameterization("fourier", size, decay_power=config.decay_power)
    # a Gram matrix of values of both signs, as those of a first convolution, has no sign: noise around gray would take
    # on the opposite colors as well
    mean_colors = sources.mean((2, 3), keepdim=True).expand(-1, -1, *size)
    generators = [image_generator(seed, 0, b"texture" + canonical_bytes(one.cpu().numpy())) for one in sources]
    noise, uniforms = noise_and_uniforms(generators, pixels.shape, config.steps, IDENTITY.n_uniforms)
    result = optimize(
        extractor,
        pixels,
        objective,
        start=pixels.encode(mean_colors) + config.init_std * noise.to(sources),
        uniforms=uniforms.to(sources),
        transform=IDENTITY,
        regularizers={"total_variation": config.total_variation} if config.total_variation else {},
        config=OptimizerConfig(config.steps, config.learning_rate, (0.9, 0.99), cooldown=config.cooldown),
    )
    with torch.no_grad():
        distances = -objective(extractor(as_seen(result.images, extractor)), 1.0)
    return Textures(result.images, distances)


def source_grams(
    network: Network, layers: Sequence[str], sources: Tensor, dtype: Literal["float32", "bfloat16"] = "float32"
) -> Grams:
    """The Gram matrices of sources, float32 [image, channel, channel] by layer.

    Args:
        network: on the device of the sources.
        layers: of it.
        sources: RGB in 0..1, [image, 3, y, x], of any size that the layers take.
        dtype: number type of the network's pass.
    """
    size = (sources.shape[2], sources.shape[3])
    extractor = FeatureExtractor(network, layers, size, dtype, size_setting="source size")
    with torch.no_grad():
        features = extractor(as_seen(sources, extractor))
        return {layer: gram_matrix(features[layer]) for layer in layers}


def distance_of_quarters(network: Network, layers: Sequence[str], image: Tensor) -> float:
    """Mean distance of the Gram matrices of an image's quarters from those of all of it; small for a texture.

    It is that of :func:`gram_distance`, of the four quarters of each layer's map.

    Args:
        network: on the device of the image.
        layers: of it; maps of a single row or column count as alike everywhere.
        image: RGB in 0..1, [3, y, x], of a size that the layers take.
    """
    size = (image.shape[1], image.shape[2])
    extractor = FeatureExtractor(network, layers, size, "float32", size_setting="source size")
    with torch.no_grad():
        features = extractor(as_seen(image[None], extractor))
    found = []
    for layer in layers:
        grid = features[layer]
        whole, (height, width) = gram_matrix(grid), (grid.shape[2] // 2, grid.shape[3] // 2)
        if not height or not width:
            continue
        quarters = [
            gram_matrix(grid[:, :, rows, columns])
            for rows in (slice(height), slice(-height, None))
            for columns in (slice(width), slice(-width, None))
        ]
        error = torch.stack([(quarter - whole).square().sum() for quarter in quarters]).mean()
        found.append(float(error / whole.square().sum().clamp(min=TINY)))
    return sum(found) / max(len(found), 1)


def as_seen(images: Tensor, extractor: FeatureExtractor) -> Tensor:
    """Images [image, 3, y, x] at the size that an extractor takes: that of the network's input for layers of tokens."""
    size = (images.shape[2], images.shape[3])
    if size == extractor.size:
        return images
    straight = IDENTITY.matrices(images.new_zeros(len(images), IDENTITY.n_uniforms), size)
    return resample(images, straight, extractor.size)


def gram_objective(layers: Mapping[str, float], grams: Grams) -> Objective:
    """Minus the weighted mean over layers of ‖G - G₀‖² / ‖G₀‖², see :func:`gram_distance`.

    Args:
        layers: weights, above 0.
        grams: that are wanted, of as many images as a batch has.
    """
    total = sum(layers.values())
    return reduce(add, (weight / total * gram_target(layer, grams[layer]) for layer, weight in layers.items()))


def cumulative_layers(layers: Sequence[str]) -> list[Mapping[str, float]]:
    """The first layer, the first two, and so on, each of weight 1: color first, structure later."""
    return [dict.fromkeys(layers[: count + 1], 1.0) for count in range(len(layers))]


def gram_distance(network: Network, layers: Mapping[str, float], images: Tensor, sources: Tensor) -> Tensor:
    """The weighted mean over layers of ‖G - G₀‖² / ‖G₀‖², [image].

    G and G₀ are the Gram matrices of images and sources; the norm is the Frobenius norm. It is 0 between an image and
    itself and 1 for an image without features.

    Args:
        network: on the device of the images.
        layers: weights, above 0.
        images: RGB in 0..1, [image, 3, y, x].
        sources: likewise, of any height and width.
    """
    found, wanted = (source_grams(network, list(layers), given) for given in (images, sources))
    distance, total = images.new_zeros(len(images)), sum(layers.values())
    for layer, weight in layers.items():
        error = (found[layer] - wanted[layer]).flatten(1).square().sum(1)
        distance += weight / total * error / wanted[layer].flatten(1).square().sum(1).clamp(min=TINY)
    return distance


def nearest_patch_distance(result: Tensor, source: Tensor, patch: int = PATCH) -> float:
    """Mean distance of the result's patches from the nearest ones of the source, relative to the source's contrast.

    The distance is the root mean square over a patch's values, divided by the standard deviation of the source's
    values. It is 0 of a copy and of any crop of it; two unrelated patches of the source have one of about the square
    root of 2.

    Args:
        result: RGB, [3, y, x].
        source: likewise; compared at all positions.
        patch: side, pixels; those of the result are taken side by side.
    """
    made = unfold(result[None], patch, stride=patch)[0].T
    given = unfold(source[None], patch)[0].T
    squares = given.square().sum(1)
    # |a - b|² would cancel for a copy where it is computed from products alone; the nearest one is measured by itself
    nearest = [(squares - 2 * rows @ given.T).argmin(1) for rows in torch.split(made, CHUNK)]
    errors = (made - given[torch.cat(nearest)]).square().mean(1).sqrt()
    return float(errors.mean() / source.std().clamp(min=TINY))
