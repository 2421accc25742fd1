"""Gradient for units that are silent: a rectifier at the end of a layer passes none, though an icon may need them.

Most of a layer's units are silent for a picture that is still noise. No gradient reaches them, so an icon can only be
drawn with those that happen to speak. During its first steps the rectifiers that end the layer therefore let gradient
through wherever it asks a silent unit to speak (redirected ReLU, Olah et al. 2017, "Feature Visualization", as in the
library published with it, Lucid).
"""

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

RECTIFIERS = frozenset({"ReluBackward0", "HardtanhBackward0", "ThresholdBackward0"})
# operations that only move or choose values
MOVING = frozenset(
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


def redirect(output: Tensor, share: float) -> int:
    """Let the rectifiers that end a layer pass gradient through silent units, in the coming backward pass.

    Args:
        output: of the layer, or values chosen from it; the loss that is differentiated shall fall.
        share: of the gradient that silent units pass, 0..1.

    Returns:
        How many rectifiers were found; 0 where the layer does not end in any.
    """
    ends = dict.fromkeys(_ends(output.grad_fn))  # one that is reached by two ways is one all the same
    for end in ends:
        end.register_hook(_passing(share, _full(end)))
    return len(ends)


def _passing(share: float, full: Tensor | None) -> Callable[..., tuple[Tensor | None, ...]]:
    """A hook that adds to the gradient into a rectifier a share of what its silent units got, where they shall rise."""

    def passed(into: tuple[Tensor | None, ...], outof: tuple[Tensor, ...]) -> tuple[Tensor | None, ...]:
        if into[0] is None:
            return into
        # a unit that speaks passes all of it: there is nothing to add
        more = share * (outof[0] - into[0]).clamp(max=0)
        return (into[0] + (more if full is None else more.masked_fill(full, 0)), *into[1:])

    return passed


def _full(end: Any) -> Tensor | None:
    """Units that cannot rise further, where a rectifier has a ceiling; they pass no gradient, but are not silent."""
    if not hasattr(end, "_saved_max_val"):
        return None
    full: Tensor = end._saved_self.detach() >= end._saved_max_val  # noqa: SLF001  # torch's name for what it saved
    return full


def _ends(node: Any) -> Iterator[Any]:
    if node is None:
        return
    name = node.name()
    if name in RECTIFIERS:
        yield node
    elif name in MOVING:
        for before, _ in node.next_functions:
            yield from _ends(before)
