"""From the configuration to an image set."""

import inspect
from importlib import import_module
from typing import Any, cast

from pipeline.core.errors import ConfigError
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
    made = maker(**settings.arguments)
    lacking = [member for member in MEMBERS if not hasattr(made, member)]
    if lacking:
        raise ConfigError(
            f"images._target_: expected an image set with {', '.join(MEMBERS)}, found {settings.target} without "
            f"{', '.join(lacking)}; see pipeline.images.image_set.ImageSet"
        )
    return cast("ImageSet", made)


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
