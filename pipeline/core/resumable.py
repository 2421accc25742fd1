"""Checkpoints of the stages that take long: an artifact is computed task by task, over as many runs as that takes.

While it is computed, an artifact lies in a work folder below ``outputs/.cache``, which DVC does not know; DVC removes
a stage's outputs before it runs the stage. At the end it appears at its place in one rename::

    with resume(spec, create_arrays) as checkpoint:
        for task in tasks:
            if checkpoint.task_record(task) is None:
                shards = write_shards(checkpoint.folder, {"activation": values}, first_row)  # in a worker
                checkpoint.finish(task, shards, {"silent": 3})

A task's files are shards of the artifact, or arrays that other tasks read (:meth:`TaskResults.create_arrays`). Its
record holds the size and the checksum of each, so a task counts as finished only as long as its files are there, byte
for byte: what was cut short, changed or removed is computed again, and nothing else. Results of other settings, inputs
or code are never mixed in. Results of tasks whose content is unchanged are kept when the artifact changes, for example
by one more layer or more images.

What is committed consists of hard links to the files in the work folder, which stay there: a run that is killed before
DVC has stored the artifact, a damaged shard or one more layer costs only what is missing. The links take no space of
their own; where DVC has replaced the committed files by links to its cache, :func:`share_committed_files` links to
those. On a file system without hard links the work folder itself becomes the artifact, and is moved back to resume.

What Zarr 3.1 does on disk: its ``LocalStore`` writes each file under another name (``<file>.<uuid>.partial``), then
renames it, so a process that is killed leaves a whole old file, a whole new one, or none, and perhaps the other name,
which is removed at the end. It does not call ``fsync``: after a power cut a renamed file may be empty. Before the
commit that costs a checksum that does not match; for the commit everything is flushed to the disk.
"""

import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.errors import ZarrUserWarning
from zarr.storage import MemoryStore

from pipeline.core.artifacts import Artifact
from pipeline.core.errors import ArtifactError
from pipeline.core.files import PARTIAL, allocate, discard, file_checksum, flush, identity

WORK = ".cache/resumable"  # below outputs
ARTIFACT, PREVIOUS, ARRAYS, RECORDS = "artifact", "previous", "arrays", "tasks"  # in a work folder


@dataclass(frozen=True)
class ResumableArtifact:
    """An artifact that is computed task by task, and everything that distinguishes it from another one.

    Attributes:
        artifact: its kind.
        path: where it is committed, somewhere below ``outputs``.
        outputs: the folder of all artifacts.
        settings: the settings it is made with.
        made_from: the identities of what it is made from, by artifact name.
        results_depend_on: everything that the results of all tasks depend on, the code included; JSON-like. It is kept
            in the records alone, so that the artifact's bytes follow from what it holds.
        contents: for each task a digest of what its results depend on besides; tasks that are not named are forgotten.
            None keeps the results of every task.
    """

    artifact: Artifact
    path: Path
    outputs: Path
    settings: Mapping[str, Any]
    made_from: Mapping[str, str]
    results_depend_on: Any = None
    contents: Mapping[str, str] | None = None

    @property
    def work(self) -> Path:
        """The work folder."""
        return work_folder(self.outputs, self.path)

    def attributes(self) -> dict[str, Any]:
        """The artifact's attributes, its identity included."""
        attributes = self.artifact.attributes(self.settings, self.made_from)
        return {**attributes, "identity": identity(attributes)}


