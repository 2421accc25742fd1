"""``python -m benchmarks``: measure, print the table, keep the results, write them into the documents."""

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.harness import docs, report
from benchmarks.harness.rows import table
from pipeline.core.errors import AtlasError
from pipeline.core.malloc import share_memory
from pipeline.core.progress import log_line
from pipeline.project import project_root

RESULTS = Path("benchmarks/results")
QUICK_RESULTS = Path("outputs/.bench/quick")  # not kept as a record
DOCUMENT = Path("docs/benchmarks.md")
BENCHMARKS = {  # modules with run(quick) -> Report
    "sample": "benchmarks.sample.bench",
    "attribution": "benchmarks.attribution.bench",
    "reduce": "benchmarks.reduce.bench",
    "grid": "benchmarks.grid.bench",
    "render": "benchmarks.render.bench",
    "fidelity": "benchmarks.fidelity.bench",
    "legibility": "benchmarks.legibility.bench",
    "units": "benchmarks.units.bench",
    "style": "benchmarks.style.bench",
    "viewer": "benchmarks.viewer.bench",
    "scale": "benchmarks.scale.bench",
}
APART = {"study": "benchmarks.study.bench"}  # long, run by name only; a document of its own is its record


def main() -> int:
    """Run what the command line asks for.

    Returns:
        0, or 2 with a line on standard error if something is missing.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Side-by-side benchmarks.")
    parser.add_argument(
        "what", choices=[*BENCHMARKS, *APART, "all", "docs"], help="a benchmark, all but the study, or the tables alone"
    )
    parser.add_argument("--quick", action="store_true", help="fewer cells, rounds and steps; not a record")
    parser.add_argument("--layers", nargs="+", metavar="LAYER", help="of the study: these layers alone")
    options = parser.parse_args()
    if options.layers and options.what not in APART:
        parser.error(f"--layers belongs to {', '.join(APART)}, not to {options.what}")
    share_memory()  # as atlas does
    try:
        os.chdir(project_root())
        for name in BENCHMARKS if options.what == "all" else [options.what]:
            if name in APART:
                print(table(import_module(APART[name]).run(options.quick, options.layers)))
            elif name != "docs":
                _run(name, options.quick)
        if options.what in ("all", "docs") and not options.quick:
            log_line(f"{DOCUMENT}: wrote the tables of {', '.join(docs.rewrite(DOCUMENT, RESULTS))}")
    except AtlasError as error:
        log_line(f"benchmarks: {error}")
        return 2
    return 0


def _run(name: str, quick: bool) -> None:
    found: report.Report = import_module(BENCHMARKS[name]).run(quick)
    folder = QUICK_RESULTS if quick else RESULTS
    report.write(folder, name, f"python -m benchmarks {name}" + (" --quick" if quick else ""), found)
    print(table(found.rows))
    log_line(f"→ {folder / name}.json")


if __name__ == "__main__":
    sys.exit(main())
