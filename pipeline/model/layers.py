"""Layers of a network: finding them, watching their output, running no further than one of them."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError

Known = TypeVar("Known")
Kind = Literal["map", "map_last", "tokens"]


@dataclass(frozen=True)
class LayerShape:
    """The output of one layer for one input of the network's own size.

    Attributes:
        kind: ``map`` [batch, channel, y, x], ``map_last`` [batch, y, x, channel] or ``tokens`` [batch, token, channel].
        channels: length of an activation.
        height, width: positions of the map, or of the patch grid.
        prefix: tokens before the patch grid (class and register tokens); 0 for maps.
        stride: input pixels between neighbouring positions.
        receptive_field: side of the square of input pixels that the central position sees; at most the input's.
    """

    kind: Kind
    channels: int
    height: int
    width: int
    prefix: int
    stride: float
    receptive_field: int

    def to_map(self, output: Tensor) -> Tensor:
        """The layer's output as [batch, channel, y, x]; register and class tokens are left out."""
        if self.kind == "map":
            return output
        if self.kind == "map_last":
            return output.movedim(-1, 1)
        return output[:, self.prefix :].movedim(-1, 1).reshape(len(output), self.channels, self.height, self.width)

    def from_map(self, grid: Tensor) -> Tensor:
        """A map [batch, channel, y, x] in the layer's own order of dimensions, zeros for the prefix tokens."""
        if self.kind == "map":
            return grid
        if self.kind == "map_last":
            return grid.movedim(1, -1)
        flat = grid.flatten(2).movedim(1, -1)
        return torch.cat([flat.new_zeros(flat.shape[0], self.prefix, flat.shape[2]), flat], dim=1)


def find(module: nn.Module, name: str) -> nn.Module:
    """The submodule at a dotted path.

    Raises:
        ModelError: there is none; names the nearest paths.
    """
    modules: dict[str, nn.Module] = dict(module.named_modules())
    if name and name in modules:
        return modules[name]
    near = difflib.get_close_matches(name, modules, n=4, cutoff=0.3) or list(modules)[1:9]
    raise ModelError(f"layers: the network has no layer {name!r}; near names: {', '.join(near)}")


def known_layer(name: str, known: Mapping[str, Known]) -> Known:
    """What ``known`` says about layer ``name``.

    Raises:
        ModelError: no layer of that name keeps places apart; names the nearest ones that do.
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.3) or list(known)[-8:]
    raise ModelError(
        f"layers: expected a layer with a map or token grid, found {name!r}; near names: {', '.join(near)}"
    )


@contextmanager
def watch(module: nn.Module, names: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Record the outputs of ``names`` in each forward pass made inside the block; no hook is left behind."""
    seen: dict[str, Any] = {}

    def keep(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            # a later module may work in place on this very tensor
            seen[name] = output.clone() if isinstance(output, Tensor) else output

        return hook

    handles = [find(module, name).register_forward_hook(keep(name)) for name in names]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def altered(module: nn.Module, name: str, alter: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Let the rest of the network see ``alter(output)`` instead of the layer's own output while the block lasts."""
    handle = find(module, name).register_forward_hook(lambda _module, _inputs, output: alter(output))
    try:
        yield
    finally:
        handle.remove()


class _ReachedError(Exception):
    """Every layer that was asked for has given its output; the rest of the network need not run."""


def run_to_all(module: nn.Module, names: Sequence[str], inputs: Tensor) -> dict[str, Tensor]:
    """Run the network no further than the deepest of the layers ``names``, and return their outputs.

    Differentiable in ``inputs``. A layer that runs several times gives its first output.

    Raises:
        ModelError: a layer is never run.
    """
    seen: dict[str, Tensor] = {}

    def hook(name: str) -> Any:
        def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            # a later module may work in place on this very tensor
            seen.setdefault(name, output.clone())
            if len(seen) == len(names):
                raise _ReachedError

        return keep

    handles = [find(module, name).register_forward_hook(hook(name)) for name in names]
    try:
        module(inputs)
    except _ReachedError:
        return seen
    finally:
        for handle in handles:
            handle.remove()
    missing = next(name for name in names if name not in seen)
    raise ModelError(f"layers: {missing!r} is never run by the network's forward pass; choose another layer")


def run_to(module: nn.Module, name: str, inputs: Tensor) -> Tensor:
    """Run the network no further than layer ``name`` and return that layer's output; see :func:`run_to_all`."""
    return run_to_all(module, [name], inputs)[name]
