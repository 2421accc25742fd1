import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from benchmarks.viewer import bench
from benchmarks.viewer.artifacts import Size
from benchmarks.viewer.atlas import made_site
from benchmarks.viewer.browser import Visit, visit
from benchmarks.viewer.drawing import Drawings
from benchmarks.viewer.measures import class_changes, first_view, frames
from benchmarks.viewer.world import attribution, exemplars, names, world
from pipeline.browse import site_server
from pipeline.core.errors import ConfigError
from pipeline.site import stage as site_stage
from pipeline.site.pages import viewer_files
from pipeline.stages import Task
from pipeline.tile import stage as tile_stage

TINY = Size(levels=(2, 4), classes=12, icon=16)
DRAWN, SLOW, WAIT = 400, 90, 170  # ms


def test_every_square_is_a_cell_with_exemplars_of_its_own() -> None:
    """All squares of all levels are occupied, and a cell's exemplars are different samples that lie in it."""
    made = world((4, 8), 20)
    for level in made.levels:
        assert len(level.cell) == level.size**2
        found = exemplars(level)
        for cell, row in enumerate(found):
            there = row[row >= 0]
            assert len(set(there)) == len(there) == min(9, level.count[cell])
            assert (level.of_point[there] == cell).all()
    assert len(set(made.classes)) == 20


def test_classes_have_regions_at_every_level() -> None:
    """The strongest place of a class is the same at two levels, up to a cell, though the noise differs."""
    made = world((20, 40), 30)
    places = [(level.cell[attribution(level, 30).argmax(0)] + 0.5) / level.size for level in made.levels]
    assert np.median(np.abs(places[0] - places[1]).max(axis=1)) < 0.1
    assert np.median(np.abs(places[0] - np.roll(places[1], 1, axis=0)).max(axis=1)) > 0.2


def test_names_and_drawings_are_all_different() -> None:
    """A thousand classes have a thousand names, none within another; two images differ and are reproducible."""
    every = names(1000)
    assert len(set(every)) == 1000
    assert not [name for name in every[::37] if sum(name in other for other in every) > 1]
    drawings = Drawings(3, 32)
    keys = [entry.key for entry in drawings.entries()]
    one, again, other = (np.asarray(drawings.open(key), float) for key in (keys[0], keys[0], keys[1]))
    assert np.array_equal(one, again)
    assert np.abs(one - other).mean() > 10


def _noted(name: str, made: list[str]) -> Callable[[Task], None]:
    """The stage of this name, which then notes that it has run."""
    run: Callable[[Task], None] = {"tile": tile_stage.run, "site": site_stage.run}[name]

    def noted(task: Task) -> None:
        made.append(name)
        run(task)

    return noted


