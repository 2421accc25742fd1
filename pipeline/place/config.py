"""Settings of the stage ``place``."""

from typing import Annotated

from pydantic import Field

from pipeline.core.settings import Settings
from pipeline.images.config import ImagesSettings


class PlaceSettings(Settings):
    """A second image set, shown on the atlas of the first.

    Attributes:
        title: what the page calls it.
        images: where it comes from; null for none.
        limit: images that are used at most, spread evenly; null for all.
        pictures: images whose picture the page shows at most, spread evenly; 0 keeps every photograph out, and the
            page lists the images of a cell by their names alone.
    """

    title: str = "Second image set"
    images: ImagesSettings | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    pictures: Annotated[int, Field(ge=0)] = 1000
