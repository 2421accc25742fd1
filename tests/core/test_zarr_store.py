import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, GRID, LAYOUT, Artifact
from pipeline.core.errors import ArtifactError
from pipeline.core.moments import row_blocks


def written(path: Path, values: np.ndarray, shard_rows: int | None = None) -> None:
    """An activations artifact that holds ``values`` as its attributions."""
    with zarr_store.create(ACTIVATIONS, path, {"seed": 1}, {"model": "abc"}) as group:
        array = zarr_store.add_array(group, ACTIVATIONS, "attribution", values.shape, shard_rows)
        if values.size:
            array[...] = values


def interrupted(path: Path) -> None:
    """A writer that fails after its first array."""
    with zarr_store.create(LAYOUT, path, {}, {}) as group:
        zarr_store.write_array(group, LAYOUT, "sample", np.array([99]))
        raise RuntimeError


@pytest.mark.parametrize("shape", [(0, 5), (7, 0), (0, 0), (1, 3), (1000, 513), (100_000, 7)])
@pytest.mark.parametrize("shard_rows", [None, 64])
def test_arrays_of_any_shape_come_back(tmp_path: Path, shape: tuple[int, int], shard_rows: int | None) -> None:
    """What is written is read again, also without rows or without columns."""
    values = np.random.default_rng(0).random(shape, dtype=np.float32)
    written(tmp_path / "a.zarr", values, shard_rows)
    found = zarr_store.array(zarr_store.open_artifact(ACTIVATIONS, tmp_path / "a.zarr"), "attribution")
    np.testing.assert_array_equal(found[...], values)


def test_arrays_say_what_they_hold(tmp_path: Path) -> None:
    """Dimensions, meaning and unit stand with the array, settings and origin with the artifact."""
    written(tmp_path / "a.zarr", np.ones((2, 3), np.float32))
    group = zarr_store.open_artifact(ACTIVATIONS, tmp_path / "a.zarr")
    found = zarr_store.array(group, "attribution")
    assert found.metadata.to_dict()["dimension_names"] == ("sample", "class")
    assert found.attrs["unit"] == "logit"
    assert group.attrs["settings"] == {"seed": 1}
    assert group.attrs["made_from"] == {"model": "abc"}
    assert len(zarr_store.artifact_identity(group)) == 64


def test_half_written_artifact_is_never_at_its_place(tmp_path: Path) -> None:
    """A writer that fails leaves what was there before, or nothing."""
    path = tmp_path / "layout.zarr"
    for expected in (None, 7):
        if expected is not None:
            with zarr_store.create(LAYOUT, path, {}, {}) as group:
                zarr_store.write_array(group, LAYOUT, "sample", np.array([expected]))
        with pytest.raises(RuntimeError):
            interrupted(path)
        if expected is None:
            assert not path.exists()
        else:
            assert zarr_store.array(zarr_store.open_artifact(LAYOUT, path), "sample")[0] == expected


def test_a_new_artifact_takes_the_old_one_s_place(tmp_path: Path) -> None:
    """Writing again leaves nothing of the first one, not even an array that the second one lacks."""
    path = tmp_path / "layout.zarr"
    with zarr_store.create(LAYOUT, path, {}, {}) as group:
        zarr_store.write_array(group, LAYOUT, "sample", np.arange(3))
        zarr_store.write_array(group, LAYOUT, "xy", np.zeros((3, 2)))
    with zarr_store.create(LAYOUT, path, {}, {}) as group:
        zarr_store.write_array(group, LAYOUT, "sample", np.arange(5))
    again = zarr_store.open_artifact(LAYOUT, path)
    assert zarr_store.array(again, "sample").shape == (5,)
    with pytest.raises(ArtifactError, match="expected an array 'xy'"):
        zarr_store.array(again, "xy")


def test_identity_follows_settings_and_origin(tmp_path: Path) -> None:
    """Equal settings and origin give an equal identity, any other a different one."""
    identities = []
    for settings, origin in (({}, {}), ({}, {}), ({"seed": 2}, {}), ({}, {"layout": "x"})):
        with zarr_store.create(GRID, tmp_path / "g.zarr", settings, origin) as group:
            identities.append(zarr_store.artifact_identity(group))
    assert identities[0] == identities[1]
    assert len(set(identities)) == 3


def test_other_versions_and_kinds_are_refused(tmp_path: Path) -> None:
    """An artifact of another version, of another kind or not there at all is no input."""
    with zarr_store.create(LAYOUT, tmp_path / "layout.zarr", {}, {}):
        pass
    newer = Artifact("layout", LAYOUT.pattern, version=LAYOUT.version + 1)
    with pytest.raises(ArtifactError, match="version 2, found layout version 1"):
        zarr_store.open_artifact(newer, tmp_path / "layout.zarr")
    with pytest.raises(ArtifactError, match="expected grid"):
        zarr_store.open_artifact(GRID, tmp_path / "layout.zarr")
    with pytest.raises(ArtifactError, match="found nothing"):
        zarr_store.open_artifact(LAYOUT, tmp_path / "other.zarr")


