"""Forward passes through the network: passes that start behind a layer, and several at once.

During a first pass the output of every module is recorded that ends before the layer does, except modules inside
another one that ended. In a later pass those modules return what was recorded. Whatever the network computes between
its modules (a sum, a concatenation) runs again, on the very same numbers.

On a processor each of several batches runs on threads of its own. Threads that share the work of one batch wait for
each other at the end of every operation, and stop altogether while one of them decodes an image. Batches that have a
thread each do not.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.model.layers import get_layer, split_call
from pipeline.model.network import Network

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_PARALLEL = 8  # batches, whatever the number of threads: each needs memory for its intermediate outputs


@dataclass(frozen=True)
class _Call:
    """One call of a module.

    Attributes:
        module: which was called.
        output: of the call.
        version: torch's version counter of that tensor when the module ended.
        inside: how often the call called other modules.
    """

    module: nn.Module
    output: Any
    version: int
    inside: Counter[nn.Module]

    @property
    def unchanged(self) -> bool:
        """Whether the recorded tensor still is what the module returned."""
        return isinstance(self.output, Tensor) and self.output._version == self.version  # noqa: SLF001  # no other way


@dataclass(frozen=True)
class PartialForward:
    """A forward pass, recorded up to a layer.

    Attributes:
        root: the network.
        output: of the layer.
        calls: of the modules that ended before the layer did; the layer's own is the last.
    """

    root: nn.Module
    output: Tensor
    calls: tuple[_Call, ...]

    @contextmanager
    def replay(self, hand_out: Callable[[Tensor], Tensor] | None = None) -> Iterator[int]:
        """While the block lasts, the network runs from the layer on; its input is ignored.

        Args:
            hand_out: what a module returns for a recorded output; None returns the output itself, which no later
                operation may change in place.

        Yields:
            Which call of its module the layer is in such a pass, counted from 0. A module that returns what was
            recorded calls none of the modules inside it.
        """
        recorded: dict[nn.Module, dict[int, Tensor]] = {}
        count: Counter[nn.Module] = Counter()
        for call in self.calls[:-1]:
            if call.unchanged:
                recorded.setdefault(call.module, {})[count[call.module]] = call.output
            else:
                count.update(call.inside)
            count[call.module] += 1
        own = self.calls[-1].module
        recorded.setdefault(own, {})[count[own]] = self.output
        made: Counter[nn.Module] = Counter()
        restart = self.root.register_forward_pre_hook(lambda _module, _inputs: made.clear())
        with ExitStack() as stack:
            stack.callback(restart.remove)
            for module, outputs in recorded.items():
                stack.enter_context(_replace_forward(module, outputs, made, hand_out or _as_is))
            yield count[own]


def _as_is(output: Tensor) -> Tensor:
    return output


@contextmanager
def _replace_forward(
    module: nn.Module, outputs: Mapping[int, Tensor], made: Counter[nn.Module], hand_out: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """While the block lasts, those calls of ``module`` return ``outputs``; ``made`` counts the calls of a pass."""
    own = vars(module).get("forward")  # it may have been replaced before, and has to stay so
    forward = module.forward

    def replaced(*arguments: Any, **options: Any) -> Any:
        number = made[module]
        made[module] += 1
        return hand_out(outputs[number]) if number in outputs else forward(*arguments, **options)

    module.forward = replaced
    try:
        yield
    finally:
        if own is None:
            del module.forward
        else:
            module.forward = own


class _AllRecordedError(Exception):
    """Every layer has returned its output; the rest of the network need not run."""


def record_forward(module: nn.Module, names: Sequence[str], inputs: Tensor) -> Mapping[str, PartialForward]:
    """Run the network no further than the deepest of the layers ``names``, and record the pass up to each of them.

    Raises:
        ModelError: a layer is never run.
    """
    layers: dict[nn.Module, dict[int, str]] = {}
    for name in names:
        layers.setdefault(get_layer(module, name), {})[split_call(name)[1]] = name
    found: dict[str, PartialForward] = {}
    made: Counter[nn.Module] = Counter()
    running: list[list[_Call]] = [[]]

    def before(_module: nn.Module, _inputs: Any) -> None:
        running.append([])

    def after(called: nn.Module, _inputs: Any, output: Any) -> None:
        inside: Counter[nn.Module] = Counter()
        for call in running.pop():
            inside[call.module] += 1
            inside.update(call.inside)
        version = output._version if isinstance(output, Tensor) else -1  # noqa: SLF001  # see above
        running[-1].append(_Call(called, output, version, inside))
        name = layers.get(called, {}).get(made[called])
        made[called] += 1
        if name is not None:
            ended = tuple(call for calls in running for call in calls)
            # a later module may work in place on this very tensor
            found[name] = PartialForward(module, output.clone(), ended)
        if len(found) == len(names):
            raise _AllRecordedError

    hooks = [part.register_forward_pre_hook(before) for part in module.modules()]
    hooks += [part.register_forward_hook(after) for part in module.modules()]
    try:
        module(inputs)
    except _AllRecordedError:
        return found
    finally:
        for hook in hooks:
            hook.remove()
    missing = next(name for name in names if name not in found)
    raise ModelError(f"layers: {missing!r} is never run by the network's forward pass; choose another layer")


def parallel_batches(device: str, attribution: bool) -> int:
    """The number of batches that are best processed at once.

    Args:
        device: where the network runs; one batch keeps a GPU busy.
        attribution: whether tangents are computed; torch counts forward-mode levels for the whole process, so two
            batches with tangents would interfere.
    """
    return 1 if attribution or device != "cpu" else min(torch.get_num_threads(), MAX_PARALLEL)


class ParallelForward:
    """A copy of the network for each batch that is processed at once; all share the weights."""

    def __init__(self, network: Network, count: int, attribution: bool) -> None:
        """Copy the network, as far as that is needed.

        Args:
            network: its weights are shared.
            count: of batches at once; torch's threads are divided among them.
            attribution: whether derivatives are computed.

        Raises:
            ValueError: several batches at once with attributions.
        """
        if attribution and count > 1:
            raise ValueError(f"expected one batch at a time with attributions, found {count}")
        self._networks = [network] if attribution else [network.weight_sharing_copy() for _ in range(count)]

    def map(self, function: Callable[[Network, Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """``function`` of a network and each item, in the items' order.

        Args:
            function: called in several threads, with a network that no other call uses at that time; in this thread
                where there is one network.
            items: taken no faster than results are.

        Raises:
            Exception: what a call raised.
        """
        if len(self._networks) == 1:
            yield from (function(self._networks[0], item) for item in items)
            return
        free: SimpleQueue[Network] = SimpleQueue()
        for network in self._networks:
            free.put(network)

        def call(item: Item) -> Result:
            own = free.get()
            try:
                return function(own, item)
            finally:
                free.put(own)

        with _divide_torch_threads(len(self._networks)) as pool:
            pending: deque[Future[Result]] = deque()
            for item in items:
                pending.append(pool.submit(call, item))
                if len(pending) > len(self._networks):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()


@contextmanager
def _divide_torch_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of ``count`` threads, among which torch's own are divided while the block lasts."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(max(1, threads // count),))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # a thread that sets its own number also sets that of future threads
