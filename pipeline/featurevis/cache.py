"""The image cache: finished images under their keys, in one SQLite file that survives kills and concurrent writers.

An image's key is a digest of everything that can change its pixels. A row is plain bytes behind a checksum; they are
not compressed: zlib saves only 8 % on real icons, and reading would have to undo it.
"""

import hashlib
import json
import sqlite3
import struct
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.errors import ArtifactError
from pipeline.core.files import identity
from pipeline.featurevis.composition import canonical_bytes
from pipeline.featurevis.objectives import array_digest

GENERATION = 3  # raised whenever the code renders other pixels from the same input, or names its inputs otherwise
CACHE = ".cache/images"  # below outputs; DVC does not know of it, and all stages, layers and atlases share it
FILE = "images.sqlite"
FORMAT = 2  # raised when rows are laid out in another way
BUSY_SECONDS = 60.0  # how long one process waits for others that write
RETRY_SECONDS = 0.02
CHUNK = 500  # keys in one query
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
CHECKSUM = struct.Struct("<I")
HEADER = struct.Struct("<HHIHI?")  # height, width; channels, scores, bytes of the scores' names; valid

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CachedImage:
    """A finished image and what was measured on it.

    Attributes:
        image: uint8 [y, x, 3].
        scores: measures of the stored image by name, e.g. ``fidelity``; NaN where the image is not valid.
        activation: float32 [channel], mean activation that the measures were taken from; may be empty.
        valid: the image is finite, as are its scores, and the network gave it a gradient.
    """

    image: NDArray[np.uint8]
    scores: Mapping[str, float]
    activation: Floats
    valid: bool


def base_digest(inputs: Mapping[str, Any]) -> bytes:
    """What the keys of all images of one kind have in common.

    The version of torch belongs to it, since another one may round differently.

    Args:
        inputs: whatever can change a pixel or a measure: the network's identity, the objective's description, settings,
            seed; as JSON has them, or arrays.

    Returns:
        32 bytes, for :func:`image_key`.
    """
    described = {
        name: array_digest(value) if isinstance(value, np.ndarray) else value for name, value in inputs.items()
    }
    return bytes.fromhex(identity({"generation": GENERATION, "torch": torch.__version__, "inputs": described}))


def image_key(base: bytes, target: NDArray[Any], attempt: int, parent: str | None = None) -> str:
    """The key of one image.

    Args:
        base: see :func:`base_digest`.
        target: what it is optimized for, e.g. a direction [channel].
        attempt: counted from 0.
        parent: key of the image that it starts from; None starts from noise.

    Returns:
        SHA-256, hex.
    """
    digest = hashlib.sha256(base)
    digest.update(f"{attempt} {parent or '-'} {target.dtype.name} {target.shape} ".encode())
    digest.update(canonical_bytes(target))
    return digest.hexdigest()


class ImageCache:
    """Finished images of all runs of a checkout; a context manager, used by the thread that opened it.

    Several processes of one machine may use it at once. A row that does not match its checksum counts as absent.
    """

    def __init__(self, folder: Path) -> None:
        """Open the cache in ``folder``, or start one there.

        Raises:
            ArtifactError: the folder cannot be used, or the cache in it is damaged or from another version.
        """
        self._folder = folder
        with _one_line_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(folder / FILE, timeout=BUSY_SECONDS, isolation_level=None)
            self._base.text_factory = bytes
            try:
                self._prepare()
            except BaseException:
                self._base.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._base.close()

    def get(self, keys: Iterable[str]) -> dict[str, CachedImage]:
        """The images that are there, by key.

        Raises:
            ArtifactError: the cache is damaged beyond reading.
        """
        found: dict[str, CachedImage] = {}
        left = iter(keys)
        with _one_line_errors(self._folder):
            while chunk := [bytes.fromhex(key) for key in islice(left, CHUNK)]:
                marks = ",".join("?" * len(chunk))
                query = f"SELECT key, body FROM image WHERE key IN ({marks})"  # noqa: S608  # question marks alone
                for key, body in self._base.execute(query, chunk):
                    image = unpack(key, body)
                    if image is not None:
                        found[key.hex()] = image
        return found

    def put(self, images: Mapping[str, CachedImage]) -> None:
        """Keep images, all or none; one that is there and undamaged stays as it is.

        Raises:
            ArtifactError: the disk is full, the folder cannot be written, or the cache is damaged.
        """
        rows = [(key, pack(key, image)) for key, image in ((bytes.fromhex(k), i) for k, i in images.items())]
        with _one_line_errors(self._folder), self._transaction():
            for key, body in rows:
                existing = self._base.execute("SELECT body FROM image WHERE key = ?", (key,)).fetchone()
                if existing is None or unpack(key, existing[0]) is None:
                    self._base.execute("INSERT OR REPLACE INTO image VALUES (?, ?)", (key, body))

    def _prepare(self) -> None:
        # A log beside the file lets others read while one writes; where it cannot be, SQLite's own journal stays. With
        # the log a power cut may cost the last rows, but never the file.
        logged = _retried(self._base, "PRAGMA journal_mode = WAL") == b"wal"
        self._base.execute(f"PRAGMA synchronous = {'NORMAL' if logged else 'FULL'}")
        with self._transaction():
            if not self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                self._base.execute("CREATE TABLE image (key BLOB PRIMARY KEY, body BLOB NOT NULL)")
                self._base.execute(f"PRAGMA user_version = {FORMAT}")
            found = self._base.execute("PRAGMA user_version").fetchone()[0]
        if found != FORMAT:
            raise ArtifactError(_unusable(self._folder, f"version {found}"))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise


