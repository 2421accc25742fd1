"""``atlas export``: the site of a run as a folder that any static host can publish under any path."""

import errno
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.core import artifacts as a
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.files import discard
from pipeline.core.progress import counted, log_line, tracked
from pipeline.core.site_data import read_data_script
from pipeline.site.pages import PAGES
from pipeline.site.photographs import FOLDER as PHOTOGRAPHS
from pipeline.site.published_settings import published_arguments, published_settings
from pipeline.site_files import site_files
from pipeline.site_metrics import METRICS_FILE

Values = Mapping[str, Any]

MARKER = ".activation-atlas.json"  # lists the files of an export, so that nothing else is ever removed with it
NO_JEKYLL = ".nojekyll"  # GitHub Pages would leave out names that begin with _, as a layer's name may
UNFINISHED = (".partial", ".raw")  # endings of files that an interrupted stage leaves behind
IMAGES = re.compile(
    r"(data/images|place|patch|units/[^/]+/(examples|maps|sheets/(change|gradients))"
    r"|explain/[^/]+/(rows|thumbnails|fooling)(?=/[0-9]+\.webp)|synthesize/(?!painting/)[^/]+)/.*\.webp"
)
KEEP_OUT = (
    "site.exemplars=0 patch.examples=0 place.pictures=0 units.examples=0 explain.photographs=false "
    "synthesize.photographs=false"
)


def export(site: Path, folder: Path) -> None:
    """Copy the site to ``folder``, completely or not at all.

    Args:
        site: usually ``outputs/site``.
        folder: target; missing, empty, or an earlier export, which is replaced.

    Raises:
        ArtifactError: a file that a page loads is missing.
        ConfigError: the folder holds other files, lies in the site or around it, or cannot be written to.
    """
    site, folder = site.resolve(), folder.resolve()
    try:
        refuse_foreign(folder, site)
        _check_complete(site)
        names = sorted(_current_files(site))
        with replace_folder(folder) as partial:
            for name in tracked(names, "export", len(names), "file"):
                target = partial / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(site / name, target)  # the content alone: DVC may have made a file read-only, or a link
            (partial / NO_JEKYLL).touch()
            write_marker(partial)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigError(f"{folder}: expected a writable folder, found: {error}; choose another one") from None
    _report(folder, names)


def refuse_foreign(folder: Path, site: Path) -> None:
    """Raise unless the folder is missing, empty, or an earlier export with nothing else in it.

    Args:
        folder: where the export will lie; absolute, without links.
        site: what is exported; absolute, without links.

    Raises:
        ConfigError: the folder is none of these, or contains the site or lies in it.
    """
    if folder.is_relative_to(site) or site.is_relative_to(folder):
        raise ConfigError(f"{folder}: expected a folder apart from the site {site}; choose another one")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f"{folder}: expected a folder, found a file; choose another one")
    if not any(folder.iterdir()):
        return
    own = _read_marker(folder / MARKER)
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
def replace_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` to fill; it replaces ``folder`` if the block succeeds and is removed if not.

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


def write_marker(folder: Path) -> None:
    """List the export's own files in the folder."""
    (folder / MARKER).write_text(
        json.dumps({"made_by": "atlas export", "files": sorted(files_below(folder))}, indent=0)
    )


def files_below(folder: Path) -> set[str]:
    """Paths of all files and links below the folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def _read_marker(marker: Path) -> set[str]:
    """The files of an earlier export; none where there is no marker."""
    try:
        found = json.loads(marker.read_text("utf-8"))
        return set(found["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _check_complete(site: Path) -> None:
    """Raise if a file that a page loads is missing, or the site shows settings that are no longer published."""
    if not (site / "index.html").is_file():
        raise ArtifactError(f"{site}: expected a site, found none; make one with 'atlas run'")
    shown = read_data_script(site / "data/manifest.js").get("provenance", {})
    arguments, settings = shown.get("network", {}).get("architecture"), shown.get("settings", {})
    if (arguments, settings) != (published_arguments(arguments), published_settings(settings)):
        raise ArtifactError(
            f"{site / 'data/manifest.js'}: expected settings that may be published, found others, as earlier versions "
            "wrote them; make the site again with 'atlas run'"
        )
    missing = [name for name in site_files(site, tuple(PAGES)) if not (site / name).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ArtifactError(
            f"{site / missing[0]}: expected a file that the site loads, found none{more}; complete the site with "
            "'atlas run'"
        )


def _current_files(site: Path) -> Iterator[str]:
    """The site's files, without those of interrupted stages and of atlases that are no longer part of it."""
    manifest = read_data_script(site / "data/manifest.js")
    folders = {"data", "viewer"}
    folders |= {_folder(a.UNITS, layer) for layer in manifest["units"]}
    folders |= {_folder(a.EXPLAIN, layer) for layer in manifest["explain"]}
    folders |= {_folder(a.SYNTHESIZE, method=method) for method in manifest["synthesize"]}
    for layer in (entry["name"] for entry in manifest["layers"]):
        folders |= {_folder(a.PREDICT, layer)} | ({_folder(a.PLACE, layer)} if manifest["second_image_set"] else set())
    for layer in manifest["layers"]:
        for atlas in layer["atlases"]:
            folders |= {_folder(kind, layer["name"], atlas["name"]) for kind in (a.TILES, a.PATCH)}
    for folder in folders:
        for name in files_below(site / folder):
            unfinished = any(part.startswith(".") or part.endswith(UNFINISHED) for part in name.split("/"))
            if not unfinished and (site / folder / name).is_file():
                yield f"{folder}/{name}"
    yield from PAGES
    if (site / METRICS_FILE).is_file():
        yield METRICS_FILE


def _folder(kind: a.Artifact, layer: str = "", atlas: str = "", method: str = "") -> str:
    """Path of an artifact below the site."""
    return kind.path(Path(), layer, atlas, method).relative_to(a.SITE.path(Path())).as_posix()


def _report(folder: Path, names: list[str]) -> None:
    manifest = read_data_script(folder / "data/manifest.js")
    size = sum((folder / name).stat().st_size for name in names)
    log_line(f"export: {counted(len(names), 'file')}, {size / 1e6:.1f} MB, in {folder}: {', '.join(PAGES)}")
    plain = tuple(
        f"{_folder(a.EXPLAIN, layer)}/" for layer in manifest["explain"] if not _has_photographs(folder, layer)
    )
    images = sum(IMAGES.fullmatch(name) is not None and not name.startswith(plain) for name in names)
    if images:
        tiles = ", and tiles with patches of them" if any(f"/{PHOTOGRAPHS}/" in name for name in names) else ""
        log_line(
            f"It contains {images} of your images or crops of them{tiles}; 'atlas run {KEEP_OUT}' leaves them out."
        )
    if any("accentuated" in atlas["styles"] for layer in manifest["layers"] for atlas in layer["atlases"]):
        log_line("Its accentuated icons hold parts of your images; 'atlas run render.styles=[drawn]' leaves them out.")
    log_line("Open index.html with a double click, or put the folder on any web host, under any path.")


def _has_photographs(folder: Path, layer: str) -> bool:
    """Whether the explanations of a layer show the images, or heat maps alone."""
    return bool(read_data_script(folder / _folder(a.EXPLAIN, layer) / "explain.js")["photographs"])
