"""Several batches through the network side by side: on a processor, each on threads of its own.

Threads that share the work of one batch wait for each other at the end of every operation, and stop altogether while
one of them is taken away to decode an image. Batches that have a thread each do not.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from itertools import chain
from queue import SimpleQueue
from typing import TypeVar

import torch
from torch import nn

from pipeline.model.network import Network

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 8  # streams, whatever the number of threads: each holds what its batch is on the way through the network


def streams(device: str, attribution: bool) -> int:
    """How many batches are best on their way at once.

    Args:
        device: where the network runs; a GPU is busy with one.
        attribution: whether tangents are carried through the network; torch keeps count of those for the whole
            process, so that two batches of them would get in each other's way.
    """
    return 1 if attribution or device != "cpu" else min(torch.get_num_threads(), MOST)


def side_by_side(
    function: Callable[[Network, Item], Result], network: Network, items: Iterable[Item], count: int
) -> Iterator[Result]:
    """``function`` of the network and each item, in the items' order.

    Args:
        function: called in several threads, with a network that no other call has at that time.
        network: shared as far as its weights go.
        items: taken no faster than results are.
        count: of calls at once; torch's threads are divided among them. One runs in this thread.

    Raises:
        Exception: what a call raised.
    """
    if count == 1:
        yield from (function(network, item) for item in items)
        return
    threads = torch.get_num_threads()
    free: SimpleQueue[Network] = SimpleQueue()
    for _ in range(count):
        free.put(twin(network))

    def call(item: Item) -> Result:
        own = free.get()
        try:
            return function(own, item)
        finally:
            free.put(own)

    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(max(1, threads // count),))
    try:
        for item in items:
            waiting.append(pool.submit(call, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # a thread that sets its own number also sets that of threads yet to come


def twin(network: Network) -> Network:
    """The network once more, with the very same weights, but modules of its own to hook into."""
    module: nn.Module = network.module
    shared = {id(tensor): tensor for tensor in chain(module.parameters(), module.buffers())}
    return replace(network, module=deepcopy(module, shared))
