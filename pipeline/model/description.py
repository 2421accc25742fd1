"""What is known about the network beside its weights: the content of ``outputs/model/model.json``, and its reader.

Stages that run no network read it without torch, which takes seconds to import.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pipeline.config.model import PreprocessingSettings
from pipeline.core.artifacts import MODEL
from pipeline.core.errors import ArtifactError
from pipeline.core.files import identity
from pipeline.core.layer_names import LOGITS

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = "weights.safetensors"
DESCRIPTION = "model.json"

Kind = Literal["map", "map_last", "tokens", "tokens_last"]


@dataclass(frozen=True)
class LayerShape:
    """The output of one layer for one input of the network's own size.

    Attributes:
        kind: ``map`` [batch, channel, y, x], ``map_last`` [batch, y, x, channel], ``tokens`` [batch, token, channel] or
            ``tokens_last`` [batch, channel, token].
        channels: length of an activation.
        height, width: positions of the map, or of the patch grid.
        prefix: tokens before the patch grid (class and register tokens); 0 for maps.
        stride: input pixels between neighboring positions.
        receptive_field: side of the square of input pixels that the central position depends on; at most the input's.
        suffix: tokens after the patch grid; 0 for maps.
    """

    kind: Kind
    channels: int
    height: int
    width: int
    prefix: int
    stride: float
    receptive_field: int
    suffix: int = 0

    @property
    def is_tokens(self) -> bool:
        """Whether it is a sequence of tokens, which only an input of the network's own size has."""
        return self.kind in ("tokens", "tokens_last")

    def to_map(self, output: "Tensor") -> "Tensor":
        """The layer's output as [batch, channel, y, x], without register and class tokens."""
        if self.kind == "map":
            return output
        if self.kind == "map_last":
            return output.movedim(-1, 1)
        flat = output.movedim(-1, 1) if self.kind == "tokens" else output
        patches = flat[:, :, self.prefix : self.prefix + self.height * self.width]
        return patches.reshape(len(output), self.channels, self.height, self.width)

    def from_map(self, grid: "Tensor") -> "Tensor":
        """A map [batch, channel, y, x] in the layer's own order of dimensions, with zeros for the other tokens."""
        if self.kind == "map":
            return grid
        if self.kind == "map_last":
            return grid.movedim(1, -1)
        from torch.nn import functional  # noqa: PLC0415  # loaded already, as there is a tensor; other users need none

        flat = functional.pad(grid.flatten(2), (self.prefix, self.suffix))
        return flat.movedim(1, -1) if self.kind == "tokens" else flat


@dataclass(frozen=True)
class NetworkDescription:
    """What is known about a saved network without its weights.

    Attributes:
        name, classes, preprocessing, layers: as those of :class:`pipeline.model.network.Network`.
    """

    name: str
    classes: tuple[str, ...]
    preprocessing: PreprocessingSettings
    layers: Mapping[str, LayerShape]

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Self:
        """What :func:`read_description` has read."""
        return cls(
            name=description["name"],
            classes=tuple(description["classes"]),
            preprocessing=PreprocessingSettings.model_validate_json(json.dumps(description["preprocessing"])),
            layers={name: LayerShape(**shape) for name, shape in description["layers"].items()},
        )


def unit_counts(layers: Mapping[str, LayerShape], classes: int) -> dict[str, int]:
    """Number of single units by layer: its channels; of :data:`LOGITS` the classes, where there are any.

    Args:
        layers: of a network.
        classes: of it.
    """
    logits = {LOGITS: classes} if classes else {}
    return {layer: shape.channels for layer, shape in layers.items()} | logits


def read_description(folder: Path) -> dict[str, Any]:
    """The content of ``model.json``: everything known about the saved network but its weights.

    Raises:
        ArtifactError: it is missing, damaged or from another version.
    """
    path = folder / DESCRIPTION
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        raise ArtifactError(
            f"{path}: expected the saved network's description, found none; run the stage prepare"
        ) from None
    if found.get("artifact_version") != MODEL.version:
        raise ArtifactError(
            f"{path}: expected {MODEL.name} version {MODEL.version}, found {found.get('artifact_version')}; "
            "run the stage prepare again"
        )
    if found.get("identity") != identity({key: value for key, value in found.items() if key != "identity"}):
        raise ArtifactError(
            f"{path}: expected the description that was written, found a damaged one; run the stage prepare again"
        )
    return found


def describe_network(folder: Path) -> NetworkDescription:
    """The saved network without its weights.

    Raises:
        ArtifactError: the description is missing, damaged or from another version.
    """
    return NetworkDescription.of(read_description(folder))
