"""A changed setting after a killed run: nothing of the old run gets into the new artifact."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.core.resumable import WORK
from tests.soak import faults
from tests.soak.checkouts import OUTPUTS, Checkouts, Station, Trial, must
from tests.soak.contents import UNFINISHED, contents, files
from tests.soak.kills import RESUMES, recorded_shards
from tests.soak.outcomes import Outcome, Row

CHANGES = {
    "prepare": "prepare.min_side=9",
    "sample": "seed=1",
    "reduce": "reduce.neighbors=7",
    "grid": "grid.levels=[3,6,12]",
    "render": "render.steps=3",
    "tile": "tile.quality=60",
    "units": "units.steps=3",
    "explain": "explain.curve_steps=3",
    "synthesize": "synthesize.inversion.steps=3",
}
DAMAGE: dict[str, faults.Fault] = {
    "truncated": faults.truncate,
    "flipped byte in a": faults.flip,
    "removed": faults.remove,
}
CATCHES = 12  # attempts at killing a run while it has something unfinished


def changed_setting(checkouts: Checkouts, station: Station, seed: int) -> list[Row]:
    """Kill a run, change a setting, run again: the artifact equals an undisturbed one with the changed setting."""
    if station.stage not in CHANGES:
        return []
    change = CHANGES[station.stage]
    trial = checkouts.trial(station, "changed")
    left = leave_unfinished(checkouts, trial, seed)
    other = checkouts.scratch / f"{station.stage}-other"
    checkouts.fresh(other, station, [change])
    must(other, station)
    checkouts.configure(trial.folder, [change])
    trial.expected = contents(other, station.writes)
    outcome = trial.judge(trial.start().end())
    return [Row(station.stage, f"changed setting ({change}) over {left}", [outcome])]


def damaged_remains(checkouts: Checkouts, station: Station, seed: int) -> list[Row]:
    """Kill a run, damage a finished shard that it has left, run again."""
    if station.stage not in KEPT:
        return []
    rows = []
    chance = random.Random(f"{seed}-{station.stage}-remains")  # noqa: S311  # no secret
    for name, fault in DAMAGE.items():
        trial = checkouts.trial(station, "remains")
        leave_unfinished(checkouts, trial, seed, KEPT[station.stage])
        left = KEPT[station.stage](trial)
        if left:
            fault(chance.choice(left), chance)
        outcome = trial.judge(trial.start().end()) if left else Outcome("NOTHING KEPT", "nothing finished to damage")
        rows.append(Row(station.stage, f"{name} {RESUMES[station.stage][:-1]} of a killed run", [outcome]))
    return rows


def _shards(trial: Trial) -> list[Path]:
    return [path for path in recorded_shards(trial) if path.exists()]


def _arrays(trial: Trial) -> list[Path]:
    return [path for path in files(trial.folder / OUTPUTS / WORK / "grid") if path.suffix == ".npy"]


KEPT: dict[str, Callable[[Trial], list[Path]]] = {"sample": _shards, "grid": _arrays}


def leave_unfinished(
    checkouts: Checkouts, trial: Trial, seed: int, wanted: Callable[[Trial], Sequence[object]] | None = None
) -> str:
    """Kill the trial's run while something of it is unfinished, and say what there is.

    Args:
        checkouts: the undisturbed run.
        trial: whose run is killed.
        seed: of the moment.
        wanted: what the run has to leave behind; it is killed as soon as it is there. None takes anything unfinished.
    """
    chance = random.Random(f"{seed}-{trial.station.stage}-caught")  # noqa: S311  # no secret
    found = wanted or remains
    for _ in range(CATCHES):
        running = trial.start()
        moment = 0.0 if wanted else checkouts.seconds[trial.station.stage] * chance.uniform(0.5, 1)
        deadline = time.monotonic() + moment
        while running.alive(0.002) and (time.monotonic() < deadline or not found(trial)):
            pass
        if running.alive(0):
            running.kill()
        if found(trial):
            return "the remains of a killed run"
        if wanted:
            trial.wipe()
        elif not trial.missing():
            break
    return "a finished run"


def remains(trial: Trial) -> list[str]:
    """Files of unfinished outputs, below the checkout."""
    outputs = trial.folder / "outputs"
    unfinished = [
        path for path in files(outputs) if any(part.endswith(UNFINISHED) for part in path.relative_to(outputs).parts)
    ]
    return sorted({str(path.relative_to(trial.folder)) for path in (*unfinished, *files(outputs / ".cache"))})
