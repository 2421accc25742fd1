from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.grid import tasks
from pipeline.grid.sums import MAX_RUN


def array(rows: int, channels: int, dtype: str = "float16") -> Any:
    """What the split into tasks depends on of a stored array."""
    return SimpleNamespace(shape=(rows, channels), chunks=(1024, channels), dtype=np.dtype(dtype))


@pytest.mark.parametrize("rows", [1, 5000, 1_000_000, 30_000_000])
@pytest.mark.parametrize(("channels", "side"), [(512, 160), (512, 320), (2048, 320), (7, 5)])
def test_sums_fit_into_memory_and_onto_the_disk(rows: int, channels: int, side: int) -> None:
    """Every number is summed once, in so few channels at a time that the sums fit; they stay smaller than the data."""
    groups = 2 * side * side + 1
    slices = tasks.sum_slices("activation", array(rows, channels), groups)
    covered = sum((task.last - task.first) * (task.span.stop - task.span.start) for task in slices)
    assert covered == rows * channels
    assert len({task.name for task in slices}) == len(slices)
    of_first = [task for task in slices if task.first == 0]
    width = slices[0].last - slices[0].first
    large = min(groups, rows // MAX_RUN)  # groups of more rows than a short sum has, which need float64
    assert (4 * groups + 8 * large) * width <= tasks.SUM_BYTES
    assert len(of_first) <= tasks.MAX_SUM_TASKS
    if len(of_first) > 1:
        assert len(of_first) * 4 * groups * width <= 0.75 * rows * channels * 4


def test_spans_cover_all_rows_once() -> None:
    """The second pass reads every row once, in whole chunks."""
    found = tasks.cosine_spans(array(1_000_000, 512))
    blocks = [block for span in found for block in span.blocks]
    assert blocks[0][0] == 0
    assert blocks[-1][1] == 1_000_000
    assert all(stop == start and stop % 1024 == 0 for (_, stop), (start, _) in pairwise(blocks))
    assert len(found) > 2
