"""Layers that give a map or a token grid: their shapes, strides and receptive fields, found by running the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.model.layers import Kind, LayerShape, watch

PROBES = 16  # inputs in one pass of the search, to bound its memory


@dataclass(frozen=True)
class Form:
    """How a layer's output is to be read, and how large it is."""

    kind: Kind
    channels: int
    height: int
    width: int
    prefix: int


def describe_layers(module: nn.Module, crop: int, prefix_tokens: int | None = None) -> dict[str, LayerShape]:
    """Every layer of a frozen network that keeps places apart, in the order of its modules.

    Args:
        module: the network.
        crop: side of its input, pixels.
        prefix_tokens: tokens before the patch grid; None takes what a square grid leaves over.

    Raises:
        ModelError: the network cannot take such an input.
    """
    image = _noise(crop)
    forms = layer_forms(module, crop, prefix_tokens)
    edges = {row: _edges(module, forms, image, row) for row in (0, 1)}
    return {name: _shape(form, crop, edges[0][name], edges[1][name]) for name, form in forms.items()}


def layer_forms(module: nn.Module, crop: int, prefix_tokens: int | None = None) -> dict[str, Form]:
    """The form of every layer that keeps places apart, from one pass; see :func:`describe_layers`."""
    names = [name for name, _ in module.named_modules() if name]
    outputs = _outputs(module, names, _noise(crop))
    return {name: form for name in names if (form := _form(outputs.get(name), prefix_tokens)) is not None}


def _noise(crop: int) -> Tensor:
    return torch.rand(1, 3, crop, crop, generator=torch.Generator().manual_seed(0)) - 0.5


def _outputs(module: nn.Module, names: Sequence[str], images: Tensor) -> Mapping[str, Any]:
    try:
        with torch.no_grad(), watch(module, names) as seen:
            module(images)
    except (RuntimeError, AssertionError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model.preprocessing.crop: expected a size the network takes, found {images.shape[-1]} pixels: {reason}"
        ) from None
    return seen


def _form(output: Any, prefix_tokens: int | None) -> Form | None:
    """What a layer's output [1, ...] is, or None if it keeps no places apart."""
    if not isinstance(output, Tensor) or not output.is_floating_point() or output.shape[0] != 1:
        return None
    if output.ndim == 4:
        _, a, b, c = output.shape
        if a == b != c and b != c:
            return Form("map_last", c, a, b, 0)
        return Form("map", a, b, c, 0)
    if output.ndim == 3:
        _, tokens, channels = output.shape
        side = isqrt(tokens if prefix_tokens is None else max(tokens - prefix_tokens, 0))
        prefix = tokens - side * side
        if side and (prefix_tokens is None or prefix == prefix_tokens):
            return Form("tokens", channels, side, side, prefix)
    return None


def _edges(module: nn.Module, forms: Mapping[str, Form], image: Tensor, back: int) -> dict[str, tuple[int, int]]:
    """First and last input row that each layer's central position, ``back`` rows further up, depends on.

    Rows of not-a-number spread through every operation to just the outputs that depend on them. How many rows from the
    top (or the bottom) it takes to reach the position is found by bisection, for all layers in the same passes.
    """
    size = image.shape[-1]
    found = {}
    for side in ("top", "bottom"):
        low, high = dict.fromkeys(forms, 1), dict.fromkeys(forms, size)
        while any(low[name] < high[name] for name in forms):
            middle = {name: (low[name] + high[name]) // 2 for name in forms if low[name] < high[name]}
            hit = _reached(module, forms, image, middle, side, back)
            for name, rows in middle.items():
                if hit[name]:
                    high[name] = rows
                else:
                    low[name] = rows + 1
        found[side] = low
    return {name: (found["top"][name] - 1, size - found["bottom"][name]) for name in forms}


def _reached(
    module: nn.Module, forms: Mapping[str, Form], image: Tensor, rows: Mapping[str, int], side: str, back: int
) -> dict[str, bool]:
    asked = sorted(set(rows.values()))
    hit: dict[str, bool] = {}
    for start in range(0, len(asked), PROBES):
        part = asked[start : start + PROBES]
        probes = image.repeat(len(part), 1, 1, 1)
        for probe, count in zip(probes, part, strict=True):
            probe[:, slice(0, count) if side == "top" else slice(probe.shape[1] - count, None)] = torch.nan
        seen = _outputs(module, list(rows), probes)
        for name, count in rows.items():
            if count in part:
                form = forms[name]
                grid = LayerShape(form.kind, form.channels, form.height, form.width, form.prefix, 0, 0).to_map(
                    seen[name]
                )
                row = max(form.height // 2 - back, 0)
                hit[name] = bool(grid[part.index(count), :, row, form.width // 2].isnan().any())
    return hit


def _shape(form: Form, crop: int, centre: tuple[int, int], above: tuple[int, int]) -> LayerShape:
    step = max(centre[0] - above[0], centre[1] - above[1])
    return LayerShape(
        kind=form.kind,
        channels=form.channels,
        height=form.height,
        width=form.width,
        prefix=form.prefix,
        stride=float(step) if step > 0 else crop / form.height,
        receptive_field=max(1, centre[1] - centre[0] + 1),
    )
