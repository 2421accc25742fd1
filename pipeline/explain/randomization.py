"""Cascading randomization: whether a heat map depends on what the network has learned.

Adebayo et al. 2018, "Sanity Checks for Saliency Maps": the weights are randomized module by module, from the output to
the input. A map that stays the same shows the image and not the network. There the weights are drawn as before the
training; here the entries of each parameter are permuted, which needs no initialization and keeps the distribution of
the values. Running statistics of batch normalization are no parameters and stay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn

from pipeline.core.layer_names import LOGITS, layer_name
from pipeline.explain.heatmaps import is_constant
from pipeline.model.convention import noise
from pipeline.model.layers import run_to
from pipeline.model.network import Network

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RandomizedNetwork:
    """A network whose last modules are randomized.

    Attributes:
        modules: the randomized modules, the one that is called last first, by dotted path as names of layers spell it;
            an empty one is the network itself.
        network: a copy of the network with their parameters permuted.
    """

    modules: tuple[str, ...]
    network: Network


def cascade(network: Network, steps: int, seed: int, layer: str = LOGITS) -> Iterator[RandomizedNetwork]:
    """Randomize more and more of a network, from its output to its input.

    The first step randomizes the last module with parameters alone, usually the classifier; the other modules are
    spread evenly over the other steps. Each step keeps what the earlier ones have randomized.

    Args:
        network: frozen; it stays as it is.
        steps: at most as many, at least 1; with a single one the classifier alone is randomized.
        seed: of the run.
        layer: whose output is explained; modules that are first called after it are left out.

    Yields:
        a copy for each step; none for a network without parameters.

    Raises:
        ModelError: the network has no such layer, or cannot be copied.
    """
    parameters = parameters_by_module(network, layer)
    modules = list(parameters)
    for first, last in pairwise([0, *_step_ends(len(modules), steps)]):
        added = [name for module in modules[first:last] for name in parameters[module]]
        network = randomized(network, added, seed)
        yield RandomizedNetwork(tuple(map(layer_name, modules[:last])), network)


def step_modules(network: Network, steps: int, layer: str = LOGITS) -> list[tuple[str, ...]]:
    """The modules that each step of :func:`cascade` has randomized, as names of layers spell them.

    Args:
        network: as for :func:`cascade`.
        steps: likewise.
        layer: likewise.
    """
    modules = list(parameters_by_module(network, layer))
    return [tuple(map(layer_name, modules[:last])) for last in _step_ends(len(modules), steps)]


def _step_ends(count: int, steps: int) -> list[int]:
    """How many of ``count`` modules are randomized after each step."""
    if not count:
        return []
    others = min(steps, count) - 1
    return [1, *(1 + (count - 1) * number // others for number in range(1, others + 1))]


def parameters_by_module(network: Network, layer: str = LOGITS) -> dict[str, list[str]]:
    """Names of the parameters of each module that has any of its own, in the reverse order of the first calls.

    Modules that are never called are left out, such as auxiliary heads. One within another module belongs to that,
    since its parameters may be used without a call: those of the projection of ``torch.nn.MultiheadAttention`` are. The
    network itself is no such module, or it would have every part that is never called. A parameter that several modules
    share belongs to the one that is called last.

    Args:
        network: frozen.
        layer: where the forward pass ends.

    Returns:
        names as ``torch.nn.Module.named_parameters`` gives them, by dotted module path.

    Raises:
        ModelError: the network has no such layer.
    """
    order = _first_calls(network, LOGITS)
    # what comes after the layer is called, and so is no part of the module around it
    reached = order if layer == LOGITS else _first_calls(network, layer)
    names = {id(parameter): name for name, parameter in network.module.named_parameters()}
    owners: dict[str, str] = {}
    for path, module in network.module.named_modules():
        owner = _nearest_called(path, order)
        if owner is None or owner not in reached:
            continue
        for parameter in module.parameters(recurse=False):
            name = names[id(parameter)]
            if name not in owners or order[owner] > order[owners[name]]:
                owners[name] = owner
    found: dict[str, list[str]] = {path: [] for path in reversed(order)}
    for name, owner in owners.items():
        found[owner].append(name)
    return {path: parameters for path, parameters in found.items() if parameters}


def _first_calls(network: Network, layer: str) -> dict[str, int]:
    """Paths of the modules that a forward pass calls, in order, each with its position in it."""
    called: dict[nn.Module, None] = {}

    def record(module: nn.Module, _inputs: Any) -> None:
        called.setdefault(module)

    device = next((parameter.device for parameter in network.module.parameters()), None)
    images = noise(network.preprocessing.crop, 1).to(device)
    paths = {module: path for path, module in network.module.named_modules()}
    handles = [module.register_forward_pre_hook(record) for module in paths]
    try:
        with torch.no_grad():
            if layer == LOGITS:
                network.module(images)
            else:
                run_to(network.module, layer, images)
    finally:
        for handle in handles:
            handle.remove()
    return {paths[module]: position for position, module in enumerate(called)}


def _nearest_called(path: str, order: dict[str, int]) -> str | None:
    """The module itself or the nearest one around it that is called; the network itself counts for its own alone."""
    owner = path
    while owner and owner not in order:
        owner = owner.rpartition(".")[0]
    return owner if owner or not path else None


def randomized(network: Network, parameters: Sequence[str], seed: int) -> Network:
    """A copy of a network in which the entries of each of some parameters are permuted.

    A permutation depends on the seed and on the parameter's name alone. Parameters whose entries are all equal, such as
    biases of zeros, stay as they are.

    Args:
        network: frozen; it stays as it is.
        parameters: names as ``torch.nn.Module.named_parameters`` gives them.
        seed: of the run.

    Raises:
        ModelError: the network cannot be copied.
    """
    module = network.copy()
    named = dict(module.named_parameters())
    with torch.no_grad():
        for name in parameters:
            random = np.random.default_rng([seed, *name.encode("utf-8", "surrogatepass")])
            entries = random.permutation(named[name].detach().flatten().cpu().numpy())
            named[name].copy_(torch.from_numpy(entries).reshape(named[name].shape))
    return replace(network, module=module)


def rank_correlation(one: Tensor, other: Tensor) -> Floats:
    """Spearman's rank correlation of the absolute values of two heat maps of each image, -1..1, [image].

    NaN where one of them is constant. The measure of Adebayo et al. 2018 for maps without their signs.

    Args:
        one: heat maps [image, y, x], in the resolution that the method has: interpolation would add values that
            correlate with their neighbors.
        other: of the same shape.
    """
    known = ~(is_constant(one.abs()) | is_constant(other.abs())).cpu().numpy()
    first, second = _centered_ranks(one)[known], _centered_ranks(other)[known]
    found: Floats = np.full(len(known), np.nan)
    found[known] = (first * second).sum(axis=1) / np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    return found


def _centered_ranks(heat: Tensor) -> Floats:
    """Ranks of the absolute values, [image, pixel], the mean of those of equal values, minus their mean."""
    ranks: Floats = rankdata(heat.abs().flatten(1).cpu().numpy(), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    return ranks
