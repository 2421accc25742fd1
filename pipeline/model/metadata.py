"""Class names and preprocessing of a network: those of the configuration, else of the published weights or image set.

Where the configuration has them, they are known without torch, which takes seconds to import.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.model import ModelSettings, PreprocessingSettings
from pipeline.core.errors import ConfigError, ModelError, escape_control_chars
from pipeline.core.files import expand_user, read_text

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

FILES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".pth.tar")  # of weights
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

    from pipeline.model.build import find_builder  # noqa: PLC0415  # loads torch

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
        reason, where = " ".join(str(error).split()), escape_control_chars(str(path))
        raise ConfigError(
            f"model.classes: expected a UTF-8 file with one class name a line at {where}, found: {reason}"
        ) from None
    return tuple(escape_control_chars(line.split("\t")[-1].strip()) for line in lines if line.strip())
