"""Settings of the stage ``prepare``."""

from typing import Annotated

from pydantic import Field

from pipeline.config.base import Settings


class PrepareSettings(Settings):
    """How images and the network are checked.

    Attributes:
        limit: maximum number of images, spread evenly over the set; null for all.
        max_pixels: images with more pixels are rejected.
        min_side: images with a shorter side are rejected, pixels.
        evaluate: report the accuracy of a network with given weights on the images that have labels.
        checkpoint_every: epochs after which the network that is trained here is kept for ``units.sheets=[training]``;
            null for never.
        checkpoints: files of other weights of the network, in the order of its training, kept likewise.
    """

    limit: Annotated[int, Field(ge=1)] | None = None
    max_pixels: Annotated[int, Field(ge=1)] = 100_000_000
    min_side: Annotated[int, Field(ge=1)] = 8
    evaluate: bool = True
    checkpoint_every: Annotated[int, Field(ge=1)] | None = None
    checkpoints: tuple[Annotated[str, Field(min_length=1)], ...] = ()
