"""Settings of class atlases and comparisons: which samples they hold."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Settings


class SelectionSettings(Settings):
    """Which samples belong to a class.

    Attributes:
        filter: ``rank`` takes the samples whose strongest attribution is the class, ``magnitude`` the ``top`` samples
            of largest attribution to it, ``both`` either (Carter et al. 2019, "Focusing on a Single Classification").
        top: samples that ``magnitude`` takes at most.
        min_samples: a class with fewer gets no atlas.
    """

    filter: Literal["rank", "magnitude", "both"] = "both"
    top: Annotated[int, Field(ge=1)] = 2000
    min_samples: Annotated[int, Field(ge=3)] = 50
