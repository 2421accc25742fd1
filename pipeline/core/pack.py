"""(arrays, names) => the text of a classic script, which a page may load from disk as well as from a web host."""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT_A_NUMBER = -32768
STEPS = 32767


def packed(values: NDArray[Any]) -> dict[str, Any]:
    """An array as JSON: its number type, shape, scale and deflated little-endian bytes in base64.

    Whole numbers keep their values, in the smallest type that holds them. Floating-point numbers are rounded to one of
    65,535 steps between minus and plus the largest magnitude; NaN has a code of its own.

    Args:
        values: any shape; booleans, whole numbers, or floats without infinities.
    """
    scale = None
    if values.dtype.kind == "f":
        scale = float(np.nanmax(np.abs(values), initial=0.0)) / STEPS or 1.0
        codes = np.where(np.isnan(values), NOT_A_NUMBER, np.rint(values / scale)).astype(np.int16)
    else:
        codes = values.astype(smallest_type(values))
    data = zlib.compress(codes.astype(codes.dtype.newbyteorder("<")).tobytes(), level=9)
    return {
        "type": codes.dtype.name,
        "shape": list(values.shape),
        "scale": scale,
        "data": base64.b64encode(data).decode("ascii"),
    }


def smallest_type(values: NDArray[Any]) -> np.dtype[Any]:
    """The smallest of the page's number types that holds these whole numbers."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    types = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)
    return next(np.dtype(kind) for kind in types if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)


def part(name: str, content: Mapping[str, Any]) -> str:
    """A script that hands ``content`` to the page under ``name``.

    No ``<`` and nothing outside ASCII survives unescaped, so that no name in it can end the script or start markup.
    """
    return f"(self.atlasParts??={{}})[{_literal(name)}]={_literal(content)};\n"


def _literal(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
