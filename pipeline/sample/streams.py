"""Several batches through the network side by side: on a processor, each on threads of its own.

Threads that share the work of one batch wait for each other at the end of every operation, and stop altogether while
one of them is taken away to decode an image. Batches that have a thread each do not.
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

MOST = 8  # streams, whatever the number of threads: each holds what its batch is on the way through the network


def stream_count(device: str, attribution: bool) -> int:
    """How many batches are best on their way at once.

    Args:
        device: where the network runs; a GPU is busy with one.
        attribution: whether tangents are carried through the network; torch keeps count of those for the whole
            process, so that two batches of them would get in each other's way.
    """
    return 1 if attribution or device != "cpu" else min(torch.get_num_threads(), MOST)


class Streams:
    """A network for each batch that is on its way."""

    def __init__(self, network: Network, count: int, attribution: bool) -> None:
        """Copy the network, as far as that is needed.

        Args:
            network: its weights are shared.
            count: of batches at once; torch's threads are divided among them.
            attribution: whether derivatives are taken.

        Raises:
            ValueError: several batches at once with attributions.
        """
        if attribution and count > 1:
            raise ValueError(f"expected one batch at a time with attributions, found {count}")
        self._networks = [network] if attribution else [network.weight_sharing_copy() for _ in range(count)]

    def map(self, function: Callable[[Network, Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """``function`` of a network and each item, in the items' order.

        Args:
            function: called in several threads, with a network that no other call has at that time; in this thread
                where there is one stream.
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

        with _sharing_torch(len(self._networks)) as pool:
            waiting: deque[Future[Result]] = deque()
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) > len(self._networks):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


@contextmanager
def _sharing_torch(count: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads, among which those of torch are divided while the block lasts."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(max(1, threads // count),))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # a thread that sets its own number also sets that of threads yet to come
