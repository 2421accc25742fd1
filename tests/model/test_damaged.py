"""A saved network whose weights are not those that were saved is refused in one line."""

from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.model.build import build, freeze
from pipeline.model.config import PreprocessingSettings
from pipeline.model.network import Network
from pipeline.model.saved import WEIGHTS, load, save

ARCHITECTURE = {"_target_": "pipeline.model.small_inception.SmallInception", "num_classes": 2}


@pytest.mark.parametrize("damage", ["removed", "truncated", "flipped"])
def test_damaged_weights_are_one_line(damage: str, tmp_path: Path) -> None:
    """Weights load as they were saved; missing, cut off or with one bit changed they are an ArtifactError."""
    module = freeze(build(ARCHITECTURE))
    preprocessing = PreprocessingSettings(resize=64, crop=64, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    save(tmp_path / "model", Network("small", module, ("a", "b"), preprocessing, {}), ARCHITECTURE, {})
    assert load(tmp_path / "model").classes == ("a", "b")
    weights = tmp_path / "model" / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    if damage == "removed":
        weights.unlink()
    else:
        weights.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    with pytest.raises(ArtifactError, match="run the stage prepare again") as told:
        load(tmp_path / "model")
    assert "\n" not in str(told.value)