@dataclass(frozen=True)
class TaskResults:
    """Finished tasks in a work folder: a record for each, and their files.

    Attributes:
        folder: the work folder, as an absolute path for workers.
        key: digest of everything that the results of all tasks depend on.
        contents: see :class:`ResumableArtifact`.
    """

    folder: Path
    key: str
    contents: Mapping[str, str] | None = None

    def record(self, task: object) -> dict[str, Any] | None:
        """The payload of a finished task; None if it is not finished, or its files are not as it wrote them.

        Args:
            task: its name, or anything else that gives one as text; fit for a file name.
        """
        found = self._read(task)
        if found is None or any(file_checksum_of(self.folder / name) != sum_ for name, sum_ in found["files"].items()):
            return None
        payload: dict[str, Any] = found["payload"]
        return payload

    def save(self, task: object, files: Mapping[str, str], payload: Mapping[str, Any]) -> None:
        """Record that a task is finished.

        Args:
            task: its name, as for :meth:`record`.
            files: the checksum of each of its files, by name below :attr:`folder`.
            payload: what else is to be known of it, JSON-like and small, such as sums; returned unchanged.

        Raises:
            ValueError: JSON cannot hold the payload.
        """
        record = {"key": self._key(task), "payload": dict(payload), "files": dict(files)}
        path = self._path(task)
        partial = path.with_name(f"{path.name}.{uuid4().hex}{PARTIAL}")  # a task may run twice at the same time
        partial.write_text(json.dumps(record, allow_nan=False))
        partial.replace(path)

    @contextmanager
    def create_arrays(
        self,
        task: object,
        arrays: Mapping[str, tuple[tuple[int, ...], Any]],
        payload: Mapping[str, Any] | None = None,
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """Arrays in new files, to be filled in the block; when it ends well, the task is finished.

        Args:
            task: its name, as for :meth:`record`.
            arrays: shape and number type of each, by a name that no other task uses.
            payload: see :meth:`save`; None for an empty one.
        """
        # names of their own: a task may run twice at the same time
        partials = {name: self._array(name).with_name(f"{name}.{uuid4().hex}{PARTIAL}") for name in arrays}
        created: dict[str, NDArray[Any]] = {}
        for name, (shape, dtype) in arrays.items():
            created[name] = np.asarray(np.lib.format.open_memmap(partials[name], mode="w+", dtype=dtype, shape=shape))
            allocate(partials[name])
        yield created
        checksums = {f"{ARRAYS}/{self._array(name).name}": file_checksum(part) for name, part in partials.items()}
        for name, partial in partials.items():
            partial.replace(self._array(name))
        self.save(task, checksums, payload or {})

    def array(self, task: object, name: str) -> NDArray[Any]:
        """An array of a finished task, read from the disk as it is used.

        Raises:
            ArtifactError: it was removed or damaged in the meantime.
        """
        path, found = self._array(name), self._read(task)
        checksum = found["files"].get(f"{ARRAYS}/{path.name}") if found else None
        if checksum is None or file_checksum_of(path) != checksum:
            raise ArtifactError(
                f"{path}: expected the result of a finished task, found it damaged; run the stage again"
            )
        # each use of NumPy's own class for mapped files costs much more
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))

    def discard(self, task: object) -> None:
        """Remove the record and the arrays of a task; its shards stay."""
        found = self._read(task)
        discard(self._path(task))
        for name in found["files"] if found else ():
            if name.startswith(f"{ARRAYS}/"):
                discard(self.folder / name)

    def discard_arrays(self) -> None:
        """Remove all arrays, and the records of the tasks that have stored them."""
        for path in (self.folder / RECORDS).iterdir():
            found = self._read(path.stem)
            if found is None or any(name.startswith(f"{ARRAYS}/") for name in found["files"]):
                discard(path)
        for path in (self.folder / ARRAYS).iterdir():
            discard(path)

    def keep_current(self) -> list[str]:
        """Remove the results of other settings, inputs or code; returns the names of the shards that stay."""
        for name in (ARRAYS, RECORDS):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        arrays, shards = set(), []
        for path in sorted((self.folder / RECORDS).iterdir()):
            found = self._read(path.stem) if path.suffix == ".json" else None
            if found is None:
                discard(path)
                continue
            arrays |= {self.folder / name for name in found["files"]}
            shards += [name.removeprefix(f"{ARTIFACT}/") for name in found["files"] if name.startswith(f"{ARTIFACT}/")]
        for path in (self.folder / ARRAYS).iterdir():
            if path not in arrays:
                discard(path)
        return shards

    def _read(self, task: object) -> dict[str, Any] | None:
        """A task's record, if it is whole and belongs to the same settings, inputs and code."""
        try:
            found = json.loads(self._path(task).read_text())
            whole = isinstance(found["payload"], dict) and isinstance(found["files"], dict)
            return found if whole and found["key"] == self._key(task) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _key(self, task: object) -> str | None:
        if self.contents is None:
            return self.key
        content = self.contents.get(str(task))
        return None if content is None else identity([self.key, content])

    def _path(self, task: object) -> Path:
        return self.folder / RECORDS / f"{task}.json"

    def _array(self, name: str) -> Path:
        return self.folder / ARRAYS / f"{name}.npy"


@dataclass
class Checkpoint:
    """An artifact that is being computed.

    Attributes:
        folder: where its arrays lie now, as an absolute path for workers.
        results: of its tasks.
        group: its arrays and attributes; attributes that are added before the commit stay with the artifact.
    """

    folder: Path
    results: TaskResults
    group: zarr.Group = field(repr=False)

    def task_record(self, task: object) -> dict[str, Any] | None:
        """See :meth:`TaskResults.record`."""
        return self.results.record(task)

    def finish(self, task: object, shards: Mapping[str, str], payload: Mapping[str, Any]) -> None:
        """Record that a task has written its shards.

        Args:
            task: its name.
            shards: what :func:`pipeline.core.zarr_store.write_shards` returned for everything that it wrote.
            payload: see :meth:`TaskResults.save`.
        """
        self.results.save(task, {f"{ARTIFACT}/{name}": checksum for name, checksum in shards.items()}, payload)


