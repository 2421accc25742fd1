"""What the network answers when a layer's activation at one position becomes another one."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipeline.model.layers import LayerShape, altered
from pipeline.model.network import Network
from pipeline.model.positions import at_positions


def changed_logits(
    network: Network, layer: str, images: Tensor, positions: Tensor, keep: Tensor, add: Tensor, relative: bool
) -> Tensor:
    """Logits after several changes of one activation of each image, each change by itself.

    The activation h becomes ``keep · h + add``, or ``keep · h + |h| · add`` where changes are relative. All the rest
    of the layer's output stays. What comes before the layer runs once for all changes.

    Args:
        network: frozen.
        layer: dotted path of the layer.
        images: network input [image, 3, y, x].
        positions: (y, x) in the layer's map, [image, 2].
        keep: [change].
        add: [change, image, channel].
        relative: multiply ``add`` by the activation's length.

    Returns:
        [change, image, class]
    """
    shape = network.layers[layer]

    def logits(kept: Tensor, added: Tensor) -> Tensor:
        with altered(network.module, layer, lambda output: _changed(output, shape, positions, kept, added, relative)):
            answer: Tensor = network.module(images)
        return answer

    with torch.no_grad(), _many_at_once():
        changes: Tensor = torch.func.vmap(logits)(keep, add)
    return changes


def _changed(output: Tensor, shape: LayerShape, positions: Tensor, keep: Tensor, add: Tensor, relative: bool) -> Tensor:
    """The layer's output with the activation of each image changed; class and register tokens stay as they are."""
    grid = shape.to_map(output)
    activation = at_positions(grid, positions[:, None])[:, 0]
    if relative:
        add = add * activation.norm(dim=1, keepdim=True)
    step = keep * activation + add - activation
    y = torch.arange(grid.shape[2], device=grid.device) == positions[:, :1]
    x = torch.arange(grid.shape[3], device=grid.device) == positions[:, 1:]
    here = (y[:, :, None] & x[:, None, :])[:, None]
    return output + shape.from_map(step[:, :, None, None] * here)


@contextmanager
def _many_at_once() -> Iterator[None]:
    """Attention as plain matrix products, since its fused kernels cannot take many changes at once."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            # what has no rule for many changes runs once for each of them, which is no slower than a loop here
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
