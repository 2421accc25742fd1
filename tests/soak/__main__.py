"""``make soak``: the fault table, printed and written to ``docs/faults.md``; exits 1 if any row fails.

python -m tests.soak [--quick] [--stages sample grid] [--seed 0] [--kills 20]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.soak import attacks, broken, disk, kills, settings, surroundings, table, whole_runs
from tests.soak.checkouts import ROOT, Checkouts, Station
from tests.soak.outcomes import Row

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "ATLAS_CLUSTER": '{"kind": "inline", "threads": 1}'}


def main() -> int:
    """Run the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="The fault table.")
    parser.add_argument("--quick", action="store_true", help="two kills and one broken file each; writes no document")
    parser.add_argument("--kills", type=int, default=20, help="of each stage")
    parser.add_argument("--seed", type=int, default=0, help="of random moments and choices")
    parser.add_argument("--stages", nargs="+", help="these alone (also: images, attacks, runs); writes no document")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="stages at a time")
    given = parser.parse_args()
    os.chdir(ROOT)
    os.environ.update(ENVIRONMENT)
    disk.enter_namespace()  # may replace this process: before anything else
    with tempfile.TemporaryDirectory(prefix="atlas-soak-") as scratch:
        return soak(given, Path(scratch))


def all_faults(checkouts: Checkouts, station: Station, count: int, tries: int, seed: int) -> Iterator[Row]:
    """Every fault of one stage."""
    yield kills.kill_often(checkouts, station, count, seed)
    yield disk.full_disk(checkouts, station)
    yield from broken.broken_inputs(checkouts, station, tries, seed)
    yield from broken.broken_images(checkouts, station, seed)
    yield from settings.changed_setting(checkouts, station, seed)
    yield from settings.damaged_remains(checkouts, station, seed)
    yield from surroundings.surrounding_faults(checkouts, station)


def done(job: Callable[[], Iterable[Row]]) -> list[Row]:
    """The rows of a job, each printed as soon as it is there."""
    rows = []
    for row in job():
        sys.stdout.write(table.line(row) + "\n")
        sys.stdout.flush()
        rows.append(row)
    return rows


def soak(given: argparse.Namespace, scratch: Path) -> int:
    """Every stage and fault, as many at a time as there are processors."""
    checkouts = Checkouts(scratch)
    checkouts.run_undisturbed()
    count, tries = (2, 1) if given.quick else (given.kills, 2)
    chosen = [one for one in checkouts.stations() if not given.stages or one.stage in given.stages]
    jobs: list[Callable[[], Iterable[Row]]] = [
        partial(all_faults, checkouts, station, count, tries, given.seed) for station in chosen
    ]
    more: dict[str, Callable[[], Iterable[Row]]] = {
        "images": partial(broken.corrupt_images, checkouts, given.seed),
        "attacks": partial(attacks.attacks, checkouts),
        "runs": partial(whole_runs.whole_runs, scratch, max(1, count // 4), given.seed),
    }
    jobs += [job for name, job in more.items() if not given.stages or name in given.stages]
    with ThreadPoolExecutor(given.jobs) as pool:
        rows = [row for found in pool.map(done, jobs) for row in found]
    failed = [row for row in rows if not row.holds]
    sys.stdout.write(f"{len(rows)} rows, {len(failed)} failed\n")
    if not (given.quick or given.stages):
        table.write(rows, f"python -m tests.soak --kills {given.kills} --seed {given.seed}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
