"""A saved network whose weights are not those that were saved is refused in one line."""

from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.model.build import build, freeze
from pipeline.model.config import PreprocessingSettings
from pipeline.model.network import Network
from pipeline.model.saved import DESCRIPTION, WEIGHTS, describe, load, save

ARCHITECTURE = {"_target_": "pipeline.model.small_inception.SmallInception", "num_classes": 2}


def saved(folder: Path) -> Path:
    """A small network, saved."""
    module = freeze(build(ARCHITECTURE))
    preprocessing = PreprocessingSettings(resize=64, crop=64, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    save(folder / "model", Network("small", module, ("a", "b"), preprocessing, {}), ARCHITECTURE, {})
    return folder / "model"


def test_any_changed_letter_of_the_description_is_one_line(tmp_path: Path) -> None:
    """A description with one other letter in a name or a value, and so still JSON, is not taken for the written one."""
    path = saved(tmp_path) / DESCRIPTION
    content = path.read_text()
    assert describe(path.parent)["name"] == "small"
    for old, new in (('"preprocessing"', '"prafprocessing"'), ('"small"', '"smell"'), ("0.25", "0.35")):
        assert old in content
        path.write_text(content.replace(old, new, 1))
        with pytest.raises(ArtifactError, match="run the stage prepare again") as told:
            describe(path.parent)
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("damage", ["removed", "truncated", "flipped"])
def test_damaged_weights_are_one_line(damage: str, tmp_path: Path) -> None:
    """Weights load as they were saved; missing, cut off or with one bit changed they are an ArtifactError."""
    assert load(saved(tmp_path)).classes == ("a", "b")
    weights = tmp_path / "model" / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    if damage == "removed":
        weights.unlink()
    else:
        weights.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    with pytest.raises(ArtifactError, match="run the stage prepare again") as told:
        load(weights.parent)
    assert "\n" not in str(told.value)
