"""Progress of long steps: a bar on a terminal, a plain line every 20 seconds elsewhere."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tqdm import tqdm

from pipeline.core.errors import escape_control_chars
from pipeline.core.secrets import redact

Item = TypeVar("Item")

PLAIN_SECONDS = 20.0
PLAIN_DELAY = 5.0  # seconds; shorter steps write no line to a log


class _Lines:
    """A text stream that writes each redraw of a bar as a line of its own, for logs."""

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line:
            sys.stderr.write(line + "\n")

    def flush(self) -> None:
        sys.stderr.flush()


def bar_options(what: str, total: int, unit: str) -> dict[str, Any]:
    """Options of a ``tqdm`` bar for ``total`` units of work, for libraries that create the bar themselves."""
    options: dict[str, Any] = {"desc": what, "unit": unit, "unit_scale": total >= 10_000}
    if sys.stderr.isatty():
        return {**options, "dynamic_ncols": True}
    return {
        **options,
        "file": _Lines(),
        "delay": PLAIN_DELAY,
        "mininterval": PLAIN_SECONDS,
        "maxinterval": PLAIN_SECONDS,
        "bar_format": "{desc}: {n_fmt}/{total_fmt} {unit} ({percentage:.0f}%), {rate_fmt}, {remaining} left",
    }


@contextmanager
def progress(what: str, total: int, unit: str) -> "Iterator[tqdm[Any]]":
    """A bar for ``total`` units of work; call its ``update(n)`` after each ``n`` units."""
    with tqdm(total=total, **bar_options(what, total, unit)) as bar:
        yield bar


def tracked(items: Iterable[Item], what: str, total: int, unit: str) -> Iterator[Item]:
    """Yield ``items`` and count them with a bar."""
    with progress(what, total, unit) as bar:
        for item in items:
            yield item
            bar.update()


def log_line(line: str) -> None:
    """Write one line to standard error, with secrets masked and control characters escaped."""
    sys.stderr.write(escape_control_chars(redact(line)) + "\n")


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 atlas``, ``2,000 images``.

    Args:
        number: how many.
        one: the noun for one.
        many: for any other number; by default with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
