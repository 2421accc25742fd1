"""Settings of the stage ``sample``."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Device, Settings


class SampleSettings(Settings):
    """How many places of each image are sampled, and what is recorded there.

    Attributes:
        positions_per_image: places sampled in every image.
        border: positions left out at each side of a map that is large enough to have an interior.
        attribution: record class attributions too.
        baseline: of attributions, what an activation is compared with: ``mean``, the layer's mean activation, or
            ``zero``, as published (Carter et al. 2019), an activation that the network may never have.
        integration_steps: 1 takes the gradient at the activation itself. More steps average it along the straight line
            from the baseline (Integrated Gradients, Sundararajan et al. 2017), and take as many times as long.
        max_pool: the tangent rule of max-pooling in attributions: ``none`` follows the maximum, ``avg`` shares equally,
            ``l2`` shares in proportion to the activation (Carter et al. 2019; it hides model behavior).
        batch_size: images in one forward pass.
        device: where the network runs.
        dtype: its number type.
        storage: number type of activations and attributions on the disk. ``float16`` takes half the space and keeps
            11 significant bits; a value beyond its range is an error.
    """

    positions_per_image: Annotated[int, Field(ge=1, le=4096)] = 8
    border: Annotated[int, Field(ge=0)] = 1
    attribution: bool = True
    baseline: Literal["mean", "zero"] = "mean"
    integration_steps: Annotated[int, Field(ge=1, le=1024)] = 1
    max_pool: Literal["none", "avg", "l2"] = "none"
    batch_size: Annotated[int, Field(ge=1)] = 16
    device: Device = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    storage: Literal["float16", "float32"] = "float16"
