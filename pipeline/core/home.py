"""Paths that begin at the user's home folder."""

from pathlib import Path

from pipeline.core.errors import ConfigError


def expanded(path: str) -> Path:
    """The path with a leading ``~`` or ``~user`` replaced by that home folder.

    Raises:
        ConfigError: nobody of that name has a home folder here, or it can be no path.
    """
    if "\0" in path:
        raise ConfigError(f"{path!r}: expected a path, found a zero character in it; take it out")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{path}: expected a path, found no home folder for {path.split('/', maxsplit=1)[0]}; write it in full"
        ) from None
