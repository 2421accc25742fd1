"""Settings of the image set."""

from typing import Any

from pydantic import ConfigDict, Field

from pipeline.config.base import Settings


class ImagesSettings(Settings):
    """Class of the image set and its arguments.

    Attributes:
        target: dotted path of a class that implements :class:`pipeline.images.image_set.ImageSet`; every further key is
            an argument of it.
        fingerprint: cheap digest of the image folder (paths, sizes, times), so that DVC notices when it changes.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, populate_by_name=True)

    target: str = Field(alias="_target_", min_length=1)
    fingerprint: str | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the image set's class."""
        return dict(self.model_extra or {})
