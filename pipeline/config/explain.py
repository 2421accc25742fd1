"""Settings of the stage ``explain``."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.config.base import Device, Settings
from pipeline.config.network_names import class_index, require_channels, require_layers
from pipeline.core.errors import ConfigError

Channel = Annotated[int, Field(ge=0)]
Place = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]


def _ordered(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise ValueError("expected left, top, right and bottom with left < right and top < bottom")
    return box


Box = Annotated[tuple[Place, Place, Place, Place], AfterValidator(_ordered)]
MethodName = Literal[
    "saliency",
    "saliency_mask",
    "guided_backpropagation",
    "deconvolution",
    "integrated_gradients",
    "occlusion",
    "occlusion_probability",
    "cam",
    "grad_cam",
    "guided_grad_cam",
    "activation_gradient",
]
METHODS: tuple[MethodName, ...] = (
    "saliency",
    "saliency_mask",
    "guided_backpropagation",
    "deconvolution",
    "integrated_gradients",
    "occlusion",
    "cam",
    "grad_cam",
    "guided_grad_cam",
    "activation_gradient",
)
OF_LAYERS: frozenset[MethodName] = frozenset({"grad_cam", "guided_grad_cam", "activation_gradient"})
OF_RELUS: frozenset[MethodName] = frozenset({"guided_backpropagation", "deconvolution", "guided_grad_cam"})
CLASSES_ALONE: frozenset[MethodName] = frozenset({"cam", "occlusion_probability"})
Fill = Literal["gray", "mean", "blur"]
Baseline = Literal["gray", "mean", "blur", "black"]


class ExplainSettings(Settings):
    """Which outputs for which images are explained, and how.

    Attributes:
        images: a number of images, spread evenly over the image set, or their keys; 0 for none, and nothing runs.
        classes: explained for each image: the ``predicted`` one, the one of its ``label``, or a list of names or
            numbers.
        units: channels that are explained besides, by layer: by their highest activation in the image.
        methods: of heat maps; ``all`` but ``occlusion_probability`` that the network allows, or a list.
        layers: whose maps ``grad_cam``, ``guided_grad_cam`` and ``activation_gradient`` use; none: those of the atlas.
        occlusion_size: side of the occluded square, as a share of the input's side.
        occlusion_stride: distance between neighboring squares, likewise.
        fill: of the occluded square, and of what deletion removes: ``gray`` (0.5), the ``mean`` color of the network's
            preprocessing, or the image after a ``blur``.
        baseline: of integrated gradients: as ``fill``, or ``black``.
        integration_steps: of integrated gradients.
        compared: images, spread evenly, among which neighbors and mosaics are chosen, and to which a linear head is
            fitted where ``cam`` needs one.
        curve_steps: steps in which deletion and insertion change all pixels.
        mosaics: of the grid pointing game, of four images each.
        randomized_images: that cascading randomization compares; 0 to leave it out.
        randomized_steps: at which it compares.
        neighbors: nearest images by pixels and by the last layer; 0 to leave them out.
        regions: boxes in images whose like is searched for, by the image's key: left, top, right and bottom, as shares
            of what the network sees of it.
        fooling: whether small changes to another class are searched for, where classes are explained.
        fooling_class: that images are changed to, by name or number; null: one that is drawn for each image.
        resamples: of the bootstrap.
        photographs: whether the site may show the images; without them the page shows heat maps alone.
        batch_size: images in one forward pass.
        device: where the network runs.
    """

    images: Annotated[int, Field(ge=0)] | Annotated[tuple[str, ...], Field(min_length=1)] = 0
    classes: Literal["predicted", "label"] | Annotated[tuple[str | Channel, ...], Field(min_length=1)] = "predicted"
    units: dict[str, Annotated[tuple[Channel, ...], Field(min_length=1)]] = Field(default_factory=dict)
    methods: Literal["all"] | Annotated[tuple[MethodName, ...], Field(min_length=1)] = "all"
    layers: tuple[str, ...] = ()
    occlusion_size: Share = 0.2
    occlusion_stride: Share = 0.1
    fill: Fill = "blur"
    baseline: Baseline = "mean"
    integration_steps: Annotated[int, Field(ge=1, le=1000)] = 32
    compared: Annotated[int, Field(ge=8)] = 1000
    curve_steps: Annotated[int, Field(ge=2, le=256)] = 16
    mosaics: Annotated[int, Field(ge=0, le=1000)] = 16
    randomized_images: Annotated[int, Field(ge=0, le=1000)] = 8
    randomized_steps: Annotated[int, Field(ge=1, le=100)] = 6
    neighbors: Annotated[int, Field(ge=0, le=50)] = 6
    regions: dict[str, Box] = Field(default_factory=dict)
    fooling: bool = True
    fooling_class: str | Channel | None = None
    resamples: Annotated[int, Field(ge=10)] = 1000
    photographs: bool = True
    batch_size: Annotated[int, Field(ge=1)] = 16
    device: Device = "cpu"

    @model_validator(mode="after")
    def _squares_meet(self) -> Self:
        if self.occlusion_stride > self.occlusion_size:
            raise ValueError("expected explain.occlusion_stride of at most explain.occlusion_size, as squares meet")
        return self

    @property
    def chosen(self) -> bool:
        """Whether there is anything to explain."""
        return self.images != 0

    def check(self, channels: Mapping[str, int], classes: Sequence[str]) -> None:
        """Raise ConfigError unless the network has the layers, channels and classes that are named.

        Args:
            channels: number of channels of every layer with a map or token grid, by dotted module path; of the logits
                too.
            classes: names of the network's classes.
        """
        if not self.chosen:
            return
        for setting, layers in (("explain.units", self.units), ("explain.layers", self.layers)):
            require_layers(setting, layers, channels)
        require_channels("explain.units", self.units, channels)
        if not classes:
            raise ConfigError(
                "explain.images: expected a network with classes, found none; explain no images, or give model.classes"
            )
        self.chosen_classes(classes)
        self.chosen_target(classes)

    def chosen_classes(self, names: Sequence[str]) -> list[int] | None:
        """Indices of the classes that are named; None where each image has one of its own.

        Args:
            names: of the network's classes.

        Raises:
            ConfigError: the network has no class of that name or index, or several of that name.
        """
        if isinstance(self.classes, str):
            return None
        return [class_index(one, names, "explain.classes") for one in dict.fromkeys(self.classes)]

    def chosen_target(self, names: Sequence[str]) -> int | None:
        """Index of the class that images are changed to; None where each image has one of its own.

        Args:
            names: of the network's classes.

        Raises:
            ConfigError: the network has no such class, or several of that name.
        """
        return None if self.fooling_class is None else class_index(self.fooling_class, names, "explain.fooling_class")
