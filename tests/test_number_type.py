"""The number type that ``render.dtype=auto`` stands for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from dvc.utils.hydra import compose_and_dump
from omegaconf import OmegaConf

from pipeline import commands, number_type
from pipeline.__main__ import main
from pipeline.compose import compose_config
from pipeline.config.params import load_params
from pipeline.core.errors import ConfigError
from pipeline.number_type import native_number_type

ROOT = Path(__file__).parents[1]


def with_processor(monkeypatch: pytest.MonkeyPatch, capabilities: Mapping[str, Any]) -> None:
    """Let torch report these capabilities of the processor."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose stages do not run, as the current folder."""
    for name in ("conf", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "project_root", lambda: tmp_path)
    monkeypatch.setattr(commands, "check_dvc", lambda *_: None)
    monkeypatch.setattr(commands, "reproduce", lambda: None)
    return tmp_path


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"bf16": True, "neon": True}, "bfloat16"),
        ({"avx512_bf16": False, "avx512_f": True, "avx2": True}, "float32"),
        ({}, "float32"),
    ],
)
def test_the_processor_decides(monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: str) -> None:
    """bfloat16 needs instructions for it, and the library that uses them; other vector instructions do not count."""
    with_processor(monkeypatch, capabilities)
    assert native_number_type("cpu") == expected
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert native_number_type("cpu") == "float32"


@pytest.mark.parametrize("native", [True, False])
def test_the_gpu_decides_where_it_renders(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    """The asked GPU's own arithmetic counts, without emulation; one that is not there gives float32."""
    asked: list[Any] = []

    class Chosen:
        def __init__(self, device: str) -> None:
            asked.append(device)

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    with_processor(monkeypatch, {"avx512_bf16": not native})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "device", Chosen)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native)
    expected = "bfloat16" if native else "float32"
    assert [native_number_type(name) for name in ("cuda", "cuda:1", "cuda:2", "mps", "moon")] == [
        *(expected, expected),
        *("float32", "float32", "float32"),
    ]
    assert asked == ["cuda", "cuda:1"]


@pytest.mark.parametrize("native", [True, False])
def test_the_command_writes_the_type(checkout: Path, monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    """`atlas run render.dtype=auto` writes the actual type into params.yaml, which keeps it on another machine."""
    monkeypatch.setattr("pipeline.plan.check.check_run", lambda *_: None)
    with_processor(monkeypatch, {"amx_bf16": native})
    assert main(["run", "render.dtype=auto"]) == 0
    with_processor(monkeypatch, {"amx_bf16": not native})
    written = "bfloat16" if native else "float32"
    assert OmegaConf.load(checkout / "params.yaml").render.dtype == written
    assert load_params(checkout / "params.yaml").render.dtype == written


def test_the_default_asks_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without auto the type is float32, and a given one is kept, whatever the processor can do."""
    monkeypatch.setattr(number_type, "native_number_type", lambda _: pytest.fail("nothing to ask"))
    assert compose_config(ROOT, []).render.dtype == "float32"
    assert compose_config(ROOT, ["render.dtype=bfloat16"]).render.dtype == "bfloat16"


def test_another_value_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A type that the stage does not have ends the command in one line, and nothing is written."""
    assert main(["run", "render.dtype=float16"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("atlas: render.dtype: ")
    assert "'float32' or 'bfloat16'" in printed
    assert printed.count("\n") == 1
    assert not (checkout / "params.yaml").exists()


def test_dvc_exp_run_names_the_command(checkout: Path) -> None:
    """DVC composes by itself and writes auto as it is: the stages refuse that in a line that says what resolves it."""
    compose_and_dump(checkout / "params.yaml", str(ROOT / "conf"), None, "config", None, ["render.dtype=auto"])
    with pytest.raises(ConfigError, match=r"render\.dtype: expected float32 or bfloat16, .*'atlas run render\.dtype"):
        load_params(checkout / "params.yaml")
