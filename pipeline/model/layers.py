"""Layers of a network: looking them up, and forward passes that end at a layer.

A layer is one call of a module. Its name is the dotted path of the module, ``layer1.0``, as
:func:`pipeline.core.layer_names.layer_name` spells it. Where a forward pass calls the module several times, the number
of the call follows, counted from 0: ``layer1.0.relu:1``.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.core.layer_names import layer_name

Value = TypeVar("Value")
MAX_CALLS = 8  # that an error line lists


def number_type(device: str, dtype: str) -> AbstractContextManager[object]:
    """Within the block the network runs in a number type.

    Args:
        device: on which it runs.
        dtype: ``float32``, or ``bfloat16``: convolutions and matrix products alone have it.
    """
    kind = device.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16) if dtype == "bfloat16" else nullcontext()


def split_call(name: str) -> tuple[str, int]:
    """The module path that a layer's name starts with, and the number of the call, counted from 0."""
    path, _, number = name.partition(":")
    return path, int(number or 0)


def call_name(name: str, number: int) -> str:
    """The name of another call of the same module as the layer ``name``."""
    return f"{split_call(name)[0]}:{number}"


def named_parts(module: nn.Module) -> dict[str, nn.Module]:
    """All submodules by the spelled path that names of layers start with, the network itself left out."""
    return {layer_name(path): part for path, part in module.named_modules() if path}


def get_layer(module: nn.Module, name: str) -> nn.Module:
    """The submodule that a layer is a call of.

    Raises:
        ModelError: there is none; lists the nearest paths.
    """
    modules = named_parts(module)
    path, _ = split_call(name)
    if path in modules:
        return modules[path]
    near = difflib.get_close_matches(name, modules, n=4, cutoff=0.3) or list(modules)[:8]
    raise ModelError(f"layers: the network has no layer {name!r}; near names: {', '.join(near)}")


def require_layer(name: str, known: Mapping[str, Value]) -> Value:
    """The entry of layer ``name`` in ``known``, which has one for every layer with spatial positions.

    Raises:
        ModelError: there is none; lists the calls where the network calls this module several times, else the nearest
            names that have one.
    """
    if name in known:
        return known[name]
    path, _ = split_call(name)
    calls = [one for one in known if split_call(one)[0] == path]
    if calls == [path]:
        raise ModelError(f"layers: the network calls {path!r} once, found {name!r}; give {path!r}")
    if calls:
        raise ModelError(several_calls(name, calls))
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.3) or list(known)[-8:]
    raise ModelError(
        f"layers: expected a layer with a map or token grid, found {name!r}; near names: {', '.join(near)}"
    )


def several_calls(name: str, calls: Sequence[str]) -> str:
    """The error line for a layer that is named without one of its ``calls``."""
    shown = ", ".join(calls) if len(calls) <= MAX_CALLS else f"{', '.join(calls[:MAX_CALLS])} … {calls[-1]}"
    return f"layers: expected one of several calls of a module, counted from 0, found {name!r}; choose among {shown}"


@contextmanager
def on_calls(module: nn.Module, names: Iterable[str], act: Callable[[str, Any], Any]) -> Iterator[None]:
    """Within the block, call ``act(name, output)`` when one of the layers ``names`` has run.

    What it returns replaces the output, unless it is None. Calls are counted from the start of each forward pass of
    ``module``. The hooks are removed at the end of the block.

    Raises:
        ModelError: there is no such module.
    """
    chosen: dict[str, dict[int, str]] = {}
    for name in names:
        path, number = split_call(name)
        chosen.setdefault(path, {})[number] = name
    modules = named_parts(module)
    parts = {path: modules[path] if path in modules else get_layer(module, path) for path in chosen}
    counts: Counter[str] = Counter()

    def hook(path: str) -> Callable[..., Any]:
        def after(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            name = chosen[path].get(counts[path])
            counts[path] += 1
            return None if name is None else act(name, output)

        return after

    handles = [module.register_forward_pre_hook(lambda _module, _inputs: counts.clear())]
    handles += [part.register_forward_hook(hook(path)) for path, part in parts.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _ReachedError(Exception):
    """Every requested layer has run; the rest of the network need not."""


def run_to_all(
    module: nn.Module, names: Sequence[str], inputs: Tensor, copied: Collection[str] | None = None
) -> dict[str, Tensor]:
    """Run the network no further than the deepest of the layers ``names``, and return their outputs.

    Differentiable in ``inputs``.

    Args:
        module: the network.
        names: of layers.
        inputs: of the network.
        copied: those whose output is copied, since a later module may work in place on it; see
            :func:`changed_in_place`. None copies all.

    Raises:
        ModelError: a layer never runs.
    """
    outputs: dict[str, Tensor] = {}

    def record(name: str, output: Tensor) -> None:
        outputs[name] = output.clone() if copied is None or name in copied else output
        if len(outputs) == len(names):
            raise _ReachedError

    try:
        with on_calls(module, names, record):
            module(inputs)
    except _ReachedError:
        return outputs
    missing = next(name for name in names if name not in outputs)
    raise ModelError(f"layers: {missing!r} is never run by the network's forward pass; choose another layer")


def changed_in_place(module: nn.Module, names: Sequence[str], inputs: Tensor) -> frozenset[str]:
    """The layers among ``names`` whose output a later operation of the network changes, before the deepest has run.

    Raises:
        ModelError: a layer never runs.
    """
    versions: dict[str, int] = {}

    def record(name: str, output: Tensor) -> None:
        versions[name] = output._version  # noqa: SLF001  # torch's count of changes in place

    # entered first, so that it sees the output of the deepest layer before the network is stopped
    with on_calls(module, names, record):
        outputs = run_to_all(module, names, inputs, copied=())
    return frozenset(name for name in names if outputs[name]._version != versions[name])  # noqa: SLF001  # see above


def run_to(module: nn.Module, name: str, inputs: Tensor) -> Tensor:
    """Run the network no further than layer ``name`` and return that layer's output; see :func:`run_to_all`."""
    return run_to_all(module, [name], inputs)[name]
