"""What DVC refuses is known before the run, or told with all its reasons; killed runs do not block others."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from threading import Thread, Timer

import psutil
import pytest
from dvc.exceptions import DvcException
from dvc.repo import Repo

from pipeline.core.errors import ConfigError
from pipeline.interruptible import call_interruptibly
from pipeline.reproduce import check_dvc, clear_stale_entries, explain, reproduce

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # in a library of DVC's

STAGES = """\
stages:
  one:
    cmd: {command}
    outs: [outputs/one]
"""
WRITE = f"{sys.executable} -c \"open('outputs/one', 'w').write('1')\""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC repository with one stage, as the current folder."""
    monkeypatch.setenv("PATH", os.environ["PATH"])  # reproduce() adds to it
    monkeypatch.chdir(tmp_path)
    Repo.init(str(tmp_path), no_scm=True).close()
    (tmp_path / "dvc.yaml").write_text(STAGES.format(command=WRITE))
    (tmp_path / "outputs").mkdir()
    return tmp_path


def holding(project: Path, pid: int, command: str = "dvc repro") -> Path:
    """DVC's list with an entry of that process, for what the stage writes and reads."""
    path = project / ".dvc" / "tmp" / "rwlock"
    path.parent.mkdir(exist_ok=True)
    entry, where = {"pid": pid, "cmd": command}, str(project / "outputs" / "one")
    path.write_text(json.dumps({"write": {where: entry}, "read": {where: [entry]}}))
    return path


def aged(path: Path) -> Path:
    """Let the list be written some seconds before this process began."""
    began = psutil.Process().create_time() - 5
    os.utime(path, (began, began))
    return path


def unmade(project: Path) -> None:
    """No DVC repository."""
    (project / ".dvc").rename(project / "dvc-folder")


def without_git(project: Path) -> None:
    """A DVC repository that counts on Git, without it."""
    (project / ".dvc" / "config").write_text("")


def bad_config(project: Path) -> None:
    """A configuration of DVC that is none."""
    (project / ".dvc" / "config").write_text("[core\n")


def linked(project: Path) -> None:
    """The outputs are on another disk, by a link."""
    (project / "outputs").rename(project / "elsewhere")
    (project / "outputs").symlink_to(project / "elsewhere")


def linked_below(project: Path) -> None:
    """Some artifacts are on another disk, by a link."""
    (project / "elsewhere").mkdir()
    (project / "outputs" / "activations").symlink_to(project / "elsewhere")


def dangling(project: Path) -> None:
    """The disk that the link leads to is not there."""
    (project / "outputs").rename(project / "before")
    (project / "outputs").symlink_to(project / "unmounted")


FAULTS: dict[Callable[[Path], None], list[str]] = {
    unmade: ["DVC repository", "atlas init ."],
    without_git: ["Git repository", "git init", "core.no_scm"],
    bad_config: [".dvc/config", "expected DVC's settings"],
    linked: ["outputs: expected a folder", "a link to", "elsewhere", "dvc cache dir"],
    linked_below: ["outputs/activations: expected a folder", "elsewhere"],
    dangling: ["a link to", "unmounted"],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_dvc_would_refuse_is_known_before_the_run(project: Path, fault: Callable[[Path], None]) -> None:
    """The line says where, what was expected, what was found and what to do; a whole project is not refused."""
    check_dvc(project, Path("outputs"))
    (project / "outputs" / ".cache").symlink_to(project)  # DVC does not know of it
    check_dvc(project, Path("outputs"))
    fault(project)
    with pytest.raises(ConfigError) as found:
        check_dvc(project, Path("outputs"))
    assert all(words in str(found.value) for words in FAULTS[fault]), found.value


@pytest.fixture
def stranger() -> Iterator[int]:
    """The number of a process that is neither DVC's nor ours."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


def test_an_entry_of_a_number_that_another_process_has_by_now_does_not_block(project: Path, stranger: int) -> None:
    """The run of which the number was is gone: the stage runs, and DVC's list is empty again."""
    holding(project, stranger)
    reproduce()
    assert (project / "outputs" / "one").read_text() == "1"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"write": 3}', '{"write": {"x": {}}}'])
