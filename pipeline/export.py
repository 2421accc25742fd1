"""The site of a run as files: which of them its pages may load, the metrics of all stages, and ``atlas export``.

Every file that the pages may load is derived from the site's manifest and its lists of images. An export copies them to
a folder that any static host can publish under any path. Metrics are in one file for the page of contents: the commands
collect them and not the stage ``site``, since metrics are written for people and carry no checksum, so no artifact may
be made from them.
"""

import errno
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

from pipeline.core import artifacts as a
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.files import atomic, discard
from pipeline.core.progress import counted, log_line, tracked
from pipeline.core.site_data import data_script, read_data_script
from pipeline.site.pages import DATA_FORMAT, PAGES
from pipeline.site.photographs import FOLDER as PHOTOGRAPHS
from pipeline.site.published_settings import published_arguments, published_settings
from pipeline.site.tile_scripts import script_levels

Values = Mapping[str, Any]
Metrics = dict[str, Any]

MARKER = ".activation-atlas.json"  # lists the files of an export, so that nothing else is ever removed with it
NO_JEKYLL = ".nojekyll"  # GitHub Pages would leave out names that begin with _, as a layer's name may
UNFINISHED = (".partial", ".raw")  # endings of files that an interrupted stage leaves behind
IMAGES = re.compile(r"(data/images|place|patch|units/[^/]+/(examples|maps))/.*\.webp")
KEEP_OUT = "site.exemplars=0 patch.examples=0 place.pictures=0 units.examples=0"

ADDRESS = re.compile(r'(?:src|href)="([^":]+)"')  # no scheme: beside the page
PATCH_IMAGES = {"file", "before", "after"}  # keys that name an image file in the result of a patch test

METRICS_FILE = "figures.js"  # metrics of the run; the commands write it beside the pages
METRIC_STAGES = ("reduce", "grid", "render")  # stages with metrics of each atlas


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
    _report(folder, names, read_data_script(site / "data/manifest.js"))


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
    folders = {"data", "viewer", *(_folder(a.UNITS, layer) for layer in manifest["units"])}
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


def _folder(kind: a.Artifact, layer: str, atlas: str = "") -> str:
    """Path of an artifact below the site."""
    return kind.path(Path(), layer, atlas).relative_to(a.SITE.path(Path())).as_posix()


def _report(folder: Path, names: list[str], manifest: Values) -> None:
    size = sum((folder / name).stat().st_size for name in names)
    log_line(f"export: {counted(len(names), 'file')}, {size / 1e6:.1f} MB, in {folder}: {', '.join(PAGES)}")
    images = sum(IMAGES.fullmatch(name) is not None for name in names)
    if images:
        tiles = ", and tiles with patches of them" if any(f"/{PHOTOGRAPHS}/" in name for name in names) else ""
        log_line(
            f"It contains {images} of your images or crops of them{tiles}; 'atlas run {KEEP_OUT}' leaves them out."
        )
    if any("accentuated" in atlas["styles"] for layer in manifest["layers"] for atlas in layer["atlases"]):
        log_line("Its accentuated icons hold parts of your images; 'atlas run render.styles=[drawn]' leaves them out.")
    log_line("Open index.html with a double click, or put the folder on any web host, under any path.")


