"""Settings of the stage ``render``."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.config.base import Device, Settings
from pipeline.core.icon_styles import IconStyle

Size = Annotated[int, Field(ge=8, le=1024)]
Beta = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]


class RenderSettings(Settings):
    """How icons are rendered.

    Attributes:
        size: side of an icon, pixels.
        size_by_layer: other sizes for some layers, by dotted module path; best somewhat smaller than the layer's
            receptive field.
        steps: gradient steps of an icon that starts from noise.
        warm_steps: gradient steps of an icon that starts from its parent cell's icon; null starts all from noise.
        warm_learning_rate: learning rate of those.
        batch_size: icons rendered together; the last batch is filled up to it.
        learning_rate: of Adam, about the mean change of the parameters in one step.
        betas: of Adam: how fast the averages of the gradient and of its square decay.
        cooldown: share of the steps at the end over which the learning rate falls to 0.
        parameterization: ``fourier`` (spectrum) or ``pixel``.
        decorrelate: optimize in a color space whose axes are uncorrelated in natural images.
        chroma: strength of color against lightness in that space; 1 is that of photographs.
        decay_power: how steeply the spectrum's scale falls with frequency; 1 is that of natural images.
        chroma_decay: added to it for the two color axes: more leaves fewer speckles of color.
        styles: sets of icons, the first one shown first. ``drawn``: from noise, or the icon of the coarser cell around
            theirs. ``accentuated``: from the patch of their cell's nearest exemplar, for ``warm_steps`` steps.
        init_std: standard deviation of the noise that icons start from.
        contrast: root mean square of the image's values before the sigmoid, kept at every step; null leaves it free.
        space: ``raw`` activations, ``centered`` on the layer's mean, or ``whitened`` (centered, shrunk covariance).
        cosine_power: p of dot · max(cos, 0.1)^p.
        warmup: share of the steps over which p and the weights of the regularizers grow from 0.
        redirected_relu: share of the steps over which the gradient through inactive units falls from all of it to none.
        shrinkage: weight of a multiple of the identity in the covariance; null estimates it.
        jitter: largest shift of a random transform, as a share of the side.
        scale: smallest and largest scale of a random transform.
        rotation: largest angle of a random transform, degrees.
        total_variation, l2, blur, boundary: weights of the regularizers; 0 leaves one out.
        statistics: weight of the pull towards the feature statistics of the cell's exemplars; 0 leaves it out.
        statistics_layers: whose statistics are taken, by layer: dotted module paths; three earlier layers where a layer
            is not named.
        large_level: grid level whose cells get a large icon too, for the deepest zoom; null for none.
        large_scale: side of a large icon in those of the layer's icons.
        attempts: starts that an icon gets while it fails (no gradient, not finite) or has a fidelity below 0.2.
        device: where it runs.
        dtype: number type of the network's pass. It changes pixels. ``atlas run render.dtype=auto`` writes the one that
            suits the device, so that ``params.yaml`` keeps it on other machines.
    """

    size: Size = 48
    size_by_layer: dict[str, Size] = Field(default_factory=dict)
    steps: Annotated[int, Field(ge=1)] = 224
    warm_steps: Annotated[int, Field(ge=1)] | None = 128
    warm_learning_rate: Annotated[float, Field(gt=0)] = 0.15
    batch_size: Annotated[int, Field(ge=1)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 0.25
    betas: tuple[Beta, Beta] = (0.7, 0.99)
    cooldown: Annotated[float, Field(ge=0, le=1)] = 1.0
    parameterization: Literal["fourier", "pixel"] = "fourier"
    decorrelate: bool = True
    chroma: Annotated[float, Field(gt=0)] = 1.0
    decay_power: NotNegative = 1.4
    chroma_decay: NotNegative = 0.8
    styles: Annotated[tuple[IconStyle, ...], Field(min_length=1)] = ("drawn",)
    init_std: Annotated[float, Field(gt=0)] = 1.0
    contrast: Annotated[float, Field(gt=0)] | None = 1.0
    space: Literal["raw", "centered", "whitened"] = "centered"
    cosine_power: NotNegative = 48.0
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.8
    redirected_relu: Annotated[float, Field(ge=0, le=1)] = 0.8
    shrinkage: Annotated[float, Field(ge=0, le=1)] | None = None
    jitter: Annotated[float, Field(ge=0, lt=0.5)] = 0.06
    scale: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (0.9, 1.1)
    rotation: Annotated[float, Field(ge=0, le=180)] = 10.0
    total_variation: NotNegative = 10.0
    l2: NotNegative = 0.0
    blur: NotNegative = 0.0
    boundary: NotNegative = 0.0
    statistics: NotNegative = 10.0
    statistics_layers: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    large_level: Annotated[int, Field(ge=1)] | None = None
    large_scale: Annotated[int, Field(ge=2, le=4)] = 2
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    device: Device = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"

    @field_validator("dtype", mode="before")
    @classmethod
    def _resolved(cls, dtype: object) -> object:
        if dtype == "auto":
            raise ValueError("expected float32 or bfloat16, one of which 'atlas run render.dtype=auto' writes here")
        return dtype

    @field_validator("scale")
    @classmethod
    def _ordered(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if scale[0] > scale[1]:
            raise ValueError("the smallest scale comes first, as in 0.9, 1.1")
        return scale

    @field_validator("styles")
    @classmethod
    def _distinct(cls, styles: tuple[IconStyle, ...]) -> tuple[IconStyle, ...]:
        if len(set(styles)) < len(styles):
            raise ValueError("no style occurs twice, as in drawn, accentuated")
        return styles

    def for_layer(self, layer: str) -> "RenderSettings":
        """The settings with the size of this layer's icons."""
        return self.model_copy(update={"size": self.size_by_layer.get(layer, self.size)})

    @property
    def large_side(self) -> int:
        """Side of a large icon, pixels; the settings have the size of the layer's icons."""
        return self.large_scale * self.size

    @property
    def large_batch_size(self) -> int:
        """Large icons rendered together."""
        return max(1, self.batch_size // self.large_scale**2)
