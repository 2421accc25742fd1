"""A plan as text: a table, its totals, and the sums to check them by."""

from collections.abc import Iterator, Sequence

from pipeline.plan import sums
from pipeline.plan.counts import level_counts
from pipeline.plan.estimate import Estimate
from pipeline.plan.given import Sizes
from pipeline.plan.words import count, size, time

GAP = "  "


def text(sizes: Sizes, found: Sequence[Estimate], gpus: Sequence[int]) -> str:
    """The whole plan; sizes of files are those before compression, memory is that of one process."""
    return "\n".join([*_table(found, gpus), "", "How the numbers come about", *_sums(sizes, found)])


def totals(found: Sequence[Estimate]) -> tuple[int, int, tuple[float, ...]]:
    """Bytes on disk of all stages, the most memory of one, and the time of all for each number of GPUs."""
    seconds = zip(*(row.seconds for row in found if row.seconds), strict=True)
    return sum(row.disk for row in found), max(row.memory for row in found), tuple(map(sum, seconds))


def _table(found: Sequence[Estimate], gpus: Sequence[int]) -> list[str]:
    head = ["stage", "layer", "atlas", "what", "", "disk", "memory", *(f"time on {number}" for number in gpus)]
    disk, memory, seconds = totals(found)
    last = ["total", "", "", "", "", size(disk), size(memory), *map(time, seconds)]
    rows = [head, *(_cells(row, len(gpus)) for row in found), last]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    # words stand on the left of their column, numbers on the right
    left = {0, 1, 2, 4}
    lines = [
        GAP.join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:-1], "-" * max(map(len, lines)), lines[-1]]


def _cells(row: Estimate, gpus: int) -> list[str]:
    seconds = [time(one) for one in row.seconds] or [""] * gpus
    disk, memory = (size(value) if value else "" for value in (row.disk, row.memory))
    return [row.stage, row.layer, row.atlas, count(row.count), row.unit, disk, memory, *seconds]


def _sums(sizes: Sizes, found: Sequence[Estimate]) -> Iterator[str]:
    yield f"  {sums.samples(sizes)}"
    for atlas in sizes.params.atlases:
        yield from (f"  {line}" for line in sums.cells(sizes, atlas, level_counts(sizes, atlas)))
    for row in found:
        name = " ".join(part for part in (row.stage, row.layer, row.atlas) if part)
        yield from (f"  {name}: {line}" for line in row.sums)
