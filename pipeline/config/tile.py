"""Settings of the stage ``tile``."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Settings


class TileSettings(Settings):
    """How grid levels become Deep Zoom pyramids.

    Attributes:
        tile_size: side of a tile without its overlap, pixels.
        format: ``webp``, ``png`` or ``jpeg`` (no transparency: empty cells are white).
        quality: of the lossy formats.
        icon_size: side of a cell in the full-resolution image, pixels; null for the icons' own size.
        size_by_density: scale icons of sparse cells down: area proportional to count, up to the mean count.
    """

    tile_size: Annotated[int, Field(ge=64, le=4096)] = 510
    format: Literal["webp", "png", "jpeg"] = "webp"
    quality: Annotated[int, Field(ge=1, le=100)] = 85
    icon_size: Annotated[int, Field(ge=4, le=1024)] | None = None
    size_by_density: bool = False
