"""The icon cache."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import ArtifactError
from pipeline.render.cache import FILE, IconCache
from pipeline.render.entry import Entry, packed, unpacked

SIDE, CHANNELS, BATCH = 12, 16, 8

# a process that keeps icons from a number on, batch after batch, and never stops by itself
WRITER = """
import sys
from itertools import count
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from pipeline.render.cache import IconCache
from tests.render.test_cache import BATCH, batch
with IconCache(Path(sys.argv[1])) as cache:
    for start in count(int(sys.argv[2]), BATCH):
        cache.put(batch(range(start, start + BATCH)))
        print(start, flush=True)
"""
ROOT = Path(__file__).parents[2]


def key(number: int) -> str:
    """The key of a made-up icon."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def entry(number: int) -> Entry:
    """A made-up icon, another one for each number."""
    random = np.random.default_rng(number)
    fidelity, centred = random.random(2, np.float32)
    pixels = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    return Entry(pixels, fidelity, centred, random.standard_normal(CHANNELS, np.float32), sound=number % 3 > 0)


def batch(numbers: Iterable[int]) -> dict[str, Entry]:
    """Made-up icons by key."""
    return {key(number): entry(number) for number in numbers}


def same(found: Entry, expected: Entry) -> bool:
    """Every bit of two entries is equal."""
    return packed(b"", found) == packed(b"", expected)


