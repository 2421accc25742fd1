from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from pipeline.grid.parts import Parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """A folder without parts."""
    found = Parts(tmp_path / "parts", "of")
    found.begin()
    return found


def test_parts_that_belong_together_count_together(parts: Parts) -> None:
    """Of several arrays made at once all are there in the end; when the block is left early, none is."""
    arrays = {"one": ((3,), np.float32), "two": ((2, 2), np.int64)}
    with suppress(KeyboardInterrupt), parts.making_all(arrays) as made:
        made["one"][...] = 1
        raise KeyboardInterrupt
    assert not any(parts.has(name) for name in arrays)
    with parts.making_all(arrays) as made:
        made["one"][...] = 1
        made["two"][...] = [[1, 2], [3, 4]]
        assert not any(parts.has(name) for name in arrays)
    one, two = parts.load("one"), parts.load("two")
    np.testing.assert_array_equal(one, [1, 1, 1])
    np.testing.assert_array_equal(two, [[1, 2], [3, 4]])


def test_a_changed_part_does_not_count(parts: Parts) -> None:
    """A part of which a bit is turned, or the end is missing, is not there any more."""
    file = parts.folder / "one.npy"
    for turned, kept in ((1, None), (0, -1)):
        with parts.making("one", (50,), np.float32) as made:
            made[...] = 2
        assert parts.has("one")
        found = bytearray(file.read_bytes())
        found[-9] ^= turned
        file.write_bytes(found[:kept])
        assert not parts.has("one")
