"""Settings of the stage ``units``."""

import difflib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Device, Settings
from pipeline.core.errors import ConfigError
from pipeline.core.layer_names import LOGITS

Channel = Annotated[int, Field(ge=0)]
ObjectiveName = Literal["channel", "neuron", "probability"]
SheetName = Literal[
    "ascent",
    "start",
    "regularization",
    "preconditioning",
    "interpolation",
    "training",
    "layers",
    "directions",
    "rotation",
    "change",
    "gradients",
]
CLASSES_ALONE: frozenset[SheetName] = frozenset({"layers"})  # sheets of the logits
MAPS_ALONE: frozenset[SheetName] = frozenset({"rotation"})  # sheets of layers other than the logits
PHOTOGRAPHS: frozenset[SheetName] = frozenset({"change", "gradients"})  # sheets that show photographs
Size = Annotated[int, Field(ge=16, le=1024)]


class UnitsSettings(Settings):
    """Which units are described, and how. Pictures have the other settings of ``render``.

    Attributes:
        channels: units of each layer, by dotted module path, or of ``logits``, whose channels are the classes: a list
            of channels, a number of channels that are spread evenly over all, or ``all``; without a layer nothing runs.
        examples: patches of the images for each of the highest, middle and lowest activations; 0 for no photographs.
        compared: strongest patches, of different images, that figures and pictures are made from.
        objective: ``channel``, the mean over the map, or ``neuron``, the position at its center; of a class its logit
            either way, or its ``probability``, which only ``logits`` have.
        weight: of the activation, as a share of the highest one in the images, beside the regularizers of ``render``.
        size: side of a picture, pixels.
        steps: gradient steps of a picture.
        facets: largest number of clusters of a unit's strongest patches that get a picture of their own; 0 for none.
        diverse: pictures of a unit that are rendered together so that they differ; 0 for none.
        diversity: weight of the difference among these.
        sheets: pictures of the units side by side. Ways to optimize them: gradient ``ascent`` as first published, its
            ``start``, ``regularization``, ``preconditioning``. The ``interpolation`` between two units. The units over
            the ``training`` of the network; classes across ``layers``. Weighted sums of channels (``directions``); a
            random ``rotation`` of the channels; how a photograph must ``change`` for a unit; the ``gradients`` behind
            strides and pooling.
        pairs: units that are interpolated and optimized together, of each layer; each unit and the next one of a layer
            that is not named.
        directions: weighted sums of channels for the sheet of directions, of each layer, by name: the weight of each
            channel.
        alignment: weight of the likeness between neighboring images of an interpolation, in units of the mean square
            activation of the units' layer.
        training_steps: of the denoiser of the sheet of regularization; its generator gets three times as many.
        batch_size: images in one forward pass, and pictures rendered together.
        device: where the network runs.
    """

    channels: dict[str, Annotated[int, Field(ge=1)] | tuple[Channel, ...] | Literal["all"]] = Field(
        default_factory=dict
    )
    examples: Annotated[int, Field(ge=0, le=64)] = 8
    compared: Annotated[int, Field(ge=2, le=256)] = 24
    objective: ObjectiveName = "channel"
    weight: Annotated[float, Field(gt=0)] = 40.0
    size: Size = 96
    steps: Annotated[int, Field(ge=1)] = 256
    facets: Annotated[int, Field(ge=0, le=8)] = 4
    diverse: Annotated[int, Field(ge=0, le=16)] = 4
    diversity: Annotated[float, Field(gt=0)] = 3.0
    sheets: tuple[SheetName, ...] = ()
    pairs: dict[str, Annotated[tuple[tuple[Channel, Channel], ...], Field(min_length=1)]] = Field(default_factory=dict)
    directions: dict[str, dict[str, Annotated[dict[Channel, float], Field(min_length=1)]]] = Field(default_factory=dict)
    alignment: Annotated[float, Field(gt=0)] = 0.5
    training_steps: Annotated[int, Field(ge=1)] = 400
    batch_size: Annotated[int, Field(ge=1)] = 16
    device: Device = "cpu"

    def check(self, channels: Mapping[str, int]) -> None:
        """Raise ConfigError unless every layer that is named has positions, and the channels that are named.

        Args:
            channels: number of channels of every layer with a map or token grid, by dotted module path.
        """
        for layer in self.channels:
            if layer not in channels:
                near = difflib.get_close_matches(layer, channels, n=4, cutoff=0.3) or list(channels)[-4:]
                raise ConfigError(
                    f"units.channels: expected a layer with a map or token grid, found {layer!r}; near names: "
                    f"{', '.join(near)}"
                )
            chosen = self.chosen_channels(layer, channels[layer])
            for pair in self.pairs.get(layer, ()):
                if missing := set(pair) - set(chosen):
                    raise ConfigError(
                        f"units.pairs.{layer}: expected pairs of units.channels.{layer}, found {min(missing)}; add it "
                        "there"
                    )
            for name, weights in self.directions.get(layer, {}).items():
                if max(weights) >= channels[layer]:
                    raise ConfigError(
                        f"units.directions.{layer}.{name}: expected channels from 0 to {channels[layer] - 1}, found "
                        f"{max(weights)}; name others"
                    )
        for setting in ("pairs", "directions"):
            if unknown := set(getattr(self, setting)) - set(self.channels):
                raise ConfigError(
                    f"units.{setting}: expected layers of units.channels, found {min(unknown)!r}; name its channels "
                    "there"
                )

    def chosen_sheets(self, layer: str) -> list[SheetName]:
        """The sheets of a layer: some are of classes alone, some need a map, some show photographs.

        Args:
            layer: dotted module path, or ``logits``.
        """
        left_out = MAPS_ALONE if layer == LOGITS else CLASSES_ALONE
        if layer == LOGITS and not self.directions.get(LOGITS):  # which have no picture of the whole layer either
            left_out |= {"directions"}
        if not self.examples:
            left_out |= PHOTOGRAPHS
        return [name for name in self.sheets if name not in left_out]

    def chosen_pairs(self, layer: str, channels: Sequence[int]) -> list[tuple[int, int]]:
        """The pairs of a layer's units: those that are named, or else each unit and the next one.

        Args:
            layer: dotted module path.
            channels: the layer's units.
        """
        return list(self.pairs.get(layer) or pairwise(channels))

    def chosen_channels(self, layer: str, channels: int) -> list[int]:
        """The units of a layer, in their order.

        Args:
            layer: dotted module path.
            channels: of the layer.

        Raises:
            ConfigError: none is named, or one that the layer does not have.
        """
        wanted, setting = self.channels.get(layer, ()), f"units.channels.{layer}"
        if self.objective == "probability" and layer != LOGITS:
            raise ConfigError(
                f"units.objective: expected channel or neuron for {layer}, found probability, which logits alone have"
            )
        if wanted == ():
            raise ConfigError(f"{setting}: expected channels, found none; name some, a number of them, or all")
        if isinstance(wanted, str):
            return list(range(channels))
        if isinstance(wanted, int):
            count = min(wanted, channels)
            return [index * channels // count for index in range(count)]
        if max(wanted) >= channels:
            raise ConfigError(
                f"{setting}: expected channels from 0 to {channels - 1}, found {max(wanted)}; name others"
            )
        return sorted(set(wanted))
