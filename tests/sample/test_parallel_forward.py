from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Lock, get_ident

import numpy as np
import pytest
import torch

from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.model.build import build, freeze
from pipeline.model.network import Network
from pipeline.parallel.process import torch_threads
from pipeline.sample import stage
from pipeline.sample.forward import MAX_PARALLEL, ParallelForward, parallel_batches
from pipeline.stages import STAGES, Task
from tests.sample.small_run import ARCHITECTURE, LAYERS, PREPROCESSING, params, prepared


@pytest.fixture
def three_threads() -> Iterator[None]:
    """Torch has three threads while the test runs."""
    with torch_threads(3):
        yield


@pytest.fixture(scope="module")
def network() -> Network:
    """A SqueezeNet of random weights."""
    return Network("n", freeze(build(ARCHITECTURE)), ("a", "b", "c", "d"), PREPROCESSING, {})


def test_calls_run_at_once_and_results_keep_their_order(network: Network) -> None:
    """Three calls meet, each with a network that no other has, on threads of torch of their own; none comes late."""
    meeting, lock, held = Barrier(3, timeout=20), Lock(), set[int]()

    def call(own: Network, item: int) -> tuple[int, int, int]:
        with lock:
            assert id(own.module) not in held
            held.add(id(own.module))
        meeting.wait()
        with lock:
            held.remove(id(own.module))
        return item, get_ident(), torch.get_num_threads()

    with torch_threads(6):
        found = list(ParallelForward(network, 3, attribution=False).map(call, range(9)))
        assert torch.get_num_threads() == 6
    assert [item for item, _, _ in found] == list(range(9))
    assert get_ident() not in {thread for _, thread, _ in found}
    assert {threads for *_, threads in found} == {2}


def test_one_call_at_a_time_stays_in_its_thread(network: Network) -> None:
    """A single stream starts no thread; with derivatives it uses the network as it is, and refuses a second one."""
    stream = ParallelForward(network, 1, attribution=True)
    found = list(stream.map(lambda own, item: (own, item, get_ident()), range(3)))
    assert found == [(network, item, get_ident()) for item in range(3)]
    with pytest.raises(ValueError, match="one batch at a time"):
        ParallelForward(network, 2, attribution=True)


def test_items_are_taken_no_faster_than_results(network: Network) -> None:
    """However long the list, only a few more items are taken than results were requested."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = ParallelForward(network, 2, attribution=False).map(lambda _own, item: item, items())
    assert [next(results) for _ in range(5)] == list(range(5))
    assert len(taken) == 5 + 2


@pytest.mark.usefixtures("three_threads")
def test_a_mistake_comes_through(network: Network) -> None:
    """What a call raises is raised, and torch has its threads again."""

    def call(_own: Network, item: int) -> float:
        return 1 / item

    with pytest.raises(ZeroDivisionError):
        list(ParallelForward(network, 2, attribution=False).map(call, [2, 1, 0, 3]))
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_where_streams_are_of_use() -> None:
    """As many as torch has threads on a processor, up to a limit; one on a GPU, and one with tangents."""
    assert parallel_batches("cpu", attribution=False) == 3
    assert parallel_batches("cpu", attribution=True) == 1
    assert parallel_batches("cuda", attribution=False) == 1
    torch.set_num_threads(MAX_PARALLEL + 5)
    assert parallel_batches("cpu", attribution=False) == MAX_PARALLEL


@pytest.mark.usefixtures("three_threads")
def test_streams_change_no_number(tmp_path: Path) -> None:
    """Three batches side by side give the bytes that one after the other gives; another seed gives others."""
    prepared(tmp_path)

    def sampled(threads: int, **changed: int) -> list[np.ndarray]:
        torch.set_num_threads(threads)
        settings = params(tmp_path / "images", attribution="false", batch_size=2)
        settings = settings.model_copy(update=changed)
        task = Task(STAGES["sample"], settings, tmp_path / "outputs")
        stage.run(task)
        groups = [zarr_store.open_artifact(ACTIVATIONS, task.path(ACTIVATIONS, layer)) for layer in LAYERS]
        return [np.asarray(zarr_store.array(group, "activation")[...]) for group in groups]

    together, alone, other = sampled(3), sampled(1, seed=1), sampled(1)
    for first, _, second in zip(together, alone, other, strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((first != second).any() for first, second in zip(together, alone, strict=True))
