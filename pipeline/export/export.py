"""``atlas export``: the site of a run, copied to a folder that any static host can publish under any path."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.core import artifacts as a
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.progress import say, tracked
from pipeline.core.site_data import read_data_script
from pipeline.export.destination import files_below, mark, refuse_foreign, replacing
from pipeline.export.loaded import FIGURES, loaded
from pipeline.site.page import PAGES

NO_JEKYLL = ".nojekyll"  # GitHub's pages would leave out what begins with _, as a layer's name may
LEFT = (".partial", ".raw")  # ends of what a stage was writing when it was stopped
PHOTOGRAPHS = ("data/images/", "place/", "patch/")
KEEP_OUT = "site.exemplars=0 patch.examples=0 place.pictures=0"


def export(site: Path, folder: Path) -> None:
    """Copy the site to ``folder``, whole or not at all.

    Args:
        site: usually ``outputs/site``.
        folder: where to; missing, empty, or an earlier export, which is replaced.

    Raises:
        ArtifactError: a file that some page loads is missing.
        ConfigError: the folder is another one's, lies in the site or around it, or cannot be written to.
    """
    site, folder = site.resolve(), folder.resolve()
    try:
        refuse_foreign(folder, site)
        _check(site)
        names = sorted(_belonging(site))
        with replacing(folder) as partial:
            for name in tracked(names, "export", len(names), "file"):
                target = partial / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(site / name, target)  # the content alone: DVC may have made a file read-only, or a link
            (partial / NO_JEKYLL).touch()
            mark(partial)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigError(f"{folder}: expected a place to write to, found: {error}; choose another one") from None
    _summarise(folder, names)


def _check(site: Path) -> None:
    """Raise if a page would look for a file that is not there."""
    if not (site / "index.html").is_file():
        raise ArtifactError(f"{site}: expected a site, found none; make one with 'atlas run'")
    missing = [name for name in loaded(site, tuple(PAGES)) if not (site / name).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ArtifactError(
            f"{site / missing[0]}: expected a file that the site loads, found none{more}; make the site whole with "
            "'atlas run'"
        )


def _belonging(site: Path) -> Iterator[str]:
    """The files of the site: not what was left by a stage that was stopped, nor by an atlas that is no longer in it."""
    manifest = read_data_script(site / "data/manifest.js")
    folders = {"data", "viewer"}
    for layer in (entry["name"] for entry in manifest["layers"]):
        folders |= {_place(a.PREDICT, layer)} | ({_place(a.PLACE, layer)} if manifest["second"] else set())
    for layer in manifest["layers"]:
        for atlas in layer["atlases"]:
            folders |= {_place(kind, layer["name"], atlas["name"]) for kind in (a.TILES, a.PATCH)}
    for folder in folders:
        for name in files_below(site / folder):
            left = any(part.startswith(".") or part.endswith(LEFT) for part in name.split("/"))
            if not left and (site / folder / name).is_file():
                yield f"{folder}/{name}"
    yield from PAGES
    if (site / FIGURES).is_file():
        yield FIGURES


def _place(kind: a.Artifact, layer: str, atlas: str = "") -> str:
    """Where an artifact lies below the site."""
    return kind.path(Path(), layer, atlas).relative_to(a.SITE.path(Path())).as_posix()


def _summarise(folder: Path, names: list[str]) -> None:
    size = sum((folder / name).stat().st_size for name in names)
    say(f"export: {len(names)} files, {size / 1e6:.1f} MB, in {folder}: {', '.join(PAGES)}")
    pictures = sum(name.startswith(PHOTOGRAPHS) and name.endswith(".webp") for name in names)
    if pictures:
        say(f"It holds {pictures} photographs or parts of them; 'atlas run {KEEP_OUT}' keeps them out.")
    say("Open index.html with a double click, or put the folder on any web host, under any path.")
