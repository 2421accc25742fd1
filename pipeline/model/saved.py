"""The saved network: ``outputs/model/`` with its weights and all that is known about it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from pipeline.core.artifacts import MODEL
from pipeline.core.digests import file_digest, identity
from pipeline.core.errors import ArtifactError, ModelError
from pipeline.core.files import atomic, write_json
from pipeline.model.build import build, freeze, in_place
from pipeline.model.config import PreprocessingSettings
from pipeline.model.layers import LayerShape
from pipeline.model.network import Network
from pipeline.model.weights import load_weights

WEIGHTS = "weights.safetensors"
DESCRIPTION = "model.json"


def save(folder: Path, network: Network, architecture: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Write the network's weights and description to ``folder``, whole or not at all.

    Args:
        folder: usually ``outputs/model``.
        network: what to save.
        architecture: ``_target_`` and arguments that build it again.
        settings: the settings it was made with.
    """
    with atomic(folder) as partial:
        partial.mkdir()
        state = {name: value.detach().cpu().contiguous().clone() for name, value in network.module.state_dict().items()}
        save_file(state, partial / WEIGHTS)
        description: dict[str, Any] = {
            **MODEL.attributes(settings, {}),
            "weights": file_digest(partial / WEIGHTS),
            "name": network.name,
            "architecture": dict(architecture),
            "classes": list(network.classes),
            "preprocessing": network.preprocessing.model_dump(mode="json"),
            "layers": {name: asdict(shape) for name, shape in network.layers.items()},
        }
        description["identity"] = identity(description)
        write_json(partial / DESCRIPTION, description)


def describe(folder: Path) -> dict[str, Any]:
    """What is known about the saved network, as ``model.json`` holds it.

    Raises:
        ArtifactError: it is missing, damaged or from another version.
    """
    path = folder / DESCRIPTION
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        raise ArtifactError(
            f"{path}: expected the saved network's description, found none; run the stage prepare"
        ) from None
    if found.get("artifact_version") != MODEL.version:
        raise ArtifactError(
            f"{path}: expected {MODEL.name} version {MODEL.version}, found {found.get('artifact_version')}; "
            "run the stage prepare again"
        )
    if found.get("identity") != identity({key: value for key, value in found.items() if key != "identity"}):
        raise ArtifactError(
            f"{path}: expected the description that was written, found a damaged one; run the stage prepare again"
        )
    return found


def load(folder: Path, device: str = "cpu") -> Network:
    """The saved network, frozen, on ``device``.

    Raises:
        ArtifactError: it is missing, damaged or from another version.
        ModelError: the weights do not fit any more, or the device is not there.
    """
    found = describe(folder)
    _check_weights(folder / WEIGHTS, found.get("weights"))
    module = build(found["architecture"], len(found["classes"]))
    by_author = in_place(module)
    load_weights(module, load_file(folder / WEIGHTS), str(folder / WEIGHTS))
    try:
        module = freeze(module).to(device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"device: expected {device} to be usable, found: {str(error).splitlines()[0]}; use cpu"
        ) from None
    return Network(
        name=found["name"],
        module=module,
        classes=tuple(found["classes"]),
        preprocessing=PreprocessingSettings.model_validate_json(json.dumps(found["preprocessing"])),
        layers={name: LayerShape(**shape) for name, shape in found["layers"].items()},
        in_place=by_author,
    )


def _check_weights(path: Path, digest: object) -> None:
    """Raise ArtifactError unless the weights are those that were saved, byte for byte."""
    found = "none" if not path.is_file() else "others" if file_digest(path) != digest else None
    if found:
        raise ArtifactError(
            f"{path}: expected the weights that {DESCRIPTION} tells of, found {found}; run the stage prepare again"
        )
