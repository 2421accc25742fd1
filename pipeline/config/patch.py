"""Settings of the stage ``patch``."""

from typing import Annotated

from pydantic import Field

from pipeline.config.base import Device, Settings

Fraction = Annotated[float, Field(gt=0, le=1)]


class PatchSettings(Settings):
    """How patches are searched for and measured.

    Attributes:
        candidates: patches tried in each group, the atlas's own and every control alike.
        keep: the best of them on the first half of the images, whose flip rates are measured on the second half.
        pool: natural patches that are ranked by their logit, per candidate, for the control ``logit``.
        sizes: sides of the square patches, as fractions of the input's side.
        curve: sides at which the softmax is measured, as fractions of the input's side.
        images: images used of each class at most, spread evenly.
        search_images: images of the first half that every candidate is tried on at most, in every size and corner;
            the curves use as many of the second half.
        min_images: correctly classified images required in each half; with fewer there is no test.
        resamples: resamples of the bootstrap.
        examples: images before and after pasting that the page shows; 0 keeps every image and patch out of the
            site.
        batch_size: images in one forward pass.
        device: where the network runs.
    """

    candidates: Annotated[int, Field(ge=1)] = 30
    keep: Annotated[int, Field(ge=1)] = 10
    pool: Annotated[int, Field(ge=1)] = 8
    sizes: Annotated[tuple[Fraction, ...], Field(min_length=1)] = (0.25, 0.35, 0.5)
    curve: Annotated[tuple[Fraction, ...], Field(min_length=1)] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    images: Annotated[int, Field(ge=2)] = 80
    search_images: Annotated[int, Field(ge=1)] = 10
    min_images: Annotated[int, Field(ge=1)] = 8
    resamples: Annotated[int, Field(ge=10)] = 1000
    examples: Annotated[int, Field(ge=0, le=100)] = 8
    batch_size: Annotated[int, Field(ge=1)] = 64
    device: Device = "cpu"
