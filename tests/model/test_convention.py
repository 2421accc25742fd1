"""How networks take images is found by running them; errors of their own code are told as such."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import ModelError
from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.model.build import build, freeze
from pipeline.model.convention import RGB, Convention, adapt, convention_of, find_convention, logits_of, noise
from pipeline.model.description import DESCRIPTION
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network, load_network, save_network
from tests import odd_networks
from tests.odd_networks import SIDE

CONTIGUOUS = Convention(channels_last=False)
CONVENTIONS = {
    "Plain": RGB,
    "NamedLogits": RGB,
    "Lazy": RGB,
    "half": RGB,
    "double": RGB,
    "ViewOfMap": CONTIGUOUS,
    "StridedMap": CONTIGUOUS,
    "ViewInBackward": CONTIGUOUS,
    "Gray": Convention(channels_last=False, channels=1),
    "FlatGray": Convention(channels_last=False, channels=1),
    "Keyed": Convention(key="image"),
    "KeyedByPop": Convention(key="pixel_values"),
}
LUMA = (0.299, 0.587, 0.114)


def architecture(name: str) -> dict[str, object]:
    """Configuration of one of the odd networks."""
    return {"_target_": f"tests.odd_networks.{name}"}


def own_logits(module: nn.Module, convention: Convention, images: Tensor) -> Tensor:
    """The network's logits, called by hand as it wants to be called."""
    if convention.channels == 1:
        images = sum(weight * images[:, channel : channel + 1] for channel, weight in enumerate(LUMA))  # type: ignore[assignment]  # a sum starts at the integer 0
    given = images.contiguous() if convention.key is None else {convention.key: images.contiguous()}
    answer = module(given)
    logits: Tensor = answer["logits"] if isinstance(answer, dict) else answer
    return logits


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_network_is_called_as_it_wants_to_be(name: str, tmp_path: Path) -> None:
    """Saved and loaded, and rendered with its logits, a network gives the logits of a call by hand in its own way."""
    module = build(architecture(name))
    convention = find_convention(module, SIDE)
    assert convention == CONVENTIONS[name]
    freeze(module)
    images = noise(SIDE, 3).contiguous(memory_format=torch.channels_last)
    expected = own_logits(module, convention, images)
    adapt(module, convention)
    preprocessing = PreprocessingSettings(crop=SIDE, mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0))
    network = Network("odd", module, tuple("abcde"), preprocessing, discover_layers(module, SIDE))
    save_network(tmp_path / "model", network, architecture(name), {})
    loaded = load_network(tmp_path / "model")
    assert loaded.convention == convention
    assert ("convention" in (tmp_path / "model" / DESCRIPTION).read_text()) == (convention != RGB)
    torch.testing.assert_close(loaded.module(images), expected, rtol=1e-4, atol=1e-6)
    features = FeatureExtractor(loaded, ["first", LOGITS], (SIDE, SIDE), "float32")((images + 0.5).requires_grad_())
    torch.testing.assert_close(features[LOGITS], expected, rtol=1e-4, atol=1e-5)
    features["first"].sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped


def test_a_network_that_reads_memory_is_wrong_without_its_convention() -> None:
    """Without a word, the strided network answers otherwise to images with contiguous channels."""
    module = freeze(odd_networks.StridedMap())
    images = noise(SIDE)
    wrong = module(images.contiguous(memory_format=torch.channels_last))
    assert (wrong - module(images)).abs().max() > 1e-3


def test_a_network_and_its_random_numbers_stay_as_they_were() -> None:
    """The search changes neither the network's mode and weights nor the global random numbers."""
    module = odd_networks.AlwaysDropout().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    find_convention(module, SIDE)
    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)
    assert all(part.training for part in module.modules())
    torch.testing.assert_close(module.state_dict(), before, rtol=0, atol=0)
    assert convention_of(module) == RGB


def test_lazy_weights_follow_the_seed() -> None:
    """Weights that are made by the first images are the same for the same seed and others for another."""
    found = []
    for seed in (0, 0, 1):
        module = build(architecture("Lazy"))
        find_convention(module, SIDE, seed)
        found.append(module.state_dict()["head.weight"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    ("name", "line", "exception"),
    [
        ("WrongHead", "self.head(grid.mean((2, 3))[:, :4])", "RuntimeError in head (Linear)"),
        ("MissingEntry", 'no_bias["bias"]', "KeyError in the network (MissingEntry)"),
        ("BareAssertion", "assert grid.shape[1] == 7", "AssertionError in the network (BareAssertion)"),
    ],
)
def test_an_error_of_the_code_is_told_as_such(name: str, line: str, exception: str) -> None:
    """The exception, the module and the line in the user's file are told; the size of the images is not blamed."""
    with pytest.raises(ModelError) as caught:
        find_convention(build(architecture(name)), SIDE)
    text = str(caught.value)
    source = Path(odd_networks.__file__).read_text().splitlines()
    number = next(number for number, code in enumerate(source, 1) if line in code)
    assert f"found {exception} at tests/odd_networks.py:{number}: " in text
    assert "crop" not in text
    assert "\n" not in text


@pytest.mark.parametrize("name", ["ViewOfMap", "FlatGray"])
def test_a_size_is_blamed_only_where_another_works(name: str) -> None:
    """A network with a fixed input size names the size that works."""
    with pytest.raises(ModelError, match=rf"preprocessing\.crop: .*such as {SIDE}, found 40 pixels: RuntimeError"):
        find_convention(build(architecture(name)), 40)


def test_a_network_that_needs_more_than_images_is_refused() -> None:
    """The keys that the network asks for are listed."""
    with pytest.raises(ModelError, match="takes a mapping with image, mask; wrap it"):
        find_convention(build(architecture("TwoKeys")), SIDE)


def test_logits_are_recognized_only_where_they_are_clear() -> None:
    """The tensor named logits, or the only row for each image; of two rows none is taken."""
    rows, grid = torch.zeros(2, 5), torch.zeros(2, 3, 4, 4)
    assert logits_of({"hidden": rows + 1, "logits": rows}) is rows
    assert logits_of((grid, rows)) is rows
    assert logits_of((rows, rows)) == (rows, rows)
    assert logits_of({"out": grid}) == {"out": grid}


def test_a_message_of_the_code_is_cut_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of thousands of characters keeps the line within bounds, with the exception and the line first."""

    def fail(_self: nn.Module, _grid: Tensor) -> Tensor:
        raise ValueError("many words " * 1000)

    monkeypatch.setattr(odd_networks.Plain, "finish", fail)
    with pytest.raises(ModelError) as caught:
        find_convention(odd_networks.Plain(), SIDE)
    assert re.search(r"found ValueError in the network \(Plain\) at \S+:\d+: many words", str(caught.value))
    assert len(str(caught.value)) < 1000
