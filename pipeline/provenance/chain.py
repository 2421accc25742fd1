"""The chain of artifacts behind an atlas's icons: the inputs of each by identity, and where they do not match."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.core import artifacts as a
from pipeline.core.artifacts import Artifact
from pipeline.core.errors import ArtifactError
from pipeline.core.files import file_digest, identity
from pipeline.core.zarr_store import open_artifact
from pipeline.images.manifest import manifest_attributes, read_manifest
from pipeline.model.description import WEIGHTS, read_description

REFERENCE = "reference"  # a layout's name for the activations of the layer that all layouts are aligned to
MAKERS = {
    **dict.fromkeys(("images", "model"), "prepare"),
    **dict.fromkeys(("activations", REFERENCE), "sample"),
    "layout": "reduce",
    "grid": "grid",
    "icons": "render",
    "tiles": "tile",
    "site": "site",
}


@dataclass(frozen=True)
class Link:
    """One artifact of the chain.

    Attributes:
        name: of the artifact.
        path: of the artifact.
        identity: digest of its settings and of everything that it was made from; empty where it has none.
        expected: the identity computed from its own description.
        version: of the project that made it.
        settings: that it was made with.
        made_from: identities of what it was made from, by name.
    """

    name: str
    path: Path
    identity: str
    expected: str
    version: str
    settings: Mapping[str, Any]
    made_from: Mapping[str, str]


def read_chain(outputs: Path, layer: str, atlas: str) -> list[Link]:
    """The chain in the order of the data flow: images and network first, the page last where there is one.

    Raises:
        ArtifactError: an artifact up to the icons is missing or from another version.
    """
    images, model = _images(a.IMAGES.path(outputs)), _model(a.MODEL.path(outputs))
    activations = _stored(a.ACTIVATIONS, outputs, layer, atlas)
    layout = _stored(a.LAYOUT, outputs, layer, atlas)
    *_, last = layout.settings.get("layers", (layer,))
    reference = _stored(a.ACTIVATIONS, outputs, last, atlas, REFERENCE)
    chain = [images, model, activations, reference, layout]
    chain += [_stored(artifact, outputs, layer, atlas) for artifact in (a.GRID, a.ICONS)]
    tiles = a.TILES.path(outputs, layer, atlas) / "tiles.json"
    page = a.SITE.path(outputs) / "data" / "manifest.js"
    chain += [_tiles(tiles)] if tiles.is_file() else []
    chain += [_page(page, layer, atlas)] if page.is_file() else []
    return chain


def breaks(chain: Sequence[Link]) -> list[str]:
    """Mismatches between artifacts, one line each, the earliest first."""
    return [line for link in chain for line in _breaks(link, {below.name: below.identity for below in chain})]


def _breaks(link: Link, known: Mapping[str, str]) -> Iterator[str]:
    again = f"run {MAKERS[link.name]} again ('atlas run' does)"
    if link.identity != link.expected:
        yield f"{link.path}: {link.name} expected to be as its stage wrote it, found that it was changed; {again}"
    for name, identity_ in link.made_from.items():
        if name not in known:
            yield f"{link.path}: {link.name} expected to name what it was made from, found unknown {name}; {again}"
        elif identity_ != known[name]:
            yield (
                f"{link.path}: {link.name} expected to be made from {name} {known[name][:12]}, found that it was made "
                f"from other {name} ({identity_[:12]}); {again}"
            )


def _stored(artifact: Artifact, outputs: Path, layer: str, atlas: str, name: str = "") -> Link:
    path = artifact.path(outputs, layer, atlas)
    return _link(name or artifact.name, path, dict(open_artifact(artifact, path).attrs))


def _link(name: str, path: Path, found: Mapping[str, Any]) -> Link:
    described = ("artifact", "artifact_version", "project_version", "settings", "made_from")
    return Link(
        name=name,
        path=path,
        identity=str(found.get("identity", "")),
        expected=identity({key: found[key] for key in described if key in found}) if "identity" in found else "",
        version=str(found.get("project_version", "")),
        settings=found.get("settings", {}),
        made_from=found.get("made_from", {}),
    )


def _images(path: Path) -> Link:
    """The manifest's identity is computed from its rows."""
    manifest, found = read_manifest(path), manifest_attributes(path)
    return replace(_link(a.IMAGES.name, path, found), identity=manifest.identity, expected=manifest.identity)


def _model(path: Path) -> Link:
    """The network's identity is computed from its whole description, which includes the digest of the weights."""
    found = read_description(path)
    described = {key: value for key, value in found.items() if key != "identity"}
    weights = path / WEIGHTS
    if not weights.is_file():
        raise ArtifactError(f"{weights}: expected the network's weights, found none; run the stage prepare")
    described["weights"] = file_digest(weights)
    read = _link(a.MODEL.name, path, found)
    return replace(read, expected=identity(described))


def _tiles(path: Path) -> Link:
    return _link(a.TILES.name, path, _json(path, path.read_text(encoding="utf-8")))


def _page(path: Path, layer: str, atlas: str) -> Link:
    """The identities that the page records for this atlas; none where it does not show the atlas yet."""
    content = _json(path, path.read_text(encoding="utf-8").partition("]=")[2].removesuffix(";\n"))
    identities = content.get("provenance", {}).get("identities", {}).get(layer, {}).get(atlas, {})
    version = str(content.get("version", ""))
    return Link(a.SITE.name, path, "", "", version, {}, identities)  # it records no settings of its own


def _json(path: Path, text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        raise ArtifactError(f"{path}: expected JSON, found something else; make it again with 'atlas run'") from None
    return found
