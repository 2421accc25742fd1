"""Kill a render again and again, start it anew, and compare with one that was left alone.

By hand, on a finished run:
    python -m tests.soak.kill_render RUN --layer features.7 --levels 10 20 --kills 10 --set steps=48 warm_steps=24
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.params import Params, load_params
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, MODEL
from pipeline.core.grid_levels import level_sizes
from pipeline.featurevis.cache import CACHE, FILE, CachedImage, ImageCache
from pipeline.render.stage import run
from pipeline.stages import STAGES, Task

ROOT = Path(__file__).parents[2]
PARAMS, LOG = "params.json", "kept.log"
PATIENCE = 120.0  # seconds without an icon after which a render hangs


@dataclass(frozen=True)
class KilledRender:
    """Counts of a render that was killed.

    Attributes:
        kept: icons in the cache at each kill.
        drawn_twice: keys that were kept more than once.
        last_drawn: icons that the last, whole run drew.
        total: icons in the cache at the end.
    """

    kept: list[int]
    drawn_twice: list[str]
    last_drawn: int
    total: int


class NotedCache(ImageCache):
    """A cache that notes the keys of all batches that were drawn."""

    log: Path

    def put(self, images: Mapping[str, CachedImage]) -> None:
        """Keep icons, and say so."""
        super().put(images)
        with self.log.open("a") as file:
            file.write("".join(f"{key}\n" for key in images))


def start(folder: Path, params: Params, layer: str) -> "subprocess.Popen[bytes]":
    """A render in a process of its own; ``folder`` holds the outputs."""
    (folder / PARAMS).write_text(params.model_dump_json(by_alias=True))
    command = [sys.executable, "-m", "tests.soak.kill_render", "--child", str(folder), "--layer", layer]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)


def render(folder: Path, layer: str) -> None:
    """What that process does."""
    NotedCache.log = folder / LOG
    vars(sys.modules[run.__module__])["ImageCache"] = NotedCache
    run(Task(STAGES["render"], load_params(folder / PARAMS), folder, layer, "all"))


def killed(folder: Path, params: Params, layer: str, kills: int, total: int, seed: int) -> KilledRender:
    """Render with ``kills`` kills at random moments, then to the end.

    Args:
        folder: of the outputs, with all that a render reads.
        params: of the run.
        layer: whose icons are drawn.
        kills: how often.
        total: icons that the whole render keeps.
        seed: of the moments.
    """
    moments, kept = random.Random(seed), []  # noqa: S311  # no secret
    for index in range(kills):
        process = start(folder, params, layer)
        before = rows(folder)
        # moments are spread over the icons that are left, and over the time that a batch takes
        aim = before + moments.randint(0, max(0, (total - before) // (kills - index + 1)))
        wait_for(folder, aim, process)
        time.sleep(moments.uniform(0, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            raise RuntimeError(f"the render ended before kill {index + 1}; give it more to do")
        kept.append(rows(folder))
    process = start(folder, params, layer)
    if process.wait():
        raise RuntimeError(f"the render after the kills failed with code {process.returncode}")
    counts = Counter((folder / LOG).read_text().split())
    last = rows(folder) - kept[-1] if kept else rows(folder)
    return KilledRender(kept, [key for key, count in counts.items() if count > 1], last, rows(folder))


def rows(folder: Path) -> int:
    """Icons in the cache."""
    path = folder / CACHE / FILE
    if not path.exists():
        return 0
    base = sqlite3.connect(path, timeout=60)
    try:
        found: int = base.execute("SELECT count(*) FROM image").fetchone()[0]
    except sqlite3.OperationalError:  # the file is there, its table not yet
        found = 0
    finally:
        base.close()
    return found


def wait_for(folder: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when the cache holds ``count`` icons and the render has begun to write."""
    deadline = time.monotonic() + PATIENCE
    while rows(folder) < count or not any((folder / "icons").rglob("*.partial")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the render ended or hung before it had drawn {count} icons")
        time.sleep(0.01)


def icons(folder: Path, layer: str) -> dict[str, bytes]:
    """Every array of the icons artifact, as bytes."""
    found = zarr_store.open_artifact(ICONS, ICONS.path(folder, layer, "all"))
    return {
        f"{size}/{name}": np.asarray(zarr_store.array(zarr_store.level(found, size), name)[:]).tobytes()
        for size in level_sizes(found)
        for name in ICONS.arrays
        if name in zarr_store.level(found, size)
    }


def copied(source: Path, target: Path, layer: str, levels: Iterable[int]) -> Path:
    """What a render reads, in outputs of their own with these levels only."""
    left_out = {str(size) for size in levels}

    def others(_folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name.isdigit() and Path(_folder).suffix == ".zarr" and name not in left_out}

    shutil.copytree(GRID.path(source, layer, "all"), GRID.path(target, layer, "all"), ignore=others)
    MODEL.path(target).symlink_to(MODEL.path(source).absolute())
    ACTIVATIONS.path(target, layer).parent.mkdir()
    ACTIVATIONS.path(target, layer).symlink_to(ACTIVATIONS.path(source, layer).absolute())
    return target


def main(arguments: Sequence[str]) -> int:
    """Compare a render that is left alone with one that is killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of a finished run, with params.yaml and outputs/")
    parser.add_argument("--layer", required=True)
    parser.add_argument("--levels", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings of render")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        render(given.folder, given.layer)
        return 0
    return compare(given)


def compare(given: argparse.Namespace) -> int:
    """Run both, and say what came out; 1 if they differ."""
    loaded = load_params(given.folder / "params.yaml")
    changes: dict[str, Any] = {name: json.loads(value) for name, _, value in (one.partition("=") for one in given.set)}
    settings = type(loaded.render).model_validate({**loaded.render.model_dump(), **changes})
    params = loaded.model_copy(update={"render": settings})
    with tempfile.TemporaryDirectory() as scratch:
        alone, other = (
            copied(given.folder / "outputs", Path(scratch) / name, given.layer, given.levels)
            for name in ("alone", "killed")
        )
        began = time.monotonic()
        if start(alone, params, given.layer).wait():
            raise RuntimeError("the render that was left alone failed")
        seconds, total = time.monotonic() - began, rows(alone)
        counts = killed(other, params, given.layer, given.kills, total, given.seed)
        same = icons(alone, given.layer) == icons(other, given.layer)
        sys.stdout.write(
            f"left alone: {total} icons in {seconds:.0f} s\n"
            f"killed {given.kills} times, with {', '.join(map(str, counts.kept))} icons kept; "
            f"the last run drew {counts.last_drawn}, {counts.total} in all\n"
            f"drawn twice: {len(counts.drawn_twice)}; bytes {'the same' if same else 'DIFFER'}\n"
        )
        return int(not same or bool(counts.drawn_twice) or counts.total != total)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
