"""The saved network, its errors where it is damaged, and its weight-sharing copy."""

from pathlib import Path

import pytest
import torch

from pipeline.config.model import PreprocessingSettings
from pipeline.core.artifacts import MODEL
from pipeline.core.errors import ArtifactError
from pipeline.model.build import build, freeze, in_place_modules
from pipeline.model.description import DESCRIPTION, WEIGHTS, read_description
from pipeline.model.discovery import discover_layers
from pipeline.model.layers import run_to_all
from pipeline.model.network import Network, load_network, save_network
from tests.conftest import SmallCnn

# the modules after the first and the third work in place on their outputs
LAYERS = ("first", "first_relu", "second", "second_relu")
SMALL_CNN = {"_target_": "tests.conftest.SmallCnn"}
SMALL_INCEPTION = {"_target_": "pipeline.model.small_inception.SmallInception", "num_classes": 2}
SQUEEZENET = {"_target_": "torchvision.models.squeezenet1_1"}


def test_a_saved_network_answers_as_before(tmp_path: Path) -> None:
    """A network saved and loaded gives the same logits, classes and layers; another version is refused."""
    module, preprocessing = freeze(build(SQUEEZENET, 3)), PreprocessingSettings(crop=32)
    network = Network("n", module, ("a", "b", "c"), preprocessing, discover_layers(module, 32))
    save_network(tmp_path / "model", network, SQUEEZENET, {})
    found = load_network(tmp_path / "model")
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.module(images), module(images), rtol=0, atol=0)
    assert (found.classes, found.layers, found.preprocessing) == (network.classes, network.layers, preprocessing)
    description = tmp_path / "model" / DESCRIPTION
    description.write_text(
        description.read_text().replace(f'"artifact_version": {MODEL.version}', '"artifact_version": 0')
    )
    with pytest.raises(ArtifactError, match=f"expected model version {MODEL.version}, found 0"):
        load_network(tmp_path / "model")


def saved_model(folder: Path) -> Path:
    """A small network, saved."""
    module = freeze(build(SMALL_INCEPTION))
    preprocessing = PreprocessingSettings(resize=64, crop=64, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    save_network(folder / "model", Network("small", module, ("a", "b"), preprocessing, {}), SMALL_INCEPTION, {})
    return folder / "model"


def test_any_changed_letter_of_the_description_is_one_line(tmp_path: Path) -> None:
    """A description with one other letter in a name or a value, and so still JSON, is not taken for the written one."""
    path = saved_model(tmp_path) / DESCRIPTION
    content = path.read_text()
    assert read_description(path.parent)["name"] == "small"
    for old, new in (('"preprocessing"', '"prafprocessing"'), ('"small"', '"smell"'), ("0.25", "0.35")):
        assert old in content
        path.write_text(content.replace(old, new, 1))
        with pytest.raises(ArtifactError, match="run the stage prepare again") as caught:
            read_description(path.parent)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["removed", "truncated", "flipped"])
def test_damaged_weights_are_one_line(damage: str, tmp_path: Path) -> None:
    """Weights load as they were saved; missing, cut off or with one bit changed they are an ArtifactError."""
    assert load_network(saved_model(tmp_path)).classes == ("a", "b")
    weights = tmp_path / "model" / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    if damage == "removed":
        weights.unlink()
    else:
        weights.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    with pytest.raises(ArtifactError, match="run the stage prepare again") as caught:
        load_network(weights.parent)
    assert "\n" not in str(caught.value)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A network that was built to work in place, saved and loaded as stages do."""
    module = freeze(SmallCnn())
    preprocessing = PreprocessingSettings(resize=32, crop=32)
    save_network(
        tmp_path / "model",
        Network("n", module, tuple("abcde"), preprocessing, discover_layers(module, 32)),
        SMALL_CNN,
        {},
    )
    return load_network(tmp_path / "model")


def test_in_place_modules_are_remembered(network: Network) -> None:
    """A loaded network works in place nowhere and lists the modules that did; in its copy they do so again."""
    assert network.in_place == ("first_relu", "second_relu") == in_place_modules(build(SMALL_CNN))
    assert in_place_modules(network.module) == ()
    assert in_place_modules(network.weight_sharing_copy().module) == network.in_place
    assert in_place_modules(network.module) == ()


def test_a_copy_shares_weights_and_no_module(network: Network) -> None:
    """The very same weights, but no module in common: a hook on one is not seen by the other."""
    other = network.weight_sharing_copy()
    own, copied = network.module.state_dict(keep_vars=True), other.module.state_dict(keep_vars=True)
    assert own.keys() == copied.keys()
    assert all(own[name] is copied[name] for name in own)
    assert not {id(part) for part in network.module.modules()} & {id(part) for part in other.module.modules()}


def test_a_copy_gives_the_same_numbers(network: Network) -> None:
    """Every layer's output is the same to the last bit, also where a later module overwrites it; the input stays."""
    images = torch.randn(3, 3, 32, 32, generator=torch.manual_seed(0))
    before = images.clone()
    with torch.no_grad():
        plain, copied = (run_to_all(one.module, LAYERS, images) for one in (network, network.weight_sharing_copy()))
    for layer in LAYERS:
        torch.testing.assert_close(copied[layer], plain[layer], rtol=0, atol=0)
    assert plain["second"].min() < 0  # so that an overwritten output would show
    torch.testing.assert_close(images, before, rtol=0, atol=0)
