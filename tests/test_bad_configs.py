"""A configuration that cannot work is refused in one line, never with a traceback."""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from pipeline import commands
from pipeline.__main__ import main
from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.core.errors import AtlasError, ModelError
from pipeline.model.weights import read_weights
from pipeline.plan.check import check_run

ROOT = Path(__file__).parents[1]
OUTPUTS = Path("outputs")
SMALL = ["images.count=60"]

# the same examples in every run, and none are made smaller: what fails is short enough
FIXED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

TEXTS = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "null",
                "???",
                "${seed}",
                "${nothing}",
                "${oc.env:HOME}",
                "${atlases:}",
                "~",
                "~no-such-user/x",
                "/",
            ),
            *("..", "../..", "all", "class-3", "class-99", "compare-1-1", "mixed3b", "mixed9z", "fireboat", "unicorn"),
            *("os.path", "os", ".", "a.b.c", "torch.nn.Identity", "pathlib.Path", "weights.pth", "weights.safetensors"),
            *(
                "cuda:99",
                "cpu:7",
                "mps",
                "cuda:x",
                "\x00",
                "a\nb",
                "\x1b[31m",
                "<script>alert(1)</script>",
                "ünïcödé 日本",
            ),
            *("\ud800", "\udcff", "\u202e", "'\"", "{a: 1}", "[1,", "1e999", "DEFAULT", "train", "random", "x" * 5000),
        ]
    ),
    st.text(max_size=12),
)
NUMBERS = st.one_of(
    st.sampled_from([-1, 0, 1, 2, 3, 7, -(2**63), 2**31, 2**64, 10**30, 0.5, -0.5, 1e-300, 1e300, 1e308]),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.integers(-5, 300),
    st.floats(-2, 2),
)
LEAVES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
VALUES = st.one_of(
    LEAVES,
    LEAVES,
    st.sampled_from(
        [[], {}, [[]], [None], [40, 20, 10], [10, 20, 20], [[1, 2, 3]], [["bird", "bird"]], {"_target_": 3}]
    ),
    st.lists(LEAVES, max_size=4),
    st.dictionaries(st.one_of(st.sampled_from(["crop", "size", "_target_", "_partial_"]), TEXTS), LEAVES, max_size=3),
)
Path_ = tuple[str, ...]


def composed() -> dict[str, Any]:
    """The shipped configuration."""
    found = OmegaConf.to_container(compose_config(ROOT, SMALL))
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def keys(values: Any, above: Path_ = ()) -> Iterator[Path_]:
    """The places of all settings, groups of them included."""
    if above:
        yield above
    if isinstance(values, dict):
        for name, value in values.items():
            yield from keys(value, (*above, name))


WHOLE = composed()
KEYS = sorted(keys(WHOLE))


def changed(values: dict[str, Any], place: Path_, value: Any, drop: bool) -> None:
    """Set, add or remove one setting."""
    *above, last = place
    group: Any = values
    for name in above:
        if not isinstance(group, dict) or name not in group:
            return
        group = group[name]
    if not isinstance(group, dict):
        return
    if drop:
        group.pop(last, None)
    else:
        group[last] = value


def assert_one_line(error: AtlasError) -> None:
    """The message is a line of readable length."""
    line = str(error)
    assert line.strip()
    assert "\n" not in line, line
    assert "Traceback" not in line
    assert len(line) < 2000, line[:3000]


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with files that are no weights, as the current folder."""
    folder = tmp_path_factory.mktemp("bad")
    for name in ("conf", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "weights.pth").write_bytes(b"no weights")
    (folder / "weights.safetensors").write_bytes(b"\xff" * 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


OPENED = ("images", "model", "layers", "atlases", "classes", "grid", "sample")  # what is tried out before a run
PLACES = st.one_of(
    st.sampled_from(KEYS),
    st.sampled_from([key for key in KEYS if key[0] in OPENED]),
    st.tuples(st.sampled_from(KEYS), TEXTS).map(lambda pair: (*pair[0], pair[1])),
    TEXTS.map(lambda name: (name,)),
)
CHANGES = st.lists(st.tuples(PLACES, VALUES, st.integers(0, 9).map(lambda n: n == 0)), min_size=1, max_size=3)
seen: dict[str, int] = {"refused": 0, "taken": 0}


@pytest.mark.long
@settings(FIXED, max_examples=360)
@given(CHANGES)
def test_any_settings_pass_or_are_refused_in_one_line(changes: list[tuple[Path_, Any, bool]]) -> None:
    """Settings of wrong types, out of range, missing, unknown or of other names end in a line, or in a run."""
    values = copy.deepcopy(WHOLE)
    for place, value, drop in changes:
        changed(values, place, value, drop)
    try:
        with pytest.MonkeyPatch.context() as patch:  # the trial of the network has tests of its own, and takes long
            patch.setattr("pipeline.plan.trial.try_network", lambda *_: [])
            patch.setattr("pipeline.plan.trial.check_training", lambda *_: None)
            check_run(parse_params(values), OUTPUTS)
    except AtlasError as error:
        assert_one_line(error)
        seen["refused"] += 1
    else:
        seen["taken"] += 1


@pytest.mark.long
def test_the_settings_above_were_bad_ones() -> None:
    """Most of those examples were refused, and some could run: neither side went untested."""
    assert seen["refused"] >= 200
    assert seen["taken"] >= 5


@pytest.mark.long
@settings(FIXED, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["", "", "", "+", "++", "~"]), PLACES, VALUES), min_size=1, max_size=2))
def test_any_overrides_pass_or_are_refused_in_one_line(overrides: list[tuple[str, Path_, Any]]) -> None:
    """Overrides as they are typed, in Hydra's grammar or not, end in a line, or in a configuration."""
    typed = [f"{sign}{'.'.join(place)}={value}" for sign, place, value in overrides]
    try:
        parse_params(OmegaConf.to_container(compose_config(ROOT, [*SMALL, *typed])))
    except AtlasError as error:
        assert_one_line(error)


