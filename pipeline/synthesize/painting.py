"""Painting with the atlas: a picture whose regions have the directions of chosen cells.

The cells are the palette; a small image of labels says which of them each region shall have. It is the icons' way of
rendering (Olah et al. 2017; Carter et al. 2019), with a direction of its own at each position of the layer's map.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d, normalize

from pipeline.featurevis.activation_space import ActivationSpace
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import layout, resized_labels
from pipeline.featurevis.optimize import OptimizerConfig, image_generator, noise_and_uniforms, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.transforms import RandomAffine
from pipeline.model.network import Network

OPTIMIZER = OptimizerConfig(
    steps=128, learning_rate=0.25, betas=(0.7, 0.99), cooldown=1.0, warmup=0.5, redirected_relu=0.8
)
BLANK = -1  # label of a place without a direction


@dataclass(frozen=True)
class PaintingConfig:
    """How a picture is rendered; what is not described here means the same as for icons.

    Attributes:
        size: (height, width) of the picture, pixels.
        optimizer: steps, learning rate and schedule.
        cosine_power: exponent of the cosine, see :class:`~pipeline.featurevis.objectives.Direction`.
        decay_power, chroma_decay: see :class:`~pipeline.featurevis.parameterization.FourierBasis`.
        chroma, contrast: see :class:`~pipeline.featurevis.parameterization.ImageParameterization`.
        jitter: largest random shift at each step, pixels; small, so that regions stay in place.
        scale: smallest and largest random scale.
        rotation: largest random angle, degrees.
        regularizers: weights by name, see :data:`~pipeline.featurevis.regularizers.REGULARIZERS`.
        dtype: number type of the network's pass.
    """

    size: tuple[int, int] = (384, 512)
    optimizer: OptimizerConfig = OPTIMIZER
    cosine_power: float = 4.0
    decay_power: float = 1.15
    chroma_decay: float = 0.4
    chroma: float = 0.8
    contrast: float | None = 1.0
    jitter: float = 8.0
    scale: tuple[float, float] = (0.97, 1.03)
    rotation: float = 3.0
    regularizers: Mapping[str, float] = field(default_factory=lambda: {"total_variation": 3.0})
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True, eq=False)
class Agreement:
    """Which cells of the palette the network finds in a picture.

    Attributes:
        nearest: the cell of the palette with the largest centered cosine at each position of the map, [row, column].
        wanted: its label, [row, column]; :data:`BLANK` for none.
        inner: positions whose neighbors all have the same label, [row, column].
        by_cell: share of a cell's inner positions that are nearest to it, [cell]; NaN where it has none.
        overall: share of all inner positions that have a label; NaN where there are none.
    """

    nearest: NDArray[np.int64]
    wanted: NDArray[np.int64]
    inner: NDArray[np.bool_]
    by_cell: NDArray[np.float64]
    overall: float


@dataclass(frozen=True, eq=False)
class Painting:
    """A rendered picture.

    Attributes:
        image: in 0..1, [3, y, x].
        agreement: of the picture with its labels.
        valid: the picture is finite and had a gradient from the network; that of blank labels has none.
    """

    image: Tensor
    agreement: Agreement
    valid: bool


def paint(
    network: Network,
    layer: str,
    palette: Tensor,
    labels: Tensor,
    *,
    layer_mean: Tensor,
    config: PaintingConfig,
    seed: int,
) -> Painting:
    """Render a picture whose regions have the directions of the palette's cells.

    Args:
        network: on the device of the palette.
        layer: dotted module path.
        palette: mean activations of the cells, float32 [cell, channel].
        labels: cell of each place, int64 [row, column]; :data:`BLANK` for none.
        layer_mean: subtracted from activations, float32 [channel].
        config: of the rendering.
        seed: of the run; the noise also depends on palette and labels.

    Raises:
        ValueError: a label is not that of a cell.
    """
    if not (int(labels.min()) >= BLANK and int(labels.max()) < len(palette)):
        raise ValueError(f"expected labels of {len(palette)} cells, found {int(labels.min())}..{int(labels.max())}")
    space = ActivationSpace(layer_mean.cpu().numpy(), None)
    objective = layout(layer, palette, labels[None], space, config.cosine_power)
    parameterization = image_parameterization(
        "fourier",
        config.size,
        decay_power=config.decay_power,
        chroma_decay=config.chroma_decay,
        chroma=config.chroma,
        contrast=config.contrast,
    )
    transform = RandomAffine(config.jitter / max(config.size), config.scale, config.rotation)
    extractor = FeatureExtractor(network, [layer], config.size, config.dtype)
    generator = image_generator(seed, 0, objective.target_bytes(0) + palette.cpu().numpy().tobytes())
    start, uniforms = noise_and_uniforms(
        [generator], parameterization.shape, config.optimizer.steps, transform.n_uniforms
    )
    result = optimize(
        extractor,
        parameterization,
        objective,
        start=start.to(palette.device),
        uniforms=uniforms.to(palette.device),
        transform=transform,
        regularizers=config.regularizers,
        config=config.optimizer,
    )
    image = result.images[0]
    return Painting(image, agreement(extractor, layer, image, palette, labels, layer_mean), bool(result.valid[0]))


def agreement(
    extractor: FeatureExtractor, layer: str, image: Tensor, palette: Tensor, labels: Tensor, layer_mean: Tensor
) -> Agreement:
    """Compare what the network finds at each position of a picture with its label.

    Args:
        extractor: of the layer, for pictures of this size.
        layer: dotted module path.
        image: in 0..1, [3, y, x].
        palette: mean activations of the cells, [cell, channel].
        labels: cell of each place, int64 [row, column]; :data:`BLANK` for none.
        layer_mean: subtracted from activations, [channel].
    """
    images = image[None]
    if image.shape[1:] != extractor.size:
        images = interpolate(images, extractor.size, mode="bilinear", align_corners=False)
    with torch.no_grad():
        grid = extractor(images)[layer].float()
    rows = normalize(grid[0].movedim(0, -1) - layer_mean, dim=-1)
    nearest = (rows @ normalize(palette - layer_mean, dim=1).T).argmax(-1)
    wanted = resized_labels(labels[None].to(grid.device), (grid.shape[2], grid.shape[3]))[0]
    spread = wanted[None].float()
    inner = (max_pool2d(spread, 3, 1, 1) == spread) & (max_pool2d(-spread, 3, 1, 1) == -spread)
    counted, right = inner[0] & (wanted >= 0), nearest == wanted
    return Agreement(
        nearest.cpu().numpy(),
        wanted.cpu().numpy(),
        inner[0].cpu().numpy(),
        np.array([_share(right[counted & (wanted == cell)]) for cell in range(len(palette))]),
        _share(right[counted]),
    )


def _share(right: Tensor) -> float:
    return float(right.double().mean()) if len(right) else float("nan")
