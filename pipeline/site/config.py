"""Settings of the stage ``site``."""

from typing import Annotated

from pydantic import Field

from pipeline.core.settings import Settings


class SiteSettings(Settings):
    """What the page shows.

    Attributes:
        title: heading of the page.
        exemplars: patches shown for a cell; 0 keeps every photograph out of the site.
        image_size: longest side of the stored exemplar images, pixels.
        top_classes: classes listed for a cell.
        heat_level: finest grid level whose cells have class attributions of their own on the page; cells of finer
            levels show those of the cell around them.
    """

    title: str = "Activation Atlas"
    exemplars: Annotated[int, Field(ge=0, le=64)] = 9
    image_size: Annotated[int, Field(ge=16)] = 256
    top_classes: Annotated[int, Field(ge=1, le=20)] = 5
    heat_level: Annotated[int, Field(ge=1)] = 80