@pytest.mark.parametrize(
    "overrides",
    [
        ["render.styles=[accentuated]", "site.exemplars=0"],
        ["render.styles=[drawn,accentuated]", "site.exemplars=0"],
        ["render.styles=[drawn,drawn]"],
        ["render.styles=[]"],
        ["render.styles=[exemplar]"],
        ["render.start=exemplar"],
        ["+model@judge=small_inception"],
        ["site.initial_layer=mixed9z"],
        ["classes=[unicorn]"],
        ["classes=3"],
        ["comparisons=[[bird]]"],
        ["grid.levels=[]"],
        ["grid.levels=[40,20]"],
        ["layers=null"],
        ["images.count=many"],
        ["images.count=1000000000000"],
        ["images.seed=null"],
        ["model.preprocessing.crop=100000"],
        ["model.architecture.dropout=hello"],
        ["model.weights=weights.pth"],
        ["model.weights=~no-such-user/weights.pth"],
        ["images=image_folder", "images.root=~no-such-user/x"],
        ["images=image_folder", "images.root='a\nb'"],
        ["images=image_folder", "images.root=\udcff"],
        ["model.name='\x1b[31mred'", "layers=[none]"],
        ["seed={a: 1}"],
        ["cluster=moon"],
        ["=3"],
        ["render"],
        [""],
    ],
    ids=repr,
)
def test_the_command_ends_with_code_2(
    overrides: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    """The command itself prints one line on a mistake, exits with 2 and writes nothing."""
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(commands, "check_dvc", lambda *_: None)
    monkeypatch.setattr(commands, "reproduce", lambda *_: pytest.fail("nothing may run"))
    assert main(["run", *overrides]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("atlas: ")
    assert printed.count("\n") == 1
    assert "\x1b" not in printed
    printed.encode("utf-8")
    assert not (elsewhere / "params.yaml").exists()


class Attack:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["bare.pth", "torch.pt", "torch.pth", "posing.safetensors"])
def test_weights_that_would_run_code_are_refused(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    """A pickle that would run code when it is read ends the command in one line, and nothing of it runs."""
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(commands, "check_dvc", lambda *_: None)
    monkeypatch.setattr(commands, "reproduce", lambda *_: pytest.fail("nothing may run"))
    hostile, trace = {"linear.weight": Attack(elsewhere / "trace")}, elsewhere / "trace"
    if name.startswith("torch"):
        torch.save(hostile, name)
    else:
        Path(name).write_bytes(pickle.dumps(hostile))
    assert main(["run", f"model.weights={name}", "model.classes=[a,b]"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"expected a file of weights only at {name}" in printed
    assert not trace.exists()
    pickle.loads(pickle.dumps(hostile))  # noqa: S301  # it is one that would do it
    assert trace.exists()
    trace.unlink()


@FIXED
@given(st.binary(max_size=200), st.sampled_from([".pth", ".pt", ".safetensors"]), st.booleans())
def test_any_bytes_as_weights_are_refused(content: bytes, suffix: str, pickled: bool) -> None:
    """Whatever a weights file holds, reading it gives weights or one line."""
    path = Path(f"any{suffix}")
    path.write_bytes(b"\x80\x02" + content + b"." if pickled else content)
    with pytest.raises(ModelError, match="expected a") as caught:
        read_weights({}, str(path), {})
    assert_one_line(caught.value)
