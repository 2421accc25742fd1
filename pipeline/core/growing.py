"""Zarr artifacts that grow shard by shard, over as many runs as it takes, and appear only when they are complete.

While it grows, an artifact lies at ``<path>.partial``; at the end it becomes ``<path>`` in one rename. The work is cut
into tasks, each of which writes whole shards of its own. What is finished is noted in one small file for each task, in
a folder outside of what DVC looks after::

    with grow(growth, lay_out) as growing:
        for task in tasks:
            if growing.done(task) is None:
                seals = write_shards(growing.folder, {"activation": values}, first_row)  # in a worker, wherever it is
                growing.finish(task, seals, {"silent": 3})

A note holds size and digest of the shards that its task wrote, so a task counts as done only as long as they are there,
byte for byte: what was cut short, changed or removed is made again, and nothing else. That holds for an artifact that
was complete too: opened again, it goes back to ``<path>.partial`` and returns unchanged if all of it is in order. What
another identity, other shapes or other code left behind is never mixed in.

What Zarr 3.1 does on disk: its ``LocalStore`` writes each file under another name (``<file>.<uuid>.partial``), then
renames it, so a process that is killed leaves a whole old file, a whole new one, or none, and perhaps the other name,
which is swept up at the end. It does not call ``fsync``: after a power cut a renamed file may be empty. So shards are
flushed to the disk before their task is noted, and everything else before the last rename.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr
from zarr.storage import MemoryStore

from pipeline.core.artifacts import Artifact
from pipeline.core.identity import file_digest, identity
from pipeline.core.shards import flush, seal
from pipeline.core.store import discard

NOTES = ".cache/grown"  # below outputs; DVC does not know of it
LEFT = ".partial"  # how the names end that Zarr gives to files before they are whole


@dataclass(frozen=True)
class Growth:
    """What grows, and all that tells it from another one.

    Attributes:
        artifact: what it is.
        path: where it will lie, somewhere below ``outputs``.
        outputs: the folder of all artifacts.
        settings: the settings it is made with.
        made_from: the identities of what it is made from, by artifact name.
        code: digest of the code that makes it, see :func:`code_digest`; it is kept in the notes alone, so that the
            artifact's bytes follow from what it holds.
    """

    artifact: Artifact
    path: Path
    outputs: Path
    settings: Mapping[str, Any]
    made_from: Mapping[str, str]
    code: str = ""

    @property
    def partial(self) -> Path:
        """Where it lies while it grows."""
        return self.path.with_name(self.path.name + LEFT)

    @property
    def notes(self) -> Path:
        """The folder of its notes."""
        return self.outputs / NOTES / self.path.relative_to(self.outputs)

    def attributes(self) -> dict[str, Any]:
        """What the artifact says of itself, its identity included."""
        attributes = self.artifact.attributes(self.settings, self.made_from)
        return {**attributes, "identity": identity(attributes)}


class Growing:
    """An artifact while it grows.

    Attributes:
        folder: where it lies now, as an absolute path for workers.
        group: its arrays and attributes; attributes that are added before the end stay with the artifact.
    """

    def __init__(self, growth: Growth, lay_out: Callable[[zarr.Group], None]) -> None:
        """Take up what is there, or start anew; see :func:`grow`."""
        self.folder = growth.partial.absolute()
        self._growth = growth
        wanted = growth.attributes()
        layout = _layout_of(lay_out)
        self._of = identity({"identity": wanted["identity"], "code": growth.code, "layout": layout})
        if _is(growth.partial, wanted["identity"], layout):
            discard(growth.path)
        elif _is(growth.path, wanted["identity"], layout):
            discard(growth.partial)
            growth.path.rename(growth.partial)
        else:
            for old in (growth.partial, growth.path, growth.notes):
                discard(old)
            growth.partial.parent.mkdir(parents=True, exist_ok=True)
            lay_out(zarr.create_group(store=growth.partial, zarr_format=3, attributes=wanted))
        growth.notes.mkdir(parents=True, exist_ok=True)
        self.group = zarr.open_group(growth.partial, mode="r+", zarr_format=3)

    def done(self, task: object) -> dict[str, Any] | None:
        """What was noted of a task, if it is finished and its shards are as it wrote them; else None.

        Args:
            task: its name, or anything else that gives one as text; fit for a file name.
        """
        try:
            note = json.loads(self._note(task).read_text())
            payload: dict[str, Any] = note["payload"]
            intact = note["of"] == self._of and all(
                seal(self.folder / name) == noted for name, noted in note["shards"].items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return payload if intact else None

    def finish(self, task: object, shards: Mapping[str, str], payload: Mapping[str, Any]) -> None:
        """Note that a task is finished.

        Args:
            task: its name, as for :meth:`done`.
            shards: what :func:`pipeline.core.shards.write_shards` returned for all that it wrote.
            payload: what else shall be known of it, JSON-like and small, such as sums; it comes back as it is.
        """
        note = {"of": self._of, "payload": dict(payload), "shards": dict(shards)}
        path = self._note(task)
        partial = path.with_name(path.name + LEFT)
        partial.write_text(json.dumps(note, allow_nan=False))
        flush(partial)
        partial.replace(path)

    def become(self) -> None:
        """Move the complete artifact to its place. Its notes stay, for the day on which a shard of it is damaged."""
        for left in self.folder.rglob("*" + LEFT):
            discard(left)
        for part in (*self.folder.rglob("*"), self.folder):
            flush(part)
        discard(self._growth.path)
        self.folder.rename(self._growth.path)
        flush(self._growth.path.parent)

    def _note(self, task: object) -> Path:
        return self._growth.notes / f"{task}.json"


@contextmanager
def grow(growth: Growth, lay_out: Callable[[zarr.Group], None]) -> Iterator[Growing]:
    """Go on with an artifact, or start it; it takes its place when the block ends well, and waits as it is if not.

    Whatever else is found at its place is removed at the start.

    Args:
        growth: what grows.
        lay_out: makes the arrays (and groups) of a new, empty artifact; called with a group in memory as well, to
            compare.
    """
    growing = Growing(growth, lay_out)
    yield growing
    growing.become()


def code_digest(files: Iterable[Path]) -> str:
    """SHA-256 (hex) over the Python files among ``files`` and below the folders among them, names and bytes."""
    digest = hashlib.sha256()
    for top in files:
        for file in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            digest.update(f"{file.relative_to(top.parent).as_posix()}\0{file_digest(file)}\0".encode())
    return digest.hexdigest()


def _layout_of(lay_out: Callable[[zarr.Group], None]) -> dict[str, Any]:
    group = zarr.create_group(store=MemoryStore(), zarr_format=3)
    lay_out(group)
    return _layout(group)


def _layout(group: zarr.Group) -> dict[str, Any]:
    """Shapes, number types, shards, codecs and attributes of all arrays below a group, by name, as JSON has them."""
    parts = group.members(max_depth=None)
    arrays = {name: part.metadata.to_dict() for name, part in parts if isinstance(part, zarr.Array)}
    found: dict[str, Any] = json.loads(json.dumps(arrays, default=str))
    return found


def _is(path: Path, wanted: str, layout: Mapping[str, Any]) -> bool:
    """Whether ``path`` holds an artifact of this identity and layout."""
    if not (path / "zarr.json").is_file():
        return False
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        return group.attrs.get("identity") == wanted and _layout(group) == layout
    except (OSError, ValueError, KeyError, TypeError):  # metadata cut short or changed: it is not what is wanted
        return False
