"""Settings of the stage ``predict``."""

from typing import Annotated

from pydantic import Field

from pipeline.core.settings import Device, Settings


class PredictSettings(Settings):
    """How attributions are put to the test.

    Attributes:
        samples: activations that are replaced, from different images as far as there are enough.
        cells: cells whose directions are pushed along, drawn by the seed.
        level: grid level of these cells; the nearest one that there is.
        images: unseen images that each cell's direction is tried on.
        push: length of the push, as a share of the activation's own length.
        resamples: of the bootstrap.
        batch_size: images in one pass; five changes of each are carried through the network together.
        device: where the network runs.
    """

    samples: Annotated[int, Field(ge=2)] = 256
    cells: Annotated[int, Field(ge=1)] = 48
    level: Annotated[int, Field(ge=1)] = 20
    images: Annotated[int, Field(ge=1)] = 8
    push: Annotated[float, Field(gt=0)] = 1.0
    resamples: Annotated[int, Field(ge=10)] = 1000
    batch_size: Annotated[int, Field(ge=1)] = 32
    device: Device = "cpu"
