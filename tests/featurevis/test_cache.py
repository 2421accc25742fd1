"""The image cache and its keys."""

import hashlib
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core.errors import ArtifactError
from pipeline.featurevis import cache as module
from pipeline.featurevis.cache import FILE, CachedImage, ImageCache, base_digest, image_key, pack, unpack

SIDE, CHANNELS, BATCH = 12, 16, 8

# a process that keeps icons from a number on, batch after batch, and never stops by itself
WRITER = """
import sys
from itertools import count
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from pipeline.featurevis.cache import ImageCache
from tests.featurevis.test_cache import BATCH, batch
with ImageCache(Path(sys.argv[1])) as cache:
    for start in count(int(sys.argv[2]), BATCH):
        cache.put(batch(range(start, start + BATCH)))
        print(start, flush=True)
"""
ROOT = Path(__file__).parents[2]


def key(number: int) -> str:
    """The key of a made-up icon."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def made_up(number: int) -> CachedImage:
    """A made-up icon, another one for each number."""
    random = np.random.default_rng(number)
    fidelity, centered = random.random(2, np.float32)
    pixels = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    scores = {"fidelity": float(fidelity), "fidelity_centred": float(centered)}
    return CachedImage(pixels, scores, random.standard_normal(CHANNELS, np.float32), valid=number % 3 > 0)


def batch(numbers: Iterable[int]) -> dict[str, CachedImage]:
    """Made-up icons by key."""
    return {key(number): made_up(number) for number in numbers}


def same(found: CachedImage, expected: CachedImage) -> bool:
    """Every bit of two entries is equal."""
    return pack(b"", found) == pack(b"", expected)


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
        key(20): CachedImage(
            np.zeros((5, 7, 3), np.uint8), {"a": math.nan, "b": -0.0}, np.full(3, np.nan, "f4"), valid=False
        )
    }
    with ImageCache(tmp_path / "deep" / "icons") as cache:
        cache.put(kept)
    with ImageCache(tmp_path / "deep" / "icons") as cache:
        found = cache.get(map(key, range(1500)))
    assert found.keys() == kept.keys()
    assert all(same(found[name], kept[name]) for name in kept)
    assert np.signbit(found[key(20)].scores["b"])


def test_the_first_writer_of_a_key_wins(tmp_path: Path) -> None:
    """A second icon under the same key is not kept, and its neighbors in the batch are."""
    with ImageCache(tmp_path) as cache:
        cache.put({key(1): made_up(1)})
        cache.put({key(1): made_up(2), key(3): made_up(3)})
        found = cache.get([key(1), key(3)])
    assert same(found[key(1)], made_up(1))
    assert same(found[key(3)], made_up(3))


def test_every_flipped_byte_of_an_entry_is_noticed() -> None:
    """No change of a single byte, no missing byte and no other key gives an entry."""
    good = pack(b"key", made_up(1))
    assert unpack(b"key", good) is not None
    for place in range(len(good)):
        flipped = bytearray(good)
        flipped[place] ^= 1 << place % 8
        assert unpack(b"key", bytes(flipped)) is None
    assert all(unpack(b"key", good[:length]) is None for length in range(len(good)))
    assert unpack(b"yek", good) is None


def test_a_damaged_entry_is_absent_until_it_is_put_again(tmp_path: Path) -> None:
    """A byte that flips on disk costs one icon, and rendering it again mends the cache."""
    with ImageCache(tmp_path) as cache:
        cache.put(batch(range(3)))
    path = tmp_path / FILE
    content = path.read_bytes()
    place = content.index(made_up(1).image.tobytes()) + 100
    path.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
    with ImageCache(tmp_path) as cache:
        assert cache.get(map(key, range(3))).keys() == {key(0), key(2)}
        cache.put(batch([1]))
        assert same(cache.get([key(1)])[key(1)], made_up(1))


def test_no_damage_of_the_file_gives_a_wrong_icon(tmp_path: Path) -> None:
    """Whichever byte of the file flips: icons that are found are right, or one line says what to do."""
    with ImageCache(tmp_path) as cache:
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
            with ImageCache(tmp_path) as cache:
                found = cache.get(names)
        except ArtifactError as error:
            refused += "nothing is lost" in str(error)
        else:
            assert all(same(found[name], made_up(names.index(name))) for name in found)
            lost += len(found) < len(names)
            whole += len(found) == len(names)
    assert lost
    assert refused
    assert lost + refused + whole == len(places)


@pytest.mark.parametrize("damage", ["half", "other", "newer"])
def test_an_unusable_cache_is_one_line(damage: str, tmp_path: Path) -> None:
    """A truncated file, another file or another version names the folder and says that it may be deleted."""
    with ImageCache(tmp_path) as cache:
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
    with pytest.raises(ArtifactError, match=r"delete that folder and run again") as told, ImageCache(tmp_path) as cache:
        cache.get(map(key, range(40)))
    assert str(tmp_path) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    """A file where the folder should lie is no traceback."""
    (tmp_path / "icons").touch()
    with pytest.raises(ArtifactError, match="expected a folder"):
        ImageCache(tmp_path / "icons")


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """An entry that cannot be kept takes its batch with it."""
    wrong = CachedImage(np.zeros((2, 2), np.uint8), {}, np.zeros(3, "f4"), valid=True)
    with ImageCache(tmp_path) as cache:
        with pytest.raises(ValueError, match="expected uint8"):
            cache.put({**batch([1]), key(2): wrong})
        assert not cache.get([key(1), key(2)])


def test_processes_write_at_once_and_a_kill_leaves_whole_batches(tmp_path: Path) -> None:
    """Two writers of a new cache are killed during their puts: all confirmed batches are there, and no partial one."""
    for start in (0, 10**6):
        writers = [start_writer(tmp_path, start), start_writer(tmp_path, start + 80)]
        told = []
        for writer in writers:
            assert writer.stdout is not None
            told.append([int(next(writer.stdout)) for _ in range(20)])
        time.sleep(0.03 + start * 5e-8)  # into the middle of some other put
        for writer in writers:
            kill(writer)
        with ImageCache(tmp_path) as cache:
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
    names, one = [key(number) for number in range(34_000)], made_up(1)
    with ImageCache(tmp_path) as cache:
        for start in range(0, len(names), 1000):
            cache.put(dict.fromkeys(names[start : start + 1000], one))
        began = time.perf_counter()
        assert len(cache.get(names)) == len(names)
        assert time.perf_counter() - began < 5


VECTOR = np.arange(4, dtype=np.float32)
INPUTS: dict[str, Any] = {
    "network": "abc",
    "layer": "mixed4a",
    "origin": VECTOR,
    "root": np.eye(4, dtype=np.float32),
    "layer_mean": VECTOR + 1,
    "settings": {"steps": 64, "scale": [0.9, 1.1], "dtype": "float32"},
    "seed": 0,
}
CHANGES: list[dict[str, Any]] = [
    {"network": "abd"},
    {"layer": "mixed4b"},
    {"origin": VECTOR + np.float32(1e-6)},
    {"root": None},
    {"root": np.eye(4, dtype=np.float32) * np.float32(1.0000002)},
    {"layer_mean": VECTOR},
    {"settings": {"steps": 65, "scale": [0.9, 1.1], "dtype": "float32"}},
    {"settings": {"steps": 64, "scale": [0.9, 1.1], "dtype": "bfloat16"}},
    {"settings": {"steps": 64, "scale": [0.9, 1.1]}},
    {"seed": 1},
]


def key_of(**changes: Any) -> str:
    """The key of one direction with some inputs changed."""
    return image_key(base_digest({**INPUTS, **changes}), VECTOR, 0)


def test_every_input_changes_the_key() -> None:
    """No two of these icons may ever be taken for each other."""
    base = base_digest(INPUTS)
    parent = image_key(base, VECTOR, 0)
    keys = [
        parent,
        *(key_of(**change) for change in CHANGES),
        image_key(base, VECTOR * 2, 0),
        image_key(base, VECTOR[:3], 0),
        image_key(base, VECTOR, 1),
        image_key(base, VECTOR, 0, parent),
        image_key(base, VECTOR, 0, image_key(base, VECTOR, 1)),
    ]
    assert len(set(keys)) == len(keys)


def test_equal_inputs_have_equal_keys() -> None:
    """The order of the settings and the layout of an array in memory are no inputs."""
    reordered = dict(reversed(INPUTS["settings"].items()))
    assert key_of(settings=reordered, root=np.asfortranarray(INPUTS["root"])) == key_of()
    every_other = np.repeat(VECTOR, 2)[::2]
    assert image_key(b"base", every_other, 0) == image_key(b"base", VECTOR, 0)


@pytest.mark.parametrize("name", ["GENERATION", "torch.__version__"])
def test_other_code_has_other_keys(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Icons of an older algorithm or of another torch are not found."""
    before = key_of()
    monkeypatch.setattr(f"{module.__name__}.{name}", 99 if name == "GENERATION" else "0.0")
    assert key_of() != before
