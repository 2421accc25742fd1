"""Settings of the stage ``grid``."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator

from pipeline.config.base import Settings

Levels = Annotated[tuple[Annotated[int, Field(ge=1, le=2560)], ...], Field(min_length=1)]


class GridSettings(Settings):
    """How the layout is divided into cells.

    Attributes:
        levels: cells a side, each level twice the one before, so that four cells make one of the coarser level.
        class_levels: the same for class atlases and comparisons, which hold fewer samples.
        min_count: cells with fewer samples are stored but not drawn.
        exemplars: real samples stored for each cell, from different images.
    """

    levels: Levels = (10, 20, 40)
    class_levels: Levels = (5, 10)
    min_count: Annotated[int, Field(ge=1)] = 5
    exemplars: Annotated[int, Field(ge=1, le=64)] = 9

    @field_validator("levels", "class_levels")
    @classmethod
    def _nested(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        if any(fine != 2 * coarse for coarse, fine in pairwise(levels)):
            raise ValueError("each level must be twice the one before, as in 10, 20, 40")
        return levels

    def for_atlas(self, atlas: str) -> tuple[int, ...]:
        """The levels of this atlas, coarse to fine."""
        return self.levels if atlas == "all" else self.class_levels
