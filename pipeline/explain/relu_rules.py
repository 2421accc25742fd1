"""Guided backpropagation and deconvolution: other rules for the gradient of ReLUs, set on the autograd graph.

The rules act on the nodes that torch records for ReLU and ReLU6, so modules, functions, modules that are used several
times and operations in place are all the same. Hooks on modules miss what the network's code calls as a function, and
then return the plain gradient without a word.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from torch import Tensor

RELU_NODES = frozenset({"ReluBackward0", "ThresholdBackward0", "ThresholdBackward1"})
# nodes that are a ReLU where their lower bound is 0, and what torch saves the bound as
BOUNDED_NODES = {
    "HardtanhBackward0": "_saved_min_val",
    "HardtanhBackward1": "_saved_min_val",
    "ClampBackward1": "_saved_min",
    "ClampMinBackward0": "_saved_min",
}
Rule = Literal["guided", "deconvolution"]


def set_relu_rule(output: Tensor, rule: Rule) -> int:
    """Change how the ReLUs that led to ``output`` pass gradient, in the coming backward passes through its graph.

    A ReLU passes the gradient where its input is positive. ``deconvolution`` passes it where the gradient itself is
    positive, whatever the input (Zeiler & Fergus 2014); ``guided`` where both are (Springenberg et al. 2015).

    Args:
        output: of a network, with a graph.
        rule: which one.

    Returns:
        How many ReLUs there are; 0 for a network without any, whose gradient stays as it is.
    """
    relus = [node for node in _nodes(output.grad_fn) if _is_relu(node)]
    for node in relus:
        node.register_hook(_guided if rule == "guided" else _deconvolution)
    return len(relus)


def _guided(into: tuple[Tensor | None, ...], outof: tuple[Tensor, ...]) -> tuple[Tensor | None, ...]:
    """The gradient of the input where that of the output is positive."""
    if into[0] is None:
        return into
    return (into[0] * (outof[0] > 0), *into[1:])


def _deconvolution(into: tuple[Tensor | None, ...], outof: tuple[Tensor, ...]) -> tuple[Tensor | None, ...]:
    """The positive part of the gradient of the output."""
    return (outof[0].clamp(min=0), *into[1:])


def _is_relu(node: Any) -> bool:
    name = node.name()
    return name in RELU_NODES or (name in BOUNDED_NODES and getattr(node, BOUNDED_NODES[name], None) == 0)


def _nodes(root: Any) -> Iterator[Any]:
    """Every node of an autograd graph, each once."""
    seen, left = {root}, [root]
    while left:
        node = left.pop()
        yield node
        for before, _ in node.next_functions:
            if before is not None and before not in seen:
                seen.add(before)
                left.append(before)


def ruled_gradient(score: Callable[[Tensor], Tensor], inputs: Tensor, rule: Rule) -> Tensor:
    """The gradient of scores under a rule, as large as the inputs.

    Args:
        score: of inputs, [image].
        inputs: [image, 3, y, x].
        rule: of the ReLUs.
    """
    with torch.enable_grad():
        start = inputs.detach().clone().requires_grad_()
        scores = score(start)
        set_relu_rule(scores, rule)
        (gradient,) = torch.autograd.grad(scores.sum(), start)
    return gradient


def count_relus(score: Callable[[Tensor], Tensor], inputs: Tensor) -> int:
    """How many ReLUs a score depends on, each call counted.

    Args:
        score: of inputs, [image].
        inputs: [image, 3, y, x].
    """
    with torch.enable_grad():
        return sum(_is_relu(node) for node in _nodes(score(inputs.detach().requires_grad_()).grad_fn))
