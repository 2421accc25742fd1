"""One pass through the network, and starting again behind a layer without running what comes before it once more.

While the network runs, the output of every module is kept that ends before the layer does, but for those inside of
another one that ended. In a later pass those modules give what was kept. Whatever the network computes between its
modules (a sum, a concatenation) runs again, on the very same numbers.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.model.layers import get_layer


@dataclass(frozen=True)
class _Call:
    """One call of a module: its output, and how often that had been written to when the module ended."""

    module: nn.Module
    output: Any
    version: int

    @property
    def unchanged(self) -> bool:
        """Whether what is kept is still what the module gave."""
        return isinstance(self.output, Tensor) and self.output._version == self.version  # noqa: SLF001  # no other way


@dataclass(frozen=True)
class Prefix:
    """What came before a layer in one pass.

    Attributes:
        output: of the layer.
        calls: of the modules that ended before it did, itself the last.
    """

    output: Tensor
    calls: tuple[_Call, ...]

    @contextmanager
    def skipped(self) -> Iterator[None]:
        """Let the network run from the layer on while the block lasts; its input is looked at no more."""
        kept: dict[nn.Module, deque[Tensor]] = {}
        for call in self.calls[:-1]:
            if call.unchanged:
                kept.setdefault(call.module, deque()).append(call.output)
        kept.setdefault(self.calls[-1].module, deque()).append(self.output)
        whole = {call.module for call in self.calls[:-1] if not call.unchanged}
        stubbed = {module: outputs for module, outputs in kept.items() if module not in whole}
        with ExitStack() as stack:
            for module, outputs in stubbed.items():
                stack.enter_context(_replaced(module, outputs))
            yield


@contextmanager
def _replaced(module: nn.Module, outputs: Sequence[Tensor]) -> Iterator[None]:
    own = vars(module).get("forward")  # another one may have been put there before, and is to stay
    module.forward = _giving(module.forward, outputs)
    try:
        yield
    finally:
        if own is None:
            del module.forward
        else:
            module.forward = own


def _giving(forward: Any, outputs: Sequence[Tensor]) -> Any:
    """A ``forward`` that gives ``outputs`` in turn, and then works as before."""
    waiting = deque(outputs)

    def give(*arguments: Any, **options: Any) -> Any:
        return waiting.popleft() if waiting else forward(*arguments, **options)

    return give


class _ReachedError(Exception):
    """Every layer has given its output; the rest of the network need not run."""


def run_to_prefixes(module: nn.Module, names: Sequence[str], inputs: Tensor) -> Mapping[str, Prefix]:
    """Run the network no further than the deepest of the layers ``names``.

    A layer that runs several times gives its first output.

    Raises:
        ModelError: a layer is never run.
    """
    layers = {name: get_layer(module, name) for name in names}
    found: dict[str, Prefix] = {}
    running: list[list[_Call]] = [[]]

    def before(_module: nn.Module, _inputs: Any) -> None:
        running.append([])

    def after(called: nn.Module, _inputs: Any, output: Any) -> None:
        running.pop()
        running[-1].append(_Call(called, output, output._version if isinstance(output, Tensor) else -1))  # noqa: SLF001
        for name, layer in layers.items():
            if layer is called and name not in found:
                # a later module may work in place on this very tensor
                found[name] = Prefix(output.clone(), tuple(call for calls in running for call in calls))
        if len(found) == len(layers):
            raise _ReachedError

    hooks = [part.register_forward_pre_hook(before) for part in module.modules()]
    hooks += [part.register_forward_hook(after) for part in module.modules()]
    try:
        module(inputs)
    except _ReachedError:
        return found
    finally:
        for hook in hooks:
            hook.remove()
    missing = next(name for name in names if name not in found)
    raise ModelError(f"layers: {missing!r} is never run by the network's forward pass; choose another layer")
