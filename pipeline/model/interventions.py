"""Recording and replacing the outputs of layers while the network runs."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipeline.model.description import LayerShape
from pipeline.model.layers import on_calls
from pipeline.model.network import Network
from pipeline.model.positions import at_positions


@contextmanager
def record_outputs(module: nn.Module, names: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Record the output of each of the layers ``names`` in the forward pass made inside the block."""
    outputs: dict[str, Any] = {}

    def record(name: str, output: Any) -> None:
        # a later module may work in place on this very tensor
        outputs[name] = output.clone() if isinstance(output, Tensor) else output

    with on_calls(module, names, record):
        yield outputs


@contextmanager
def replace_output(module: nn.Module, name: str, replacement: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within the block, layer ``name`` passes ``replacement(output)`` on; other calls of its module do not."""
    with on_calls(module, [name], lambda _name, output: replacement(output)):
        yield


def intervened_logits(
    network: Network, layer: str, images: Tensor, positions: Tensor, keep: Tensor, add: Tensor, relative: bool
) -> Tensor:
    """Logits after several alternative interventions on one activation of each image.

    The activation h becomes ``keep · h + add``, or ``keep · h + |h| · add`` where ``relative``. All other activations
    of the layer stay. Modules before the layer run once for all interventions, unless an operation after it cannot run
    for several at once.

    Args:
        network: frozen.
        layer: its name.
        images: network input [image, 3, y, x].
        positions: (y, x) in the layer's map, [image, 2].
        keep: [intervention].
        add: [intervention, image, channel].
        relative: multiply ``add`` by the norm of the activation.

    Returns:
        [intervention, image, class]
    """
    shape = network.layers[layer]

    def logits(keep: Tensor, add: Tensor) -> Tensor:
        with replace_output(
            network.module, layer, lambda output: _intervene(output, shape, positions, keep, add, relative)
        ):
            answer: Tensor = network.module(images)
        return answer

    with torch.no_grad(), _vmap_attention():
        try:
            stacked: Tensor = torch.func.vmap(logits)(keep, add)
        except (RuntimeError, ValueError):  # an operation after the layer cannot run for all interventions at once
            stacked = torch.stack([logits(*one) for one in zip(keep, add, strict=True)])
    return stacked


def _intervene(
    output: Tensor, shape: LayerShape, positions: Tensor, keep: Tensor, add: Tensor, relative: bool
) -> Tensor:
    """The layer's output with one activation of each image changed; class and register tokens stay as they are."""
    grid = shape.to_map(output)
    activation = at_positions(grid, positions[:, None])[:, 0]
    if relative:
        add = add * activation.norm(dim=1, keepdim=True)
    step = keep * activation + add - activation
    y = torch.arange(grid.shape[2], device=grid.device) == positions[:, :1]
    x = torch.arange(grid.shape[3], device=grid.device) == positions[:, 1:]
    mask = (y[:, :, None] & x[:, None, :])[:, None]
    return output + shape.from_map(step[:, :, None, None] * mask)


@contextmanager
def _vmap_attention() -> Iterator[None]:
    """Compute attention as plain matrix products, since its fused kernels do not support ``vmap``."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            # an operation without a batching rule runs once per intervention, which is no slower than a loop here
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
