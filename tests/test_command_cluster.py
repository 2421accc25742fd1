"""Where work runs: composed apart from params.yaml, and handed to the stages in the environment."""

import os
from pathlib import Path

import pytest

from pipeline import commands
from pipeline.__main__ import main
from pipeline.compose import compose_cluster
from pipeline.config.cluster import VARIABLE, Address, Inline, Local, from_environment, parse_cluster

ROOT = Path(__file__).parents[1]
RUN = ["run", "images.count=30", "model.weights=random"]


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the project's configuration, as the current one, where nothing is run."""
    (tmp_path / "conf").symlink_to(ROOT / "conf")
    (tmp_path / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "check_dvc", lambda *_: None)
    monkeypatch.setattr(commands, "reproduce", lambda: None)
    monkeypatch.setenv(VARIABLE, "inline")
    return tmp_path


@pytest.mark.parametrize("option", sorted(path.stem for path in (ROOT / "conf/cluster").glob("*.yaml")))
def test_every_shipped_cluster_composes_and_is_valid(option: str) -> None:
    """Each file of conf/cluster is valid for its kind; `address` needs an address."""
    needed = ["cluster.address=tcp://127.0.0.1:8786"] if option == "address" else []
    composed, others = compose_cluster(ROOT, [f"cluster={option}", *needed, "render.steps=3"])
    assert others == ["render.steps=3"]
    assert composed is not None
    kinds = {"inline": Inline, "local": Local, "address": Address}
    assert type(parse_cluster(dict(composed))) is kinds[option]


def test_the_stages_find_the_cluster_and_params_say_nothing_of_it(checkout: Path) -> None:
    """The environment holds it, and params.yaml is the same to the byte with and without."""
    assert main(RUN) == 0
    assert from_environment() == Inline()
    plain = (checkout / "params.yaml").read_bytes()
    assert main([*RUN, "cluster=local", "cluster.workers=3"]) == 0
    assert from_environment() == Local(workers=3)
    assert (checkout / "params.yaml").read_bytes() == plain


def test_without_an_override_the_environment_stays(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user set before is what the stages get."""
    del checkout
    monkeypatch.setenv(VARIABLE, "local")
    assert main(RUN) == 0
    assert from_environment() == Local()


@pytest.mark.parametrize(
    ("overrides", "variable", "words"),
    [
        (["cluster=loca"], "", ["loca", "local"]),
        (["cluster=local", "cluster.workers=0"], "", ["cluster.workers", "greater than or equal to 1"]),
        (["cluster=local", "cluster.worker=2"], "", ["worker"]),
        (["cluster=address"], "", ["cluster.address"]),
        ([], "loca", ["loca"]),
        (
            ["cluster=address", "cluster.address=tcp://127.0.0.1:1", "cluster.timeout=0.3"],
            "",
            ["tcp://127.0.0.1:1", "dask scheduler"],
        ),
        (["cluster=address", "cluster.scheduler_file=none.json"], "", ["none.json", "--scheduler-file"]),
        ([], '{"kind": "address", "address": "tcp://127.0.0.1:1", "timeout": 0.3}', ["tcp://127.0.0.1:1"]),
    ],
)
def test_an_error_is_reported_in_one_line(
    overrides: list[str],
    variable: str,
    words: list[str],
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It ends with exit code 2 before anything runs."""
    monkeypatch.setenv(VARIABLE, variable)
    assert main([*RUN, *overrides]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1, line
    assert all(word in line for word in words), line
    assert not (checkout / "params.yaml").exists()
    assert os.environ[VARIABLE] == variable
