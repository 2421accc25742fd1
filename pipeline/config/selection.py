"""Settings of class atlases and comparisons: which samples they contain."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Settings


class SelectionSettings(Settings):
    """Which samples belong to a class.

    Attributes:
        filter: ``rank`` selects the samples whose strongest attribution is the class, ``magnitude`` the ``top``
            samples of largest attribution to it, ``both`` either (Carter et al. 2019, "Focusing on a Single
            Classification").
        top: largest number of samples that ``magnitude`` selects.
        min_samples: a class with fewer samples is an error.
    """

    filter: Literal["rank", "magnitude", "both"] = "both"
    top: Annotated[int, Field(ge=1)] = 2000
    min_samples: Annotated[int, Field(ge=3)] = 50
