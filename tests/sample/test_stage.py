import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.errors import DataError, ModelError
from pipeline.core.zarr_store import array, open_artifact
from pipeline.images.crops import network_crop
from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.inputs import to_tensor
from pipeline.model.layers import get_layer
from pipeline.parallel.process import torch_threads
from pipeline.sample import stage
from pipeline.stages import STAGES, Task
from tests.sample.small_run import ARCHITECTURE, LAYERS, PREPROCESSING, ROOT, params, prepared


def sampled(folder: Path, **settings: Any) -> dict[str, dict[str, NDArray[Any]]]:
    """Run the stage and read back every array of every layer."""
    task = Task(STAGES["sample"], params(folder / "images", **settings), folder / "outputs")
    stage.run(task)
    groups = {layer: open_artifact(ACTIVATIONS, task.path(ACTIVATIONS, layer)) for layer in LAYERS}
    return {layer: {name: np.asarray(array(group, name)[:]) for name in group} for layer, group in groups.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One prepared run for the tests of this file."""
    return prepared(tmp_path_factory.mktemp("run"))


def test_activations_are_those_of_a_plain_hook(folder: Path) -> None:
    """Every stored row is the layer's output for its image at its recorded position, border left out."""
    rows = sampled(folder, positions_per_image=3, batch_size=4, storage="float32")
    module = freeze(build(ARCHITECTURE))
    for layer, arrays in rows.items():
        assert arrays["activation"].shape[0] == 7 * 3
        np.testing.assert_array_equal(arrays["image"], np.repeat(np.arange(7), 3))
        for row in range(21):
            outputs: list[torch.Tensor] = []
            handle = get_layer(module, layer).register_forward_hook(lambda _m, _i, out, to=outputs: to.append(out))
            crop = network_crop(Image.open(folder / "images" / f"{arrays['image'][row]}.png"), PREPROCESSING)
            module(to_tensor(crop, PREPROCESSING)[None])
            handle.remove()
            y, x = arrays["position"][row]
            assert 0 < y < outputs[0].shape[2] - 1
            np.testing.assert_allclose(arrays["activation"][row], outputs[0][0, :, y, x], rtol=1e-4, atol=1e-5)


def test_predictions_are_those_of_a_plain_pass(folder: Path) -> None:
    """Every row has the class of the largest logit of its image, the same at every layer; none without attributions."""
    found = sampled(folder, positions_per_image=3, batch_size=4)
    module = freeze(build(ARCHITECTURE))
    crops = [network_crop(Image.open(folder / "images" / f"{image}.png"), PREPROCESSING) for image in range(7)]
    logits = module(torch.stack([to_tensor(crop, PREPROCESSING) for crop in crops]))
    for arrays in found.values():
        np.testing.assert_array_equal(arrays["prediction"], logits.argmax(1).numpy()[arrays["image"]])
    bare = sampled(folder, positions_per_image=3, batch_size=4, attribution="false")
    assert not any("prediction" in arrays for arrays in bare.values())


def test_rows_mean_the_same_place_at_every_layer(folder: Path) -> None:
    """Row s of one layer lies within one coarse position of row s of another."""
    rows = sampled(folder, positions_per_image=3)
    shapes = discover_layers(freeze(build(ARCHITECTURE)), 64)
    relative = [(rows[layer]["position"] + 0.5) / shapes[layer].height for layer in LAYERS]
    assert np.abs(relative[0] - relative[1]).max() < 2 / min(shapes[layer].height for layer in LAYERS)


@pytest.mark.parametrize("change", [{"batch_size": 2}, {"batch_size": 7}])
def test_results_do_not_depend_on_the_batch(folder: Path, change: dict[str, Any]) -> None:
    """Another batch size changes no position and no activation beyond rounding."""
    settings: dict[str, Any] = {"positions_per_image": 2, "storage": "float32"}
    expected, found = sampled(folder, **settings), sampled(folder, **settings, **change)
    for layer in LAYERS:
        np.testing.assert_array_equal(found[layer]["position"], expected[layer]["position"])
        for name in ("activation", "attribution"):
            np.testing.assert_allclose(found[layer][name], expected[layer][name], rtol=1e-3, atol=1e-5)


def test_the_same_run_gives_the_same_bytes(folder: Path) -> None:
    """Two runs of the stage agree to the last bit."""
    one = sampled(folder, positions_per_image=2)
    shutil.rmtree(folder / "outputs" / "activations")
    two = sampled(folder, positions_per_image=2)
    for layer in LAYERS:
        for name, values in one[layer].items():
            np.testing.assert_array_equal(values, two[layer][name])


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch has one thread while the test runs."""
    with torch_threads(1):
        yield


@pytest.mark.usefixtures("one_thread")  # without attributions a batch has one whatever there are
def test_attributions_can_be_left_out(folder: Path) -> None:
    """Without attributions the array is not there, and activations are the same."""
    expected = sampled(folder, positions_per_image=2, storage="float32")
    found = sampled(folder, positions_per_image=2, storage="float32", attribution="false")
    for layer in LAYERS:
        assert "attribution" not in found[layer]
        np.testing.assert_allclose(found[layer]["activation"], expected[layer]["activation"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("value", "word"), [(0.0, "zeros only"), (float("nan"), "not finite|that are not")])
def test_a_layer_without_numbers_leaves_no_artifact(tmp_path: Path, value: float, word: str) -> None:
    """Zeros everywhere and values that are not finite raise the named error, and nothing half-written stays."""
    module = freeze(build(ARCHITECTURE))
    for parameter in get_layer(module, "features.12").parameters():
        parameter.data.fill_(value)
    prepared(tmp_path, module)
    with pytest.raises(DataError, match=word):
        sampled(tmp_path, positions_per_image=2)
    assert not list((tmp_path / "outputs").glob("activations/*.zarr"))


def test_half_precision_moves_no_number_by_more_than_it_may(folder: Path) -> None:
    """Stored in 16 bits, a number is within 2^-11 of itself, or 2^-25 where it is tiny; in 32 bits it is itself."""
    exact, half = sampled(folder, storage="float32"), sampled(folder)
    for layer in LAYERS:
        for name in ("activation", "attribution"):
            error = np.abs(half[layer][name] - exact[layer][name])
            assert (error <= np.maximum(2.0**-11 * np.abs(exact[layer][name]), 2.0**-25)).all()
            assert error.any()
        for name in ("image", "position"):
            np.testing.assert_array_equal(half[layer][name], exact[layer][name])


def test_a_value_too_large_for_half_precision_is_refused(tmp_path: Path) -> None:
    """It is named with its layer and the way out, which then works; nothing is cut off in silence."""
    module = freeze(build(ARCHITECTURE))
    for parameter in get_layer(module, "features.12").parameters():
        parameter.data *= 3e3
    prepared(tmp_path, module)
    with pytest.raises(
        DataError, match=r"features\.12: expected activations of at most 65504.*sample\.storage=float32"
    ):
        sampled(tmp_path, positions_per_image=2, attribution="false")
    found = sampled(tmp_path, positions_per_image=2, attribution="false", storage="float32")
    assert found["features.12"]["activation"].max() > 65504


def test_an_unknown_layer_is_named(folder: Path) -> None:
    """A layer that the saved network does not have is answered with near names."""
    config = compose_config(ROOT, ["images=image_folder", f"images.root={folder / 'images'}", "layers=[features.99]"])
    task = Task(STAGES["sample"], parse_params(OmegaConf.to_container(config)), folder / "outputs")
    with pytest.raises(ModelError, match=r"features\.99.*features\.9"):
        stage.run(task)
