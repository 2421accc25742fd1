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
    """

    title: str = "Second image set"
    images: ImagesSettings | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