def test_the_atlas_is_kept_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call makes nothing; another size makes all anew; another page makes the site anew, but no tiles."""
    made: list[str] = []
    for name in ("tile", "site"):
        monkeypatch.setattr(f"benchmarks.viewer.atlas.{name}_stage.run", _noted(name, made))
    site = made_site(tmp_path, TINY)
    assert made == ["tile", "site"]
    assert made_site(tmp_path, TINY) == site
    assert made == ["tile", "site"]
    viewer = {**viewer_files(), "atlas.js": b"another"}
    monkeypatch.setattr("benchmarks.viewer.atlas.viewer_files", lambda: viewer)
    made_site(tmp_path, TINY)
    assert made == ["tile", "site", "site"]
    made_site(tmp_path, Size(levels=(2, 4), classes=13, icon=16))
    assert made == ["tile", "site", "site", "tile", "site"]
    rows = {one.what: one.value for one in bench.heat_rows(site, TINY)}
    stored = sum(path.stat().st_size for path in site.glob("data/layer/all/4/heatmap-*.js"))
    assert rows["heatmap of level 4, 12 classes"] == pytest.approx(stored / 1e6, rel=1e-3)


def test_classes_are_spread_over_all() -> None:
    """As many as asked for, evenly spread, never more than there are."""
    assert bench.every_nth("abcdefghij", 3) == "adg"
    assert bench.every_nth("ab", 5) == "ab"


SCRIPT = f"""
const root = document.documentElement;
const picture = Object.assign(new Image(), {{ src: "picture.png" }});
const canvas = (width, name) => {{
  const made = Object.assign(document.createElement("canvas"), {{ width, height: 400, className: name }});
  document.body.append(made);
  return made.getContext("2d");
}};
const [large, small, overlay] = [canvas(600, ""), canvas(100, ""), canvas(600, "overlay")];
const other = document.createElement("canvas");
small.drawImage(other, 0, 0);
overlay.drawImage(other, 0, 0);
setTimeout(() => large.drawImage(other, 0, 0), {DRAWN});
setTimeout(() => large.drawImage(document.createElement("canvas"), 0, 0), {2 * DRAWN});
root.dataset.ready = "layer/all/4/";
const busy = (ms) => {{ const end = performance.now() + ms; while (performance.now() < end); }};
addEventListener("wheel", () => busy({SLOW}));
const field = document.createElement("input");
field.setAttribute("role", "combobox");
field.setAttribute("aria-label", "Highlight a class");
document.body.append(field);
field.addEventListener("keydown", ({{ key }}) => {{
  if (key !== "Enter") return;
  const name = field.value;
  const change = () => {{
    root.dataset.ready = `layer/all/4/${{name}}`;
    history.replaceState(null, "", `#${{name}}`);
  }};
  setTimeout(change, name === "slow" ? {WAIT} : 0);
}});
addEventListener("hashchange", () => {{ root.dataset.ready = "layer/all/4/"; }});
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose first picture, slow frames and slow changes are known."""
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").write_text("<!doctype html><body><script src=script.js></script>")
    (site / "script.js").write_text(SCRIPT)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(site / "picture.png")
    return site


@pytest.fixture(scope="module")
def planted(site: Path) -> Iterator[Visit]:
    """That page, served, and a browser for it."""
    try:
        with visit(site) as found:
            yield found
    except ConfigError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.mark.browser
def test_the_first_view_is_when_the_large_picture_is_drawn(planted: Visit, site: Path) -> None:
    """Neither the overlay nor a small canvas counts; the bytes are those of all files, headers included."""
    found = first_view(planted, "")
    assert DRAWN / 1000 <= found.first < found.last
    assert 2 * DRAWN / 1000 <= found.last < found.first + 5
    stored = sum(path.stat().st_size for path in site.iterdir())
    assert 100_000 < stored < found.bytes < stored + 2000


@pytest.mark.browser
def test_slow_frames_are_seen(planted: Visit) -> None:
    """Frames that the page makes slow are as long as planted; without the cause they are not."""

    def turn(page: Page) -> None:
        page.mouse.move(100, 100)
        for _ in range(4):
            page.mouse.wheel(0, 10)
            page.wait_for_timeout(2 * SLOW)

    slow = frames(planted, "", turn)
    quick = frames(planted, "", lambda page: page.wait_for_timeout(8 * SLOW))
    assert sum(time > 0.9 * SLOW for time in slow) >= 2  # turns of the wheel that come together share a frame
    assert median(quick) < SLOW / 2 < max(slow)


@pytest.mark.browser
def test_a_slow_change_is_seen(planted: Visit) -> None:
    """The time from Enter to the change is the planted one for a slow class, and little for another one."""
    first, again = class_changes(planted, "#nothing", ["slow", "quick"])
    for slow, quick in (first, again):
        assert WAIT <= slow < 4 * WAIT
        assert quick < slow


@pytest.mark.browser
def test_changes_of_class_are_measured_on_the_real_page(tmp_path: Path, planted: Visit) -> None:
    """The invented run has what the page needs to offer classes: each choice takes a time."""
    chosen = names(TINY.classes)[:2]
    with site_server(made_site(tmp_path, TINY), 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        first, again = class_changes(replace(planted, address=address), "#layer=layer&level=4", chosen)
        server.shutdown()
    assert len(first) == len(again) == 2
    assert min(first + again) > 0
