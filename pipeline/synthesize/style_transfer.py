"""Style transfer by optimization: the content of a photograph in the style of another image.

After Gatys et al. 2016, "Image Style Transfer Using Convolutional Neural Networks". The content is a layer's map of the
photograph, the style are Gram matrices at several layers of the style image. Both losses are relative, so that a weight
means about the same for any network, layer and image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pipeline.featurevis.composition import Objective
from pipeline.featurevis.feature_extractor import FeatureExtractor, Features
from pipeline.featurevis.objectives import inversion
from pipeline.featurevis.optimize import OptimizerConfig, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.transforms import IDENTITY
from pipeline.model.network import Network
from pipeline.synthesize.texture import Grams, as_seen, gram_objective, source_grams


@dataclass(frozen=True)
class StyleLayers:
    """Where content and style are read.

    Attributes:
        content: layer of the content.
        style: weights of the layers of the style, above 0.
    """

    content: str
    style: Mapping[str, float]

    @property
    def all(self) -> list[str]:
        """Each layer once."""
        return list(dict.fromkeys([*self.style, self.content]))


@dataclass(frozen=True)
class TransferConfig:
    """The optimization of one image.

    Attributes:
        steps: of Adam.
        learning_rate: of the first step, in units of the standard deviation of photographs' color planes.
        total_variation: weight of the total variation, beside a style loss of weight 1.
        decay_power: of the Fourier parameterization, see
            :class:`~pipeline.featurevis.parameterization.FourierBasis`.
        cooldown: share of the steps at the end over which the learning rate falls to 0.
    """

    steps: int = 128
    learning_rate: float = 0.15
    total_variation: float = 0.5
    decay_power: float = 1.5
    cooldown: float = 1.0


@dataclass(frozen=True, eq=False)
class Transferred:
    """Images and how far they are from content and style.

    Attributes:
        images: float32 [image, 3, y, x] in 0..1.
        content_losses: float32 [image], ‖F - F₀‖² / ‖F₀‖² of the content layer's map.
        style_losses: float32 [image], weighted mean over the layers of ‖G - G₀‖² / ‖G₀‖² of the Gram matrices.
    """

    images: Tensor
    content_losses: Tensor
    style_losses: Tensor

    def total(self, content_weight: float) -> Tensor:
        """The style loss plus the weighted content loss, [image]."""
        return self.style_losses + content_weight * self.content_losses


class TransferLosses:
    """Content and style losses of images against photographs and a style each."""

    def __init__(
        self,
        network: Network,
        layers: StyleLayers,
        size: tuple[int, int],
        dtype: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        """Prepare the network for many passes.

        Args:
            network: on the device where it shall run.
            layers: of it.
            size: (height, width) of the images, pixels.
            dtype: number type of the network's pass.

        Raises:
            ConfigError: the images are too small for the layers.
            ModelError: there is no such layer.
        """
        self.layers = layers
        self.extractor = FeatureExtractor(network, layers.all, size, dtype, size_setting="size")

    def content(self, photographs: Tensor) -> Objective:
        """Minus the content loss against photographs [image, 3, y, x] in 0..1."""
        with torch.no_grad():
            return inversion(
                self.layers.content, self.extractor(as_seen(photographs, self.extractor))[self.layers.content]
            )

    def style(self, grams: Grams, images: int) -> Objective:
        """Minus the style loss against Gram matrices, of one style for all images or of one for each."""
        return gram_objective(
            self.layers.style, {layer: one.expand(images, *one.shape[1:]) for layer, one in grams.items()}
        )

    def measured(self, images: Tensor, content: Objective, style: Objective) -> Transferred:
        """The losses of images [image, 3, y, x] in 0..1, without gradient."""
        with torch.no_grad():
            features: Features = self.extractor(as_seen(images, self.extractor))
            return Transferred(images, -content(features, 1.0), -style(features, 1.0))


def transfer_style(
    network: Network,
    layers: StyleLayers,
    photographs: Tensor,
    grams: Grams,
    content_weight: float | Sequence[float],
    config: TransferConfig,
    dtype: Literal["float32", "bfloat16"] = "float32",
) -> Transferred:
    """Optimize photographs until they have a style and still their content.

    An image starts from its photograph, so that nothing is drawn at random.

    Args:
        network: on the device where it shall run.
        layers: of it.
        photographs: RGB in 0..1, [image, 3, y, x], on that device.
        grams: of the style, one for all photographs or one for each; see
            :func:`~pipeline.synthesize.texture.source_grams` and :func:`blended_grams`.
        content_weight: of the content loss, beside a style loss of weight 1; of all photographs or of each.
        config: of the optimization.
        dtype: number type of the network's pass.

    Raises:
        ConfigError: the photographs are too small for the layers.
        ModelError: there is no such layer.
    """
    size = (photographs.shape[2], photographs.shape[3])
    losses = TransferLosses(network, layers, size, dtype)
    content, style = losses.content(photographs), losses.style(grams, len(photographs))
    pixels = image_parameterization("fourier", size, decay_power=config.decay_power)
    result = optimize(
        losses.extractor,
        pixels,
        style + content * content_weight,
        start=pixels.encode(photographs),
        uniforms=photographs.new_zeros(len(photographs), config.steps, IDENTITY.n_uniforms),
        transform=IDENTITY,
        regularizers={"total_variation": config.total_variation} if config.total_variation else {},
        config=OptimizerConfig(config.steps, config.learning_rate, (0.9, 0.99), cooldown=config.cooldown),
    )
    return losses.measured(result.images, content, style)


def sweep_content_weight(
    network: Network,
    layers: StyleLayers,
    photograph: Tensor,
    grams: Grams,
    content_weights: Sequence[float],
    config: TransferConfig,
    dtype: Literal["float32", "bfloat16"] = "float32",
) -> Transferred:
    """One photograph [3, y, x] in one style at several content weights, an image for each."""
    photographs = photograph.expand(len(content_weights), *photograph.shape).contiguous()
    return transfer_style(network, layers, photographs, grams, content_weights, config, dtype)


def style_grams(network: Network, layers: StyleLayers, styles: Tensor) -> Grams:
    """The Gram matrices of style images [style, 3, y, x] in 0..1, of any size that the layers take."""
    return source_grams(network, list(layers.style), styles)


def blended_grams(grams: Grams, shares: Tensor) -> Grams:
    """Weighted means of the Gram matrices of several styles.

    Args:
        grams: of the styles, [style, channel, channel] by layer.
        shares: of the styles in each blend, [blend, style]; those of a blend add up to 1.

    Returns:
        [blend, channel, channel] by layer
    """
    return {layer: torch.einsum("bs,scd->bcd", shares.to(one), one) for layer, one in grams.items()}
