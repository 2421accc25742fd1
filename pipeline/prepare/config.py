"""Settings of the stage ``prepare``."""

from typing import Annotated

from pydantic import Field

from pipeline.core.settings import Settings


class PrepareSettings(Settings):
    """How images are checked, and whether the network is.

    Attributes:
        limit: at most this many images, spread evenly over the set; null takes all.
        max_pixels: larger images are rejected.
        min_side: images with a shorter side are rejected, pixels.
        evaluate: also report how many images a network with given weights names right, where their labels tell.
    """

    limit: Annotated[int, Field(ge=1)] | None = None
    max_pixels: Annotated[int, Field(ge=1)] = 100_000_000
    min_side: Annotated[int, Field(ge=1)] = 8
    evaluate: bool = True
