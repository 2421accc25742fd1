"""The lock on outputs/: a second process gets an error, a child inherits the lock, and it ends with its process."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.core.errors import BusyError
from pipeline.core.lock import RUN, STAGE, VARIABLE, lock, lock_stage, read_holder, refuse_busy

ROOT = Path(__file__).parents[2]

# holds outputs/ by one of the two functions, says so, and waits until its standard input ends
HOLDER = """
import sys
from pathlib import Path
from pipeline.core import lock
from pipeline.core.errors import BusyError
try:
    with getattr(lock, sys.argv[1])(Path(sys.argv[2]), "atlas run 'render.steps=\\x1b[2J\\n7'"):
        print("held", flush=True)
        sys.stdin.read()
except BusyError as error:
    print("busy", error, flush=True)
"""

# holds outputs/ as a run does and starts a stage that inherits the lock and outlives it
RUN_WITH_STAGE = f"""
import subprocess, sys
from pathlib import Path
from pipeline.core.lock import lock
with lock(Path(sys.argv[1]), "atlas run"):
    stage = subprocess.Popen([sys.executable, "-P", "-c", {HOLDER!r}, "lock_stage", sys.argv[1]])
    stage.wait()
"""


@contextmanager
def started(*arguments: str, token: str | None = None) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """A process, and the first line that it says; it is dead when the block ends."""
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    if token is not None:
        environment[VARIABLE] = token
    command = [sys.executable, "-P", "-c", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]") -> None:
    """Let a holder end by itself."""
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits a lock from whatever runs the tests."""
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_second_is_told_who_holds_it_and_waits_for_nothing_after(tmp_path: Path) -> None:
    """The line has process, host, time and command, without control characters; the lock ends with its block."""
    with started(HOLDER, "lock", str(tmp_path)) as (holder, said):
        assert said == "held\n"
        for attempt in (lock, lock_stage):
            with pytest.raises(BusyError) as told, attempt(tmp_path, "atlas run"):
                pass
            line = str(told.value)
            assert f"process {holder.pid} on {socket.gethostname()}, since 2" in line
            assert r"atlas run 'render.steps=\x1b[2J\n7'" in line
            assert line.isprintable()
        with pytest.raises(BusyError, match=f"process {holder.pid}"):
            refuse_busy(tmp_path)
        ended(holder)
    refuse_busy(tmp_path)
    assert read_holder(tmp_path) is None
    with lock(tmp_path, "atlas run"):
        pass


def test_a_killed_holder_leaves_nothing_that_lasts(tmp_path: Path) -> None:
    """After kill -9 the lock is free at once, and what the dead one wrote is overwritten."""
    with started(HOLDER, "lock", str(tmp_path)) as (holder, _):
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    stale = read_holder(tmp_path)
    assert stale is not None
    assert stale.pid == holder.pid
    refuse_busy(tmp_path)
    with lock(tmp_path, "atlas run grid"):
        found = read_holder(tmp_path)
    assert found is not None
    assert (found.pid, found.command) == (os.getpid(), "atlas run grid")
    assert found.token != stale.token


def test_a_stage_inherits_the_lock_of_its_run_and_no_other(tmp_path: Path) -> None:
    """A process with the holder's token works under its lock; with another token, or none, it is refused."""
    with lock(tmp_path, "atlas run"):
        token = os.environ[VARIABLE]
        with started(HOLDER, "lock_stage", str(tmp_path), token=token) as (stage, said):
            assert said == "held\n"
            ended(stage)
        for foreign in (None, "", token[::-1] + "x"):
            with started(HOLDER, "lock_stage", str(tmp_path), token=foreign) as (_, said):
                assert said.startswith("busy")
                assert f"process {os.getpid()}" in said
    assert VARIABLE not in os.environ


def test_a_run_takes_no_lock_by_inheritance(tmp_path: Path) -> None:
    """A second run is refused even with the token of the first, which only its stages may show."""
    with lock(tmp_path, "atlas run"), started(HOLDER, "lock", str(tmp_path), token=os.environ[VARIABLE]) as (_, said):
        assert said.startswith("busy")


def test_the_stage_of_a_killed_run_still_holds(tmp_path: Path) -> None:
    """A stage that outlives its killed run keeps the lock until it ends, and the error names it."""
    with started(RUN_WITH_STAGE, str(tmp_path)) as (run, said):
        assert said == "held\n"
        run.send_signal(signal.SIGKILL)
        run.wait()
        stage = read_holder(tmp_path, STAGE)
        assert stage is not None
        assert stage.pid != run.pid
        with pytest.raises(BusyError, match=f"process {stage.pid}"), lock(tmp_path, "atlas run"):
            pass
        with pytest.raises(BusyError, match=f"process {stage.pid}"):
            refuse_busy(tmp_path)
        os.kill(stage.pid, signal.SIGKILL)
    with lock(tmp_path, "atlas run"):
        pass


def test_a_token_of_a_dead_run_is_worth_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage whose run has died takes the lock for itself, or is refused while another holds it."""
    with started(HOLDER, "lock", str(tmp_path)) as (holder, _):
        holder.kill()
        holder.wait()
    stale = read_holder(tmp_path)
    assert stale is not None
    monkeypatch.setenv(VARIABLE, stale.token)
    with lock_stage(tmp_path, "atlas sample"):
        found = read_holder(tmp_path)
        assert found is not None
        assert found.pid == os.getpid()
    assert os.environ[VARIABLE] == stale.token
    with (
        started(HOLDER, "lock", str(tmp_path)) as (holder, _),
        pytest.raises(BusyError, match=f"process {holder.pid}"),
        lock_stage(tmp_path, "atlas sample"),
    ):
        pass


def test_what_is_written_of_the_holder_may_be_broken(tmp_path: Path) -> None:
    """The lock is the system's: without its holder's words the second is refused all the same, in one line."""
    with started(HOLDER, "lock", str(tmp_path)):
        for words in ("", "{", "[]", json.dumps({"pid": 3})):
            (tmp_path / f"{RUN}.json").write_text(words)
            with pytest.raises(BusyError, match="another process"), lock(tmp_path, "atlas run"):
                pass


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project's configuration and a DVC repository of its own, as the current one."""
    for name in ("conf", "dvc.yaml", "pipeline"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_commands_that_write_are_refused_in_one_line(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`atlas run` and a stage by hand end with exit code 2 and one line; nothing is written."""
    with started(HOLDER, "lock", str(checkout / "outputs")) as (holder, _):
        before = (checkout / "params.yaml").stat().st_mtime_ns
        for command in (["run", "render.steps=0"], ["run"], ["prepare"]):
            assert main(command) == 2
            line = capsys.readouterr().err
            assert f"process {holder.pid}" in line
            assert line.count("\n") == 1
        assert (checkout / "params.yaml").stat().st_mtime_ns == before
    assert {path.name for path in (checkout / "outputs").iterdir()} == {RUN, STAGE, f"{RUN}.json"}


def test_dvc_passes_the_line_on(checkout: Path) -> None:
    """`dvc repro` during a run ends with the line of the stage that found the lock taken."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with started(HOLDER, "lock", str(checkout / "outputs")) as (holder, _):
        done = subprocess.run(
            ["dvc", "repro", "--single-item", "prepare"],
            cwd=checkout,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode
    assert f"process {holder.pid} on" in done.stderr + done.stdout
    assert not (checkout / "outputs" / "images.parquet").exists()
