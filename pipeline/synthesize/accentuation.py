"""Feature accentuation: a photograph is changed a little, until the network finds in it what it is asked for.

Hamblin et al. 2024, "Feature accentuation: revealing 'what' features respond to in natural images": the optimization
starts from the photograph and is held near it, in its pixels and in what an early layer sees. What changes is what
counts for the layer, the unit or the cell in this very picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.featurevis.composition import Objective, at_most, canonical_bytes
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import inversion
from pipeline.featurevis.optimize import OptimizerConfig, Penalty, image_generator, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.step_filters import GaussianBlur
from pipeline.featurevis.transforms import RandomAffine
from pipeline.model.network import Network
from pipeline.synthesize.cell_objective import ObjectiveOf

PATH_POINTS = 8  # between a photograph and the changed one, at which the gradient is taken
HALVINGS = 8  # of the way back to an aim
FULL = 0.99  # quantile of a map of changes that is shown as 1
GRAY = (0.299, 0.587, 0.114)  # lightness of red, green and blue (ITU-R BT.601)


@dataclass(frozen=True)
class AccentuationConfig:
    """How a photograph is changed.

    The objective is counted in units of what separates the photograph from the aim of the strength 1, so that the
    weights mean the same for every layer and unit.

    Attributes:
        steps: of the optimizer.
        learning_rate: of Adam, about the mean change of a parameter in one step.
        pixel_weight: of the mean squared distance to the photograph, of values in 0..1.
        feature_weight: of the squared distance in the early layer, relative to the photograph's squared norm.
        decay_power: see :class:`~pipeline.featurevis.parameterization.FourierBasis`.
        chroma_decay: likewise.
        chroma: see :class:`~pipeline.featurevis.parameterization.ImageParameterization`.
        jitter: largest random shift at each step, as a share of the sides.
        scale: smallest and largest random scale.
        rotation: largest random angle, degrees.
        smoothing: standard deviation of the blur of the map of changes, as a share of the shorter side.
        dtype: number type of the network's pass.
    """

    steps: int = 64
    learning_rate: float = 0.06
    pixel_weight: float = 1.5
    feature_weight: float = 0.15
    decay_power: float = 1.3
    chroma_decay: float = 0.5
    chroma: float = 0.7
    jitter: float = 0.03
    scale: tuple[float, float] = (0.95, 1.05)
    rotation: float = 5.0
    smoothing: float = 0.02
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True, eq=False)
class Accentuation:
    """A photograph, accentuated with several strengths.

    Attributes:
        images: in 0..1, [strength, 3, y, x].
        before: the objective of the photograph.
        aims: the value that was to be reached, [strength].
        after: the value that was reached, [strength].
        change: root mean square of the change, of values in 0..1, [strength].
        maps: where the change counts, in 0..1, [strength, y, x]; zeros where there is none.
    """

    images: Tensor
    before: float
    aims: NDArray[np.float64]
    after: NDArray[np.float64]
    change: NDArray[np.float64]
    maps: Tensor


def accentuate(
    network: Network,
    objective_of: ObjectiveOf,
    photograph: Tensor,
    *,
    aim: float,
    strengths: Sequence[float],
    early_layer: str,
    config: AccentuationConfig,
    seed: int,
) -> Accentuation:
    """Change a photograph until the objective reaches its aim, with several strengths.

    The aim of a strength s is that of the photograph plus s times what separates it from ``aim``. A photograph that
    has reached its aim already stays as it is.

    Args:
        network: on the photograph's device.
        objective_of: what is accentuated, for a number of images.
        photograph: in 0..1, [3, y, x]; of a size that the network takes.
        aim: value of the objective at the strength 1.
        strengths: shares of the way to the aim, at least 0.
        early_layer: whose features hold the image near the photograph.
        config: of the changes.
        seed: of the run; the transforms also depend on the photograph and on the objective.
    """
    size = (photograph.shape[1], photograph.shape[2])
    objective = objective_of(len(strengths))
    extractor = FeatureExtractor(network, sorted(objective.layers), size, config.dtype)
    before = _value(extractor, objective_of(1), photograph[None])[0]
    aims = before + np.asarray(strengths, np.float64) * (aim - before)
    changed = [number for number, one in enumerate(aims) if one > before]
    images = photograph.expand(len(strengths), -1, -1, -1).clone()
    maps = images.new_zeros(len(strengths), *size)
    if changed:
        images[changed] = _changed(
            network, extractor, objective_of, photograph, aim - before, aims[changed], early_layer, config, seed
        )
        maps[changed] = change_maps(
            extractor, objective_of(len(changed)), photograph, images[changed], config.smoothing
        )
    after = _value(extractor, objective, images)
    change = (images - photograph).double().square().mean((1, 2, 3)).sqrt().cpu().numpy()
    return Accentuation(images, float(before), aims, after, change, maps)


def change_maps(
    extractor: FeatureExtractor, objective: Objective, photograph: Tensor, images: Tensor, smoothing: float
) -> Tensor:
    """Where the changes of a photograph count for an objective, in 0..1, [image, y, x].

    The change of each value times the mean gradient between the photograph and the changed one adds up to the change of
    the objective (Sundararajan et al. 2017). Its absolute value is smoothed, and divided by nearly its maximum.

    Args:
        extractor: of the objective's layers, for images of this size.
        objective: of so many images.
        photograph: in 0..1, [3, y, x].
        images: changed photographs, in 0..1, [image, 3, y, x].
        smoothing: standard deviation of the blur, as a share of the shorter side.
    """
    change = images - photograph
    total = torch.zeros_like(change)
    for number in range(PATH_POINTS):
        point = (photograph + (number + 0.5) / PATH_POINTS * change).requires_grad_()
        with torch.enable_grad():
            value = objective(extractor(_fitted(point, extractor)), 1.0).sum()
        total += torch.autograd.grad(value, point)[0]
    counted = (change * total).sum(1, keepdim=True).abs()
    maps = GaussianBlur(smoothing * min(images.shape[-2:]))(counted)[:, 0]
    largest = maps.flatten(1).quantile(FULL, dim=1).clamp(min=torch.finfo(maps.dtype).tiny)
    return (maps / largest[:, None, None]).clamp(max=1)


def overlay(photograph: Tensor, change_map: Tensor, dimmed: float = 0.3) -> Tensor:
    """A photograph in full color where a map is large, and in dark gray elsewhere, [3, y, x] in 0..1.

    Args:
        photograph: in 0..1, [3, y, x].
        change_map: in 0..1, [y, x].
        dimmed: brightness where the map is 0, as a share of the photograph's.
    """
    gray = (photograph.new_tensor(GRAY)[:, None, None] * photograph).sum(0)
    return change_map * photograph + (1 - change_map) * dimmed * gray


def _changed(
    network: Network,
    extractor: FeatureExtractor,
    objective_of: ObjectiveOf,
    photograph: Tensor,
    unit: float,
    aims: NDArray[np.float64],
    early_layer: str,
    config: AccentuationConfig,
    seed: int,
) -> Tensor:
    """The photograph changed toward each aim, [aim, 3, y, x]; ``unit`` is what the objective is counted in."""
    count, size = len(aims), (photograph.shape[1], photograph.shape[2])
    parameterization = image_parameterization(
        "fourier", size, decay_power=config.decay_power, chroma_decay=config.chroma_decay, chroma=config.chroma
    )
    transform = RandomAffine(config.jitter, config.scale, config.rotation)
    # one generator for all strengths: they differ by their aims alone
    target = canonical_bytes(photograph.cpu().numpy()) + objective_of(1).target_bytes(0)
    uniforms = image_generator(seed, 0, target).random((config.steps, transform.n_uniforms), dtype=np.float32)
    start = parameterization.encode(photograph.expand(count, -1, -1, -1))
    result = optimize(
        extractor,
        parameterization,
        at_most(objective_of(count), aims.tolist()) * (1 / unit),
        start=start,
        uniforms=torch.from_numpy(uniforms).to(photograph.device).expand(count, -1, -1),
        transform=transform,
        regularizers={},
        config=OptimizerConfig(config.steps, config.learning_rate, betas=(0.7, 0.99), cooldown=1.0),
        penalty=_distance(network, photograph, count, early_layer, config),
    )
    # encoding rounds black and white: what is added is the change alone
    images = (photograph + result.images - parameterization.decode(start)).clamp(0, 1)
    return _stopped(extractor, objective_of(count), photograph, images, aims)


def _stopped(
    extractor: FeatureExtractor, objective: Objective, photograph: Tensor, images: Tensor, aims: NDArray[np.float64]
) -> Tensor:
    """Images that lie beyond their aims, moved back toward the photograph as far as these, by bisection.

    The aim holds under random transforms, which lower most objectives: as it is, an image is often beyond it.
    """
    low, high = np.zeros(len(aims)), np.ones(len(aims))
    share = np.where(_value(extractor, objective, images) > aims, 0.5, 1.0)

    def moved(shares: NDArray[np.float64]) -> Tensor:
        return photograph + torch.from_numpy(shares).to(images)[:, None, None, None] * (images - photograph)

    beyond = share < 1
    for _ in range(HALVINGS):
        above = _value(extractor, objective, moved(share)) > aims
        low, high = np.where(above, low, share), np.where(above, share, high)
        share = np.where(beyond, (low + high) / 2, 1.0)
    return moved(np.where(beyond, low, 1.0))


def _distance(
    network: Network, photograph: Tensor, count: int, early_layer: str, config: AccentuationConfig
) -> Penalty:
    """The weighted distance of images to a photograph, in pixels and in an early layer."""
    extractor = FeatureExtractor(network, [early_layer], (photograph.shape[1], photograph.shape[2]), config.dtype)
    with torch.no_grad():
        features = extractor(_fitted(photograph[None], extractor))[early_layer].expand(count, -1, -1, -1)
    early = inversion(early_layer, features)

    def penalty(images: Tensor) -> Tensor:
        pixels = (images - photograph).square().mean((1, 2, 3))
        return config.pixel_weight * pixels - config.feature_weight * early(extractor(_fitted(images, extractor)), 1.0)

    return penalty


def _value(extractor: FeatureExtractor, objective: Objective, images: Tensor) -> NDArray[np.float64]:
    """The objective of images as they are, [image]."""
    with torch.no_grad():
        return np.asarray(objective(extractor(_fitted(images, extractor)), 1.0).double().cpu().numpy())


def _fitted(images: Tensor, extractor: FeatureExtractor) -> Tensor:
    """Images at the size that the extractor takes: another one than theirs where the network has a fixed one."""
    if images.shape[-2:] == extractor.size:
        return images
    resized: Tensor = interpolate(images, extractor.size, mode="bilinear", align_corners=False)
    return resized
