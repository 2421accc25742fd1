"""Which modules are layers with a map or token grid, and their shapes, strides and receptive fields.

All of it is found by running the network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.model.interventions import record_outputs
from pipeline.model.layers import Kind, LayerShape

PROBES = 16  # inputs in one forward pass of the search, to bound its memory


@dataclass(frozen=True)
class OutputFormat:
    """The order of dimensions of a layer's output and their sizes; see :class:`LayerShape`."""

    kind: Kind
    channels: int
    height: int
    width: int
    prefix: int


def discover_layers(module: nn.Module, crop: int, prefix_tokens: int | None = None) -> dict[str, LayerShape]:
    """Every layer of a frozen network whose output has spatial positions, in the order of its modules.

    Args:
        module: the network.
        crop: side of its input, pixels.
        prefix_tokens: tokens before the patch grid; None takes the tokens beyond the largest square grid.

    Raises:
        ModelError: the network does not accept inputs of this size.
    """
    image = _noise(crop)
    formats = output_formats(module, crop, prefix_tokens)
    rows = {offset: _input_rows(module, formats, image, offset) for offset in (0, 1)}
    return {name: _shape(found, crop, rows[0][name], rows[1][name]) for name, found in formats.items()}


def output_formats(module: nn.Module, crop: int, prefix_tokens: int | None = None) -> dict[str, OutputFormat]:
    """The format of every layer with spatial positions, from one forward pass; see :func:`discover_layers`."""
    names = [name for name, _ in module.named_modules() if name]
    outputs = _outputs(module, names, _noise(crop))
    return {name: found for name in names if (found := _output_format(outputs.get(name), prefix_tokens)) is not None}


def _noise(crop: int) -> Tensor:
    return torch.rand(1, 3, crop, crop, generator=torch.Generator().manual_seed(0)) - 0.5


def _outputs(module: nn.Module, names: Sequence[str], images: Tensor) -> Mapping[str, Any]:
    try:
        with torch.no_grad(), record_outputs(module, names) as outputs:
            module(images)
    except (RuntimeError, AssertionError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model.preprocessing.crop: expected a size the network takes, found {images.shape[-1]} pixels: {reason}"
        ) from None
    return outputs


def _output_format(output: Any, prefix_tokens: int | None) -> OutputFormat | None:
    """The format of a layer's output [1, ...], or None if it has no spatial positions."""
    if not isinstance(output, Tensor) or not output.is_floating_point() or output.shape[0] != 1:
        return None
    if output.ndim == 4:
        _, a, b, c = output.shape
        if a == b != c and b != c:
            return OutputFormat("map_last", c, a, b, 0)
        return OutputFormat("map", a, b, c, 0)
    if output.ndim == 3:
        _, tokens, channels = output.shape
        side = isqrt(tokens if prefix_tokens is None else max(tokens - prefix_tokens, 0))
        prefix = tokens - side * side
        if side and (prefix_tokens is None or prefix == prefix_tokens):
            return OutputFormat("tokens", channels, side, side, prefix)
    return None


def _input_rows(
    module: nn.Module, formats: Mapping[str, OutputFormat], image: Tensor, offset: int
) -> dict[str, tuple[int, int]]:
    """First and last input row that each layer's position ``offset`` rows above its center depends on.

    Rows of NaN propagate through every operation to exactly the outputs that depend on them. How many rows from the
    top (or the bottom) are needed to reach the position is found by bisection, for all layers in the same passes.
    """
    size = image.shape[-1]
    found = {}
    for edge in ("top", "bottom"):
        low, high = dict.fromkeys(formats, 1), dict.fromkeys(formats, size)
        while any(low[name] < high[name] for name in formats):
            middle = {name: (low[name] + high[name]) // 2 for name in formats if low[name] < high[name]}
            reached = _reaches(module, formats, image, middle, edge, offset)
            for name, rows in middle.items():
                if reached[name]:
                    high[name] = rows
                else:
                    low[name] = rows + 1
        found[edge] = low
    return {name: (found["top"][name] - 1, size - found["bottom"][name]) for name in formats}


def _reaches(
    module: nn.Module,
    formats: Mapping[str, OutputFormat],
    image: Tensor,
    rows: Mapping[str, int],
    edge: str,
    offset: int,
) -> dict[str, bool]:
    """Whether NaN in the first or last ``rows`` input rows reaches each layer's position."""
    counts = sorted(set(rows.values()))
    reached: dict[str, bool] = {}
    for start in range(0, len(counts), PROBES):
        part = counts[start : start + PROBES]
        probes = image.repeat(len(part), 1, 1, 1)
        for probe, count in zip(probes, part, strict=True):
            probe[:, slice(0, count) if edge == "top" else slice(probe.shape[1] - count, None)] = torch.nan
        outputs = _outputs(module, list(rows), probes)
        for name, count in rows.items():
            if count in part:
                found = formats[name]
                grid = LayerShape(found.kind, found.channels, found.height, found.width, found.prefix, 0, 0).to_map(
                    outputs[name]
                )
                row = max(found.height // 2 - offset, 0)
                reached[name] = bool(grid[part.index(count), :, row, found.width // 2].isnan().any())
    return reached


def _shape(found: OutputFormat, crop: int, center: tuple[int, int], above: tuple[int, int]) -> LayerShape:
    step = max(center[0] - above[0], center[1] - above[1])
    return LayerShape(
        kind=found.kind,
        channels=found.channels,
        height=found.height,
        width=found.width,
        prefix=found.prefix,
        stride=float(step) if step > 0 else crop / found.height,
        receptive_field=max(1, center[1] - center[0] + 1),
    )
