"""The engine of each column of a sheet; priors are learned from the run's images when a picture needs them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.config.cluster import from_environment
from pipeline.config.render import RenderSettings
from pipeline.core.progress import log_line
from pipeline.featurevis.parameterization import (
    FixedMagnitudes,
    Parameterization,
    PixelValues,
    image_parameterization,
    mean_magnitudes,
)
from pipeline.featurevis.step_filters import StepFilters
from pipeline.parallel.process import torch_threads
from pipeline.units.inputs import Inputs, random_samples
from pipeline.units.learned_priors import (
    Denoiser,
    DenoiserFilter,
    GeneratedImages,
    PatchDatabase,
    patch_database,
    train_autoencoder,
    train_denoiser,
)
from pipeline.units.picture_renderer import Engine, Lazy
from pipeline.units.sheet_columns import Column

TRAINING_VALUES = 60_000_000  # of all patches that are learned from, at most: 240 MB
CPU_BATCH = 4  # pictures rendered together: a batch is always filled up
GENERATOR_STEPS = 3  # times those of the denoiser
STRENGTH = {"denoiser": 0.5, "patches": 0.4}  # share of the way from an image to the filtered one


class SheetEngines:
    """Makes the engine of a column; what is learned from the images is learned once, when it is needed."""

    def __init__(self, inputs: Inputs) -> None:
        """Nothing is learned yet.

        Args:
            inputs: of the stage.
        """
        self._inputs, self._steps = inputs, inputs.units.training_steps

    def settings(self, change: Mapping[str, Any]) -> RenderSettings:
        """The settings of the run with a change, and with batches as small as the units of a sheet mostly are few."""
        settings = self._inputs.settings
        small = settings.batch_size if settings.device != "cpu" else min(settings.batch_size, CPU_BATCH)
        return settings.model_copy(update={**change, "batch_size": small})

    def engine(self, column: Column) -> Engine:
        """How the pictures of a column are optimized."""
        settings = self.settings(column.change)
        filters: Lazy[StepFilters] | None = None
        if column.image_prior is not None:
            prior = column.image_prior
            described = self._described(prior, strength=STRENGTH[prior], steps=self._steps)
            filters = (lambda: StepFilters(image=(self._image_filter(prior),)), described)
        elif column.filters is not None:
            fixed = column.filters
            filters = (lambda: fixed, repr(fixed))
        return Engine(settings, column.method, filters, self._image(column, settings))

    def _image(self, column: Column, settings: RenderSettings) -> Lazy[Parameterization] | None:
        """The parameterization, unless it is that of the settings, and its description."""
        if column.image == "values":
            return lambda: PixelValues(settings.size, settings.size), "values"
        if column.image == "phases":
            return self._phases, self._described("phases")
        if column.image == "generator":
            return self._generated, self._described("generator", steps=GENERATOR_STEPS * self._steps)
        return None

    def _described(self, name: str, **numbers: Any) -> Mapping[str, Any]:
        return {"learned": name, "images": self._inputs.manifest.digest, "seed": self._inputs.seed, **numbers}

    def _image_filter(self, prior: str) -> DenoiserFilter | PatchDatabase:
        return DenoiserFilter(self._denoiser, STRENGTH[prior]) if prior == "denoiser" else self._database

    @cached_property
    def _patches(self) -> Tensor:
        """Patches of the images as large as a picture, [patch, 3, y, x] in 0..1."""
        samples = random_samples(self._inputs)
        count = max(1, min(len(samples), TRAINING_VALUES // (3 * self._inputs.settings.size**2)))
        chosen = np.linspace(0, len(samples) - 1, count).round().astype(int)
        patch = self._inputs.patches.open(self._inputs.network)
        images = [patch(int(samples.image[row]), samples.position[row]) for row in chosen]
        return torch.from_numpy(np.stack(images)).movedim(-1, 1).float() / 255

    @cached_property
    def _denoiser(self) -> Denoiser:
        log_line("  training a denoiser on the images")
        with worker_threads():
            return train_denoiser(self._patches, self._steps, self._inputs.seed)

    @cached_property
    def _database(self) -> PatchDatabase:
        return patch_database(self._patches, STRENGTH["patches"], self._inputs.seed)

    def _phases(self) -> Parameterization:
        settings = self._inputs.settings
        pixels = image_parameterization(
            "pixel", (settings.size, settings.size), decorrelate=settings.decorrelate, chroma=settings.chroma
        )
        with worker_threads():
            return FixedMagnitudes(pixels, mean_magnitudes(self._patches, pixels))

    def _generated(self) -> Parameterization:
        log_line("  training a generator on the images")
        with worker_threads():
            return GeneratedImages(train_autoencoder(self._patches, GENERATOR_STEPS * self._steps, self._inputs.seed))


def worker_threads() -> AbstractContextManager[None]:
    """As many threads as a worker has, which the key of a picture names."""
    return torch_threads(from_environment().threads or torch.get_num_threads())
