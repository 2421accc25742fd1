import threading

import pytest
import torch
from torch import Tensor

from pipeline.model.batches import AHEAD, batches, decoders


def image(number: int) -> Tensor:
    """An input that tells its number, laid out as images are decoded: colours together."""
    return torch.arange(5 * 4 * 3, dtype=torch.float32).reshape(5, 4, 3).movedim(-1, 0) + 100 * number


@pytest.mark.parametrize(("count", "size"), [(7, 3), (6, 3), (2, 5), (0, 4)])
def test_every_image_comes_once_and_in_order(count: int, size: int) -> None:
    """Batches hold all images in order, the last one what is left, in the layout that networks run in."""
    found = list(batches(image, count, size))
    assert [number for span, _ in found for number in span] == list(range(count))
    assert all(len(span) == size for span, _ in found[:-1])
    for span, inputs in found:
        assert torch.equal(inputs, torch.stack([image(number) for number in span]))
        assert inputs.is_contiguous(memory_format=torch.channels_last)


def test_no_more_is_decoded_than_a_few_batches_ahead() -> None:
    """While a batch is used, at most the next few are decoded, and in threads of their own."""
    asked: list[int] = []
    threads: set[int] = set()

    def load(number: int) -> Tensor:
        asked.append(number)
        threads.add(threading.get_ident())
        return image(number)

    for span, _ in batches(load, 40, 2):
        assert max(asked) < span.stop + AHEAD * 2
    assert threading.get_ident() not in threads
    assert len(threads) <= decoders("cpu") <= 2


def test_an_image_that_cannot_be_read_ends_it() -> None:
    """The error of a decoder reaches the caller as it was, at its own batch."""

    def load(number: int) -> Tensor:
        if number == 5:
            raise OSError("number 5")
        return image(number)

    found: list[range] = []
    with pytest.raises(OSError, match="number 5"):
        found.extend(span for span, _ in batches(load, 10, 2))
    assert found == [range(2), range(2, 4)]
