"""The layer that the page opens on."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import zarr
from browsing import Opener, ready
from playwright.sync_api import expect
from site_planting import LAYERS, LEVELS, Planted

from pipeline.core.artifacts import ICONS
from pipeline.core.errors import ConfigError
from pipeline.core.site_data import read_data_script
from pipeline.site.initial_layer import deepest_last, initial_layer, most_legible
from pipeline.stages import Task

NETWORK = ("features.1", *LAYERS, "features.9")  # in the order of the modules


def wanting(task: Task, layer: str | None, layers: tuple[str, ...] = LAYERS) -> Task:
    """The task with this setting, and its layers in this order."""
    site = task.params.site.model_copy(update={"initial_layer": layer})
    return Task(task.stage, task.params.model_copy(update={"site": site, "layers": layers}), task.outputs)


@pytest.fixture
def judged(planted: Planted, request: pytest.FixtureRequest) -> Any:
    """Marks levels of the planted icons as judged: by layer and size, the share that was recognized."""

    def mark(shares: Mapping[str, Mapping[int, float]]) -> None:
        for layer, found in shares.items():
            for size, share in found.items():
                level = zarr.open_group(planted.task.path(ICONS, layer, "all"), mode="r+")[str(size)]
                level.attrs["recognized"] = share
                request.addfinalizer(partial(level.attrs.__delitem__, "recognized"))

    return mark


def test_without_a_judge_the_deepest_layer_is_first(planted: Planted) -> None:
    """The last one in the order of the network, whatever the order of the settings."""
    for order in (LAYERS, LAYERS[::-1]):
        assert initial_layer(wanting(planted.task, None, order), NETWORK) == LAYERS[1]
    assert deepest_last(["c", "a", "b"], ["a", "b", "c"]) == ["a", "b", "c"]


@pytest.mark.parametrize(("first", "last"), [((0.9, 0.2), (0.1, 0.6)), ((0.1, 0.6), (0.9, 0.2)), ((0, 0.5), (1, 0.5))])
def test_the_most_legible_layer_is_first(
    planted: Planted, judged: Any, first: tuple[float, float], last: tuple[float, float]
) -> None:
    """The finest level that was judged at both layers decides; of equal layers the deeper one is first."""
    middle, finest = LEVELS[1:]
    shares = {LAYERS[0]: {10: first[0], middle: first[1], finest: 1.0}, LAYERS[1]: {10: last[0], middle: last[1]}}
    judged(shares)
    assert initial_layer(wanting(planted.task, None), NETWORK) == LAYERS[int(last[1] >= first[1])]


def test_a_layer_that_was_not_judged_decides_nothing(planted: Planted, judged: Any) -> None:
    """The deepest layer is first if one layer has no figure, or both have none of a common level."""
    judged({LAYERS[0]: {10: 1.0, 20: 1.0}})
    assert initial_layer(wanting(planted.task, None), NETWORK) == LAYERS[1]
    assert most_legible({"a": {10: 1.0}, "b": {20: 0.0}}, default="b") == "b"


def test_the_setting_wins(planted: Planted, judged: Any) -> None:
    """A layer of the run is taken as given; another one is refused with the layers to choose from."""
    judged({LAYERS[0]: {10: 0.0}, LAYERS[1]: {10: 1.0}})
    assert initial_layer(wanting(planted.task, LAYERS[0]), NETWORK) == LAYERS[0]
    with pytest.raises(ConfigError, match=r"site\.initial_layer: .*found features\.9; choose from features\.3, feat"):
        initial_layer(wanting(planted.task, "features.9"), NETWORK)


@pytest.mark.browser
def test_the_page_opens_on_the_initial_layer(opened: Opener, planted: Planted) -> None:
    """The planted run's page opens on its deepest layer and lists the layers as the settings do; a URL's layer wins."""
    assert read_data_script(planted.site / "data/manifest.js")["initial_layer"] == LAYERS[1]
    page = opened()
    ready(page, f"{LAYERS[1]}/all/20/")
    layers = page.locator("header input[value^='features']")
    assert layers.evaluate_all("inputs => inputs.map(({ value }) => value)") == list(LAYERS)
    expect(layers.nth(1)).to_be_checked()
    ready(opened(f"#layer={LAYERS[0]}"), f"{LAYERS[0]}/all/20/")
