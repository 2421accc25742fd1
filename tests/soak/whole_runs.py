"""Whole runs through DVC: killed with all their processes or without, and what stands in the way of the next one."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.soak.checkouts import OUTPUTS, remove
from tests.soak.contents import contents, different
from tests.soak.outcomes import CLEAR, RIGHT, Outcome, Row, judge
from tests.soak.processes import Ended

STAGE = "whole run"
RUN = ("run", "+experiment=tiny", "layers=[mixed3b]", "grid.levels=[2,4]", "selection.min_samples=12")
TIMEOUT = 600.0  # seconds after which a run counts as hanging
LIST = Path(".dvc/tmp/rwlock")  # of what stages read and write at this moment, by DVC
MADE = ("dvc.lock", ".dvc/cache", ".dvc/tmp")  # by a run, beside its outputs


class Project:
    """A project in which the tiny experiment runs."""

    def __init__(self, folder: Path) -> None:
        """Make it.

        Raises:
            RuntimeError: ``atlas init`` fails.
        """
        self.folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        done = self._start("init", str(folder), at=folder.parent)
        if done.wait() != 0:
            raise RuntimeError(f"{folder}: atlas init ended with {done.returncode}")

    def run(self) -> Ended:
        """The whole run."""
        began = time.monotonic()
        process = self._start(*RUN, at=self.folder)
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(TIMEOUT)
        if code is None:
            _kill(process, everything=True)
        return Ended(code, self._printed.read_text(errors="replace"), time.monotonic() - began)

    def killed(self, seconds: float, *, everything: bool) -> bool:
        """Kill a run after so many seconds; False where it ended before.

        Args:
            seconds: from its start.
            everything: its processes too, not the parent alone.
        """
        process = self._start(*RUN, at=self.folder)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return False
        _kill(process, everything=everything)
        return True

    def contents(self) -> dict[str, str]:
        """Digests of all outputs but those of unfinished work."""
        outputs = self.folder / OUTPUTS
        names = [path.name for path in outputs.iterdir() if not path.name.startswith(".")] if outputs.is_dir() else []
        return contents(self.folder, [f"{OUTPUTS}/{name}" for name in names])

    def judge(self, ended: Ended, expected: dict[str, str]) -> Outcome:
        """How a run ended; one that ended well has the bytes of the undisturbed run."""
        wrong = different(self.contents(), expected) if ended.code == 0 else []
        return judge(ended, wrong, [])

    def wipe(self) -> None:
        """Remove everything that runs have made."""
        for name in (OUTPUTS, *MADE):
            remove(self.folder / name)

    @property
    def _printed(self) -> Path:
        return self.folder.with_suffix(".txt")

    def _start(self, *arguments: str, at: Path) -> subprocess.Popen[bytes]:
        with self._printed.open("wb") as printed:
            return subprocess.Popen(
                [sys.executable, "-m", "pipeline", *arguments], cwd=at, stdout=printed, stderr=subprocess.STDOUT
            )


def whole_runs(scratch: Path, kills: int, seed: int) -> Iterator[Row]:
    """All of them.

    Args:
        scratch: folder of the projects.
        kills: of runs with all their processes.
        seed: of the moments.

    Raises:
        RuntimeError: a run that nobody disturbs fails.
    """
    project = Project(scratch / "whole")
    ended = project.run()
    if ended.code != 0:
        raise RuntimeError(f"undisturbed run ended with {ended.code}:\n{ended.printed}")
    expected = project.contents()
    yield _stale_list(project, expected)
    for name, prevent, mend in (
        ("outputs are a link", _link, _unlink),
        ("no Git repository", _without_git, _with_git),
    ):
        yield _prevented(project, expected, name, prevent, mend)
    yield _killed(project, expected, ended.seconds, kills, seed)
    yield _orphaned(project, expected, ended.seconds)


def _killed(project: Project, expected: dict[str, str], longest: float, kills: int, seed: int) -> Row:
    """``kill -9`` of the run and all its processes, as at a loss of power; the next run ends right."""
    moments = random.Random(f"{seed}-whole")  # noqa: S311  # no secret
    outcomes, made = [], 0
    while made < kills:
        project.wipe()
        while made < kills and project.killed(moments.uniform(0.1, 0.9) * longest, everything=True):
            made += 1
            if moments.random() < 0.5:
                break
        outcomes.append(project.judge(project.run(), expected))
    return Row(STAGE, f"kill -9 of all its processes at {made} random moments", outcomes)


def _orphaned(project: Project, expected: dict[str, str], longest: float) -> Row:
    """``kill -9`` of the parent alone: while its stage still works a second run is refused; later it ends right."""
    project.wipe()
    if not project.killed(0.4 * longest, everything=False):
        return Row(STAGE, "kill -9 of the parent alone", [Outcome("NOT KILLED", "it ended before")])
    outcomes = [project.judge(project.run(), expected)]
    while _at_work(project.folder):
        time.sleep(0.2)
    outcomes.append(project.judge(project.run(), expected))
    if outcomes[-1].what != RIGHT:
        outcomes.append(Outcome("BLOCKED", outcomes[-1].line))
    return Row(STAGE, "kill -9 of the parent alone", outcomes)


def _stale_list(project: Project, expected: dict[str, str]) -> Row:
    """DVC's list of readers and writers names a process that lives and has nothing to do with it."""
    stranger = subprocess.Popen(["sleep", "600"])
    outputs = str(project.folder / OUTPUTS / "images.parquet")
    entry = {"pid": stranger.pid, "cmd": "dvc repro"}
    project.wipe()
    path = project.folder / LIST
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"write": {outputs: entry}, "read": {}}))
    began = psutil.Process(stranger.pid).create_time() - 60  # the process that wrote it had the number before
    os.utime(path, (began, began))
    outcome = project.judge(project.run(), expected)
    stranger.kill()
    stranger.wait()
    return Row(STAGE, "an entry of a former process in DVC's list", [outcome])


def _prevented(
    project: Project,
    expected: dict[str, str],
    name: str,
    prevent: Callable[[Path], None],
    mend: Callable[[Path], None],
) -> Row:
    """Something prevents DVC from running: one line says so; mended, the same command ends right."""
    project.wipe()
    prevent(project.folder)
    refused = project.judge(project.run(), expected)
    mend(project.folder)
    outcomes = [refused if refused.what != RIGHT else Outcome("ACCEPTED", f"expected a {CLEAR}")]
    return Row(STAGE, f"{name}, then mended", [*outcomes, project.judge(project.run(), expected)])


def _link(folder: Path) -> None:
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir(exist_ok=True)
    (folder / OUTPUTS).symlink_to(elsewhere)


def _unlink(folder: Path) -> None:
    (folder / OUTPUTS).unlink()


def _without_git(folder: Path) -> None:
    shutil.move(folder / ".git", folder / "git-folder")


def _with_git(folder: Path) -> None:
    shutil.move(folder / "git-folder", folder / ".git")


def _at_work(folder: Path) -> bool:
    """Whether a process works in that folder."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def _kill(process: subprocess.Popen[bytes], *, everything: bool) -> None:
    others: list[psutil.Process] = []
    if everything:
        with suppress(psutil.NoSuchProcess):
            others = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for other in others:
        with suppress(psutil.NoSuchProcess):
            other.kill()
    process.wait()
