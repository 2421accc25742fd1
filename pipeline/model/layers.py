"""Layers of a network: looking them up, the shape of their output, and forward passes that end at a layer."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError

Value = TypeVar("Value")
Kind = Literal["map", "map_last", "tokens"]


@dataclass(frozen=True)
class LayerShape:
    """The output of one layer for one input of the network's own size.

    Attributes:
        kind: ``map`` [batch, channel, y, x], ``map_last`` [batch, y, x, channel] or ``tokens`` [batch, token, channel].
        channels: length of an activation.
        height, width: positions of the map, or of the patch grid.
        prefix: tokens before the patch grid (class and register tokens); 0 for maps.
        stride: input pixels between neighboring positions.
        receptive_field: side of the square of input pixels that the central position depends on; at most the input's.
    """

    kind: Kind
    channels: int
    height: int
    width: int
    prefix: int
    stride: float
    receptive_field: int

    def to_map(self, output: Tensor) -> Tensor:
        """The layer's output as [batch, channel, y, x], without register and class tokens."""
        if self.kind == "map":
            return output
        if self.kind == "map_last":
            return output.movedim(-1, 1)
        return output[:, self.prefix :].movedim(-1, 1).reshape(len(output), self.channels, self.height, self.width)

    def from_map(self, grid: Tensor) -> Tensor:
        """A map [batch, channel, y, x] in the layer's own order of dimensions, with zeros for the prefix tokens."""
        if self.kind == "map":
            return grid
        if self.kind == "map_last":
            return grid.movedim(1, -1)
        flat = grid.flatten(2).movedim(1, -1)
        return torch.cat([flat.new_zeros(flat.shape[0], self.prefix, flat.shape[2]), flat], dim=1)


def get_layer(module: nn.Module, name: str) -> nn.Module:
    """The submodule at a dotted path.

    Raises:
        ModelError: there is none; lists the nearest paths.
    """
    modules: dict[str, nn.Module] = dict(module.named_modules())
    if name and name in modules:
        return modules[name]
    near = difflib.get_close_matches(name, modules, n=4, cutoff=0.3) or list(modules)[1:9]
    raise ModelError(f"layers: the network has no layer {name!r}; near names: {', '.join(near)}")


def require_layer(name: str, known: Mapping[str, Value]) -> Value:
    """The entry of layer ``name`` in ``known``, which has one for every layer with spatial positions.

    Raises:
        ModelError: there is none; lists the nearest names that have one.
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.3) or list(known)[-8:]
    raise ModelError(
        f"layers: expected a layer with a map or token grid, found {name!r}; near names: {', '.join(near)}"
    )


class _ReachedError(Exception):
    """Every requested layer has run; the rest of the network need not."""


def run_to_all(
    module: nn.Module, names: Sequence[str], inputs: Tensor, copied: Collection[str] | None = None
) -> dict[str, Tensor]:
    """Run the network no further than the deepest of the layers ``names``, and return their outputs.

    Differentiable in ``inputs``. For a layer that runs several times, its first output is returned.

    Args:
        module: the network.
        names: of layers, dotted module paths.
        inputs: of the network.
        copied: those whose output is copied, since a later module may work in place on it; see
            :func:`changed_in_place`. None copies all.

    Raises:
        ModelError: a layer never runs.
    """
    outputs: dict[str, Tensor] = {}

    def hook(name: str) -> Any:
        def record(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            outputs.setdefault(name, output.clone() if copied is None or name in copied else output)
            if len(outputs) == len(names):
                raise _ReachedError

        return record

    handles = [get_layer(module, name).register_forward_hook(hook(name)) for name in names]
    try:
        module(inputs)
    except _ReachedError:
        return outputs
    finally:
        for handle in handles:
            handle.remove()
    missing = next(name for name in names if name not in outputs)
    raise ModelError(f"layers: {missing!r} is never run by the network's forward pass; choose another layer")


def changed_in_place(module: nn.Module, names: Sequence[str], inputs: Tensor) -> frozenset[str]:
    """The layers among ``names`` whose output a later operation of the network changes, before the deepest has run.

    Raises:
        ModelError: a layer never runs.
    """
    versions: dict[str, int] = {}

    def hook(name: str) -> Any:
        def record(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            versions.setdefault(name, output._version)  # noqa: SLF001  # torch's count of changes in place

        return record

    # registered first, so that it sees the output of the deepest layer before the network is stopped
    handles = [get_layer(module, name).register_forward_hook(hook(name)) for name in names]
    try:
        outputs = run_to_all(module, names, inputs, copied=())
    finally:
        for handle in handles:
            handle.remove()
    return frozenset(name for name in names if outputs[name]._version != versions[name])  # noqa: SLF001  # see above


def run_to(module: nn.Module, name: str, inputs: Tensor) -> Tensor:
    """Run the network no further than layer ``name`` and return that layer's output; see :func:`run_to_all`."""
    return run_to_all(module, [name], inputs)[name]
