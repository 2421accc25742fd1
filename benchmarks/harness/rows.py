"""Rows of a benchmark's table: what was measured, and whether its goal holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.errors import DataError

HEADINGS = ("what", "value", "unit", "goal", "holds")
MARKS = {True: "yes", False: "MISSED", None: ""}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured; for a ratio, both sides by name.
        value: the number, rounded to four digits.
        unit: of the value; ``x`` for a ratio.
        goal: what the value should be, as in ``≥ 20``; None where nothing is asked.
        holds: whether it is; None where nothing is asked.
    """

    what: str
    value: float
    unit: str
    goal: str | None
    holds: bool | None


def row(what: str, value: float, unit: str, *, at_least: float | None = None, at_most: float | None = None) -> Row:
    """A row of the table; the goal is judged by the value as measured, before rounding.

    Args:
        what: what was measured; for a ratio, both sides by name.
        value: as measured.
        unit: of the value; ``x`` for a ratio.
        at_least: the goal is this or more.
        at_most: the goal is this or less.

    Raises:
        DataError: the value is not finite: a benchmark that measured nothing shall not look like one that did.
    """
    if not abs(value) < float("inf"):
        raise DataError(f"benchmark: expected a number for {what!r}, found {value}; look at how it is measured")
    rounded = float(f"{value:.4g}")
    if at_least is not None:
        return Row(what, rounded, unit, f"≥ {at_least:g}", bool(value >= at_least))
    if at_most is not None:
        return Row(what, rounded, unit, f"≤ {at_most:g}", bool(value <= at_most))
    return Row(what, rounded, unit, None, None)


def cells(one: Row) -> tuple[str, ...]:
    """The row as texts, in the order of the headings."""
    return (one.what, f"{one.value:g}", one.unit, one.goal or "", MARKS[one.holds])


def table(rows: Sequence[Row]) -> str:
    """The rows as a table for a terminal."""
    lines = [HEADINGS, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if heading == "value" else text.ljust(width)
            for heading, text, width in zip(HEADINGS, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
