"""Class names and preprocessing: from the configuration, else from the published weights, else from the image set."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config.model import ModelSettings, PreprocessingSettings
from pipeline.core.errors import ConfigError, escape_control_chars
from pipeline.core.files import expand_user
from pipeline.model.weights import is_weights_file, published_weights


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
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"model.classes: expected a UTF-8 file with one class name a line at {path}, found: {reason}"
        ) from None
    return tuple(escape_control_chars(line.split("\t")[-1].strip()) for line in lines if line.strip())
