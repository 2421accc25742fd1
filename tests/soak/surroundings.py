"""Faults around a stage: outputs or ``TMPDIR`` that cannot be written, a second run, a dead worker, old artifacts."""

import json
import subprocess
import time
from pathlib import Path

import psutil

from tests.soak.checkouts import OUTPUTS, Checkouts, Station, bring, size_on_disk
from tests.soak.contents import files
from tests.soak.disk import MARGIN, may_mount, small_disk
from tests.soak.outcomes import RIGHT, Outcome, Row
from tests.soak.processes import Running

LOCAL = {"ATLAS_CLUSTER": '{"kind": "local", "workers": 2}'}
ON_WORKERS = ("sample", "grid", "render")
VERSION = "artifact_version"


def surrounding_faults(checkouts: Checkouts, station: Station) -> list[Row]:
    """All of them for one stage."""
    rows = [two_at_once(checkouts, station), *older_inputs(checkouts, station), *killed_worker(checkouts, station)]
    if may_mount():
        rows += [read_only(checkouts, station), full_temporary_folder(checkouts, station)]
    return rows


def read_only(checkouts: Checkouts, station: Station) -> Row:
    """The outputs are on a read-only file system; once it can be written, the same command ends right."""
    trial = checkouts.trial(station, "read-only")
    space = MARGIN + 4 * size_on_disk(checkouts.undisturbed, [*station.reads, *station.writes])
    with small_disk(trial.folder / OUTPUTS, space):
        bring(checkouts.undisturbed, trial.folder, station.reads)
        _remount(trial.folder / OUTPUTS, "ro")
        refused = trial.judge(trial.start().end())
        _remount(trial.folder / OUTPUTS, "rw")
        return Row(station.stage, "read-only outputs, then writable", [refused, trial.judge(trial.start().end())])


def _remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def full_temporary_folder(checkouts: Checkouts, station: Station) -> Row:
    """``TMPDIR`` has no room for a single byte."""
    trial = checkouts.trial(station, "temporary")
    folder = trial.folder / "temporary"
    with small_disk(folder, 2**16):
        (folder / "filler").write_bytes(bytes(2**16 - 4096))
        outcome = trial.judge(trial.start(environment={"TMPDIR": str(folder)}).end())
    return Row(station.stage, "full TMPDIR", [outcome])


def two_at_once(checkouts: Checkouts, station: Station) -> Row:
    """The same command from two shells: one ends right, the other is told of it or finds the work done."""
    trial = checkouts.trial(station, "twice")
    both = [trial.start(printed=f"printed-{number}.txt") for number in range(2)]
    endings = [running.end() for running in both]  # the artifact is judged when neither works any more
    outcomes = [trial.judge(ended) for ended in endings]
    if RIGHT not in {outcome.what for outcome in outcomes}:
        outcomes.append(Outcome("NEITHER RAN", outcomes[0].line))
    return Row(station.stage, "two runs at once", outcomes)


def killed_worker(checkouts: Checkouts, station: Station) -> list[Row]:
    """``kill -9`` of a local worker: at work, which loses nothing, or while it starts, which one line tells."""
    if station.stage not in ON_WORKERS:
        return []
    trial = checkouts.trial(station, "worker")
    running = trial.start(environment=LOCAL)
    killed = _kill_worker(running)
    outcome = trial.judge(running.end())
    return [Row(station.stage, "local worker killed", [outcome if killed else Outcome("NO WORKER", "none to kill")])]


def _kill_worker(running: Running) -> bool:
    """Kill the first worker that has computed for a moment; whether there was one."""
    while running.alive(0.05):
        for worker in running.descendants():
            try:
                if worker.cpu_times().user > 1 and any("spawn_main" in word for word in worker.cmdline()):
                    time.sleep(0.2)
                    worker.kill()
                    return True
            except psutil.Error:
                continue
    return False


def older_inputs(checkouts: Checkouts, station: Station) -> list[Row]:
    """Each input that bears a version is of an earlier one; a stage that does not read that input ends right."""
    outcomes = []
    for place in station.reads:
        trial = checkouts.trial(station, "older")
        if _age(trial.folder / place):
            outcomes.append(trial.judge(trial.start().end()))
    return [Row(station.stage, "input of an earlier version", outcomes)] if outcomes else []


def _age(place: Path) -> bool:
    """Lower the version of every artifact in a place; whether there was any."""
    found = False
    for path in files(place):
        if path.suffix != ".json" or VERSION not in (text := path.read_text(encoding="utf-8")):
            continue
        path.write_text(json.dumps(_lowered(json.loads(text))), encoding="utf-8")
        found = True
    return found


def _lowered(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {key: each - 1 if key == VERSION else _lowered(each) for key, each in value.items()}
