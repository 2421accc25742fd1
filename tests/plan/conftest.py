"""Known sizes and rates, for sums that can be done by hand."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.params import Params, parse_params
from pipeline.plan.given import Drawing, Given, Rates, Sizes

ROOT = Path(__file__).parents[2]


@cache
def composed(*overrides: str) -> Params:
    """The shipped configuration with overrides."""
    return parse_params(OmegaConf.to_container(compose_config(ROOT, list(overrides))))


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

    def make(given: Given | None = None, **changed: Any) -> Rates:
        drawing = {"mixed3b": Drawing(0.001, 0.1, 10**6), "mixed4a": Drawing(0.002, 0.0, 10**6)}
        plain: dict[str, Any] = {
            "decoded": 100.0,
            "listed": 50.0,
            "evaluated": 200.0,
            "passed": 20.0,
            "summed": 1e6,
            "encoded": 1e6,
            "drawing": drawing,
            "memory": 10**9,
            "pass_bytes": 10**8,
        }
        return Rates(**{**plain, **changed}, given=given or Given())

    return make
