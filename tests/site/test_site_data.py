import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core.site_data import data_script, pack_array


def unpacked(content: dict[str, Any]) -> NDArray[Any]:
    """What the page reads from a packed array, by the format's description."""
    data = zlib.decompress(base64.b64decode(content["data"]))
    return np.frombuffer(data, np.dtype(content["type"]).newbyteorder("<")).reshape(content["shape"])


@pytest.mark.parametrize("low_high", [(0, 1), (0, 255), (-1, 100), (0, 60_000), (-1, 300), (0, 100_000), (-1, 70_000)])
def test_whole_numbers_come_back_exactly(low_high: tuple[int, int]) -> None:
    """Whole numbers keep their values and shape, whatever type they are packed in."""
    values = np.random.default_rng(0).integers(*low_high, (40, 3), endpoint=True)
    values[0, 0], values[0, 1] = low_high
    assert np.array_equal(unpacked(pack_array(values)), values)


def test_real_numbers_come_back_exactly() -> None:
    """Floating-point numbers of any size keep their value beside one a million times as large, and NaN stays NaN."""
    values = np.random.default_rng(0).normal(0, 3, (50, 4)).astype(np.float32)
    values[3, 1], values[4, 1] = np.nan, 3e6
    assert np.array_equal(unpacked(pack_array(values)), values, equal_nan=True)


@pytest.mark.parametrize("values", [np.zeros((0, 2), np.float32), np.full(3, np.nan, np.float32), np.zeros(4)])
def test_arrays_without_a_number_are_no_error(values: NDArray[Any]) -> None:
    """Empty, all-NaN and all-zero arrays are packed too."""
    assert np.array_equal(unpacked(pack_array(values)), values, equal_nan=True)


def test_no_name_ends_the_script() -> None:
    """A part is pure ASCII without any '<', yet names full of markup come back as they were."""
    names = ["</script><script>alert(1)</script>", "<!--", "caf\u00e9 \u2028 \U0001f6a2", 'a"b\\c']
    text = data_script("images/<0>", {"names": names})
    assert "<" not in text
    assert text.isascii()
    assert json.loads(text.partition("]=")[2].removesuffix(";\n")) == {"names": names}
