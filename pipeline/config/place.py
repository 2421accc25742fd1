"""Settings of the stage ``place``."""

from typing import Annotated

from pydantic import Field

from pipeline.config.base import Settings
from pipeline.config.images import ImagesSettings


class PlaceSettings(Settings):
    """A second image set, shown on the atlas of the first.

    Attributes:
        title: its name on the page.
        images: the image set; null for none.
        limit: maximum number of images, spread evenly over the set; null for all.
        pictures: maximum number of images that the page shows, spread evenly over the set; with 0 the page lists the
            images of a cell by their names alone.
    """

    title: str = "Second image set"
    images: ImagesSettings | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    pictures: Annotated[int, Field(ge=0)] = 1000
