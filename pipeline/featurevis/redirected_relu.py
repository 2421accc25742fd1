"""Redirected ReLU: gradient for units that are not active, which a ReLU at the end of a layer would block.

Most of a layer's units are inactive for an image that is still noise. No gradient reaches them, so an image could only
be optimized for units that happen to be active on noise. During the first steps the ReLUs that end the layer therefore
pass gradient wherever it would raise an inactive unit (Olah et al. 2017, "Feature Visualization", as in the library
published with it, Lucid).
"""

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

RELU_NODES = frozenset({"ReluBackward0", "HardtanhBackward0", "ThresholdBackward0"})
# operations that only move or choose values
TRANSPARENT_NODES = frozenset(
    {
        "AliasBackward0",
        "CatBackward0",
        "CloneBackward0",
        "MaxPool2DWithIndicesBackward0",
        "PermuteBackward0",
        "ReshapeAliasBackward0",
        "SelectBackward0",
        "SliceBackward0",
        "ToCopyBackward0",
        "TransposeBackward0",
        "UnsafeViewBackward0",
        "ViewBackward0",
    }
)


def redirect_relus(output: Tensor, share: float) -> int:
    """Let the ReLUs that end a layer pass gradient through inactive units, in the coming backward pass.

    Args:
        output: of the layer, or values chosen from it; what is differentiated is a loss, to be minimized.
        share: of the gradient that inactive units pass, 0..1.

    Returns:
        How many ReLUs were found; 0 where the layer does not end in any.
    """
    relus = dict.fromkeys(_final_relus(output.grad_fn))  # one that is reached in two ways is hooked once
    for relu in relus:
        relu.register_hook(_redirection(share, _saturated(relu)))
    return len(relus)


def _redirection(share: float, saturated: Tensor | None) -> Callable[..., tuple[Tensor | None, ...]]:
    """A hook that adds a share of the gradient at inactive units, where the loss falls as they rise."""

    def redirect(into: tuple[Tensor | None, ...], outof: tuple[Tensor, ...]) -> tuple[Tensor | None, ...]:
        if into[0] is None:
            return into
        # an active unit passes all of it: the difference is 0
        more = share * (outof[0] - into[0]).clamp(max=0)
        return (into[0] + (more if saturated is None else more.masked_fill(saturated, 0)), *into[1:])

    return redirect


def _saturated(relu: Any) -> Tensor | None:
    """Units at the upper bound of a bounded ReLU; they pass no gradient, but are not inactive."""
    if not hasattr(relu, "_saved_max_val"):
        return None
    saturated: Tensor = relu._saved_self.detach() >= relu._saved_max_val  # noqa: SLF001  # torch's name for what it saved
    return saturated


def _final_relus(node: Any) -> Iterator[Any]:
    if node is None:
        return
    name = node.name()
    if name in RELU_NODES:
        yield node
    elif name in TRANSPARENT_NODES:
        for before, _ in node.next_functions:
            yield from _final_relus(before)
