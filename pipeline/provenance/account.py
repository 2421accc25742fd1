"""Everything that is known of where an icon comes from, as plain values that JSON can hold."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.core import artifacts as a
from pipeline.core.errors import ArtifactError, AtlasError
from pipeline.core.escaping import escape_control_chars
from pipeline.images.image_set import ImageSet, open_image_set
from pipeline.images.manifest import Manifest, read_manifest
from pipeline.images.thumbnails import label_name
from pipeline.model.saved import describe
from pipeline.params import Params
from pipeline.provenance.cell import (
    Place,
    cell_facts,
    exemplars_of,
    find_cell,
    icon_facts,
    open_sources,
    parent_cells,
    sample_facts,
    samples_of,
    started_from,
)
from pipeline.provenance.chain import Link, breaks, read_chain

Account = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """Which icon is asked about: (row, column) of a cell of a grid level, from 0."""

    layer: str
    atlas: str
    level: int
    cell: Place


def account(outputs: Path, params: Params, asked: Asked) -> Account:
    """The icon's cell, samples, images, network, stages and code.

    Raises:
        ArtifactError: an artifact is missing, or was not made from those that lie there now.
        ConfigError: there is no such level or cell.
    """
    chain = read_chain(outputs, asked.layer, asked.atlas)
    broken = breaks(chain)
    if broken:
        more = f" (and {len(broken) - 1} more that follow)" if len(broken) > 1 else ""
        raise ArtifactError(f"{broken[0]}{more}")
    network, manifest = describe(a.MODEL.path(outputs)), read_manifest(a.IMAGES.path(outputs))
    sources = open_sources(outputs, asked.layer, asked.atlas)
    row = find_cell(sources, asked.level, asked.cell)
    samples = sample_facts(sources, samples_of(sources, asked.level, row))
    rows = sorted({sample["image"] for sample in samples})
    images = _Images(manifest, _opened(params), network["classes"])
    exemplars = sample_facts(sources, exemplars_of(sources, asked.level, row))
    render = next(link.settings for link in chain if link.name == a.ICONS.name)
    parents = parent_cells(sources, asked.level, asked.cell)
    icon = icon_facts(sources, asked.level, row)
    if icon is not None:
        started = started_from(icon, render.get("render", {}), parents)
        icon |= {"seed": render.get("seed"), "started_from": started, "parents": parents}
    return {
        "asked": {"layer": asked.layer, "atlas": asked.atlas, "level": asked.level, "cell": list(asked.cell)},
        "icon": icon,
        "cell": cell_facts(sources, asked.level, row, network["classes"]),
        "exemplars": [sample | images.about(sample["image"], check=True) for sample in exemplars],
        "samples": samples,
        "images": [{"image": image, **images.about(image)} for image in rows],
        "network": {key: network[key] for key in ("name", "architecture", "weights", "preprocessing", "identity")},
        "chain": [_link(link) for link in chain],
        "code": code(Path.cwd()),
    }


class _Images:
    """What is known of the images by their rows."""

    def __init__(self, manifest: Manifest, image_set: ImageSet | None, classes: Sequence[str]) -> None:
        self._manifest, self._set, self._classes = manifest, image_set, classes

    def about(self, row: int, *, check: bool = False) -> dict[str, Any]:
        """Key, digest and label; with ``check`` also whether the image is still the one that was listed."""
        key, digest = self._manifest.key[row], self._manifest.digest[row]
        label = label_name(self._manifest, row, self._set.classes if self._set else (), self._classes)
        found = {"key": escape_control_chars(key), "digest": digest, "label": label}
        return found | ({"now": self._now(key, digest)} if check else {})

    def _now(self, key: str, digest: str) -> str:
        if self._set is None:
            return "gone"
        try:
            return "as listed" if self._set.digest(key) == digest else "changed"
        except (AtlasError, OSError, ValueError):
            return "gone"


def _opened(params: Params) -> ImageSet | None:
    """The image set, None where it is not there any more; the account does not need it."""
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
        "settings": dict(link.settings),
    }


def code(folder: Path) -> dict[str, Any]:
    """The version of the code that lies here: of the project, and its git commit where git knows one."""
    commit = _git(folder, "rev-parse", "HEAD")
    changed = None if commit is None else bool(_git(folder, "status", "--porcelain", "--", "pipeline"))
    return {"version": __version__, "commit": commit, "changed": changed}


def _git(folder: Path, *command: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # words of our own
            ["git", "-C", str(folder), *command],  # noqa: S607  # the user's git, wherever it lies
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
