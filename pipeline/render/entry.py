"""A finished icon as the icon cache keeps it: plain bytes behind a checksum.

The bytes are not compressed: zlib saves only 8 % on real icons, and reading would have to undo it.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHECKSUM = struct.Struct("<I")
HEADER = struct.Struct("<HHIff?")  # height, width, channels; fidelity, centred fidelity; sound


@dataclass(frozen=True, eq=False)
class Entry:
    """A finished icon.

    Attributes:
        icon: uint8 [y, x, 3].
        fidelity: of the icon as it is stored; NaN where it is none.
        fidelity_centred: likewise.
        activation: float32 [channel], mean raw activation over the held-out views.
        sound: the picture is finite and was moved by a gradient; any other is no icon.
    """

    icon: NDArray[np.uint8]
    fidelity: np.float32
    fidelity_centred: np.float32
    activation: NDArray[np.float32]
    sound: bool


def packed(key: bytes, entry: Entry) -> bytes:
    """The entry as bytes; the checksum also covers the key, so that no entry passes for another one.

    Raises:
        ValueError: an array is not of the type that is kept.
    """
    if entry.icon.dtype != np.uint8 or entry.icon.ndim != 3 or entry.icon.shape[2] != 3:
        raise ValueError(f"expected uint8 [y, x, 3], found {entry.icon.dtype} {entry.icon.shape}")
    if entry.activation.dtype != np.float32 or entry.activation.ndim != 1:
        raise ValueError(f"expected float32 [channel], found {entry.activation.dtype} {entry.activation.shape}")
    height, width, _ = entry.icon.shape
    header = HEADER.pack(
        height, width, len(entry.activation), entry.fidelity, entry.fidelity_centred, bool(entry.sound)
    )
    body = header + entry.icon.tobytes() + entry.activation.astype("<f4", copy=False).tobytes()
    return CHECKSUM.pack(zlib.crc32(body, zlib.crc32(key))) + body


def unpacked(key: bytes, stored: object) -> Entry | None:
    """The entry that was kept under ``key``; None if a byte of it has changed. Its arrays are read-only."""
    start = CHECKSUM.size + HEADER.size
    if not isinstance(stored, bytes) or len(stored) < start:
        return None
    if CHECKSUM.unpack_from(stored)[0] != zlib.crc32(memoryview(stored)[CHECKSUM.size :], zlib.crc32(key)):
        return None
    height, width, channels, fidelity, centred, sound = HEADER.unpack_from(stored, CHECKSUM.size)
    pixels = height * width * 3
    return Entry(
        icon=np.frombuffer(stored, np.uint8, pixels, start).reshape(height, width, 3),
        fidelity=np.float32(fidelity),
        fidelity_centred=np.float32(centred),
        activation=np.frombuffer(stored, "<f4", channels, start + pixels).astype(np.float32, copy=False),
        sound=sound,
    )
