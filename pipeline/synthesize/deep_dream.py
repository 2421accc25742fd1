"""DeepDream: a photograph in which more and more appears of what a layer, a unit, a class or a cell finds in it.

Mordvintsev et al. 2015, "Inceptionism": gradient ascent from the photograph, at several sizes from small to large. What
the ascent added at one size, the detail, is enlarged and added to the photograph at the next one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.core.errors import ConfigError
from pipeline.featurevis.composition import canonical_bytes
from pipeline.featurevis.memory import GB, free_bytes
from pipeline.featurevis.optimize import image_generator
from pipeline.featurevis.parameterization import color_correlation
from pipeline.model.network import Network
from pipeline.synthesize.cell_objective import ObjectiveOf
from pipeline.synthesize.tiles import FLOAT_BYTES, TiledGradient

SMALLEST = 64  # pixels: an octave whose shorter side is smaller shows a network too little, and is left out
OCTAVE_COPIES = 4  # arrays of the image's size beside those of a step: the photograph, its octaves and the detail

LONGEST_WAVE = 16  # pixels: longer waves count like these

Step = Callable[[int], None]


@dataclass(frozen=True)
class DreamConfig:
    """How a photograph is changed.

    Attributes:
        octaves: sizes of the image, the photograph's own included.
        octave_scale: an octave is larger than the one before by this factor.
        steps: of gradient ascent at each octave.
        step_size: mean absolute change of a value in one step, of values in 0..1.
        jitter: largest random shift of an image under its only tile, pixels; several tiles are shifted by up to a tile.
        tile: largest side of a tile, pixels.
        batch_size: tiles that go through the network together.
        decay_power: the gradient's frequencies are weighted by 1 / frequency ** decay_power; 0 leaves the gradient.
        chroma: strength of color against lightness in the gradient; 1 is that of photographs, None leaves the gradient.
        dtype: number type of the network's pass.
    """

    octaves: int = 5
    octave_scale: float = 1.4
    steps: int = 20
    step_size: float = 0.006
    jitter: int = 32
    tile: int = 400
    batch_size: int = 2
    decay_power: float = 0.5
    chroma: float | None = 2.0
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True, eq=False)
class Dream:
    """A changed photograph.

    Attributes:
        image: in 0..1, [3, y, x].
        before: mean of the objective over the tiles of the photograph.
        after: the same of the image.
    """

    image: Tensor
    before: float
    after: float


def deep_dream(
    network: Network,
    objective_of: ObjectiveOf,
    photograph: Tensor,
    config: DreamConfig,
    *,
    seed: int,
    progress: Step = lambda _: None,
) -> Dream:
    """Amplify in a photograph what an objective stands for.

    Args:
        network: on the photograph's device.
        objective_of: what is amplified, e.g. ``lambda count: channel("mixed4c", [7] * count)``; see also
            :func:`~pipeline.synthesize.cell_objective.toward`.
        photograph: in 0..1, [3, y, x]; of any height and width.
        config: of the ascent.
        seed: of the run; the shifts also depend on the photograph and on what is amplified.
        progress: called with 1 after each step.
    """
    generator = image_generator(seed, 0, canonical_bytes(photograph.cpu().numpy()) + objective_of(1).target_bytes(0))
    sizes = octave_sizes((photograph.shape[1], photograph.shape[2]), config)
    image = photograph
    detail = torch.zeros_like(photograph[:, :1, :1])
    for size in sizes:
        tiles = _tiles(network, objective_of, size, config)
        start = _resized(photograph, size)
        image = (start + _resized(detail, size)).clamp(0, 1)
        for _ in range(config.steps):
            gradient = tiles.gradient(image, _random_shift(generator, tiles, config))
            image = ascended(image, preconditioned(gradient, config), config.step_size)
            progress(1)
        detail = image - start
    tiles = _tiles(network, objective_of, sizes[-1], config)
    return Dream(image, tiles.value(photograph), tiles.value(image))


def ascended(image: Tensor, gradient: Tensor, step_size: float) -> Tensor:
    """One step along a gradient divided by its mean absolute value, clipped to 0..1.

    Args:
        image: in 0..1, [3, y, x].
        gradient: of the same shape.
        step_size: mean absolute change of a value.
    """
    scale = gradient.abs().mean().clamp(min=torch.finfo(gradient.dtype).tiny)
    return (image + step_size / scale * gradient).clamp(0, 1)


def preconditioned(gradient: Tensor, config: DreamConfig) -> Tensor:
    """A gradient with less of high frequencies and of color, as if natural images were the coordinates.

    The gradient of a network has most of its power at high frequencies, which look like noise, and in colors that no
    photograph has. A step with respect to a spectrum and to color axes that are scaled like those of photographs moves
    the image along the gradient times the square of these scales (Olah et al. 2017).

    Args:
        gradient: [3, y, x].
        config: gives ``decay_power`` and ``chroma``.
    """
    if config.decay_power:
        size = (gradient.shape[1], gradient.shape[2])
        rows = torch.fft.fftfreq(size[0], device=gradient.device)[:, None]
        columns = torch.fft.rfftfreq(size[1], device=gradient.device)
        frequency = torch.sqrt(rows**2 + columns**2).clamp(min=1 / LONGEST_WAVE)
        spectrum = torch.fft.rfft2(gradient) * frequency**-config.decay_power
        gradient = torch.fft.irfft2(spectrum, s=size)
    if config.chroma is not None:
        colors = color_correlation(config.chroma).to(gradient)
        gradient = (colors @ colors.T @ gradient.flatten(1)).view_as(gradient)
    return gradient


def octave_sizes(size: tuple[int, int], config: DreamConfig) -> Sequence[tuple[int, int]]:
    """(height, width) of each octave, pixels, from the smallest to the photograph's own."""
    scales = [config.octave_scale**-number for number in reversed(range(config.octaves))]
    sizes = [(round(size[0] * scale), round(size[1] * scale)) for scale in scales[:-1]]
    return [*(one for one in sizes if min(one) >= SMALLEST), size]