@contextmanager
def resume(spec: ResumableArtifact, create_arrays: Callable[[zarr.Group], None]) -> Iterator[Checkpoint]:
    """Continue to compute an artifact, or start; it is committed when the block ends well, and kept as it is if not.

    Args:
        spec: what is computed.
        create_arrays: creates the arrays (and groups) of a new, empty artifact; called with a group in memory first, to
            compare what is there.
    """
    share_committed_files(spec.outputs)
    empty = zarr.create_group(store=MemoryStore(), zarr_format=3)
    create_arrays(empty)
    expected = _metadata(empty)
    chunks = {name: {**array, "shape": None} for name, array in expected.items()}
    key = identity([spec.artifact.name, spec.artifact.version, chunks, spec.results_depend_on])
    results = TaskResults(spec.work.absolute(), key, spec.contents)
    folder = results.folder / ARTIFACT
    _restore(spec, results, create_arrays, expected)
    checkpoint = Checkpoint(folder, results, zarr.open_group(folder, mode="r+", zarr_format=3))
    yield checkpoint
    _commit(spec, folder)


def _restore(
    spec: ResumableArtifact,
    results: TaskResults,
    create_arrays: Callable[[zarr.Group], None],
    expected: Mapping[str, Any],
) -> None:
    """Make the work folder hold the artifact's arrays, with the shards of finished tasks."""
    folder, previous = results.folder / ARTIFACT, results.folder / PREVIOUS
    for path in list(results.folder.rglob(f"*{PARTIAL}")):
        discard(path)
    shards = results.keep_current()
    if not folder.exists() and not previous.exists() and shards and spec.path.exists():
        spec.path.rename(folder)  # committed on a file system without hard links
    attributes = spec.attributes()
    if not _holds(folder, attributes["identity"], expected):
        if folder.exists():
            discard(previous)
            folder.rename(previous)
        partial = folder.with_name(ARTIFACT + PARTIAL)
        create_arrays(zarr.create_group(store=partial, zarr_format=3, attributes=attributes))
        partial.rename(folder)
    for name in shards if previous.exists() else ():
        if (previous / name).exists() and not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (previous / name).rename(folder / name)
    discard(previous)


def _commit(spec: ResumableArtifact, folder: Path) -> None:
    """Replace whatever is at the artifact's place by links to all files of the work folder."""
    for path in list(folder.rglob(f"*{PARTIAL}")):
        discard(path)
    for path in (*folder.rglob("*"), folder):
        flush(path)
    links = folder.with_name("committed" + PARTIAL)
    try:
        shutil.copytree(folder, links, copy_function=os.link)
    except OSError:  # the file system has no hard links
        discard(links)
        links = folder
    for path in (*(path for path in links.rglob("*") if path.is_dir()), links):
        flush(path)
    discard(spec.path)
    spec.path.parent.mkdir(parents=True, exist_ok=True)
    links.rename(spec.path)
    flush(spec.path.parent)


def share_committed_files(outputs: Path) -> None:
    """Replace what work folders keep of committed artifacts by hard links to the committed files.

    DVC copies a file that it stores, and puts a link to its copy in the file's place; what a work folder keeps would
    then occupy the disk a second time.
    """
    for top, folders, _ in os.walk(outputs / WORK):
        if ARTIFACT in folders:
            folders.clear()
            work = Path(top)
            _share(work / ARTIFACT, outputs / work.relative_to(outputs / WORK))


def _share(kept: Path, committed: Path) -> None:
    try:
        if (kept / "zarr.json").read_bytes() != (committed / "zarr.json").read_bytes():
            return
    except OSError:
        return
    for path in [path for path in kept.rglob("*") if path.is_file()]:
        other = committed / path.relative_to(kept)
        partial = path.with_name(path.name + PARTIAL)
        try:
            if other.stat().st_size == path.stat().st_size and not other.samefile(path):
                os.link(other, partial)
                partial.replace(path)
        except OSError:  # it is not there, or no link can lead there
            discard(partial)


def work_folder(outputs: Path, path: Path) -> Path:
    """The work folder of an artifact that is committed at ``path``, or of all artifacts in a folder."""
    return outputs / WORK / path.relative_to(outputs)


def file_checksum_of(path: Path) -> str | None:
    """The checksum of a file, None if it cannot be read."""
    try:
        return file_checksum(path)
    except OSError:
        return None


def _holds(path: Path, wanted: str, expected: Mapping[str, Any]) -> bool:
    """Whether ``path`` holds an artifact of this identity, with arrays of these metadata."""
    if not (path / "zarr.json").is_file():
        return False
    try:
        with warnings.catch_warnings(action="ignore", category=ZarrUserWarning):  # of a group without metadata
            group = zarr.open_group(path, mode="r", zarr_format=3)
            return group.attrs.get("identity") == wanted and _metadata(group) == expected
    except (OSError, ValueError, KeyError, TypeError):  # metadata cut short or changed: it is not what is wanted
        return False


def _metadata(group: zarr.Group) -> dict[str, Any]:
    """Metadata of all arrays and groups below a group, by name, as JSON has them: shapes, number types, codecs, ..."""
    members = {name: member.metadata.to_dict() for name, member in group.members(max_depth=None)}
    found: dict[str, Any] = json.loads(json.dumps(members, default=str))
    return found
