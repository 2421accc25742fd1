"""Several batches in the network at once: on a processor, each on threads of its own.

Threads that share the work of one batch wait for each other at the end of every operation, and stop altogether while
one of them decodes an image. Batches that have a thread each do not.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

import torch

from pipeline.model.network import Network

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_PARALLEL = 8  # batches, whatever the number of threads: each needs memory for its intermediate outputs


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
