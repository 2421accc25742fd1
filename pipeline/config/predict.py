"""Settings of the stage ``predict``."""

from typing import Annotated

from pydantic import Field

from pipeline.config.base import Device, Settings


class PredictSettings(Settings):
    """How attributions are tested by ablation and steering.

    Attributes:
        samples: activations that are ablated, from different images as far as there are enough.
        cells: cells whose directions are used for steering, drawn by the seed.
        level: grid level of these cells; the nearest existing one is used.
        images: images without a sample in the cell that each cell's direction is added to.
        strength: length of the added direction, as a fraction of the activation's norm.
        resamples: resamples of the bootstrap.
        batch_size: images in one forward pass; five interventions on each run together.
        device: where the network runs.
    """

    samples: Annotated[int, Field(ge=2)] = 256
    cells: Annotated[int, Field(ge=1)] = 48
    level: Annotated[int, Field(ge=1)] = 20
    images: Annotated[int, Field(ge=1)] = 8
    strength: Annotated[float, Field(gt=0)] = 1.0
    resamples: Annotated[int, Field(ge=10)] = 1000
    batch_size: Annotated[int, Field(ge=1)] = 32
    device: Device = "cpu"
