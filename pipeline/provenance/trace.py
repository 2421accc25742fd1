"""The trace of an icon: its cell, samples, images, network, artifacts and code, as values that JSON can hold."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.config.params import Params
from pipeline.core import artifacts as a
from pipeline.core.errors import ArtifactError, AtlasError, escape_control_chars
from pipeline.core.secrets import redacted
from pipeline.images.image_set import ImageSet, open_image_set
from pipeline.images.manifest import Manifest, read_manifest
from pipeline.images.thumbnails import label_name
from pipeline.model.description import read_description
from pipeline.provenance.cell import (
    RowColumn,
    describe_cell,
    describe_icon,
    describe_samples,
    exemplars_of,
    find_cell,
    open_sources,
    parent_cells,
    samples_of,
    started_from,
)
from pipeline.provenance.chain import Link, breaks, read_chain

Trace = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """The icon to trace: (row, column) of a cell of a grid level, from 0; without a style, that of the first one."""

    layer: str
    atlas: str
    level: int
    cell: RowColumn
    style: str | None = None


def trace(outputs: Path, params: Params, query: Query) -> Trace:
    """The icon's cell, samples, images, network, artifacts and code.

    Raises:
        ArtifactError: an artifact is missing, or was made from others than those stored now.
        ConfigError: there is no such level, cell or style.
    """
    chain = read_chain(outputs, query.layer, query.atlas)
    broken = breaks(chain)
    if broken:
        more = f" (and {len(broken) - 1} more that follow)" if len(broken) > 1 else ""
        raise ArtifactError(f"{broken[0]}{more}")
    network, manifest = read_description(a.MODEL.path(outputs)), read_manifest(a.IMAGES.path(outputs))
    sources = open_sources(outputs, query.layer, query.atlas, query.style)
    row = find_cell(sources, query.level, query.cell)
    samples = describe_samples(sources, samples_of(sources, query.level, row))
    rows = sorted({sample["image"] for sample in samples})
    images = _Images(manifest, _open_or_none(params), network["classes"])
    exemplars = describe_samples(sources, exemplars_of(sources, query.level, row))
    render = next(link.settings for link in chain if link.name == a.ICONS.name)
    parents = parent_cells(sources, query.level, query.cell)
    icon = describe_icon(sources, query.level, row)
    if icon is not None:
        started = started_from(icon, parents, sources.style)
        icon |= {"style": sources.style, "seed": render.get("seed"), "started_from": started, "parents": parents}
    asked = {"layer": query.layer, "atlas": query.atlas, "style": sources.style, "level": query.level}
    return {
        "query": asked | {"cell": list(query.cell)},
        "icon": icon,
        "cell": describe_cell(sources, query.level, row, network["classes"]),
        "exemplars": [sample | images.about(sample["image"], check=True) for sample in exemplars],
        "samples": samples,
        "images": [{"image": image, **images.about(image)} for image in rows],
        "network": redacted(
            {key: network[key] for key in ("name", "architecture", "weights", "preprocessing", "identity")}
        ),
        "chain": [_link(link) for link in chain],
        "code": code(Path.cwd()),
    }


class _Images:
    """The images by their rows."""

    def __init__(self, manifest: Manifest, image_set: ImageSet | None, classes: Sequence[str]) -> None:
        self._manifest, self._set, self._classes = manifest, image_set, classes

    def about(self, row: int, *, check: bool = False) -> dict[str, Any]:
        """Key, digest and label; with ``check`` also whether the image's file still has the listed digest."""
        key, digest = self._manifest.key[row], self._manifest.digest[row]
        label = label_name(self._manifest, row, self._set.classes if self._set else (), self._classes)
        found = {"key": escape_control_chars(key), "digest": digest, "label": label}
        return found | ({"file": self._file_status(key, digest)} if check else {})

    def _file_status(self, key: str, digest: str) -> str:
        if self._set is None:
            return "missing"
        try:
            return "unchanged" if self._set.digest(key) == digest else "changed"
        except (AtlasError, OSError, ValueError):
            return "missing"


def _open_or_none(params: Params) -> ImageSet | None:
    """The image set, None where it cannot be opened any more; the trace does not need it."""
    try:
        return open_image_set(params.images)
    except AtlasError:
        return None


def _link(link: Link) -> dict[str, Any]:
    return {
        "artifact": link.name,
        "path": str(link.path),
        "identity": link.identity,
        "project_version": link.version,
        "made_from": dict(link.made_from),
        "settings": redacted(link.settings),
    }


def code(folder: Path) -> dict[str, Any]:
    """Version of the project, and the git commit of ``folder`` where there is one."""
    commit = _git(folder, "rev-parse", "HEAD")
    changed = None if commit is None else bool(_git(folder, "status", "--porcelain", "--", "pipeline"))
    return {"version": __version__, "commit": commit, "changed": changed}


def _git(folder: Path, *command: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # a fixed command
            ["git", "-C", str(folder), *command],  # noqa: S607  # the user's git, from PATH
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