def test_missing_levels_are_named(tmp_path: Path) -> None:
    """Asking for a level that a grid lacks names the levels that it has."""
    with zarr_store.create(GRID, tmp_path / "g.zarr", {}, {}) as group:
        for size in (10, 20):
            group.create_group(str(size))
    with pytest.raises(ArtifactError, match="expected level 40, found levels 10, 20"):
        zarr_store.level(zarr_store.open_artifact(GRID, tmp_path / "g.zarr"), 40)


def test_half_precision_is_the_same_with_and_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of half precision, NaN and infinities included, whichever library converts it."""
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    by_torch = zarr_store._to_float32(every)
    monkeypatch.delitem(sys.modules, "torch")
    by_numpy = zarr_store._to_float32(every)
    assert "torch" not in sys.modules
    np.testing.assert_array_equal(by_torch, by_numpy)
    assert by_torch.dtype == by_numpy.dtype == np.float32
    np.testing.assert_array_equal(by_numpy.astype(np.float16), every)


def test_half_precision_comes_back_as_float32(tmp_path: Path) -> None:
    """However an array of 16 bits is read, sums of what is read are those of float32; other types stay as they are."""
    values = np.full((4000, 2), 0.1, np.float16)
    with zarr_store.create(ACTIVATIONS, tmp_path / "a.zarr", {}, {}) as group:
        zarr_store.add_array(group, ACTIVATIONS, "activation", values.shape, dtype="float16")[...] = values
        zarr_store.write_array(group, ACTIVATIONS, "position", values)
    opened = zarr_store.open_artifact(ACTIVATIONS, tmp_path / "a.zarr")
    array = zarr_store.array(opened, "activation")
    assert array.dtype == np.float16
    rows = np.arange(4000)
    ways: list[Any] = [array[...], array[:], array[rows], array.oindex[rows], array.vindex[rows, rows % 2]]
    ways.append(next(row_blocks(array))[1])
    for found in ways:
        assert found.dtype == np.float32
        assert found.reshape(4000, -1)[:, 0].sum() == pytest.approx(4000 * np.float64(np.float16(0.1)), rel=1e-5)
    assert zarr_store.read_rows(array, rows[:7]).dtype == np.float32
    assert zarr_store.array(opened, "position")[...].dtype == np.int32


def small_shard(path: Path) -> Path:
    """The only shard of a small artifact."""
    with zarr_store.create(ACTIVATIONS, path, {}, {}) as group:
        values = np.random.default_rng(0).random((4, 4), dtype=np.float32)
        zarr_store.add_array(group, ACTIVATIONS, "attribution", values.shape, 4)[...] = values
    (shard,) = path.glob("attribution/c/0/0")
    return shard


def all_damaged(whole: bytes) -> Iterator[bytes]:
    """A file with each of its bytes flipped in turn, and cut short at each of its bytes."""
    for place in range(len(whole)):
        yield whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :]
        yield whole[:place]


def test_any_flipped_bit_and_any_missing_end_is_noticed(tmp_path: Path) -> None:
    """No byte of a shard can change or be missing without an error of one line that names the array and what to do."""
    path = tmp_path / "a.zarr"
    shard = small_shard(path)
    whole = shard.read_bytes()
    group = zarr_store.open_artifact(ACTIVATIONS, path)
    reads = (np.s_[...], np.s_[1:3], np.array([0, 3]))
    for number, damaged in enumerate(all_damaged(whole)):
        shard.write_bytes(damaged)
        with pytest.raises(ArtifactError, match=r"attribution.*: expected .*, found .*") as caught:
            zarr_store.array(group, "attribution")[reads[number % 3]]
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
        assert "run its stage again" in str(caught.value)
    shard.write_bytes(whole)
    assert zarr_store.array(group, "attribution")[...].shape == (4, 4)


def test_a_missing_shard_is_not_read_as_zeros(tmp_path: Path) -> None:
    """A shard that holds nothing but zeros is there, so that one that is not there is noticed."""
    path = tmp_path / "a.zarr"
    written(path, np.zeros((100, 4), np.float32), shard_rows=32)
    assert not zarr_store.array(zarr_store.open_artifact(ACTIVATIONS, path), "attribution")[...].any()
    (path / "attribution/c/1/0").unlink()
    with pytest.raises(ArtifactError, match=r"attribution/c/1/0: expected a part of the stored array, found none"):
        zarr_store.array(zarr_store.open_artifact(ACTIVATIONS, path), "attribution")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"zarr_format": 3, "node_type": "array"}'])
def test_a_damaged_description_is_named(tmp_path: Path, text: str) -> None:
    """Metadata cut short or changed, of the artifact or of an array, ends in an error of ours."""
    for name in ("zarr.json", "attribution/zarr.json"):
        path = tmp_path / "a.zarr"
        written(path, np.ones((2, 2), np.float32))
        (path / name).write_text(text)
        with pytest.raises(ArtifactError, match="run its stage"):
            zarr_store.array(zarr_store.open_artifact(ACTIVATIONS, path), "attribution")
