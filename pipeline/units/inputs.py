"""What the stage works on: images, network, units, the engine's settings; and measurements of examples' patches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.render import RenderSettings
from pipeline.config.units import UnitsSettings
from pipeline.core.artifacts import IMAGES, MODEL
from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.exemplar_statistics import (
    PatchStatisticsSpec,
    StatisticsPrior,
    prior_channels,
    usual_deviation,
)
from pipeline.featurevis.sample_patches import MeasurementSpec, PatchesSpec, Samples, measured
from pipeline.images.crops import CropSize, relative_positions
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import Manifest, read_manifest
from pipeline.model.description import LayerShape, NetworkDescription, describe_network
from pipeline.model.network import output_shape
from pipeline.model.positions import map_positions
from pipeline.parallel.pool import Pool
from pipeline.stages import Task
from pipeline.units.examples import Examples
from pipeline.units.figures import embedding_layer
from pipeline.units.scan import ScannerSpec

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Inputs:
    """What the stage works on.

    Attributes:
        layer: dotted module path, or :data:`~pipeline.model.description.LOGITS`, whose channels are the classes.
        units: settings of the stage.
        settings: of the engine, those of ``render`` with the size and the steps of the units.
        seed: of the run.
        outputs: folder of the run's artifacts.
        atlas_layers: layers that have an atlas.
        manifest: the images.
        network: without its weights.
        labels: names of the image set's classes.
        channels: the units.
        patches: of the layer's positions, as large as a picture.
        crops: of the layer's positions, as large as its receptive field.
    """

    layer: str
    units: UnitsSettings
    settings: RenderSettings
    seed: int
    outputs: Path
    atlas_layers: Sequence[str]
    manifest: Manifest
    network: NetworkDescription
    labels: Sequence[str]
    channels: Sequence[int]
    patches: PatchesSpec
    crops: PatchesSpec

    @property
    def shape(self) -> LayerShape:
        """Of the layer."""
        return output_shape(self.layer, self.network)

    @property
    def map_layer(self) -> str:
        """The layer; for the logits, which have no map, the deepest layer that has one."""
        return self.embedding_layer if self.layer == LOGITS else self.layer

    @property
    def scanner(self) -> ScannerSpec:
        """Of the units."""
        units, patches = self.units, self.patches
        return ScannerSpec(
            patches.model, patches.manifest, patches.images, self.layer, self.channels, units.batch_size, units.device
        )

    @property
    def embedding_layer(self) -> str:
        """The network's deepest layer that has a map and whose channels are not the classes."""
        return embedding_layer(self.network.layers, len(self.network.classes))


def read_inputs(task: Task) -> Inputs:
    """Read them.

    Raises:
        ConfigError: the layer has no units to describe, or a channel that it does not have is named.
        ModelError: there is no such layer, or it has no positions.
    """
    units = task.params.units
    model, manifest_path = task.path(MODEL).absolute(), task.path(IMAGES).absolute()
    network = describe_network(model)
    shape = output_shape(task.layer, network)
    whole = shape.is_tokens or task.layer == LOGITS
    settings = task.params.render.model_copy(
        update={"size": units.size, "steps": units.steps, "batch_size": units.batch_size, "device": units.device}
    )
    side = network.preprocessing.crop
    size = side if whole else units.size
    crop = CropSize(shape.receptive_field, side)
    patches = PatchesSpec(model, manifest_path, task.params.as_written.images, task.layer, size)
    return Inputs(
        layer=task.layer,
        units=units,
        settings=settings.model_copy(update={"size": size}),
        seed=task.params.seed,
        outputs=task.outputs,
        atlas_layers=task.params.layers,
        manifest=read_manifest(manifest_path),
        network=network,
        labels=open_image_set(task.params.images).classes,
        channels=units.chosen_channels(task.layer, shape.channels),
        patches=patches,
        crops=replace(patches, size=side if whole else crop.pixels),
    )


def measure_examples(pool: Pool, spec: MeasurementSpec, examples: Sequence[Examples]) -> list[Floats]:
    """What a measurement finds on the patches of each unit's examples, [example, number].

    Args:
        pool: the workers.
        spec: makes the measurement, in a worker.
        examples: of each unit.
    """
    if not examples:
        return []
    samples = Samples(
        np.concatenate([one.image for one in examples]), np.concatenate([one.position for one in examples])
    )
    order = np.lexsort((samples.position[:, 1], samples.position[:, 0], samples.image))  # an image is opened once
    found = np.concatenate([values for _, values in measured(pool, spec, samples[order])])
    back = np.empty_like(found)
    back[order] = found
    return np.split(back, np.cumsum([len(one) for one in examples])[:-1])


def random_samples(inputs: Inputs) -> Samples:
    """One position of each image, at random within the layer's map."""
    places = relative_positions(inputs.seed, inputs.manifest.digest, 1)
    return Samples(inputs.manifest.image, map_positions(places, inputs.shape.height, inputs.shape.width, 0)[:, 0])


def statistics_prior(
    inputs: Inputs, pool: Pool, strongest: Sequence[Examples], layer: str | None = None
) -> tuple[StatisticsPrior | None, list[Floats]]:
    """The pull towards the statistics of real patches, and those of each unit's strongest ones, [patch, statistic].

    Args:
        inputs: of the stage.
        pool: the workers.
        strongest: patches of each unit.
        layer: that pictures are optimized for; None for that of the units.
    """
    channels = prior_channels(inputs.settings, layer or inputs.map_layer, inputs.network.layers)
    if not channels:
        return None, [np.zeros((len(one), 0), np.float32) for one in strongest]
    spec = PatchStatisticsSpec(inputs.patches, list(channels), inputs.settings.device)
    deviation = usual_deviation(pool, spec, random_samples(inputs))
    return StatisticsPrior(channels, deviation, inputs.settings.statistics), measure_examples(pool, spec, strongest)
