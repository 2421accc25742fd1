"""A full disk: a tmpfs of a few megabytes under the outputs, with space for a part of what the stage writes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.soak.checkouts import OUTPUTS, Checkouts, Station, bring, size_on_disk
from tests.soak.contents import files
from tests.soak.outcomes import Outcome, Row

INSIDE = "ATLAS_SOAK_MAY_MOUNT"  # set in the process that may mount
NAMESPACES = (["--user", "--map-root-user", "--mount"], ["--mount"])  # without root, then with it
SHARES = (0.0, 0.3, 0.8)  # of what the stage writes, that there is space for
MARGIN = 2**22


def enter_namespace() -> None:
    """Start this program again in a namespace where it can mount a file system, if the system allows that."""
    unshare = shutil.which("unshare")
    if INSIDE in os.environ or unshare is None:
        return
    for options in NAMESPACES:
        probe = [unshare, *options, "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]
        if subprocess.run(probe, check=False, capture_output=True).returncode == 0:
            os.environ[INSIDE] = " ".join(options)
            os.execv(unshare, [unshare, *options, sys.executable, "-m", "tests.soak", *sys.argv[1:]])  # noqa: S606


def may_mount() -> bool:
    """Whether this process can mount file systems."""
    return INSIDE in os.environ


def full_disk(checkouts: Checkouts, station: Station) -> Row:
    """Run out of disk space early, midway and late; with space again, the same command ends right.

    Where nothing can be mounted, files may grow to a part of the largest one that the stage writes.
    """
    outcomes: list[Outcome] = []
    need = size_on_disk(checkouts.undisturbed, station.writes)
    largest = max(path.stat().st_size for place in station.writes for path in files(checkouts.undisturbed / place))
    for share in SHARES:
        trial = checkouts.trial(station, "disk")
        if not may_mount():
            outcomes.append(trial.judge(trial.start(max(1, int(share * largest))).end()))
            outcomes.append(trial.judge(trial.start().end()))
            continue
        space = MARGIN + 2 * need + size_on_disk(trial.folder, station.reads)
        with small_disk(trial.folder / OUTPUTS, space):
            bring(checkouts.undisturbed, trial.folder, station.reads)
            filler = fill(trial.folder / OUTPUTS, int(share * need))
            outcomes.append(trial.judge(trial.start().end()))
            filler.unlink()
            outcomes.append(trial.judge(trial.start().end()))
    how = "full disk" if may_mount() else "file size limit (no small disk can be mounted here)"
    return Row(station.stage, f"{how}, then space again", outcomes)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A tmpfs of ``size`` bytes at ``folder``, empty."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, space: int) -> Path:
    """Fill all but ``space`` bytes of the disk."""
    path = folder / "filler"
    found = os.statvfs(folder)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, found.f_bavail * found.f_frsize - space))
    return path
