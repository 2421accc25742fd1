"""Sample positions in an image, relative to its size and so the same at every layer."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FRACTION_BITS = 53  # what a float64 in 0..1 holds exactly


def relative_positions(seed: int, digests: Sequence[str], count: int) -> NDArray[np.float64]:
    """``count`` positions (v, u) for each image, uniform in [0, 1), v downwards and u to the right.

    A position depends only on the seed, the image's digest and its own number, so adding images or positions moves
    none.

    Returns:
        [image, count, 2]
    """
    return np.array([[_position(seed, digest, i) for i in range(count)] for digest in digests]).reshape(-1, count, 2)


def _position(seed: int, digest: str, number: int) -> tuple[float, float]:
    words = hashlib.sha256(f"{seed}/{digest}/{number}".encode()).digest()
    v, u = (int.from_bytes(words[start : start + 8]) >> (64 - _FRACTION_BITS) for start in (0, 8))
    return v / 2**_FRACTION_BITS, u / 2**_FRACTION_BITS