def site_files(site: Path, pages: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    """Paths of files, relative to the site.

    Outputs of the stages ``patch`` and ``predict`` are left out where they have not run; the pages handle that.

    Args:
        site: usually ``outputs/site``.
        pages: its pages.

    Raises:
        ArtifactError: a file that names others is missing or damaged, or the data have another format.
    """
    for page in pages:
        yield page
        yield from ADDRESS.findall((site / page).read_text("utf-8")) if (site / page).is_file() else ()
    yield "data/bookmarks.js"
    if (site / METRICS_FILE).is_file():
        yield METRICS_FILE
    manifest = read_data_script(site / "data/manifest.js")
    if manifest.get("format") != DATA_FORMAT:
        raise ArtifactError(
            f"{site / 'data/manifest.js'}: expected data of format {DATA_FORMAT}, found {manifest.get('format')}; "
            "run 'atlas run' again"
        )
    if manifest["exemplars"]:
        yield from _image_files(site, "data/images", manifest["images"], manifest["images_per_folder"])
    for layer in manifest["layers"]:
        yield f"data/{layer['name']}/channels.js"
        for atlas in layer["atlases"]:
            yield from _data_files(manifest, layer, atlas)
            yield from _tile_files(manifest, layer["name"], atlas)
            yield from _patch_files(site, f"patch/{layer['name']}/{atlas['name']}")
        if manifest["second_image_set"]:
            yield from _second_set_files(site, f"place/{layer['name']}")
    for layer in manifest["units"]:
        yield from _unit_files(site, f"units/{layer}")


def _data_files(manifest: Values, layer: Values, atlas: Values) -> Iterator[str]:
    """The data files of one atlas."""
    classes, folder = len(manifest["network"]["classes"]), f"data/{layer['name']}/{atlas['name']}"
    yield f"{folder}/samples.js"
    for level in atlas["levels"]:
        size, per_block = level["size"], level.get("channels_per_block")
        yield f"{folder}/{size}/channels.js"
        for block in range(ceil(layer["channels"] / per_block) if per_block else 0):
            yield f"{folder}/{size}/activation-{block}.js"
        yield f"{folder}/{size}/cells.js"
        yield f"{folder}/{size}/links.js"
        yield f"{folder}/{size}/neighbors.js"
        yield from (f"{folder}/{size}/icons-{style}.js" for style in atlas["styles"][1:])
        if manifest["exemplars"]:
            yield f"{folder}/{size}/exemplars.js"
        if atlas["kind"] == "all" and atlas["heatmap"]:
            yield f"{folder}/{size}/polysemantic_cells.js"
    heatmap_levels = atlas["heatmap"]["levels"] if atlas["heatmap"] else ()
    for name, levels in (("heatmap", heatmap_levels), ("label", atlas["label_levels"])):
        for level in levels:
            for block in range(ceil(classes / level["classes_per_block"])):
                yield f"{folder}/{level['size']}/{name}-{block}.js"
    if atlas["regions"]:
        yield f"{folder}/regions.js"
    if manifest["exemplars"]:
        yield from _member_files(folder, atlas["levels"][-1]["samples"], atlas["members_per_block"])


def _member_files(folder: str, samples: int, per_block: int) -> Iterator[str]:
    for block in range(ceil(samples / per_block)):
        yield f"{folder}/members-{block}.js"


def _tile_files(manifest: Values, layer: str, atlas: Values) -> Iterator[str]:
    """Every tile of each style of icons and of the photographs, in Deep Zoom's numbering."""
    first, styles = f"tiles/{layer}/{atlas['name']}", atlas["styles"]
    folders = [first, *(f"{first}/{style}" for style in styles[1:])]
    for level in atlas["levels"]:
        pyramids = [(f"{folder}/{level['size']}_files", level["width"]) for folder in folders]
        if side := level["size"] * level.get("photograph", 0):
            pyramids.append((f"data/{layer}/{atlas['name']}/photographs/{level['size']}_files", side))
        for pyramid, side in pyramids:
            yield from _pyramid_files(pyramid, side, atlas["tiles"], manifest["png_from_disk"])


def _pyramid_files(folder: str, side: int, form: Values, scripts: bool) -> Iterator[str]:
    """Every tile of an image and of its reductions, and the scripts that hold tiles."""
    finest = (side - 1).bit_length()
    scripted = set(script_levels(side)) if scripts else ()
    for reduced in range(finest + 1):
        tiles = range(ceil(ceil(side / 2 ** (finest - reduced)) / form["tile_size"]))
        for column, row in product(tiles, tiles):
            yield f"{folder}/{reduced}/{column}_{row}.{form['format']}"
            if reduced in scripted:
                yield f"data/pixels/{folder.removeprefix('data/')}/{reduced}/{column}_{row}.js"


def _image_files(site: Path, folder: str, images: int, per_folder: int) -> Iterator[str]:
    """The lists of images, and the thumbnails that they name."""
    for number in range(ceil(images / per_folder)):
        yield f"{folder}/{number}.js"
        listed = read_data_script(site / folder / f"{number}.js")
        yield from (f"{folder}/{number}/{row}.webp" for row, (_, _, stored) in listed.items() if stored)


def _second_set_files(site: Path, folder: str) -> Iterator[str]:
    """Files of the second image set at a layer."""
    yield f"{folder}/place.js"
    place = read_data_script(site / folder / "place.js")
    yield from _member_files(folder, place["samples"], place["members_per_block"])
    yield from _image_files(site, f"{folder}/images", place["images"], place["images_per_folder"])


def _patch_files(site: Path, folder: str) -> Iterator[str]:
    """The result of a patch test and the images that it names."""
    if (site / folder / "result.js").is_file():
        yield f"{folder}/result.js"
        yield from (f"{folder}/{name}" for name in _named_images(read_data_script(site / folder / "result.js")))


def _unit_files(site: Path, folder: str) -> Iterator[str]:
    """What is known of a layer's units, their pictures, strips of their examples, and comparison sheets."""
    yield f"{folder}/units.js"
    content = read_data_script(site / folder / "units.js")
    yield from (f"{folder}/filters/{number}.webp" for number in range(len(content["filters"])))
    for sheet in content["sheets"]:
        for number, row in enumerate(sheet["rows"]):
            if any(row["cells"]):
                yield f"{folder}/sheets/{sheet['name']}/{number}.webp"
    for unit in content["units"]:
        name = f"{unit['channel']}.webp"
        if unit["pictures"]:
            yield f"{folder}/pictures/{name}"
        if len(unit["pictures"]) > 1:
            yield f"{folder}/variants/{name}"
        if unit["examples"]:
            yield f"{folder}/examples/{name}"
        if unit["maps"]:
            yield f"{folder}/maps/{name}"


def _named_images(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key in PATCH_IMAGES and isinstance(value, str):
                yield value
            else:
                yield from _named_images(value)
    elif isinstance(content, list):
        for value in content:
            yield from _named_images(value)


def write_site_metrics(outputs: Path) -> None:
    """Write the metrics of a run beside its site; do nothing where there is no site or it is not writable."""
    site = outputs / "site"
    with suppress(ArtifactError, OSError):
        content = collect_metrics(outputs / "metrics", read_data_script(site / "data/manifest.js"))
        with atomic(site / METRICS_FILE) as partial:
            partial.write_text(data_script("figures", content), encoding="ascii")


def collect_metrics(metrics: Path, manifest: Mapping[str, Any]) -> Metrics:
    """The metrics of a run as the page reads them.

    Args:
        metrics: the folder that the stages write their metrics to; what is missing there is null.
        manifest: of the site, which names layers, atlases and levels.

    Returns:
        ``images`` (of ``prepare``), ``layers`` (of ``sample``, by layer) and ``atlases``: by layer and atlas the
        ``layout`` as a whole and the ``levels`` of its grid, coarse to fine, each with its cells and icons.
    """
    sampled = _read_metrics(metrics / "sample.json") or {}
    names = [layer["name"] for layer in manifest["layers"]]
    return {
        "images": _read_metrics(metrics / "prepare.json"),
        "layers": {layer: sampled.get(layer) for layer in names},
        "atlases": {
            layer["name"]: {
                atlas["name"]: _atlas_metrics(
                    metrics, f"{layer['name']}/{atlas['name']}", [level["size"] for level in atlas["levels"]]
                )
                for atlas in layer["atlases"]
            }
            for layer in manifest["layers"]
        },
    }


def _atlas_metrics(metrics: Path, name: str, sizes: Iterable[int]) -> Metrics:
    layout, cells, icons = (_read_metrics(metrics / stage / f"{name}.json") for stage in METRIC_STAGES)
    levels = [
        {"size": size, "cells": _level_metrics(cells, size), "icons": _level_metrics(icons, size)} for size in sizes
    ]
    return {"layout": layout, "levels": levels}


def _level_metrics(found: Mapping[str, Any] | None, size: int) -> Any:
    return None if found is None else found.get(str(size))


def _read_metrics(path: Path) -> Metrics | None:
    """The content of a JSON file, NaN and infinities as null; None where there is no such file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
