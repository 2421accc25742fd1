"""The command `atlas`: every error that can be detected before a run ends in one line and exit code 2."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import commands
from pipeline.__main__ import main, show_redacted
from pipeline.config.params import parse_params
from pipeline.core.errors import AtlasError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the project's configuration and DVC files, as the current one."""
    (tmp_path / "conf").symlink_to(ROOT / "conf")
    (tmp_path / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    (tmp_path / "empty").mkdir()
    (tmp_path / "weights.safetensors").write_bytes(b"no weights")
    monkeypatch.chdir(tmp_path)

    def never() -> None:
        raise AssertionError("nothing may run")

    monkeypatch.setattr(commands, "check_dvc", lambda *_: None)
    monkeypatch.setattr(commands, "reproduce", never)
    return tmp_path


ERRORS = {
    "unknown layer": (["layers=[mixed3x]"], ["mixed3x", "mixed3a"]),
    "layer without places": (["layers=[classifier]"], ["classifier", "near names"]),
    "unknown key": (["render.stpes=3"], ["stpes"]),
    "added unknown key": (["+render.stpes=3"], ["render.stpes", "steps"]),
    "unknown option": (["reduce=umpa"], ["umpa"]),
    "unknown experiment": (["+experiment=nothing"], ["nothing"]),
    "malformed override": (["layers=[mixed3a"], ["mixed3a"]),
    "out of range": (["render.steps=0"], ["render.steps", "greater than or equal to 1", "0"]),
    "wrong type": (["render.steps=many"], ["render.steps", "integer", "many"]),
    "not finite": (["render.cosine_power=.nan"], ["render.cosine_power"]),
    "not nested": (["grid.levels=[10,30]"], ["grid.levels", "twice"]),
    "no such level": (["render.large_level=15"], ["render.large_level", "10, 20, 40", "found 15"]),
    "no layers": (["layers=[]"], ["layers"]),
    "path as layer": (["layers=['../x']"], ["layers"]),
    "missing folder": (["images=image_folder", "images.root=nowhere"], ["nowhere"]),
    "empty folder": (["images=image_folder", "images.root=empty"], ["empty"]),
    "no folder given": (["images=image_folder"], ["images.root"]),
    "unknown image set": (["images._target_=pipeline.nothing"], ["pipeline.nothing"]),
    "image set that is none": (["images._target_=os.path"], ["images._target_", "os.path", "dotted path of a class"]),
    "wrong arguments of the image set": (["+images.colour=3"], ["colour"]),
    "unknown network": (["model=torchvision", "model.name=resnet51"], ["resnet51"]),
    "missing weights": (["model.weights=gone.pth"], ["gone.pth"]),
    "weights that are none": (["model.weights=weights.safetensors"], ["weights.safetensors"]),
    "device": (["render.device=cuda:9"], ["render.device", "cuda:9"]),
    "device of a later stage": (["predict.device=cuda:9"], ["predict.device", "cuda:9"]),
    "device of a comparison": (["comparisons=[[flower,fireboat]]", "patch.device=cuda:9"], ["patch.device", "cuda:9"]),
    "unknown device": (["render.device=abacus"], ["render.device", "abacus"]),
    "device with a raised number": (["render.device='cuda:\u00b2'"], ["render.device", "cuda:N"]),
    "too few samples": (["prepare.limit=3", "sample.positions_per_image=2"], ["reduce", "6"]),
    "unknown class": (["classes=[firebot]"], ["classes", "firebot", "fireboat"]),
    "class number": (["classes=[10]"], ["classes", "10"]),
    "class atlas by a wrong number": (["atlases=[all,class-10]"], ["atlases", "10"]),
    "no atlas of all": (["atlases=[class-1]"], ["atlases", "all"]),
    "one class for two": (["comparisons=[[fireboat]]"], ["comparisons", "pairs"]),
    "pair not in a list": (["comparisons=[streetcar,fireboat]"], ["comparisons", "pairs", "streetcar"]),
    "class against itself": (["comparisons=[[fireboat,1]]"], ["comparisons", "fireboat"]),
    "classes without attributions": (["classes=[fireboat]", "sample.attribution=false"], ["sample.attribution"]),
    "missing second folder": (
        ["+images@place.images=image_folder", "place.images.root=nowhere"],
        ["nowhere"],
    ),
    "too large for the disk": (
        ["sample.positions_per_image=4096", "images.count=200000"],
        ["GB", "free"],
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_reported_in_one_line_before_anything_runs(
    error: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names what is wrong, the exit code is 2, and neither params.yaml nor outputs/ are created."""
    overrides, words = ERRORS[error]
    assert main(["run", *overrides]) == 2
    line = capsys.readouterr().err
    assert line.startswith("atlas: ")
    assert line.count("\n") == 1, line
    assert "Traceback" not in line
    for word in words:
        assert word in line
    assert not (checkout / "params.yaml").exists()
    assert not (checkout / "outputs").exists()


def test_debug_shows_the_traceback(checkout: Path) -> None:
    """With --debug, before or after the command, the error itself is raised."""
    del checkout
    with pytest.raises(AtlasError):
        main(["--debug", "run", "render.steps=0"])
    with pytest.raises(AtlasError):
        main(["run", "render.steps=0", "--debug"])


def test_a_traceback_shows_no_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An error that ends the process is printed with its traceback, in which what looks like a secret is masked."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # restored afterwards
    with pytest.raises(SystemExit):
        main(["--help"])
    assert sys.excepthook is show_redacted
    with pytest.raises(KeyError) as raised:
        dict[str, int]()["401 for https://me:hunter2@host/?token=abc&page=3"]
    sys.excepthook(raised.type, raised.value, raised.tb)
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert "page=3" in printed
    assert not [secret for secret in ("hunter2", "abc") if secret in printed]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reduce"], ["layer=NAME atlas=NAME"]),
        (["reduce", "layer=mixed3b"], ["layer=NAME atlas=NAME"]),
        (["sample", "layer=mixed3b"], ["no arguments"]),
        (["sample"], ["params.yaml"]),
        (["browse"], ["atlas run"]),
    ],
)
def test_a_stage_names_its_arguments(
    arguments: list[str], words: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stage with wrong arguments, or without its inputs, names what it expects."""
    del checkout
    assert main(arguments) == 2
    line = capsys.readouterr().err
    for word in words:
        assert word in line


def test_outside_a_project_the_command_fails(in_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without dvc.yaml and conf/ around, the error names the folder."""
    assert main(["run"]) == 2
    assert str(in_tmp) in capsys.readouterr().err


FULL = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, FULL, "outputs/x"),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "outputs/x"),
        OSError(errno.EFBIG, os.strerror(errno.EFBIG), "outputs/x"),
        RuntimeError(f"Error while serializing: I/O error: {FULL} (os error 28)"),
        OSError(errno.EROFS, os.strerror(errno.EROFS), "outputs/.lock"),
        RuntimeError(f"zarr: {os.strerror(errno.EROFS)}"),
        OSError(errno.EMFILE, os.strerror(errno.EMFILE), "outputs/x"),
        PermissionError(errno.EACCES, os.strerror(errno.EACCES), "outputs/x"),
        PermissionError(errno.EPERM, os.strerror(errno.EPERM), "outputs/x"),
    ],
)
def test_what_the_system_refuses_is_reported_in_one_line(
    error: Exception, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full or read-only disk, by any library's exception, ends in one line, also if another exception wraps it."""
    del checkout

    def fail(_overrides: Any) -> None:
        try:
            raise error
        except type(error) as cause:
            raise ValueError("could not write") from cause

    monkeypatch.setattr("pipeline.__main__.run_pipeline", fail)
    assert main(["run"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("atlas: outputs")
    assert "expected" in printed
    assert printed.count("\n") == 1


def test_other_system_errors_are_not_hidden(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that the user cannot fix keeps its traceback."""
    del checkout

    def fail(_overrides: Any) -> None:
        raise OSError(errno.EIO, "broken", "outputs/x")

    monkeypatch.setattr("pipeline.__main__.run_pipeline", fail)
    with pytest.raises(OSError, match="broken"):
        main(["run"])


def test_params_without_a_section_are_refused() -> None:
    """An empty configuration names the first missing key."""
    with pytest.raises(AtlasError, match="seed: expected a value"):
        parse_params({})
