"""What a run of the stage has worked out so far, as whole files that the next run takes up."""

import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from pipeline.core.files import discard, write_json

PIECE = 2**24
CHECK = 4  # bytes at the end of a file: the CRC-32 of all before
OF = "of.json"
FINISHED = "finished.json"
PARTIAL = ".partial"


@dataclass(frozen=True)
class Parts:
    """A folder of arrays, each in a file of its own that is there whole or not at all.

    Attributes:
        folder: absolute, so that workers find it.
        of: identity of what the parts belong to; others are never mixed in.
    """

    folder: Path
    of: str

    def begin(self) -> None:
        """Keep what is there if it belongs to the same; else start with nothing."""
        try:
            same = json.loads((self.folder / OF).read_text()) == self.of
        except (OSError, ValueError):
            same = False
        if not same:
            discard(self.folder)
            self.folder.mkdir(parents=True)
            write_json(self.folder / OF, self.of)
        for left in self.folder.glob("*" + PARTIAL):
            discard(left)

    @contextmanager
    def making(self, name: str, shape: tuple[int, ...], dtype: Any) -> Iterator[NDArray[Any]]:
        """An array in a new file, to be filled in the block; it counts only when that ends well."""
        with self.making_all({name: (shape, dtype)}) as made:
            yield made[name]

    @contextmanager
    def making_all(self, arrays: Mapping[str, tuple[tuple[int, ...], Any]]) -> Iterator[dict[str, NDArray[Any]]]:
        """Several arrays, by their names, shapes and number types, which count together: all of them or none."""
        # names of their own: a task may run twice at the same time
        partials = {name: self.folder / f"{name}.{uuid4().hex}{PARTIAL}" for name in arrays}
        made: dict[str, NDArray[Any]] = {}
        for name, (shape, dtype) in arrays.items():
            made[name] = np.asarray(np.lib.format.open_memmap(partials[name], mode="w+", dtype=dtype, shape=shape))
            _claim(partials[name])
        yield made
        for partial in partials.values():
            with partial.open("r+b") as file:
                check = _checksum(file, partial.stat().st_size)
                file.write(check)
        for name, partial in partials.items():
            partial.replace(self._file(name))

    def load(self, name: str) -> NDArray[Any] | None:
        """An array, read from the disk as it is used; None if it is not there, or not what was written."""
        try:
            with self._file(name).open("rb") as file:
                size = self._file(name).stat().st_size - CHECK
                intact = size > 0 and _checksum(file, size) == file.read()
        except OSError:
            return None
        return _mapped(self._file(name)) if intact else None

    def has(self, name: str) -> bool:
        """Whether the part is there and whole."""
        return self.load(name) is not None

    def drop(self, name: str) -> None:
        """Forget a part."""
        discard(self._file(name))

    def end(self, result: Mapping[str, Any]) -> None:
        """Keep what is told of the finished run, then forget all parts: a kill in between leaves enough to see that."""
        write_json(self.folder / FINISHED, dict(result))
        for part in self.folder.glob("*.npy"):
            discard(part)

    def result(self) -> dict[str, Any] | None:
        """What :meth:`end` was given by a run that finished the same; None where none did. Asked after ``begin``."""
        try:
            found = json.loads((self.folder / FINISHED).read_text())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.npy"


def _claim(path: Path) -> None:
    """Take the room of a file on the disk: on a full one, writing to a mapped file would end the process."""
    if hasattr(os, "posix_fallocate"):  # not on every system
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _checksum(file: "io.BufferedRandom | io.BufferedReader", size: int) -> bytes:
    """CRC-32 of the next ``size`` bytes of a file."""
    check = 0
    while size > 0:
        piece = file.read(min(PIECE, size))
        if not piece:
            break
        check, size = zlib.crc32(piece, check), size - len(piece)
    return check.to_bytes(CHECK, "little")


def _mapped(path: Path) -> NDArray[Any]:
    return np.asarray(np.lib.format.open_memmap(path, mode="r"))  # each use of NumPy's own class costs much more