def needed_bytes(network: Network, objective_of: ObjectiveOf, size: tuple[int, int], config: DreamConfig) -> int:
    """Memory that a dream in an image of this size takes; runs two small steps to measure it.

    Args:
        network: on the device where it shall run.
        objective_of: what is amplified.
        size: (height, width) of the photograph, pixels.
        config: of the ascent.
    """
    step = _tiles(network, objective_of, size, config).needed_bytes()
    return step + OCTAVE_COPIES * 3 * size[0] * size[1] * FLOAT_BYTES


def check_dream_memory(needed: int, device: str, size: tuple[int, int], group: str) -> None:
    """Refuse what does not fit, before a run.

    Args:
        needed: see :func:`needed_bytes`.
        device: where it shall run.
        size: (height, width) of the photograph, pixels.
        group: of the settings, for the error line.

    Raises:
        ConfigError: less memory is free.
    """
    free = free_bytes(device)
    if needed > free:
        raise ConfigError(
            f"{group}.tile: expected {needed / GB:.2f} GB of free memory on {device} for a photograph of "
            f"{size[0]} × {size[1]} pixels, found {free / GB:.2f} GB; take smaller tiles, fewer of them together, or a "
            "smaller photograph"
        )


def _tiles(network: Network, objective_of: ObjectiveOf, size: tuple[int, int], config: DreamConfig) -> TiledGradient:
    return TiledGradient(
        network, objective_of, size, tile=config.tile, batch_size=config.batch_size, dtype=config.dtype
    )


def _random_shift(generator: np.random.Generator, tiles: TiledGradient, config: DreamConfig) -> tuple[int, int]:
    """Down and to the right: up to a tile where there are several, so that their edges lie anywhere."""
    down, right = (
        int(generator.integers(-config.jitter, config.jitter + 1) if side == tile else generator.integers(tile))
        for side, tile in zip(tiles.size, tiles.tile, strict=True)
    )
    return down, right


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """An image [3, y, x] at another size; reduced ones are smoothed first."""
    if image.shape[1:] == size:
        return image
    resized: Tensor = interpolate(image[None], size, mode="bilinear", align_corners=False, antialias=True)[0]
    return resized
