"""Kinds of damage to a file."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.soak.contents import files

Fault = Callable[[Path, random.Random], None]


def truncate(path: Path, generator: random.Random) -> None:
    """Cut the file off somewhere."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(generator.randrange(size) if size else 0)


def flip(path: Path, generator: random.Random) -> None:
    """Change one byte somewhere."""
    content = bytearray(path.read_bytes())
    if content:
        content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        path.write_bytes(content)


def remove(path: Path, _generator: random.Random) -> None:
    """Remove the file."""
    path.unlink()


def shards(place: Path) -> list[Path]:
    """The files of a place that hold its data: shards of stored arrays, or all files where there are none."""
    every = files(place)
    return [path for path in every if "/c/" in path.as_posix()] or every


def victims(place: Path, count: int, generator: random.Random) -> Sequence[Path]:
    """The largest file with data, and others at random."""
    largest, *others = sorted(shards(place), key=lambda path: (-path.stat().st_size, str(path)))
    return [largest, *generator.sample(others, min(count - 1, len(others)))]
