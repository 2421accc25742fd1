"""Class attributions: how much each sampled activation adds to each logit, to first order.

attribution[class] = activation · ∂logit[class]/∂activation, before softmax (Carter et al. 2019, "Attribution"). One
forward-mode tangent through the rest of the network gives it for all classes of one position at once: the tangent is
the activation itself at that position and zero elsewhere.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipeline.core.errors import ModelError
from pipeline.model.interventions import replace_output
from pipeline.model.layers import LayerShape
from pipeline.model.positions import at_positions
from pipeline.sample.prefix import Prefix

TANGENTS = 64  # images × positions carried through the network together, to bound memory


def attributions(
    module: nn.Module, layer: str, shape: LayerShape, images: Tensor, prefix: Prefix, positions: Tensor
) -> Tensor:
    """The attribution of every sampled activation to every class.

    The network runs from the layer on: once, and once more as a tangent for each position.

    Args:
        module: a frozen network.
        layer: dotted path of the layer.
        shape: what the layer gives.
        images: network input [image, 3, y, x].
        prefix: what a pass of these images came to before the layer and at it.
        positions: (y, x) of the samples in the layer's map, [image, position, 2].

    Returns:
        [image, position, class]

    Raises:
        ModelError: the network does not give one row of logits for each image.
    """
    tangents = _tangents(shape, prefix.output, positions)
    zero = torch.zeros_like(prefix.output)
    with prefix.skipped(), _added_to(module, layer) as with_change, forward_mode():

        def change_of_logits(tangent: Tensor) -> Tensor:
            both = torch.func.jvp(lambda delta: _logits(with_change(delta), images), (zero,), (tangent,))
            change: Tensor = both[1]
            return change

        # what does not depend on the tangent runs once for all of them
        vectorised = torch.func.vmap(change_of_logits, chunk_size=max(1, TANGENTS // len(images)))
        changes: Tensor = vectorised(tangents)
    return changes.movedim(0, 1)


def _tangents(shape: LayerShape, output: Tensor, positions: Tensor) -> Tensor:
    """[position, image, ...]: the layer's output at one sampled position of each image, zero elsewhere."""
    grid = shape.to_map(output)
    values = at_positions(grid, positions)
    image = torch.arange(len(grid), device=grid.device)
    tangents = []
    for number in range(positions.shape[1]):
        tangent = torch.zeros_like(grid)
        tangent[image, :, positions[:, number, 0], positions[:, number, 1]] = values[:, number]
        tangents.append(shape.from_map(tangent))
    return torch.stack(tangents)


@contextmanager
def _added_to(module: nn.Module, layer: str) -> Iterator[Callable[[Tensor], nn.Module]]:
    """The network, given a change that is added to the layer's output while the block lasts."""
    change: list[Tensor] = []

    def with_change(delta: Tensor) -> nn.Module:
        change[:] = [delta]
        return module

    with replace_output(module, layer, lambda output: output + change[0]):
        yield with_change


def _logits(module: nn.Module, images: Tensor) -> Tensor:
    logits = module(images)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise ModelError("model.architecture: expected one row of logits for each image, found another kind of output")
    return logits


@contextmanager
def forward_mode() -> Iterator[None]:
    """Forward-mode derivatives of everything: attention as plain matrix products, since its fused kernels have none."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            # torch scripts its own forward-mode formulas on first use, and warns of it
            warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
            # global pooling falls back to a loop over positions, which is next to nothing beside the convolutions
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
