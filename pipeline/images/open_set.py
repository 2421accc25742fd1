"""From the configuration to an image set."""

import inspect
import json
from importlib import import_module
from typing import Any, cast, get_type_hints

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from pipeline.core.errors import AtlasError, ConfigError
from pipeline.images.config import ImagesSettings
from pipeline.images.image_set import ImageSet

MEMBERS = ("classes", "entries", "open", "digest")


def open_image_set(settings: ImagesSettings) -> ImageSet:
    """The image set that ``images._target_`` names, made with its arguments.

    Raises:
        ConfigError: there is no such class, it takes other arguments, or what it makes is no image set.
        ImageError: the set itself says that its images cannot be found.
    """
    maker = _find(settings.target)
    _check_arguments(settings.target, maker, settings.arguments)
    made = _made(settings.target, maker, settings.arguments)
    lacking = [member for member in MEMBERS if not hasattr(made, member)]
    if lacking:
        raise ConfigError(
            f"images._target_: expected an image set with {', '.join(MEMBERS)}, found {settings.target} without "
            f"{', '.join(lacking)}; see pipeline.images.image_set.ImageSet"
        )
    return cast("ImageSet", made)


def _made(target: str, maker: Any, arguments: dict[str, Any]) -> Any:
    try:
        return maker(**arguments)
    except AtlasError:
        raise
    except Exception as error:
        # any class may be named, so any error may come; --debug shows where from
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(f"images: {target} could not be made with these arguments: {reason}") from error


def _find(target: str) -> Any:
    module_name, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module_name), name)
        inspect.signature(found)  # a module or a value has none
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"images._target_: expected the dotted path of a class, found {target!r} ({reason}); "
            "shipped sets are in conf/images"
        ) from None
    return found


def _check_arguments(target: str, maker: Any, arguments: dict[str, Any]) -> None:
    signature = inspect.signature(maker)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        known = ", ".join(signature.parameters)
        raise ConfigError(f"images: {target} takes {known}; {error}; found {', '.join(arguments) or 'none'}") from None
    for name, hint in _hints(maker).items():
        if name in arguments:
            _check_type(f"images.{name}", hint, arguments[name])


def _hints(maker: Any) -> dict[str, Any]:
    """The types of a class's arguments, as far as it tells them."""
    try:
        return get_type_hints(maker.__init__ if inspect.isclass(maker) else maker)
    except (NameError, TypeError, AttributeError):
        return {}


def _check_type(where: str, hint: Any, value: Any) -> None:
    try:
        TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except PydanticSchemaGenerationError:
        return  # no type that YAML could hold
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise ConfigError(f"{where}: {reason[:1].lower()}{reason[1:]}, found {value!r}") from None
