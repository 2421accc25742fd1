"""Known sizes and rates, for sums that can be done by hand."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.plan.inputs import GivenRates, IconCost, Rates, Sizes

ROOT = Path(__file__).parents[2]
LEVELS = ("grid.levels=[10,20,40]", "grid.min_count=5")  # whatever the number of samples


@cache
def composed(*overrides: str) -> Params:
    """The shipped configuration with overrides."""
    return parse_params(OmegaConf.to_container(compose_config(ROOT, [*LEVELS, *overrides])))


@pytest.fixture
def sizes() -> Callable[..., Sizes]:
    """Makes sizes: 1,000 images, 5 classes, layers of 10 and 20 channels, half of the cells reached."""

    def make(*overrides: str, **changed: Any) -> Sizes:
        layers = {"mixed3b": 10, "mixed4a": 20}
        plain: dict[str, Any] = {"images": 1000, "classes": 5, "channels": layers, "fill": 0.5, "crop": 64}
        return Sizes(composed(*overrides), **{**plain, **changed})

    return make


@pytest.fixture
def rates() -> Callable[..., Rates]:
    """Makes rates of round numbers."""

    def make(given: GivenRates | None = None, **changed: Any) -> Rates:
        icons = {"mixed3b": IconCost(0.001, 0.1, 10**6), "mixed4a": IconCost(0.002, 0.0, 10**6)}
        plain: dict[str, Any] = {
            "decode": 100.0,
            "digest": 50.0,
            "forward": 200.0,
            "sample": 20.0,
            "sum": 1e6,
            "encode": 1e6,
            "icons": icons,
            "memory": 10**9,
            "batch_bytes": 10**8,
        }
        return Rates(**{**plain, **changed}, given=given or GivenRates())

    return make
