"""Numbers and tables as text."""

from collections.abc import Collection, Sequence

GAP = "  "


def count(value: float) -> str:
    """A whole number with separators between its thousands."""
    return f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes in MB (10⁶) or GB (10⁹)."""
    if value >= 1e9:
        return f"{value / 1e9:,.2f} GB"
    return f"{value / 1e6:,.1f} MB"


def time(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds >= 5400:
        return f"{seconds / 3600:,.1f} h"
    if seconds >= 90:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def rate(value: float) -> str:
    """Things per second, with three significant digits below 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], last: Sequence[str], left: Collection[int]) -> list[str]:
    """Lines of a table with rules below its head and above its last row.

    Args:
        head: names of the columns.
        rows: cells as text.
        last: the row of totals.
        left: columns that are aligned on the left; numbers are aligned on the right.
    """
    everything = [head, *rows, last]
    widths = [max(len(row[column]) for row in everything) for column in range(len(head))]
    lines = [
        GAP.join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in everything
    ]
    rule = "-" * max(map(len, lines))
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]
