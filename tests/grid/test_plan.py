from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.grid import plan
from pipeline.grid.sums import RUN


def array(rows: int, channels: int, dtype: str = "float16") -> Any:
    """What the plan looks at of a stored array."""
    return SimpleNamespace(shape=(rows, channels), chunks=(1024, channels), dtype=np.dtype(dtype))


@pytest.mark.parametrize("rows", [1, 5000, 1_000_000, 30_000_000])
@pytest.mark.parametrize(("channels", "side"), [(512, 160), (512, 320), (2048, 320), (7, 5)])
def test_sums_fit_into_memory_and_onto_the_disk(rows: int, channels: int, side: int) -> None:
    """Every number is summed once, in so few channels at a time that the sums fit; parts stay smaller than the data."""
    groups = 2 * side * side + 1
    tasks = plan.slices("activation", array(rows, channels), groups)
    covered = sum((task.last - task.first) * (task.span.stop - task.span.start) for task in tasks)
    assert covered == rows * channels
    assert len({task.part for task in tasks}) == len(tasks)
    of_first = [task for task in tasks if task.first == 0]
    width = tasks[0].last - tasks[0].first
    large = min(groups, rows // RUN)  # groups of more rows than a short sum has, which need float64
    assert (4 * groups + 8 * large) * width <= plan.SUM_BYTES
    assert len(of_first) <= plan.MOST_PARTS
    if len(of_first) > 1:
        assert len(of_first) * 4 * groups * width <= 0.75 * rows * channels * 4


def test_spans_cover_all_rows_once() -> None:
    """The second pass reads every row once, in whole chunks."""
    found = plan.spans(array(1_000_000, 512))
    blocks = [block for span in found for block in span.blocks]
    assert blocks[0][0] == 0
    assert blocks[-1][1] == 1_000_000
    assert all(stop == start and stop % 1024 == 0 for (_, stop), (start, _) in pairwise(blocks))
    assert len(found) > 2
