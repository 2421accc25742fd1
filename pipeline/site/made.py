"""How the atlases were made, as the page tells it: identities of the artifacts, settings, versions."""

from collections.abc import Mapping
from typing import Any

from pipeline.core import artifacts as a
from pipeline.core.artifacts import Artifact
from pipeline.core.zarr_store import open_artifact
from pipeline.images.manifest import Manifest, manifest_attributes
from pipeline.site.sources import read_tiles
from pipeline.stages import Task

Found = dict[str, Any]

KINDS = (a.ACTIVATIONS, a.LAYOUT, a.GRID, a.ICONS)


def how_made(task: Task, network: Mapping[str, Any], listed: Manifest) -> Found:
    """What the page tells of the making of every atlas.

    Args:
        task: of the stage.
        network: the saved network's description.
        listed: the images.

    Returns:
        ``network`` (how it is built, digests), ``images`` (identity), ``settings`` by section as the artifacts keep
        them, ``versions`` of the project that made artifacts, and ``identities`` by layer, atlas and artifact.
    """
    images = manifest_attributes(task.path(a.IMAGES))
    everything: list[Mapping[str, Any]] = [images, network]
    identities: dict[str, dict[str, dict[str, str]]] = {}
    for layer in task.params.layers:
        for atlas in task.params.atlases:
            of_atlas = {kind.name: _attributes(task, kind, layer, atlas) for kind in KINDS}
            of_atlas[a.TILES.name] = read_tiles(task.path(a.TILES, layer, atlas), ())
            everything += of_atlas.values()
            named = {name: str(found["identity"]) for name, found in of_atlas.items() if "identity" in found}
            identities.setdefault(layer, {})[atlas] = named
    settings = _merged(everything)
    return {
        "network": {key: public(network.get(key)) for key in ("architecture", "weights", "identity")},
        "images": listed.identity,
        "settings": public(settings),
        "versions": sorted({str(found["project_version"]) for found in everything if "project_version" in found}),
        "identities": identities,
    }


def public(value: Any) -> Any:
    """The value without the folders of this machine: of a path from the root or from home, the last part is left."""
    if isinstance(value, Mapping):
        return {str(key): public(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [public(inner) for inner in value]
    if isinstance(value, str) and value.startswith(("/", "~")):
        return f"…/{value.rstrip('/').rpartition('/')[2]}"
    return value


def _attributes(task: Task, kind: Artifact, layer: str, atlas: str) -> Found:
    return dict(open_artifact(kind, task.path(kind, layer, atlas)).attrs)


def _merged(everything: list[Mapping[str, Any]]) -> Found:
    """All sections of settings; the atlas of all samples and those of classes each keep some that the other lacks."""
    merged: Found = {}
    for found in everything:
        for name, section in found.get("settings", {}).items():
            if isinstance(section, dict):
                merged.setdefault(name, {}).update(section)
            else:
                merged[name] = section
    return merged
