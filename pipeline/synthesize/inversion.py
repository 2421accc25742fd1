"""Feature inversion: from noise to an image whose features at a layer are those of a photograph.

After Mahendran & Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them". What the image has in
common with the photograph is what the layer keeps of it. No random transform is applied: the features have to match
position by position.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pipeline.featurevis.composition import canonical_bytes
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import inversion
from pipeline.featurevis.optimize import OptimizerConfig, image_generator, noise_and_uniforms, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.transforms import IDENTITY
from pipeline.model.network import Network
from pipeline.synthesize.texture import as_seen

TINY = 1e-12


@dataclass(frozen=True)
class InversionConfig:
    """The optimization of one image.

    Attributes:
        steps: of Adam.
        learning_rate: of the first step, in units of the standard deviation of photographs' color planes.
        init_std: standard deviation of the noise that an image starts from, in the same units.
        total_variation: weight of the total variation, beside a relative feature error of weight 1. What a layer does
            not keep is smooth instead of noise.
        decay_power: of the Fourier parameterization, see
            :class:`~pipeline.featurevis.parameterization.FourierBasis`.
        cooldown: share of the steps at the end over which the learning rate falls to 0.
    """

    steps: int = 256
    learning_rate: float = 0.3
    init_std: float = 0.01
    total_variation: float = 0.2
    decay_power: float = 1.5
    cooldown: float = 1.0


@dataclass(frozen=True, eq=False)
class Inversions:
    """Images by feature inversion.

    Attributes:
        images: float32 [image, 3, y, x] in 0..1.
        pixel_errors: float32 [image], see :func:`relative_pixel_errors`.
        feature_errors: float32 [image], see :func:`relative_feature_errors`.
    """

    images: Tensor
    pixel_errors: Tensor
    feature_errors: Tensor


def invert(
    network: Network,
    layer: str,
    photographs: Tensor,
    config: InversionConfig,
    seed: int,
    dtype: Literal["float32", "bfloat16"] = "float32",
) -> Inversions:
    """Invert a layer's features of photographs.

    Each image starts from noise of its own, which follows from the seed, the layer and the photograph alone.

    Args:
        network: on the device where it shall run.
        layer: of it.
        photographs: RGB in 0..1, [image, 3, y, x], on that device.
        config: of the optimization.
        seed: of the noise.
        dtype: number type of the network's pass.

    Raises:
        ConfigError: the photographs are too small for the layer.
        ModelError: there is no such layer.
    """
    size = (photographs.shape[2], photographs.shape[3])
    extractor = FeatureExtractor(network, [layer], size, dtype, size_setting="size")
    with torch.no_grad():
        features = extractor(as_seen(photographs, extractor))[layer].float()
    pixels = image_parameterization("fourier", size, decay_power=config.decay_power)
    # the photographs themselves are the same in every batch; their features differ in the last bits
    targets = [layer.encode() + canonical_bytes(one.cpu().numpy()) for one in photographs]
    generators = [image_generator(seed, 0, target) for target in targets]
    noise, uniforms = noise_and_uniforms(generators, pixels.shape, config.steps, IDENTITY.n_uniforms)
    result = optimize(
        extractor,
        pixels,
        inversion(layer, features),
        start=config.init_std * noise.to(photographs),
        uniforms=uniforms.to(photographs),
        transform=IDENTITY,
        regularizers={"total_variation": config.total_variation} if config.total_variation else {},
        config=OptimizerConfig(config.steps, config.learning_rate, (0.9, 0.99), cooldown=config.cooldown),
    )
    with torch.no_grad():
        found = extractor(as_seen(result.images, extractor))[layer].float()
    return Inversions(
        result.images, relative_pixel_errors(result.images, photographs), relative_feature_errors(found, features)
    )


def relative_pixel_errors(images: Tensor, photographs: Tensor) -> Tensor:
    """‖x - x₀‖² / ‖x₀ - mean(x₀)‖² of images x and photographs x₀, [image].

    The mean is that of each color over the photograph. 0 is the photograph itself, 1 an image of its mean color; an
    image with detail that the photograph does not have exceeds 1.

    Args:
        images: [image, 3, y, x].
        photographs: of the same shape.
    """
    spread = photographs - photographs.mean((2, 3), keepdim=True)
    return _squared_norms(images - photographs) / _squared_norms(spread).clamp(min=TINY)


def relative_feature_errors(features: Tensor, wanted: Tensor) -> Tensor:
    """‖Φ(x) - Φ(x₀)‖² / ‖Φ(x₀)‖² of features [image, channel, y, x], [image] (Mahendran & Vedaldi 2015)."""
    return _squared_norms(features - wanted) / _squared_norms(wanted).clamp(min=TINY)


def _squared_norms(values: Tensor) -> Tensor:
    return values.flatten(1).square().sum(1)
