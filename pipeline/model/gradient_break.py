"""Where a network stops gradients on the way from the image to the logits: ``detach``, ``no_grad``, ``numpy``."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pipeline.model.interventions import replace_output
from pipeline.model.network_errors import is_network_file, shown_path

NEW = ("_like", "new_")  # parts of names of operations that only take the shape of their input


class _GradientBreakFinder(TorchFunctionMode):
    """Notes the first operation that takes a tensor with a gradient and returns one without."""

    def __init__(self) -> None:
        super().__init__()
        self.found = ""

    def __torch_function__(  # torch's protocol
        self, func: Callable[..., Any], _types: Any, args: Iterable[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if not self.found and isinstance(output, Tensor) and output.is_floating_point() and not output.requires_grad:
            name = resolve_name(func) or getattr(func, "__name__", "an operation")
            given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
            if any(one.requires_grad for one in given) and not any(part in name for part in NEW):
                without = "" if torch.is_grad_enabled() else ", within torch.no_grad"
                self.found = f"{name}{_calling_line()}{without}"
        return output


class _RandomOperationFinder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Notes the first operation that draws random numbers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.found = ""

    def __torch_dispatch__(  # torch's protocol
        self, func: Any, _types: Any, args: Iterable[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if not self.found and torch.Tag.nondeterministic_seeded in func.tags:
            self.found = f"{func.overloadpacket.__name__.strip('_')}{_calling_line()}"
        return func(*args, **(kwargs or {}))


def find_gradient_break(module: nn.Module, images: Tensor, after: str | None = None) -> str:
    """The operation that stops gradients, with its line in the network's file; empty if none is found.

    Args:
        module: a frozen network.
        images: network input.
        after: look only behind this layer; None looks from the images on.
    """
    finder = _GradientBreakFinder()
    with torch.enable_grad():
        try:
            if after is None:
                with finder:
                    module(images.clone().requires_grad_())
            else:
                with replace_output(module, after, lambda output: output.detach().clone().requires_grad_()), finder:
                    module(images)
        except Exception:  # noqa: BLE001, S110  # what failed has been told; only what came before is of interest
            pass
    return finder.found


def find_random_operation(module: nn.Module, images: Tensor) -> str:
    """The operation that draws random numbers, with its line in the network's file; empty if there is none."""
    finder = _RandomOperationFinder()
    with torch.no_grad(), finder:
        module(images)
    return finder.found


def _calling_line() -> str:
    """`` at file:line`` of the innermost running line of the network's own code; empty if there is none."""
    frame = sys._getframe(2)  # noqa: SLF001  # no other way to the running lines without reading their source
    while frame is not None:
        if frame.f_code.co_filename == __file__:
            return ""  # the pass was started here, so that what lies further out is not the network's
        if is_network_file(frame.f_code.co_filename):
            return f" at {shown_path(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]  # None at the outermost
    return ""
