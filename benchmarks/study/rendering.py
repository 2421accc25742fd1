"""Rendering the study's cells with the change of one row."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from benchmarks.fidelity.exemplars import Photographs, patches
from benchmarks.legibility.judged import Judged
from benchmarks.real import Run
from benchmarks.render.cells import Cells, level_cells, parents_of, spread_cells
from benchmarks.render.ours import SEED, IconRenderer
from benchmarks.study import parameterizations
from benchmarks.study.variants import Variant
from pipeline.config.model import ModelSettings
from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.moments import layer_statistics
from pipeline.featurevis.activation_space import ActivationSpace, activation_space
from pipeline.featurevis.composition import Objective
from pipeline.featurevis.engine_settings import cold_config
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import direction
from pipeline.featurevis.optimize import image_generator, noise_and_uniforms, optimize
from pipeline.featurevis.parameterization import Decoder, FixedMagnitudes, mean_magnitudes
from pipeline.featurevis.renderer import to_uint8
from pipeline.featurevis.step_filters import StepFilters
from pipeline.featurevis.transforms import RandomAffine
from pipeline.units.learned_priors import DenoiserFilter, train_denoiser

LEVEL, PARENT_LEVEL = 10, 5
PHOTOGRAPHS = 200  # that MaCo's magnitudes are measured on, and the denoiser is trained on
DENOISER_STEPS, DENOISER_STRENGTH, DENOISER_EVERY = 600, 0.3, 8  # of its training; as a filter between steps


@dataclass(frozen=True)
class Material:
    """What the rows of one layer share.

    Attributes:
        run: the real input.
        layer: dotted module path.
        configured: the default settings, with the size of the layer's icons.
        count: icons, all in one batch.
        judge: settings of the network that tells their legibility.
    """

    run: Run
    layer: str
    configured: RenderSettings
    count: int
    judge: ModelSettings

    @cached_property
    def judged(self) -> Judged:
        """The cells as the judge knows them."""
        return Judged(self.cells, self.judge, self.configured.size)

    @cached_property
    def cells(self) -> Cells:
        """The cells that get icons."""
        return spread_cells(self.run, self.layer, self.count, LEVEL)

    @cached_property
    def level(self) -> Cells:
        """All drawn cells of their level."""
        return level_cells(self.run, self.layer, LEVEL)

    @cached_property
    def parents(self) -> Tensor:
        """Icons of the cells that they lie in one level up, at the default settings."""
        coarse = level_cells(self.run, self.layer, PARENT_LEVEL)
        icons = IconRenderer(coarse, self.configured).render_all()
        return icons[torch.from_numpy(parents_of(self.cells, coarse))]

    @cached_property
    def photographs(self) -> Tensor:
        """The middle of some of the run's photographs, [photograph, 3, y, x] in 0..1."""
        photographs, size = Photographs(self.run, self.cells), self.configured.size
        rows = np.linspace(0, len(photographs) - 1, min(PHOTOGRAPHS, len(photographs))).round().astype(int)
        pixels = torch.from_numpy(np.stack([photographs.middle(int(row), size) for row in rows]))
        return pixels.movedim(-1, 1).float() / 255

    @cached_property
    def magnitude(self) -> Tensor:
        """Mean magnitudes of these photographs."""
        return mean_magnitudes(self.photographs, parameterizations.pixels(self.configured, None))

    @cached_property
    def denoiser(self) -> StepFilters:
        """The filter by a denoiser that is trained on these photographs."""
        trained = train_denoiser(self.photographs, DENOISER_STEPS, SEED)
        return StepFilters(image=(DenoiserFilter(trained, DENOISER_STRENGTH),), every=DENOISER_EVERY)

    def space(self, settings: RenderSettings) -> ActivationSpace:
        """Where activations are compared; a whitened one needs the layer's covariance."""
        if settings.space != "whitened":
            return activation_space(settings.space, self.cells.layer_mean)
        activations = zarr_store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(self.run.outputs, self.layer))
        found = layer_statistics(zarr_store.array(activations, "activation"))
        return activation_space("whitened", self.cells.layer_mean, found.covariance, found.count, settings.shrinkage)


def rendered(variant: Variant, material: Material, settings: RenderSettings) -> tuple[Tensor, float]:
    """The icons of one row, uint8 [icon, y, x, 3], and the seconds they took.

    Args:
        variant: the row.
        material: what rows share.
        settings: of the row.
    """
    stage = variant.parameterization == "settings"
    render = _as_the_stage(variant, material, settings) if stage else _otherwise(variant, material, settings)
    began = perf_counter()
    icons = render()
    return icons, perf_counter() - began


def optimized(
    parameterization: Decoder,
    start: Tensor,
    learning_rate: float,
    extractor: FeatureExtractor,
    objective: Objective,
    uniforms: Tensor,
    settings: RenderSettings,
) -> Tensor:
    """Images [icon, 3, y, x] in another parameterization, with the stage's schedule and without its regularizers.

    Args:
        parameterization: of the images.
        start: parameters to start from.
        learning_rate: of the first step.
        extractor: of the objective's layer.
        objective: of the batch.
        uniforms: random numbers for the transforms, [icon, step, 4].
        settings: of the row.
    """
    (layer,) = objective.layers
    transform = RandomAffine(settings.jitter, settings.scale, settings.rotation, extractor.center(layer))
    config = replace(cold_config(settings), learning_rate=learning_rate)
    return optimize(
        extractor,
        parameterization,
        objective,
        start=start,
        uniforms=uniforms,
        transform=transform,
        regularizers={},
        config=config,
    ).images


def _as_the_stage(variant: Variant, material: Material, settings: RenderSettings) -> Callable[[], Tensor]:
    cells = material.cells
    filters = material.denoiser if variant.denoiser else None
    renderer = IconRenderer(cells, settings, material.space(settings), filters)
    start = None
    if variant.start in ("exemplar", "other exemplar"):
        start = patches(material.run, cells, settings.size)
        if variant.start == "other exemplar":
            start = start.roll(len(start) // 2, dims=0)
    elif variant.start == "parent":
        start = material.parents
    return lambda: renderer.render(start, same_noise=variant.start == "same noise")


def _otherwise(variant: Variant, material: Material, settings: RenderSettings) -> Callable[[], Tensor]:
    cells, size = material.cells, (settings.size, settings.size)
    extractor = FeatureExtractor(cells.network, [cells.layer], size, settings.dtype)
    means = torch.from_numpy(cells.mean).to(cells.device)
    objective = direction(cells.layer, means, material.space(settings), settings.cosine_power)
    generators = [image_generator(SEED, 0, objective.target_bytes(row)) for row in range(len(means))]
    noise, uniforms = noise_and_uniforms(generators, (3, *size), settings.steps, 4)
    chosen: tuple[Decoder, Tensor, float]
    if variant.parameterization == "maco":
        maco = FixedMagnitudes(parameterizations.pixels(settings, None), material.magnitude)
        chosen = maco, parameterizations.random_phases(noise), parameterizations.MACO_LEARNING_RATE
    else:
        prior = parameterizations.DeepImagePrior(parameterizations.pixels(settings, settings.contrast), SEED)
        chosen = prior, prior.start(len(means)), parameterizations.PRIOR_LEARNING_RATE
    parameterization, start, learning_rate = chosen

    def render() -> Tensor:
        images = optimized(
            parameterization,
            start.to(cells.device),
            learning_rate,
            extractor,
            objective,
            uniforms.to(cells.device),
            settings,
        )
        return to_uint8(images).cpu()

    return render
