import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store as store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.resumable import Growth, code_digest, grow
from pipeline.core.zarr_store import write_shards

ROWS, SHARD = 20, 8
TRUTH = np.random.default_rng(0).random((ROWS, 3), dtype=np.float32)
TASKS = range(-(-ROWS // SHARD))


def growth(outputs: Path, seed: int = 0, code: str = "c") -> Growth:
    """An artifact of two arrays below ``outputs``."""
    return Growth(ACTIVATIONS, outputs / "activations" / "a.zarr", outputs, {"seed": seed}, {"model": "m"}, code)


def lay_out(group: zarr.Group) -> None:
    """Two empty arrays, one of them a level deeper."""
    store.add_array(group, ACTIVATIONS, "activation", (ROWS, 3), SHARD)
    store.add_array(group.create_group("10"), ACTIVATIONS, "image", (ROWS,), SHARD)


class StoppedError(Exception):
    """The run is killed."""


def run(wanted: Growth, stop_after: int = len(TASKS), arrange: Any = lay_out) -> list[int]:
    """Do what is missing, and tell which tasks that were; the run is killed after ``stop_after`` of them."""
    made: list[int] = []
    with grow(wanted, arrange) as growing:
        for task in TASKS:
            if growing.done(task) is None:
                if len(made) == stop_after:
                    raise StoppedError
                rows = slice(task * SHARD, (task + 1) * SHARD)
                values: dict[str, NDArray[Any]] = {
                    "activation": TRUTH[rows],
                    "10/image": np.zeros(len(TRUTH[rows]), np.int64),
                }
                growing.finish(
                    task, write_shards(growing.folder, values, rows.start), {"sum": float(TRUTH[rows].sum())}
                )
                made.append(task)
        found = [growing.done(task) for task in TASKS]
        growing.group.attrs["sum"] = sum(payload["sum"] for payload in found if payload)
    return made


def killed(wanted: Growth, after: int) -> None:
    """A run that ends early."""
    with pytest.raises(StoppedError):
        run(wanted, after)


def files(path: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.fixture
def straight(tmp_path: Path) -> dict[str, bytes]:
    """What a run that nothing disturbs leaves."""
    wanted = growth(tmp_path / "straight")
    assert run(wanted) == [0, 1, 2]
    return files(wanted.path)


@pytest.mark.parametrize("after", TASKS)
def test_a_killed_run_goes_on(tmp_path: Path, straight: dict[str, bytes], after: int) -> None:
    """Nothing is at its place before the end; the next run does what is missing alone, and ends with the same bytes."""
    wanted = growth(tmp_path / "outputs")
    killed(wanted, after)
    assert not wanted.path.exists()
    assert run(wanted) == list(TASKS)[after:]
    assert files(wanted.path) == straight
    np.testing.assert_array_equal(store.array(store.open_artifact(ACTIVATIONS, wanted.path), "activation")[...], TRUTH)
    assert not wanted.partial.exists()


def test_a_complete_artifact_is_left_as_it_is(tmp_path: Path, straight: dict[str, bytes]) -> None:
    """Run again, nothing is made, and what was noted of the tasks is still known."""
    wanted = growth(tmp_path / "outputs")
    run(wanted)
    assert run(wanted) == []
    assert files(wanted.path) == straight
    group = store.open_artifact(ACTIVATIONS, wanted.path)
    assert group.attrs["sum"] == pytest.approx(TRUTH.sum(), rel=1e-6)


def damage(file: Path, how: str) -> None:
    """Spoil a file."""
    content = bytearray(file.read_bytes())
    if how == "remove":
        file.unlink()
    elif how == "flip":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        file.write_bytes(content[: {"empty": 0, "short": len(content) - 1}[how]])


@pytest.mark.parametrize("how", ["remove", "flip", "short", "empty"])
@pytest.mark.parametrize("finished", [True, False])
def test_a_damaged_shard_alone_is_made_again(
    tmp_path: Path, straight: dict[str, bytes], how: str, finished: bool
) -> None:
    """A shard that is not as it was written makes its task, and no other, run again; of a complete artifact too."""
    wanted = growth(tmp_path / "outputs")
    if finished:
        run(wanted)
        damage(wanted.path / "10/image/c/1", how)
        expected = [1]
    else:
        killed(wanted, 2)
        damage(wanted.partial / "activation/c/0/0", how)
        expected = [0, 2]
    assert run(wanted) == expected
    assert files(wanted.path) == straight


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("change", [{"seed": 1}, {"code": "d"}])
def test_nothing_of_another_identity_or_code_is_kept(tmp_path: Path, change: dict[str, Any], finished: bool) -> None:
    """Other settings or other code start from nothing, beside a partial artifact and beside a complete one."""
    before = growth(tmp_path / "outputs")
    if finished:
        run(before)
    else:
        killed(before, 2)
    wanted = growth(tmp_path / "outputs", **change)
    assert run(wanted) == list(TASKS)
    assert run(wanted) == []


def test_nothing_of_another_shape_is_kept(tmp_path: Path) -> None:
    """The same identity with other shards starts from nothing."""
    wanted = growth(tmp_path / "outputs")
    run(wanted)

    def other(group: zarr.Group) -> None:
        store.add_array(group, ACTIVATIONS, "activation", (ROWS, 3), SHARD // 2)
        store.add_array(group.create_group("10"), ACTIVATIONS, "image", (ROWS,), SHARD)

    assert run(wanted, arrange=other) == list(TASKS)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"of": 1}'])
def test_a_broken_note_counts_as_none(tmp_path: Path, straight: dict[str, bytes], text: str) -> None:
    """A note that the system did not write to its end makes its task run again."""
    wanted = growth(tmp_path / "outputs")
    killed(wanted, 2)
    (wanted.notes / "0.json").write_text(text)
    assert run(wanted) == [0, 2]
    assert files(wanted.path) == straight


def test_what_a_killed_writer_left_is_swept_up(tmp_path: Path, straight: dict[str, bytes]) -> None:
    """A file that was not whole when its writer died is no part of the artifact, and neither is broken metadata."""
    wanted = growth(tmp_path / "outputs")
    killed(wanted, 2)
    (wanted.partial / "activation/c/0/0.0123abcd.partial").write_bytes(b"half")
    assert run(wanted) == [2]
    assert files(wanted.path) == straight
    (wanted.path / "zarr.json").write_text("{")
    assert run(wanted) == list(TASKS)
    assert files(wanted.path) == straight


def test_rows_that_are_no_whole_shards_are_refused(tmp_path: Path) -> None:
    """Two tasks can never share a shard."""

    def beginnings() -> Iterator[tuple[int, int]]:
        yield from ((1, 8), (0, 7), (8, 4))

    with grow(growth(tmp_path), lay_out) as growing:
        for start, rows in beginnings():
            with pytest.raises(ValueError, match="expected whole shards of 8 rows"):
                write_shards(growing.folder, {"activation": TRUTH[:rows]}, start)


def test_payloads_come_back_as_they_were(tmp_path: Path) -> None:
    """Numbers of a task survive to the last bit, and what JSON cannot hold is refused at once."""
    payload = {"sum": 0.1 + 0.2, "count": 2**60, "by_class": [1.5e-300, 7]}
    with grow(growth(tmp_path), lay_out) as growing:
        growing.finish("a-1", {}, payload)
        assert growing.done("a-1") == payload
        assert growing.done("a-2") is None
        with pytest.raises(ValueError, match="JSON"):
            growing.finish("a-2", {}, {"sum": float("nan")})
        assert growing.done("a-2") is None
    assert json.loads((growth(tmp_path).notes / "a-1.json").read_text())["payload"] == payload


def test_code_digest_follows_names_and_bytes(tmp_path: Path) -> None:
    """Another byte or another name gives another digest; a file that is no code does not."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("1")
    first = code_digest([package])
    (package / "notes.txt").write_text("1")
    assert code_digest([package]) == first
    (package / "a.py").write_text("2")
    second = code_digest([package])
    (package / "a.py").rename(package / "b.py")
    assert len({first, second, code_digest([package]), code_digest([package / "b.py"])}) == 4
