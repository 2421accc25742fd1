"""Settings of the stage ``synthesize``."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Device, Settings
from pipeline.config.network_names import class_index, require_channels, require_layers
from pipeline.core.errors import ConfigError

MethodName = Literal["deep_dream", "accentuation", "inversion", "texture", "style_transfer", "painting", "region_query"]
SHOW_NO_PHOTOGRAPH: frozenset[MethodName] = frozenset({"painting", "region_query"})
Channel = Annotated[int, Field(ge=0)]
Channels = Annotated[tuple[Channel, ...], Field(min_length=1)]
# a cell of a layer's atlas of all samples, rows and columns counted from 0
CellAddress = Annotated[str, Field(pattern=r"^[0-9]+/[0-9]+/[0-9]+$")]
Cells = tuple[CellAddress, ...]
Images = Annotated[int, Field(ge=1)] | Annotated[tuple[str, ...], Field(min_length=1)]
Layers = tuple[str, ...]
Steps = Annotated[int, Field(ge=1, le=100_000)]
Size = Annotated[int, Field(ge=16, le=8192)]
Weight = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class DeepDreamSettings(Settings):
    """What DeepDream amplifies, and how.

    Attributes:
        layers: whose squared activations are amplified; none: those of the atlas, where nothing else is named.
        units: channels that are amplified, by layer.
        classes: whose logits are amplified, by name or number.
        cells: of the atlas, whose directions are amplified, by layer: ``level/row/column``.
        size: longer side of the picture, pixels; null: that of the photograph.
        tile: side of the part whose gradient is computed at once, pixels; null: the side of the network's input.
        octaves: sizes at which the picture is changed, from small to large.
        octave_scale: ratio of one size to the one before.
        steps: at each size.
        step_size: mean absolute change of a pixel in one step, with black at 0 and white at 1.
    """

    layers: Layers = ()
    units: dict[str, Channels] = Field(default_factory=dict)
    classes: tuple[str | Channel, ...] = ()
    cells: dict[str, Cells] = Field(default_factory=dict)
    size: Size | None = 448
    tile: Size | None = None
    octaves: Annotated[int, Field(ge=1, le=16)] = 5
    octave_scale: Annotated[float, Field(ge=1, le=4)] = 1.4
    steps: Steps = 16
    step_size: Positive = 0.006


class AccentuationSettings(Settings):
    """What photographs are pulled towards.

    Attributes:
        layers: of whose atlas the own cell of each photograph is the target; none: those of the atlas.
        units: channels that are the target besides, by layer.
        strengths: of the pull, as shares of the way from the photograph's activation to the target's.
        steps: of each optimization.
        fidelity: weight that holds the picture near the photograph's features at an early layer.
    """

    layers: Layers = ()
    units: dict[str, Channels] = Field(default_factory=dict)
    strengths: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.1, 0.2, 0.4)
    steps: Steps = 64
    fidelity: Weight = 1.0


class InversionSettings(Settings):
    """At which layers photographs are recovered from their features.

    Attributes:
        layers: none: the layers of the network that the run has room for, from shallow to deep.
        steps: of each optimization.
        total_variation: weight of the regularizer.
    """

    layers: Layers = ()
    steps: Steps = 256
    total_variation: Weight = 0.2


class TextureSettings(Settings):
    """How textures are made.

    Attributes:
        layers: whose Gram matrices are matched, first one, then one more and so on; none: spread over the network.
        size: side of the result, pixels.
        steps: of each optimization.
        patch: side of the neighborhood of the pixel by pixel way, pixels.
    """

    layers: Layers = ()
    size: Size = 192
    steps: Steps = 256
    patch: Annotated[int, Field(ge=3, le=63)] = 9


class StyleTransferSettings(Settings):
    """Which styles are transferred to the chosen images.

    Attributes:
        styles: images that give the style: a number of those that are most like a texture, or their keys.
        content_layer: whose features of the content image are kept; null: one in the middle of the network.
        style_layers: whose Gram matrices are matched; none: spread over the network.
        size: side of the result, pixels; null: the side of the network's input.
        weights: of the style against the content, side by side.
        steps: of each optimization.
        training_steps: of the network that transfers the first style in one pass; 0 to leave it out.
    """

    styles: Images = 2
    content_layer: str | None = None
    style_layers: Layers = ()
    size: Size | None = None
    weights: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1.0, 3.0, 10.0)
    steps: Steps = 128
    training_steps: Annotated[int, Field(ge=0)] = 800


class PaintingSettings(Settings):
    """A picture whose regions carry the directions of cells.

    Attributes:
        layer: of the cells; null: the last one of the atlas.
        palette: cells, ``level/row/column``; none: ones that differ most, as many as labels need.
        labels: rows of numbers of the palette, from 0.
        size: longer side of the picture, pixels; null: four times that of an icon.
        steps: of the optimization.
    """

    layer: str | None = None
    palette: Cells = ()
    labels: Annotated[tuple[Annotated[tuple[Channel, ...], Field(min_length=1)], ...], Field(min_length=1)] = (
        (0, 0, 1),
        (2, 0, 1),
        (2, 3, 3),
    )
    size: Size | None = None
    steps: Steps = 128

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if len({len(row) for row in self.labels}) > 1:
            raise ValueError("expected synthesize.painting.labels to have rows of equal length")
        most = max(max(row) for row in self.labels)
        if self.palette and most >= len(self.palette):
            raise ValueError(
                f"expected synthesize.painting.labels from 0 to {len(self.palette) - 1}, as the palette has "
                f"{len(self.palette)} cells, found {most}"
            )
        return self


class RegionQuerySettings(Settings):
    """By which cells the images are ranked.

    Attributes:
        layer: of the cells; null: the last one of the atlas.
        more: cells, ``level/row/column``, of which an image should hold much; none: the cell of most samples and its
            neighbors.
        less: cells of which it should hold little.
        shown: images of the contact sheet; the table has all of them.
    """

    layer: str | None = None
    more: Cells = ()
    less: Cells = ()
    shown: Annotated[int, Field(ge=1, le=500)] = 48


class SynthesizeSettings(Settings):
    """Which pictures are synthesized.

    Attributes:
        methods: that run, each on its own; without one nothing runs.
        images: that are changed: a number of them, spread over the classes, or their keys.
        photographs: whether the site may show the images, and pictures that are made from them.
        batch_size: pictures that are optimized together.
        device: where the network runs.
        deep_dream, accentuation, inversion, texture, style_transfer, painting, region_query: settings of the methods.
    """

    methods: tuple[MethodName, ...] = ()
    images: Images = 4
    photographs: bool = True
    batch_size: Annotated[int, Field(ge=1)] = 8
    device: Device = "cpu"
    deep_dream: DeepDreamSettings = DeepDreamSettings()
    accentuation: AccentuationSettings = AccentuationSettings()
    inversion: InversionSettings = InversionSettings()
    texture: TextureSettings = TextureSettings()
    style_transfer: StyleTransferSettings = StyleTransferSettings()
    painting: PaintingSettings = PaintingSettings()
    region_query: RegionQuerySettings = RegionQuerySettings()

    @model_validator(mode="after")
    def _shown(self) -> Self:
        hidden = [name for name in self.methods if name not in SHOW_NO_PHOTOGRAPH]
        if hidden and not self.photographs:
            raise ValueError(
                f"expected synthesize.methods of {' and '.join(sorted(SHOW_NO_PHOTOGRAPH))} alone with "
                f"synthesize.photographs=false, found {hidden[0]}, whose pictures show parts of the images"
            )
        return self

    def check(self, channels: Mapping[str, int], classes: Sequence[str], atlas_layers: Collection[str]) -> None:
        """Raise ConfigError unless the network has the layers, channels and classes that are named.

        Args:
            channels: number of channels of every layer with a map or token grid, by dotted module path; of the logits
                too.
            classes: names of the network's classes.
            atlas_layers: that the run makes an atlas of.
        """
        if not self.methods:
            return
        for setting, layers in self._named_layers().items():
            require_layers(f"synthesize.{setting}", layers, channels)
        for setting, layers in self._layers_of_cells().items():
            for layer in layers:
                if layer not in atlas_layers:
                    raise ConfigError(
                        f"synthesize.{setting}: expected a layer of the atlas, found {layer!r}; the atlas has "
                        f"{', '.join(atlas_layers)}"
                    )
        for method, units in (("deep_dream", self.deep_dream.units), ("accentuation", self.accentuation.units)):
            require_channels(f"synthesize.{method}.units", units, channels)
        self.dreamed_classes(classes)

    def dreamed_classes(self, names: Sequence[str]) -> list[int]:
        """Indices of the classes that DeepDream amplifies.

        Args:
            names: of the network's classes.

        Raises:
            ConfigError: the network has no class of that name or index, or several of that name.
        """
        return [class_index(one, names, "synthesize.deep_dream.classes") for one in self.deep_dream.classes]

    def _named_layers(self) -> dict[str, Collection[str]]:
        """Settings that name layers of the network, with the layers."""
        content = self.style_transfer.content_layer
        return {
            "deep_dream.layers": self.deep_dream.layers,
            "deep_dream.units": self.deep_dream.units,
            "accentuation.units": self.accentuation.units,
            "inversion.layers": self.inversion.layers,
            "texture.layers": self.texture.layers,
            "style_transfer.style_layers": self.style_transfer.style_layers,
            "style_transfer.content_layer": () if content is None else (content,),
        }

    def _layers_of_cells(self) -> dict[str, Collection[str]]:
        """Settings that name layers of the atlas, with the layers."""
        painted, searched = self.painting.layer, self.region_query.layer
        return {
            "deep_dream.cells": self.deep_dream.cells,
            "accentuation.layers": self.accentuation.layers,
            "painting.layer": () if painted is None else (painted,),
            "region_query.layer": () if searched is None else (searched,),
        }
