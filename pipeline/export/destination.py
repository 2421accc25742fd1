"""The folder that an export goes to: only an empty one or an earlier export, and never half of a new one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.core.files import discard

MARKER = ".activation-atlas.json"  # lists the files of an export, so that nothing else is ever removed with it


def refuse_foreign(folder: Path, site: Path) -> None:
    """Raise unless the folder is missing, empty, or an earlier export with nothing else in it.

    Args:
        folder: where the export shall lie; absolute, without links.
        site: what is exported; absolute, without links.

    Raises:
        ConfigError: the folder is none of these, or lies around the site or in it.
    """
    if folder.is_relative_to(site) or site.is_relative_to(folder):
        raise ConfigError(f"{folder}: expected a folder apart from the site {site}; choose another one")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f"{folder}: expected a folder, found a file; choose another one")
    if not any(folder.iterdir()):
        return
    own = _listed(folder / MARKER)
    if not own:
        raise ConfigError(
            f"{folder}: expected an empty folder or an earlier export, found something else; choose another one"
        )
    foreign = sorted(files_below(folder) - own - {MARKER})
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise ConfigError(
            f"{folder}: expected nothing but an earlier export, found {foreign[0]}{more}, which would be lost; "
            "export to another folder and copy it from there"
        )


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` to fill; it takes its place when the block ends well, and goes when not.

    An earlier export stays as it is until then.
    """
    partial, old = (folder.with_name(f".{folder.name}.atlas-export{end}") for end in ("", "-before"))
    discard(partial)
    try:
        partial.mkdir(parents=True)
        yield partial
        discard(old)
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        discard(old)
    except BaseException:
        if old.is_dir() and not folder.exists():
            old.rename(folder)
        discard(partial)
        raise


def mark(folder: Path) -> None:
    """Note in the folder which files are the export's own."""
    (folder / MARKER).write_text(
        json.dumps({"made_by": "atlas export", "files": sorted(files_below(folder))}, indent=0)
    )


def files_below(folder: Path) -> set[str]:
    """Everything below the folder that is no plain folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def _listed(marker: Path) -> set[str]:
    """The files of an earlier export; none where there is no marker."""
    try:
        found = json.loads(marker.read_text("utf-8"))
        return set(found["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()
