"""Building a network from the dotted path of its class, and freezing it for inference."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from torch import nn

from pipeline.core.errors import ModelError


def build(architecture: Mapping[str, Any], class_count: int | None = None, seed: int = 0) -> nn.Module:
    """The network that ``architecture`` (``_target_`` and arguments) describes, with seeded random weights.

    Args:
        architecture: dotted path of a class or function, and its arguments.
        class_count: passed as ``num_classes`` where the builder takes it and the configuration does not set it.
        seed: of the initial weights.

    Raises:
        ModelError: nothing is at the path, the arguments do not fit, or the result is no ``torch.nn.Module``.
    """
    target = architecture.get("_target_")
    builder = find_builder(target)
    arguments = dict(architecture)
    if class_count is not None and "num_classes" in _parameters(builder):
        arguments.setdefault("num_classes", class_count)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            module = instantiate(arguments, _convert_="all")
        except InstantiationException as error:
            reason = " ".join(str(error.__cause__ or error).split())
            raise ModelError(f"model.architecture: {target} could not be built: {reason}") from None
    if not isinstance(module, nn.Module):
        raise ModelError(
            f"model.architecture: expected {target} to return a torch.nn.Module, found {type(module).__name__}"
        )
    return module


def find_builder(target: Any) -> Any:
    """The class or function at a dotted path.

    Raises:
        ModelError: there is none.
    """
    if not isinstance(target, str) or not target:
        raise ModelError("model.architecture: expected _target_, the dotted path of a class or function, found none")
    try:
        return get_object(target)
    except (ImportError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model.architecture._target_: expected a class or function, found nothing at {target}: {reason}"
        ) from None


def in_place_modules(module: nn.Module) -> tuple[str, ...]:
    """Dotted paths of the modules that work in place."""
    return tuple(name for name, part in module.named_modules() if getattr(part, "inplace", False))


def freeze(module: nn.Module) -> nn.Module:
    """Put a network into evaluation mode, with no gradients of its weights and no module that works in place.

    In-place activations would overwrite the outputs that are to be recorded.
    """
    for part in module.modules():
        if hasattr(part, "inplace"):
            part.inplace = False  # type: ignore[assignment]  # torch types every attribute as Tensor or Module
    return module.eval().requires_grad_(False)


def _parameters(builder: Any) -> set[str]:
    parameters = inspect.signature(builder).parameters.values()
    named = {parameter.name for parameter in parameters}
    takes_keywords = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    torchvision_builder = str(getattr(builder, "__module__", "")).startswith("torchvision.models")
    return named | {"num_classes"} if takes_keywords and torchvision_builder else named