def test_a_list_that_was_cut_off_does_not_block(project: Path, content: str) -> None:
    """A run that was killed while DVC wrote its list leaves no obstacle."""
    holding(project, 1).write_text(content)
    reproduce()
    assert (project / "outputs" / "one").exists()


def test_entries_of_processes_at_work_stay(project: Path) -> None:
    """An entry stays while its process may be the one that wrote it; of a younger process with that number it goes."""
    folder = project / ".dvc" / "tmp"
    with subprocess.Popen([sys.executable, "-c", "input()", "dvc"], stdin=subprocess.PIPE) as process:
        path = holding(project, process.pid)
        before = path.read_bytes()
        clear_stale_entries(folder)
        assert path.read_bytes() == before
        with pytest.raises(ConfigError) as found:
            reproduce()
        assert "failed to reproduce 'one'" in str(found.value)
        assert f"is busy, it is being blocked by: (PID {process.pid}): dvc repro" in str(found.value)
        aged(path)
        clear_stale_entries(folder)
        assert json.loads(path.read_text()) == {"write": {}, "read": {}}
        process.kill()


def test_the_chain_of_reasons_is_told_once(project: Path) -> None:
    """Every reason is in the line, from what failed to why, without repetitions, colors or a library's exception."""
    (project / "dvc.yaml").write_text("stages: {one: {cmd: [")
    with pytest.raises(ConfigError, match=r"dvc: unable to read: 'dvc.yaml'"):
        reproduce()
    reasons = [
        DvcException("failed to reproduce 'one'"),
        DvcException("cannot be stored:\n\x1b[31mdisk gone\x1b[0m"),
        DvcException("disk gone"),
        OSError("input/output error"),
        StopIteration(0),
    ]
    for reason, cause in pairwise(reasons):
        reason.__cause__ = cause
    assert explain(reasons[0]) == "failed to reproduce 'one': cannot be stored: disk gone: input/output error"


def test_a_stage_that_fails_keeps_its_exit_code(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The line names the command, and DVC's own reasons are not added to the stage's."""
    (project / "dvc.yaml").write_text(STAGES.format(command="exit 7"))
    with pytest.raises(SystemExit) as found:
        reproduce()
    assert found.value.code == 7
    assert capfd.readouterr().err.count("exited with 7") == 1


SLOW = """
import signal, sys, time
def stop(*_):
    print("stage: interrupted", file=sys.stderr)
    raise SystemExit(130)
signal.signal(signal.SIGINT, stop)
open("started", "w").close()
time.sleep(60)
"""


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, also where a shell has let this process ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_signal_to_the_run_alone_stops_the_stage(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """SIGINT to the parent process ends a working stage, which alone says so, and DVC's list is left empty."""
    (project / "slow.py").write_text(SLOW)
    (project / "dvc.yaml").write_text(STAGES.format(command=f"{sys.executable} slow.py"))
    timer = Thread(target=interrupt_after, args=(project / "started",))
    timer.start()
    began = time.monotonic()
    with pytest.raises(SystemExit) as found:
        reproduce()
    timer.join()
    assert found.value.code == 130
    assert time.monotonic() - began < 20
    said = capfd.readouterr().err
    assert said.count("stage: interrupted") == 1
    assert "exited" not in said
    assert not any(json.loads((project / ".dvc" / "tmp" / "rwlock").read_text()).values())


@pytest.mark.usefixtures("interruptible")
def test_a_signal_between_stages_ends_the_run() -> None:
    """What works in this process itself is interrupted too, and what it raised otherwise is handed back."""

    def work() -> None:
        Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        for _ in range(2000):
            time.sleep(0.01)

    assert isinstance(call_interruptibly(work), KeyboardInterrupt)
    assert isinstance(call_interruptibly(Path("/nothing/there").rmdir), OSError)
    assert call_interruptibly(lambda: None) is None


def interrupt_after(path: Path) -> None:
    """Send SIGINT to this process once a file is there, or after ten seconds."""
    deadline = time.monotonic() + 10
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
