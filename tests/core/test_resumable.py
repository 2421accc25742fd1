import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.errors import ArtifactError
from pipeline.core.files import discard
from pipeline.core.resumable import ARTIFACT, RECORDS, ResumableArtifact, TaskResults, resume, share_committed_files
from pipeline.core.zarr_store import write_shards

ROWS, SHARD = 20, 8
TRUTH = np.random.default_rng(0).random((ROWS, 3), dtype=np.float32)
TASKS = range(-(-ROWS // SHARD))


def spec_of(
    outputs: Path, seed: int = 0, code: str = "c", contents: Mapping[str, str] | None = None
) -> ResumableArtifact:
    """An artifact of two arrays below ``outputs``."""
    path, depends_on = outputs / "activations" / "a.zarr", [code] if contents else [code, seed]
    return ResumableArtifact(ACTIVATIONS, path, outputs, {"seed": seed}, {"model": "m"}, depends_on, contents)


def create_arrays(group: zarr.Group) -> None:
    """Two empty arrays, one of them a level deeper."""
    zarr_store.add_array(group, ACTIVATIONS, "activation", (ROWS, 3), SHARD)
    zarr_store.add_array(group.create_group("10"), ACTIVATIONS, "image", (ROWS,), SHARD)


class StoppedError(Exception):
    """The run is killed."""


def run(wanted: ResumableArtifact, stop_after: int = len(TASKS), arrange: Any = create_arrays) -> list[int]:
    """Compute the missing tasks and return them; the run is killed after ``stop_after`` of them."""
    made: list[int] = []
    with resume(wanted, arrange) as checkpoint:
        for task in TASKS:
            if checkpoint.task_record(task) is None:
                if len(made) == stop_after:
                    raise StoppedError
                rows = slice(task * SHARD, (task + 1) * SHARD)
                values: dict[str, NDArray[Any]] = {
                    "activation": TRUTH[rows],
                    "10/image": np.zeros(len(TRUTH[rows]), np.int64),
                }
                checkpoint.finish(
                    task, write_shards(checkpoint.folder, values, rows.start), {"sum": float(TRUTH[rows].sum())}
                )
                made.append(task)
        found = [checkpoint.task_record(task) for task in TASKS]
        checkpoint.group.attrs["sum"] = sum(payload["sum"] for payload in found if payload)
    return made


def killed(wanted: ResumableArtifact, after: int) -> None:
    """A run that ends early."""
    with pytest.raises(StoppedError):
        run(wanted, after)


def files(path: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.fixture
def straight(tmp_path: Path) -> dict[str, bytes]:
    """What a run that nothing disturbs leaves."""
    wanted = spec_of(tmp_path / "straight")
    assert run(wanted) == [0, 1, 2]
    return files(wanted.path)


@pytest.mark.parametrize("after", TASKS)
def test_a_killed_run_goes_on(tmp_path: Path, straight: dict[str, bytes], after: int) -> None:
    """Nothing is at its place before the end; the next run does what is missing alone, and ends with the same bytes."""
    wanted = spec_of(tmp_path / "outputs")
    killed(wanted, after)
    assert not wanted.path.exists()
    assert run(wanted) == list(TASKS)[after:]
    assert files(wanted.path) == straight
    np.testing.assert_array_equal(
        zarr_store.array(zarr_store.open_artifact(ACTIVATIONS, wanted.path), "activation")[...], TRUTH
    )
    assert not list((tmp_path / "outputs").rglob("*.partial"))


def test_a_complete_artifact_is_left_as_it_is(tmp_path: Path, straight: dict[str, bytes]) -> None:
    """Run again, nothing is computed, and the records of the tasks are still known."""
    wanted = spec_of(tmp_path / "outputs")
    run(wanted)
    assert run(wanted) == []
    assert files(wanted.path) == straight
    group = zarr_store.open_artifact(ACTIVATIONS, wanted.path)
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
    wanted = spec_of(tmp_path / "outputs")
    if finished:
        run(wanted)
        damage(wanted.path / "10/image/c/1", how)
        if how == "remove":
            damage(wanted.work / ARTIFACT / "10/image/c/1", how)  # the other link to it
        expected = [1]
    else:
        killed(wanted, 2)
        damage(wanted.work / ARTIFACT / "activation/c/0/0", how)
        expected = [0, 2]
    assert run(wanted) == expected
    assert files(wanted.path) == straight


def test_what_is_removed_after_the_commit_is_linked_again(tmp_path: Path, straight: dict[str, bytes]) -> None:
    """A committed file, or all of the artifact, can be removed: the work folder has links to the same bytes."""
    wanted = spec_of(tmp_path / "outputs")
    run(wanted)
    for gone in (wanted.path / "10/image/c/1", wanted.path / "10", wanted.path / "zarr.json", wanted.path):
        discard(gone)
        assert run(wanted) == []
        assert files(wanted.path) == straight


def inodes(path: Path) -> dict[str, int]:
    """Where each file below a folder lies on the disk."""
    return {str(file.relative_to(path)): file.stat().st_ino for file in path.rglob("*") if file.is_file()}


def test_what_is_kept_takes_no_space(tmp_path: Path, straight: dict[str, bytes]) -> None:
    """The work folder has the committed files themselves, also after DVC has replaced those by links to its cache."""
    wanted = spec_of(tmp_path / "outputs")
    run(wanted)
    assert inodes(wanted.work / ARTIFACT) == inodes(wanted.path)
    for name, content in straight.items():
        (wanted.path / name).unlink()
        (wanted.path / name).write_bytes(content)
    stored = inodes(wanted.path)
    assert inodes(wanted.work / ARTIFACT) != stored
    share_committed_files(tmp_path / "outputs")
    assert inodes(wanted.work / ARTIFACT) == stored
    assert run(wanted) == []
    assert files(wanted.path) == straight


def test_another_artifact_in_its_place_is_not_shared(tmp_path: Path, straight: dict[str, bytes]) -> None:
    """Where DVC has restored the artifact of other settings, the work folder keeps its own files."""
    wanted = spec_of(tmp_path / "outputs")
    run(spec_of(tmp_path / "elsewhere", seed=1))
    run(wanted)
    discard(wanted.path)
    spec_of(tmp_path / "elsewhere").path.rename(wanted.path)
    share_committed_files(tmp_path / "outputs")
    assert run(wanted) == []
    assert files(wanted.path) == straight


@pytest.mark.parametrize("how", ["flip", "keep"])
def test_without_hard_links_the_artifact_itself_is_resumed(
    tmp_path: Path, straight: dict[str, bytes], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that has none, what is committed is moved back, and a damaged shard of it is found."""

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise shutil.Error("no hard links")

    monkeypatch.setattr(shutil, "copytree", refuse)
    wanted = spec_of(tmp_path / "outputs")
    run(wanted)
    assert files(wanted.path) == straight
    assert not (wanted.work / ARTIFACT).exists()
    if how == "flip":
        damage(wanted.path / "10/image/c/1", how)
    assert run(wanted) == ([1] if how == "flip" else [])
    assert files(wanted.path) == straight


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("change", [{"seed": 1}, {"code": "d"}])
def test_nothing_of_another_identity_or_code_is_kept(tmp_path: Path, change: dict[str, Any], finished: bool) -> None:
    """Other settings or other code start from nothing, with a partial artifact present and with a complete one."""
    before = spec_of(tmp_path / "outputs")
    if finished:
        run(before)
    else:
        killed(before, 2)
    wanted = spec_of(tmp_path / "outputs", **change)
    assert run(wanted) == list(TASKS)
    assert run(wanted) == []


@pytest.mark.parametrize("stop_after", [0, 1])
def test_tasks_of_the_same_content_are_kept(tmp_path: Path, stop_after: int) -> None:
    """Other settings that results do not depend on keep the tasks whose content is the same, over a kill too."""
    contents = {"0": "a", "1": "b", "2": "c"}
    run(spec_of(tmp_path / "outputs", contents=contents))
    wanted = spec_of(tmp_path / "outputs", seed=1, contents={**contents, "1": "d", "2": "d"})
    killed(wanted, stop_after)
    assert run(wanted) == [1, 2][stop_after:]
    undisturbed = spec_of(tmp_path / "other", seed=1, contents=wanted.contents)
    run(undisturbed)
    assert files(wanted.path) == files(undisturbed.path)
    assert {path.name for path in wanted.work.iterdir()} == {ARTIFACT, RECORDS, "arrays"}


def test_nothing_of_another_shape_is_kept(tmp_path: Path) -> None:
    """The same identity with other shards starts from nothing."""
    wanted = spec_of(tmp_path / "outputs")
    run(wanted)

    def other(group: zarr.Group) -> None:
        zarr_store.add_array(group, ACTIVATIONS, "activation", (ROWS, 3), SHARD // 2)
        zarr_store.add_array(group.create_group("10"), ACTIVATIONS, "image", (ROWS,), SHARD)

    assert run(wanted, arrange=other) == list(TASKS)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"of": 1}'])
def test_a_broken_record_counts_as_none(tmp_path: Path, straight: dict[str, bytes], text: str) -> None:
    """A record that was not written to its end makes its task run again."""
    wanted = spec_of(tmp_path / "outputs")
    killed(wanted, 2)
    (wanted.work / RECORDS / "0.json").write_text(text)
    assert run(wanted) == [0, 2]
    assert files(wanted.path) == straight


def test_what_a_killed_writer_left_is_swept_up(tmp_path: Path, straight: dict[str, bytes]) -> None:
    """A file that was not whole when its writer died is no part of the artifact, and neither is broken metadata."""
    wanted = spec_of(tmp_path / "outputs")
    killed(wanted, 2)
    (wanted.work / ARTIFACT / "activation/c/0/0.0123abcd.partial").write_bytes(b"half")
    assert run(wanted) == [2]
    assert files(wanted.path) == straight
    (wanted.path / "zarr.json").write_text("{")
    assert run(wanted) == []  # the metadata are written again, the shards are intact
    assert files(wanted.path) == straight


def test_rows_that_are_no_whole_shards_are_refused(tmp_path: Path) -> None:
    """Two tasks can never share a shard."""

    def beginnings() -> Iterator[tuple[int, int]]:
        yield from ((1, 8), (0, 7), (8, 4))

    with resume(spec_of(tmp_path), create_arrays) as checkpoint:
        for start, rows in beginnings():
            with pytest.raises(ValueError, match="expected whole shards of 8 rows"):
                write_shards(checkpoint.folder, {"activation": TRUTH[:rows]}, start)


def test_payloads_come_back_as_they_were(tmp_path: Path) -> None:
    """Numbers of a task survive to the last bit, and what JSON cannot hold is refused at once."""
    payload = {"sum": 0.1 + 0.2, "count": 2**60, "by_class": [1.5e-300, 7]}
    with resume(spec_of(tmp_path), create_arrays) as checkpoint:
        checkpoint.finish("a-1", {}, payload)
        assert checkpoint.task_record("a-1") == payload
        assert checkpoint.task_record("a-2") is None
        with pytest.raises(ValueError, match="JSON"):
            checkpoint.finish("a-2", {}, {"sum": float("nan")})
        assert checkpoint.task_record("a-2") is None
    assert json.loads((spec_of(tmp_path).work / RECORDS / "a-1.json").read_text())["payload"] == payload


@pytest.fixture
def results(tmp_path: Path) -> TaskResults:
    """A work folder without results."""
    found = TaskResults(tmp_path / "work", "key")
    found.keep_current()
    return found


def test_arrays_of_a_task_count_together(results: TaskResults) -> None:
    """Of several arrays made at once all are there in the end; when the block is left early, none is."""
    arrays = {"one": ((3,), np.float32), "two": ((2, 2), np.int64)}
    with suppress(KeyboardInterrupt), results.create_arrays("both", arrays) as created:
        created["one"][...] = 1
        raise KeyboardInterrupt
    assert results.record("both") is None
    with results.create_arrays("both", arrays) as created:
        created["one"][...] = 1
        created["two"][...] = [[1, 2], [3, 4]]
        assert results.record("both") is None
    assert results.record("both") == {}
    np.testing.assert_array_equal(results.array("both", "one"), [1, 1, 1])
    np.testing.assert_array_equal(results.array("both", "two"), [[1, 2], [3, 4]])


def test_a_changed_array_does_not_count(results: TaskResults) -> None:
    """An array of which a bit is flipped, or the end is missing, makes its task unfinished."""
    file = results.folder / "arrays" / "one.npy"
    for flipped, kept in ((1, None), (0, -1)):
        with results.create_arrays("task", {"one": ((50,), np.float32)}) as created:
            created["one"][...] = 2
        assert results.record("task") is not None
        found = bytearray(file.read_bytes())
        found[-9] ^= flipped
        file.write_bytes(found[:kept])
        assert results.record("task") is None
        with pytest.raises(ArtifactError, match="found it damaged"):
            results.array("task", "one")


def test_arrays_without_a_current_record_are_removed(results: TaskResults) -> None:
    """What a killed task or other code has left does not stay on the disk."""
    for task in ("old", "new"):
        with results.create_arrays(task, {task: ((2,), np.float32)}) as created:
            created[task][...] = 1
    results.discard("old")
    (results.folder / "arrays" / "killed.npy").write_bytes(b"half")
    assert results.keep_current() == []
    assert [path.name for path in (results.folder / "arrays").iterdir()] == ["new.npy"]
    TaskResults(results.folder, "other key").keep_current()
    assert not list((results.folder / "arrays").iterdir())
    assert not list((results.folder / RECORDS).iterdir())
