"""The benchmark of the page on an atlas of full size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from benchmarks.viewer.artifacts import LAYER, Size
from benchmarks.viewer.atlas import made_site
from benchmarks.viewer.browser import HEIGHT, WIDTH, Visit, visit
from benchmarks.viewer.measures import class_changes, first_view, frames, panning, zooming
from benchmarks.viewer.world import names
from pipeline.core.progress import log_line

SCRATCH = Path("outputs/.bench")
FULL = Size(levels=(10, 20, 40, 80, 160), classes=1000, icon=64)
QUICK = Size(levels=(10, 20, 40), classes=100, icon=32)
SECONDS, MEGABYTES, MEDIAN_MS, HIGH_MS, CHANGE_MS = 1.5, 1.5, 17, 34, 100


@dataclass(frozen=True)
class Effort:
    """How often everything is measured.

    Attributes:
        openings: of the page.
        movements: of each kind.
        classes: chosen, each twice.
    """

    openings: int
    movements: int
    classes: int


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: on a small atlas, with fewer repeats.

    Raises:
        ConfigError: there is no browser.
    """
    size, effort = (QUICK, Effort(2, 1, 3)) if quick else (FULL, Effort(9, 3, 25))
    finest = size.levels[-1]
    site = made_site(SCRATCH / ("viewer-quick" if quick else "viewer"), size)
    rows = [row(f"cells of the finest level, {size.classes} classes", finest**2, "cells")]
    with visit(site) as browser:
        for name, link in (("level by zoom", f"#layer={LAYER}"), (f"level {finest}", f"#layer={LAYER}&level={finest}")):
            scene = Scene(browser, f"{browser.version}, {WIDTH} × {HEIGHT}, {name}", link)
            log_line(f"{scene.name}: first view, movements, changes of class")
            rows += scene.first_views(effort.openings, judged="level=" not in link)
            rows += scene.movements(effort.movements)
            rows += scene.changes(every_nth(names(size.classes), effort.classes))
    return Report([*rows, *heat_rows(site, size)])


@dataclass(frozen=True)
class Scene:
    """A place of the atlas in the browser, at which everything is measured.

    Attributes:
        browser: with the site.
        name: of the place, for the table.
        link: to it.
    """

    browser: Visit
    name: str
    link: str

    def first_views(self, count: int, *, judged: bool) -> list[Row]:
        """Rows of so many openings in fresh profiles; ``judged`` where it is what people see first."""
        found = [first_view(self.browser, self.link) for _ in range(count)]
        what = f"{self.name}: first view"
        seconds, megabytes = (SECONDS, MEGABYTES) if judged else (None, None)
        return [
            row(f"{what}, until the atlas is painted", median(one.first for one in found), "s", at_most=seconds),
            row(f"{what}, until all of it is", median(one.last for one in found), "s", at_most=seconds),
            row(f"{what}, received", median(one.bytes for one in found) / 1e6, "MB", at_most=megabytes),
        ]

    def movements(self, count: int) -> list[Row]:
        """Rows of the frames while the picture is zoomed and dragged."""
        rows: list[Row] = []
        for what, move, view in (("zoom", zooming, ""), ("pan", panning, "&view=0.5,0.5,0.4")):
            found = [frames(self.browser, self.link + view, move) for _ in range(count)]
            named = f"{self.name}: {what}, time of a frame"
            high = [quantiles(times, n=20, method="inclusive")[-1] for times in found]
            rows += [
                row(f"{named}, median", median(median(times) for times in found), "ms", at_most=MEDIAN_MS),
                row(f"{named}, 95th percentile", median(high), "ms", at_most=HIGH_MS),
                row(f"{named}, longest", median(max(times) for times in found), "ms"),
            ]
        return rows

    def changes(self, classes: Sequence[str]) -> list[Row]:
        """Rows of the changes to these classes, each chosen twice."""
        rows: list[Row] = []
        times = class_changes(self.browser, self.link, classes)
        for what, found in zip(("chosen for the first time", "chosen again"), times, strict=True):
            named = f"{self.name}: class {what}, until it is painted"
            rows += [
                row(f"{named}, median of {len(found)}", median(found), "ms", at_most=CHANGE_MS),
                row(f"{named}, longest", max(found), "ms", at_most=CHANGE_MS),
            ]
        return rows


def every_nth(texts: Sequence[str], count: int) -> Sequence[str]:
    """So many of them, evenly spread."""
    return texts[:: max(1, len(texts) // count)][:count]


def heat_rows(site: Path, size: Size) -> list[Row]:
    """What a class costs in bytes: the file that holds its heatmap, and those of all classes."""
    rows: list[Row] = []
    for level in size.levels:
        files = [path.stat().st_size for path in (site / "data" / LAYER / "all" / str(level)).glob("heatmap-*.js")]
        if files:
            what = f"heatmap of level {level}"
            rows.append(row(f"{what}, file fetched for a class (one of {len(files)})", max(files) / 1e3, "kB"))
            rows.append(row(f"{what}, {size.classes} classes", sum(files) / 1e6, "MB"))
    return rows
