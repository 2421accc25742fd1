"""Keys of finished icons."""

from typing import Any

import numpy as np
import pytest

from pipeline.render import icon_key as module
from pipeline.render.icon_key import base_digest, icon_key

VECTOR = np.arange(4, dtype=np.float32)
INPUTS: dict[str, Any] = {
    "network": "abc",
    "layer": "mixed4a",
    "origin": VECTOR,
    "root": np.eye(4, dtype=np.float32),
    "layer_mean": VECTOR + 1,
    "settings": {"steps": 64, "scale": [0.9, 1.1], "dtype": "float32"},
    "seed": 0,
}
CHANGES: list[dict[str, Any]] = [
    {"network": "abd"},
    {"layer": "mixed4b"},
    {"origin": VECTOR + np.float32(1e-6)},
    {"root": None},
    {"root": np.eye(4, dtype=np.float32) * np.float32(1.0000002)},
    {"layer_mean": VECTOR},
    {"settings": {"steps": 65, "scale": [0.9, 1.1], "dtype": "float32"}},
    {"settings": {"steps": 64, "scale": [0.9, 1.1], "dtype": "bfloat16"}},
    {"settings": {"steps": 64, "scale": [0.9, 1.1]}},
    {"seed": 1},
]


def key(**changes: Any) -> str:
    """The key of one direction with some inputs changed."""
    return icon_key(base_digest(**{**INPUTS, **changes}), VECTOR, 0)


def test_every_input_changes_the_key() -> None:
    """No two of these icons may ever be taken for each other."""
    base = base_digest(**INPUTS)
    parent = icon_key(base, VECTOR, 0)
    keys = [
        parent,
        *(key(**change) for change in CHANGES),
        icon_key(base, VECTOR * 2, 0),
        icon_key(base, VECTOR[:3], 0),
        icon_key(base, VECTOR, 1),
        icon_key(base, VECTOR, 0, parent),
        icon_key(base, VECTOR, 0, icon_key(base, VECTOR, 1)),
    ]
    assert len(set(keys)) == len(keys)


def test_equal_inputs_have_equal_keys() -> None:
    """The order of the settings and the layout of an array in memory are no inputs."""
    reordered = dict(reversed(INPUTS["settings"].items()))
    assert key(settings=reordered, root=np.asfortranarray(INPUTS["root"])) == key()
    every_other = np.repeat(VECTOR, 2)[::2]
    assert icon_key(b"base", every_other, 0) == icon_key(b"base", VECTOR, 0)


@pytest.mark.parametrize("name", ["RENDERING", "torch.__version__"])
def test_other_code_has_other_keys(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Icons of an older algorithm or of another torch are not found."""
    before = key()
    monkeypatch.setattr(f"{module.__name__}.{name}", 99 if name == "RENDERING" else "0.0")
    assert key() != before
