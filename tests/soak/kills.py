"""``kill -9`` at random moments: the same command, started again, ends with the bytes of an undisturbed run."""

import json
import random
from collections import Counter
from pathlib import Path

from pipeline.core.resumable import ARTIFACT, RECORDS, WORK
from tests.soak.checkouts import OUTPUTS, Checkouts, Station, Trial
from tests.soak.child import MADE
from tests.soak.contents import files
from tests.soak.outcomes import Outcome, Row
from tests.soak.processes import Running

# the finished work that stages resume from
RESUMES = {
    "sample": "shards",
    "grid": "arrays",
    "render": "icons",
    "units": "pictures",
    "explain": "arrays",
    "synthesize": "arrays",
}
ENOUGH = 10  # kills after which some finished work must have been left behind
Mark = tuple[int, int]  # inode and time of a file; they change when it is written again


def kill_often(checkouts: Checkouts, station: Station, kills: int, seed: int) -> Row:
    """Kill a stage at random moments; after some kills the next run is not disturbed, and has to end right.

    Args:
        checkouts: the undisturbed run.
        station: what is killed.
        kills: how often.
        seed: of the moments.
    """
    moments = random.Random(f"{seed}-{station.stage}")  # noqa: S311  # no secret
    trial = checkouts.trial(station, "killed")
    count = Count()
    longest = checkouts.seconds[station.stage]
    outcomes: list[Outcome] = []
    made = since = 0
    while made < kills or since:
        running = trial.start()
        # after two kills in a row, or at random after one, the run is not disturbed
        undisturbed = made == kills or since == 2 or (since == 1 and moments.random() < 0.5)
        if not undisturbed and _alive_later(running, trial, moments, longest):
            running.kill()
            made, since = made + 1, since + 1
            wrong = trial.wrong()
            if wrong:
                outcomes.append(Outcome("HALF-WRITTEN TAKEN FOR WHOLE", ", ".join(wrong[:3])))
            count.note(trial)
            continue
        outcomes.append(trial.judge(running.end()))
        count.check(trial)
        trial.wipe()
        since = 0
    if station.stage in RESUMES and not count.kept and kills >= ENOUGH:
        outcomes.append(Outcome("NOTHING KEPT", "no kill left finished work behind"))
    if count.repeated:
        outcomes.append(Outcome("WORK DONE TWICE", ", ".join(sorted(count.repeated)[:3])))
    return Row(station.stage, f"kill -9 at {made} random moments", outcomes, count.summary(station.stage))


def _alive_later(running: Running, trial: Trial, moments: random.Random, longest: float) -> bool:
    """Wait for a random moment, and say whether the run is still alive.

    Half of the moments of a stage that resumes lie after it has finished a further piece of work: how long it takes to
    start depends on what else the machine does.
    """
    if trial.station.stage in RESUMES and moments.random() < 0.5:
        known = len(_finished(trial))
        while running.alive(0.01) and len(_finished(trial)) <= known:
            pass
        return running.alive(moments.uniform(0, longest / 4))
    return running.alive(moments.uniform(0, longest))


class Count:
    """Finished pieces of work that a kill left behind, and those of them that were made again.

    Attributes:
        kept: shards, arrays, icons and pictures found finished after kills.
        repeated: those of them that were written again afterwards.
    """

    def __init__(self) -> None:
        self.kept = 0
        self.repeated: set[str] = set()
        self._marks: dict[str, Mark] = {}

    def note(self, trial: Trial) -> None:
        """What is finished after a kill."""
        before = len(self._marks)
        for name, mark in _finished(trial).items():
            if self._marks.setdefault(name, mark) != mark:
                self.repeated.add(name)
        self.kept += len(self._marks) - before

    def check(self, trial: Trial) -> None:
        """That nothing of it was made again, once a run has ended."""
        finished = _finished(trial)
        for name, mark in self._marks.items():
            if finished.get(name, mark) != mark:
                self.repeated.add(name)
        self._marks = {}
        (trial.folder / MADE).unlink(missing_ok=True)

    def summary(self, stage: str) -> str:
        """The counts in half a line."""
        if stage not in RESUMES:
            return "starts from nothing"
        return f"{self.kept} finished {RESUMES[stage]} kept over kills, {len(self.repeated)} made again"


def _finished(trial: Trial) -> dict[str, Mark]:
    """All finished pieces of work."""
    return {**_shards(trial), **_made(trial)}


def _shards(trial: Trial) -> dict[str, Mark]:
    """Shards of finished tasks, by the name that they have in the finished artifact."""
    found: dict[str, Mark] = {}
    for path in recorded_shards(trial):
        if path.exists():
            state = path.stat()
            found[str(path)] = (state.st_ino, state.st_mtime_ns)
    return found


def recorded_shards(trial: Trial) -> list[Path]:
    """Shards of finished tasks of the stage ``sample``, in the work folder where they stay after the commit."""
    shards = []
    for record in files(trial.folder / OUTPUTS / WORK):
        if record.parent.name == RECORDS and record.suffix == ".json":
            names = json.loads(record.read_text())["files"]
            shards += [record.parents[1] / name for name in names if name.startswith(f"{ARTIFACT}/")]
    return shards


def _made(trial: Trial) -> dict[str, Mark]:
    """Icons, pictures and arrays of the stage ``grid`` that were computed, and how often."""
    log = trial.folder / MADE
    made = Counter(log.read_text().split() if log.exists() else [])
    return {name: (0, count) for name, count in made.items()}