def start_writer(folder: Path, start: int) -> "subprocess.Popen[str]":
    """A process that writes to the cache."""
    command = [sys.executable, "-P", "-c", WRITER, str(folder), str(start), str(ROOT)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill(writer: "subprocess.Popen[str]") -> None:
    """Kill -9, and wait."""
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()


def test_icons_come_back_bit_by_bit(tmp_path: Path) -> None:
    """What is put is found again after closing, in every bit, NaN included; what was not put is absent."""
    kept = batch(range(20)) | {
        key(20): Entry(
            np.zeros((5, 7, 3), np.uint8), np.float32(np.nan), np.float32(-0.0), np.full(3, np.nan, "f4"), False
        )
    }
    with IconCache(tmp_path / "deep" / "icons") as cache:
        cache.put(kept)
    with IconCache(tmp_path / "deep" / "icons") as cache:
        found = cache.get(map(key, range(1500)))
    assert found.keys() == kept.keys()
    assert all(same(found[name], kept[name]) for name in kept)
    assert np.signbit(found[key(20)].fidelity_centred)


def test_the_first_writer_of_a_key_wins(tmp_path: Path) -> None:
    """A second icon under the same key is not kept, and its neighbours in the batch are."""
    with IconCache(tmp_path) as cache:
        cache.put({key(1): entry(1)})
        cache.put({key(1): entry(2), key(3): entry(3)})
        found = cache.get([key(1), key(3)])
    assert same(found[key(1)], entry(1))
    assert same(found[key(3)], entry(3))


def test_every_flipped_byte_of_an_entry_is_noticed() -> None:
    """No change of a single byte, no missing byte and no other key gives an entry."""
    good = packed(b"key", entry(1))
    assert unpacked(b"key", good) is not None
    for place in range(len(good)):
        flipped = bytearray(good)
        flipped[place] ^= 1 << place % 8
        assert unpacked(b"key", bytes(flipped)) is None
    assert all(unpacked(b"key", good[:length]) is None for length in range(len(good)))
    assert unpacked(b"yek", good) is None


def test_a_damaged_entry_is_absent_until_it_is_put_again(tmp_path: Path) -> None:
    """A byte that flips on disk costs one icon, and drawing it again mends the cache."""
    with IconCache(tmp_path) as cache:
        cache.put(batch(range(3)))
    path = tmp_path / FILE
    content = path.read_bytes()
    place = content.index(entry(1).icon.tobytes()) + 100
    path.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
    with IconCache(tmp_path) as cache:
        assert cache.get(map(key, range(3))).keys() == {key(0), key(2)}
        cache.put(batch([1]))
        assert same(cache.get([key(1)])[key(1)], entry(1))


def test_no_damage_of_the_file_gives_a_wrong_icon(tmp_path: Path) -> None:
    """Whichever byte of the file flips: icons that are found are right, or one line says what to do."""
    with IconCache(tmp_path) as cache:
        cache.put(batch(range(40)))
    path, names = tmp_path / FILE, [key(number) for number in range(40)]
    content, random = path.read_bytes(), np.random.default_rng(0)
    # most damage is done at the beginnings of pages, where SQLite keeps its own notes
    places = [*range(0, 120, 3), *random.integers(0, len(content), 100)]
    places += [4096 * page + offset for page in range(len(content) // 4096) for offset in (0, 3, 5, 8, 12)]
    lost = refused = whole = 0
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            with IconCache(tmp_path) as cache:
                found = cache.get(names)
        except ArtifactError as error:
            refused += "nothing is lost" in str(error)
        else:
            assert all(same(found[name], entry(names.index(name))) for name in found)
            lost += len(found) < len(names)
            whole += len(found) == len(names)
    assert lost
    assert refused
    assert lost + refused + whole == len(places)


@pytest.mark.parametrize("damage", ["half", "other", "newer"])
def test_an_unusable_cache_is_told_in_one_line(damage: str, tmp_path: Path) -> None:
    """A truncated file, another file or another version names the folder and says that it may be deleted."""
    with IconCache(tmp_path) as cache:
        cache.put(batch(range(40)))
    path = tmp_path / FILE
    if damage == "half":
        os.truncate(path, path.stat().st_size // 2)
    elif damage == "other":
        path.write_bytes(b"no cache at all" * 1000)
    else:
        base = sqlite3.connect(path)
        base.execute("PRAGMA user_version = 99")
        base.close()
    with pytest.raises(ArtifactError, match=r"delete that folder and run again") as told, IconCache(tmp_path) as cache:
        cache.get(map(key, range(40)))
    assert str(tmp_path) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_folder_that_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    """A file where the folder should lie is no traceback."""
    (tmp_path / "icons").touch()
    with pytest.raises(ArtifactError, match="expected a folder"):
        IconCache(tmp_path / "icons")


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """An entry that cannot be kept takes its batch with it."""
    wrong = Entry(np.zeros((2, 2), np.uint8), np.float32(0), np.float32(0), np.zeros(3, "f4"), sound=True)
    with IconCache(tmp_path) as cache:
        with pytest.raises(ValueError, match="expected uint8"):
            cache.put({**batch([1]), key(2): wrong})
        assert not cache.get([key(1), key(2)])


def test_processes_write_at_once_and_a_kill_leaves_whole_batches(tmp_path: Path) -> None:
    """Two writers share a new cache; killed in the middle of their puts, they leave all they told of, and no half."""
    for start in (0, 10**6):
        writers = [start_writer(tmp_path, start), start_writer(tmp_path, start + 80)]
        told = []
        for writer in writers:
            assert writer.stdout is not None
            told.append([int(next(writer.stdout)) for _ in range(20)])
        time.sleep(0.03 + start * 5e-8)  # into the middle of some other put
        for writer in writers:
            kill(writer)
        with IconCache(tmp_path) as cache:
            for first in sorted({first for firsts in told for first in firsts}):
                assert len(cache.get(batch(range(first, first + BATCH)))) == BATCH
            for first in range(start, start + 4000, BATCH):
                expected = batch(range(first, first + BATCH))
                found = cache.get(expected)
                assert len(found) in {0, BATCH}
                assert all(same(found[name], expected[name]) for name in found)
            cache.put(batch([start + 10**5]))
            assert cache.get([key(start + 10**5)])


def test_34000_icons_are_read_quickly(tmp_path: Path) -> None:
    """A rerun of a large atlas spends its time elsewhere: 0.6 s were measured, and a loaded machine gets more."""
    names, one = [key(number) for number in range(34_000)], entry(1)
    with IconCache(tmp_path) as cache:
        for start in range(0, len(names), 1000):
            cache.put(dict.fromkeys(names[start : start + 1000], one))
        began = time.perf_counter()
        assert len(cache.get(names)) == len(names)
        assert time.perf_counter() - began < 5
