from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.stages import STAGES, Task

ROOT = Path(__file__).parents[1]


def settings(stage: str, atlas: str, *overrides: str) -> dict[str, Any]:
    """The settings in the attributes of this stage's and atlas's artifact."""
    composed = compose_config(ROOT, ["classes=[fireboat]", *overrides])
    return Task(
        STAGES[stage], parse_params(OmegaConf.to_container(composed)), Path("outputs"), "late", atlas
    ).settings()


@pytest.mark.parametrize(
    ("stage", "override", "changed"),
    [
        ("reduce", "selection.top=7", {"class-1"}),
        ("reduce", "reduce.neighbors=7", {"all", "class-1"}),
        ("grid", "grid.class_levels=[3,6]", {"class-1"}),
        ("grid", "grid.levels=[3,6]", {"all"}),
        ("grid", "grid.min_count=7", {"all", "class-1"}),
    ],
)
def test_an_atlas_keeps_its_own_settings_alone(stage: str, override: str, changed: set[str]) -> None:
    """Settings of class atlases leave artifacts of the atlas of all samples unchanged, so no icon is rendered again."""
    found = {atlas for atlas in ("all", "class-1") if settings(stage, atlas) != settings(stage, atlas, override)}
    assert found == changed
