"""Building a network from the dotted path of its class, and freezing it for inference.

What ``_target_`` names is looked at before it is called: it has to make networks, or a part of one.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

import torch
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from torch import Tensor, nn
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from pipeline.core.errors import ModelError

# functions and class methods of packages that do not say that they return a network
UNTYPED_BUILDERS = (
    "timm.models._factory.create_model",
    "transformers.models.auto.auto_factory._BaseAutoModelClass.from_config",
    "transformers.models.auto.auto_factory._BaseAutoModelClass.from_pretrained",
)
GET_CLASS = "hydra.utils.get_class"  # passes a class itself as an argument


def build(architecture: Mapping[str, Any], class_count: int | None = None, seed: int = 0) -> nn.Module:
    """The network that ``architecture`` (``_target_`` and arguments) describes, with seeded random float32 weights.

    Args:
        architecture: dotted path of a class or function, and its arguments.
        class_count: passed as ``num_classes`` where the builder takes it and the configuration does not set it.
        seed: of the initial weights.

    Raises:
        ModelError: nothing is at a path, or nothing that makes networks; the arguments do not fit; or the result is no
            ``torch.nn.Module``.
    """
    target = architecture.get("_target_")
    builder = find_builder(target)
    _check_arguments(architecture, _package(builder))
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
    return _to_float32(module)


def find_builder(target: Any) -> Any:
    """The class or function at a dotted path, which makes networks. It is not called.

    Raises:
        ModelError: there is none, or it does not make networks: it is neither a ``torch.nn.Module``, nor a class method
            of one, nor a function whose annotation says that it returns one.
    """
    if not isinstance(target, str) or not target:
        raise ModelError("model.architecture: expected _target_, the dotted path of a class or function, found none")
    found = _find(target)
    if not _makes_networks(found):
        raise ModelError(
            f"model.architecture._target_: expected a class of torch.nn.Module, or a function that is annotated to "
            f"return one (-> torch.nn.Module), found {target}, which is neither"
        )
    return found


def _find(target: str) -> Any:
    try:
        return get_object(target)
    except (ImportError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model.architecture._target_: expected a class or function, found nothing at {target}: {reason}"
        ) from None


def _makes_networks(found: Any) -> bool:
    if not inspect.isroutine(found):
        return _is_module(found)
    if f"{found.__module__}.{getattr(found, '__qualname__', '')}" in UNTYPED_BUILDERS:
        return True
    if inspect.ismethod(found):
        return _is_module(found.__self__)
    try:
        returned = get_type_hints(found).get("return")
    except (NameError, TypeError, AttributeError):  # annotations that name what is not there
        return False
    return any(map(_is_module, (returned, *get_args(returned))))


def _is_module(found: Any) -> bool:
    return inspect.isclass(found) and issubclass(found, nn.Module)


def _package(found: Any) -> str:
    return str(getattr(found, "__module__", "")).partition(".")[0]


def _check_arguments(architecture: Mapping[str, Any], package: str) -> None:
    """Look at what Hydra would call for the arguments of a network: parts of it, and classes of its own package."""
    for target, arguments in _targets(list(architecture.values())):
        name = arguments.get("path") if target == GET_CLASS else target
        found = _find(name) if isinstance(name, str) else None
        if not (_makes_networks(found) or (inspect.isclass(found) and _package(found) == package)):
            raise ModelError(
                f"model.architecture: expected arguments made by a class of torch.nn.Module, or by another class of "
                f"the package {package}, found _target_: {name}; let a class of your own call it"
            )


def _targets(value: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Every ``_target_`` within, with the mapping that holds it."""
    if isinstance(value, Mapping):
        if "_target_" in value:
            yield value["_target_"], value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _targets(inner)


def in_place_modules(module: nn.Module) -> tuple[str, ...]:
    """Dotted paths of the modules that work in place."""
    return tuple(name for name, part in module.named_modules() if getattr(part, "inplace", False))


def freeze(module: nn.Module) -> nn.Module:
    """Put a network into evaluation mode, with no gradients of its weights and no module that works in place.

    In-place activations would overwrite the outputs that are to be recorded. Weights that a hook computes from others
    (:func:`torch.nn.utils.weight_norm`) are computed once here: before the first pass they would be those of the
    initial parameters, and with a gradient no copy could be made.
    """
    for part in module.modules():
        if hasattr(part, "inplace"):
            part.inplace = False  # type: ignore[assignment]  # torch types every attribute as Tensor or Module
    module.eval().requires_grad_(False)
    for part in module.modules():
        for hook in part._forward_pre_hooks.values():  # noqa: SLF001  # torch has no public name
            if isinstance(hook, WeightNorm | SpectralNorm):
                hook(part, ())
        for name, value in vars(part).items():
            if isinstance(value, Tensor) and not value.is_leaf:  # a copy keeps no history
                setattr(part, name, value.detach())
    return module


def _to_float32(module: nn.Module) -> nn.Module:
    """Make all weights of a network float32 whose weights have another number type: images and icons are float32."""
    weights = [parameter for parameter in module.parameters() if parameter.is_floating_point()]
    return module.float() if any(parameter.dtype != torch.float32 for parameter in weights) else module


def _parameters(builder: Any) -> set[str]:
    parameters = inspect.signature(builder).parameters.values()
    named = {parameter.name for parameter in parameters}
    takes_keywords = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    torchvision_builder = str(getattr(builder, "__module__", "")).startswith("torchvision.models")
    return named | {"num_classes"} if takes_keywords and torchvision_builder else named