def pack(key: bytes, image: CachedImage) -> bytes:
    """The image as bytes; the checksum also covers the key, so that no row passes for another one.

    Raises:
        ValueError: an array is not of the type that is kept.
    """
    if image.image.dtype != np.uint8 or image.image.ndim != 3 or image.image.shape[2] != 3:
        raise ValueError(f"expected uint8 [y, x, 3], found {image.image.dtype} {image.image.shape}")
    if image.activation.dtype != np.float32 or image.activation.ndim != 1:
        raise ValueError(f"expected float32 [channel], found {image.activation.dtype} {image.activation.shape}")
    height, width, _ = image.image.shape
    names = json.dumps(list(image.scores)).encode()
    scores = np.array(list(image.scores.values()), "<f8")
    header = HEADER.pack(height, width, len(image.activation), len(scores), len(names), bool(image.valid))
    arrays = (scores, image.activation.astype("<f4", copy=False), image.image)
    body = header + names + b"".join(array.tobytes() for array in arrays)
    return CHECKSUM.pack(zlib.crc32(body, zlib.crc32(key))) + body


def unpack(key: bytes, stored: object) -> CachedImage | None:
    """The image that was kept under ``key``; None if a byte of it has changed. Its arrays are read-only."""
    start = CHECKSUM.size + HEADER.size
    if not isinstance(stored, bytes) or len(stored) < start:
        return None
    if CHECKSUM.unpack_from(stored)[0] != zlib.crc32(memoryview(stored)[CHECKSUM.size :], zlib.crc32(key)):
        return None
    height, width, channels, count, name_bytes, valid = HEADER.unpack_from(stored, CHECKSUM.size)
    names = json.loads(stored[start : start + name_bytes])
    first = start + name_bytes
    second = first + 8 * count
    third = second + 4 * channels
    return CachedImage(
        image=np.frombuffer(stored, np.uint8, height * width * 3, third).reshape(height, width, 3),
        scores=dict(zip(names, np.frombuffer(stored, "<f8", count, first).tolist(), strict=True)),
        activation=np.frombuffer(stored, "<f4", channels, second).astype(np.float32, copy=False),
        valid=valid,
    )


def _retried(base: sqlite3.Connection, command: str) -> object:
    """The answer to a command for which SQLite itself does not wait while others write."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return base.execute(command).fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


@contextmanager
def _one_line_errors(folder: Path) -> Iterator[None]:
    """Errors of the file system and of SQLite as one line with the folder and what to do."""
    try:
        yield
    except OSError as error:
        raise ArtifactError(f"{folder}: expected a folder for finished images, found: {error.strerror}") from None
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in BUSY:
            found = f"another process that writes for {BUSY_SECONDS:.0f} s already; wait for it and run again"
        elif code in NO_ROOM:
            found = f"{error}; make room or allow writing there, and run again"
        else:
            raise ArtifactError(_unusable(folder, str(error))) from None
        raise ArtifactError(f"{folder}: expected to write finished images, found {found}") from None


def _unusable(folder: Path, found: str) -> str:
    return (
        f"{folder}: expected finished images, version {FORMAT}, found {found}; "
        "delete that folder and run again (nothing is lost but time)"
    )
