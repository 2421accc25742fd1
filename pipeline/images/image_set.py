"""Image sets: the interface, and how the configuration names one.

An image set is any class that lists keys and opens them.
"""

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast, get_type_hints

from PIL.Image import Image
from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from pipeline.config.environment import resolve_settings
from pipeline.config.images import ImagesSettings
from pipeline.core.errors import AtlasError, ConfigError

METHODS = ("entries", "open", "digest")


@dataclass(frozen=True)
class Entry:
    """One image of a set.

    Attributes:
        key: names the image within its set: a relative path, or a number.
        label: index into the set's classes, None where it has none.
    """

    key: str
    label: int | None


class ImageSet(Protocol):
    """A source of images. Any class with these members can be named as ``images._target_``.

    It may have one more, a class method ``may_download`` that takes the same arguments and says whether to make the set
    may download data; such a set is not opened before a run.

    A set whose images are annotated may have a method ``masks`` that takes a key and returns, by the name of each
    concept that the image shows, where it is: bool [y, x] as large as the upright image.
    """

    classes: Sequence[str]
    """Names of the labels; empty where the set has no labels."""

    def entries(self) -> Sequence[Entry]:
        """Every image, in an order that depends on nothing but the set."""

    def open(self, key: str) -> Image:
        """The image as stored, decoded or not yet; raises OSError, or ImageError with a reason."""

    def digest(self, key: str) -> str:
        """SHA-256 (hex) of the image's file, or of its pixels where there is no file."""


def open_image_set(settings: ImagesSettings, where: str = "images") -> ImageSet:
    """The image set that ``_target_`` names, made with its arguments.

    Nothing is called but a class that has the methods of an image set; its module is imported to see that.

    Args:
        settings: the class and its arguments, which may refer to environment variables.
        where: section of the settings, for error lines.

    Raises:
        ConfigError: there is no such class, it is no class of image sets, it takes other arguments, or a variable that
            they refer to is not set here.
        ImageError: the set itself reports that its images cannot be found.
    """
    settings = resolve_settings(settings, where)
    factory = _find_class(settings.target, where)
    _check_arguments(settings.target, factory, settings.arguments, where)
    made = _call(settings.target, factory, settings.arguments, where)
    if not hasattr(made, "classes"):
        raise ConfigError(
            f"{where}._target_: expected an image set with classes, found {settings.target} without; see "
            "pipeline.images.image_set.ImageSet"
        )
    return cast("ImageSet", made)


def may_download(settings: ImagesSettings) -> bool:
    """Whether opening the image set may download data, as its class says; no by itself.

    Raises:
        ConfigError: there is no such class, or it is no class of image sets.
    """
    asked = getattr(_find_class(settings.target, "images"), "may_download", None)
    return asked is not None and bool(asked(**resolve_settings(settings, "images").arguments))


def _call(target: str, factory: Any, arguments: dict[str, Any], where: str) -> Any:
    try:
        return factory(**arguments)
    except AtlasError:
        raise
    except Exception as error:
        # any class may be named, so any error may come; --debug shows where from
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(f"{where}: {target} could not be made with these arguments: {reason}") from error


def _find_class(target: str, where: str) -> type:
    """The class of image sets at a dotted path; classes that set ``classes`` when they are made count too."""
    module_name, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module_name), name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"{where}._target_: expected the dotted path of a class, found {target!r} ({reason}); "
            "shipped sets are in conf/images"
        ) from None
    if not inspect.isclass(found):
        raise ConfigError(
            f"{where}._target_: expected the dotted path of a class, found {target!r} ({type(found).__name__}); "
            "shipped sets are in conf/images"
        )
    lacking = [method for method in METHODS if not callable(getattr(found, method, None))]
    if lacking:
        raise ConfigError(
            f"{where}._target_: expected a class of image sets with {', '.join(METHODS)}, found {target} without "
            f"{', '.join(lacking)}; see pipeline.images.image_set.ImageSet"
        )
    return found


def _check_arguments(target: str, factory: type, arguments: dict[str, Any], where: str) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:  # a class that is not written in Python may have none
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        known = ", ".join(signature.parameters)
        raise ConfigError(f"{where}: {target} takes {known}; {error}; found {', '.join(arguments) or 'none'}") from None
    for name, hint in _type_hints(factory).items():
        if name in arguments:
            _check_type(f"{where}.{name}", hint, arguments[name])


def _type_hints(factory: type) -> dict[str, Any]:
    """The types of a class's arguments, as far as they are annotated."""
    try:
        return get_type_hints(factory.__init__)  # type: ignore[misc]  # the class's own
    except (NameError, TypeError, AttributeError):
        return {}


def _check_type(where: str, hint: Any, value: Any) -> None:
    try:
        TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except PydanticSchemaGenerationError:
        return  # not a type that YAML can hold
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise ConfigError(f"{where}: {reason[:1].lower()}{reason[1:]}, found {value!r}") from None
