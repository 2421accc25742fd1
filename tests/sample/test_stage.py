from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image

from pipeline.compose import compose_config
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, MODEL
from pipeline.core.errors import DataError, ModelError
from pipeline.core.store import array, open_artifact
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.model.build import build, freeze
from pipeline.model.config import PreprocessingSettings
from pipeline.model.describe import describe_layers
from pipeline.model.layers import find
from pipeline.model.network import Network
from pipeline.model.preprocessing import network_crop, to_tensor
from pipeline.model.saved import save
from pipeline.params import Params, parse_params
from pipeline.sample import stage
from pipeline.stages import STAGES, Task

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"_target_": "torchvision.models.squeezenet1_1", "num_classes": 4}
PREPROCESSING = PreprocessingSettings(resize=72, crop=64)
LAYERS = ("features.4", "features.12")


def photographs(folder: Path) -> NDArray[np.uint8]:
    """Seven small pictures of noise, saved below ``folder``."""
    pixels = np.random.default_rng(0).integers(0, 256, (7, 80, 90, 3), np.uint8)
    folder.mkdir()
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return pixels


def params(folder: Path, **sample: Any) -> Params:
    """The default configuration on these pictures, with settings of the stage changed."""
    overrides = ["images=image_folder", f"images.root={folder}", f"layers=[{','.join(LAYERS)}]"]
    config = compose_config(ROOT, [*overrides, *(f"sample.{key}={value}" for key, value in sample.items())])
    return parse_params(OmegaConf.to_container(config))


def prepared(tmp_path: Path, module: torch.nn.Module | None = None) -> Path:
    """A folder of pictures and, beside it, what the stage ``prepare`` would have written of them."""
    photographs(tmp_path / "images")
    entries = ImageFolder(str(tmp_path / "images"))
    keys = tuple(entry.key for entry in entries.entries())
    unlabelled, numbers = np.full(7, -1), np.arange(7)
    digests = tuple(entries.digest(key) for key in keys)
    manifest = Manifest(numbers, keys, unlabelled, unlabelled, np.full(7, 90), np.full(7, 80), digests)
    write_manifest(IMAGES.path(tmp_path / "outputs"), manifest, {}, {})
    module = module or freeze(build(ARCHITECTURE))
    network = Network("n", module, ("a", "b", "c", "d"), PREPROCESSING, describe_layers(module, 64))
    save(MODEL.path(tmp_path / "outputs"), network, ARCHITECTURE, {})
    return tmp_path


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
    rows = sampled(folder, positions_per_image=3, batch_size=4)
    module = freeze(build(ARCHITECTURE))
    for layer, arrays in rows.items():
        assert arrays["activation"].shape[0] == 7 * 3
        np.testing.assert_array_equal(arrays["image"], np.repeat(np.arange(7), 3))
        for row in range(21):
            outputs: list[torch.Tensor] = []
            handle = find(module, layer).register_forward_hook(lambda _m, _i, out, to=outputs: to.append(out))
            crop = network_crop(Image.open(folder / "images" / f"{arrays['image'][row]}.png"), PREPROCESSING)
            module(to_tensor(crop, PREPROCESSING)[None])
            handle.remove()
            y, x = arrays["position"][row]
            assert 0 < y < outputs[0].shape[2] - 1
            np.testing.assert_allclose(arrays["activation"][row], outputs[0][0, :, y, x], rtol=1e-4, atol=1e-5)


def test_rows_mean_the_same_place_at_every_layer(folder: Path) -> None:
    """Row s of one layer lies within one coarse position of row s of another."""
    rows = sampled(folder, positions_per_image=3)
    shapes = describe_layers(freeze(build(ARCHITECTURE)), 64)
    relative = [(rows[layer]["position"] + 0.5) / shapes[layer].height for layer in LAYERS]
    assert np.abs(relative[0] - relative[1]).max() < 2 / min(shapes[layer].height for layer in LAYERS)


@pytest.mark.parametrize("change", [{"batch_size": 2}, {"batch_size": 7}])
def test_results_do_not_depend_on_the_batch(folder: Path, change: dict[str, int]) -> None:
    """Another batch size changes no position and no activation beyond rounding."""
    expected, found = sampled(folder, positions_per_image=2), sampled(folder, positions_per_image=2, **change)
    for layer in LAYERS:
        np.testing.assert_array_equal(found[layer]["position"], expected[layer]["position"])
        for name in ("activation", "attribution"):
            np.testing.assert_allclose(found[layer][name], expected[layer][name], rtol=1e-3, atol=1e-5)


def test_the_same_run_gives_the_same_bytes(folder: Path) -> None:
    """Two runs of the stage agree to the last bit."""
    one, two = sampled(folder, positions_per_image=2), sampled(folder, positions_per_image=2)
    for layer in LAYERS:
        for name, values in one[layer].items():
            np.testing.assert_array_equal(values, two[layer][name])


def test_attributions_can_be_left_out(folder: Path) -> None:
    """Without attributions the array is not there, and activations are the same."""
    expected = sampled(folder, positions_per_image=2)
    found = sampled(folder, positions_per_image=2, attribution="false")
    for layer in LAYERS:
        assert "attribution" not in found[layer]
        np.testing.assert_allclose(found[layer]["activation"], expected[layer]["activation"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("value", "word"), [(0.0, "zeros only"), (float("nan"), "not finite|that are not")])
def test_a_layer_without_numbers_leaves_no_artifact(tmp_path: Path, value: float, word: str) -> None:
    """Zeros everywhere and values that are not finite raise the named error, and nothing half-written stays."""
    module = freeze(build(ARCHITECTURE))
    for parameter in find(module, "features.12").parameters():
        parameter.data.fill_(value)
    prepared(tmp_path, module)
    with pytest.raises(DataError, match=word):
        sampled(tmp_path, positions_per_image=2)
    assert not list((tmp_path / "outputs").glob("activations/*.zarr"))


def test_an_unknown_layer_is_named(folder: Path) -> None:
    """A layer that the saved network does not have is answered with near names."""
    config = compose_config(ROOT, ["images=image_folder", f"images.root={folder / 'images'}", "layers=[features.99]"])
    task = Task(STAGES["sample"], parse_params(OmegaConf.to_container(config)), folder / "outputs")
    with pytest.raises(ModelError, match=r"features\.99.*features\.9"):
        stage.run(task)
