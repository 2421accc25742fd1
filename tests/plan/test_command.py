"""`atlas plan` composes as `atlas run` does, writes nothing, and refuses a run that the machine cannot hold."""

from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.plan import measure

ROOT = Path(__file__).parents[2]
SMALL = ["+experiment=tiny", "images.count=20", "layers=[mixed4a]", "sample.batch_size=4", "reduce=pca"]
RATES = ["--images-per-second", "500", "--icons-per-second", "4"]


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the project's configuration, as the current one; what is measured there is measured once."""
    monkeypatch.setattr(measure, "MIN_SECONDS", 0.0)
    for name in ("conf", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_of_this_machine_is_measured_and_leaves_nothing(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every stage has its row, and no file is written."""
    assert main(["plan", *SMALL]) == 0
    printed = capsys.readouterr().out
    for stage in ("prepare", "sample", "reduce", "grid", "render", "tile", "site", "total"):
        assert f"\n{stage} " in printed
    assert "20 images × 4 places = 80" in printed
    assert {path.name for path in checkout.iterdir()} == {"conf", "dvc.yaml"}


def test_imagenet_on_machines_that_are_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    """ImageNet-1k at nine layers on 1, 8 and 64 GPUs is planned without image, weight or GPU of it here."""
    assert main(["plan", "+experiment=imagenet", "--images", "1281167", "--gpus", "1,8,64", *RATES]) == 0
    printed = capsys.readouterr().out
    assert "samples = 1,281,167 images × 1 places = 1,281,167" in printed
    assert printed.count("\nrender ") == 9
    row = "sample inception3a: 1,281,167 samples × ((256 channels + 1000 classes) × 2 bytes + 20) = 3.24 GB"
    assert row in printed  # 1,281,167 × 2,532
    assert "87,040 icons" in printed  # 320² × 0.85
    assert "116,025 icons ÷ (4 a second × GPUs) = 8.1 h on 1, 60.4 min on 8, 7.6 min on 64" in printed
    assert "Given, not measured: 500 images a second in sample, 4 icons a second in render" in printed


def test_a_machine_that_cannot_hold_it_is_refused_after_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """The plan is printed, one line names what is too small, and the exit code is 2."""
    for option, word in (("--disk", "disk"), ("--memory", "memory")):
        assert main(["plan", *SMALL, *RATES, option, "0.0001"]) == 2
        printed = capsys.readouterr()
        assert "total" in printed.out
        assert f"free {word}" in printed.err
        assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["render.stpes=3"], "stpes"),
        (["layers=[mixed9]"], "mixed9"),
        (["render.device=cuda:9"], "render.device"),
        (["images=image_folder", "images.root=nowhere"], "nowhere"),
    ],
)
def test_errors_are_reported_as_by_a_run(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration that cannot work ends with exit code 2 and one line."""
    assert main(["plan", *arguments]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.count("\n") == 1
    assert words in printed.err


@pytest.mark.parametrize(
    "option", [["--gpus", "1,0"], ["--gpus", "x"], ["--images", "-3"], ["--fill", "1.5"], ["--disk", "nan"]]
)
def test_options_out_of_range_are_refused(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers that mean nothing are refused by the command line itself."""
    with pytest.raises(SystemExit) as ended:
        main(["plan", *option])
    assert ended.value.code == 2
    assert option[0] in capsys.readouterr().err
