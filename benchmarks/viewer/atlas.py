"""The site of the invented atlas, made by the real stages ``tile`` and ``site``, and kept."""

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.viewer.artifacts import Size, task_of, write_artifacts
from pipeline.core import artifacts as a
from pipeline.core.code_dependencies import stage_digest
from pipeline.core.files import file_digest, identity, write_json
from pipeline.core.progress import log_line
from pipeline.site import stage as site_stage
from pipeline.site.pages import TEMPLATE, viewer_files
from pipeline.tile import stage as tile_stage

HERE = Path(__file__).parent
DONE = "done.json"  # written last: what it names is whole


def made_site(scratch: Path, size: Size) -> Path:
    """The folder of the site; made only as far as it is not there yet, or would be made otherwise now.

    Args:
        scratch: where everything is kept.
        size: of the atlas.
    """
    wanted, done = _identities(size), scratch / DONE
    found = json.loads(done.read_text()) if done.is_file() else {}
    if found.get("tiles") != wanted["tiles"]:
        done.unlink(missing_ok=True)
        log_line(f"benchmarks: making an atlas of {size.levels[-1] ** 2:,} cells once, in {scratch} (some minutes)")
        write_artifacts(task_of("grid", scratch, size), size)
        tile_stage.run(task_of("tile", scratch, size))
        write_json(done, {"tiles": wanted["tiles"]})
    if found != wanted:
        site_stage.run(task_of("site", scratch, size))
        write_json(done, wanted)
    return a.SITE.path(scratch)


def _identities(size: Size) -> dict[str, str]:
    """Of the tiles and of the site: digests of all that they follow from."""
    invented = {name: file_digest(HERE / name) for name in ("world.py", "drawing.py", "artifacts.py")}
    versions = {kind.name: kind.version for kind in (a.IMAGES, a.MODEL, a.ACTIVATIONS, a.LAYOUT, a.GRID, a.ICONS)}
    tiles = {"size": asdict(size), "versions": versions, "invented": invented, "code": stage_digest("tile")}
    site = {
        "tiles": tiles,
        "code": stage_digest("site"),
        "page": TEMPLATE.read_text(),
        "viewer": {name: source.decode() for name, source in viewer_files().items()},
    }
    return {"tiles": identity(tiles), "site": identity(site)}
