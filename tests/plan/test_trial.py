"""The trial before a run refuses networks that a stage would fail on, and no others."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import ModelError
from pipeline.model.build import build, freeze
from pipeline.model.convention import adapt, find_convention
from pipeline.model.discovery import discover_layers
from pipeline.model.interventions import intervened_logits
from pipeline.model.network import Network
from pipeline.plan.trial import check_image_gradient, check_repeatable, check_training
from tests.odd_networks import SIDE


def adapted(name: str) -> Any:
    """One of the odd networks, adapted."""
    module = build({"_target_": f"tests.odd_networks.{name}"})
    return adapt(module, find_convention(module, SIDE))


def network(name: str) -> Network:
    """The same, frozen."""
    module = freeze(adapted(name))
    layers = discover_layers(module, SIDE)
    return Network("odd", module, tuple("abcde"), PreprocessingSettings(crop=SIDE), layers)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("AlwaysDropout", "in every pass, found random numbers of bernoulli at tests/odd_networks.py:"),
        ("AlwaysNoise", "in every pass, found random numbers of randn_like at tests/odd_networks.py:"),
        ("Counting", "in every pass, found another one without any random numbers"),
        (
            "BatchStatistics",
            "the rest of its batch, found one that does, first seen in the output of norm (BatchNorm2d)",
        ),
        ("LessBatchMean", "the rest of its batch, found one that does, first seen in the output of head (Linear)"),
    ],
)
def test_an_answer_that_changes_is_refused(name: str, found: str) -> None:
    """Another answer in the next pass, or beside another image, names the operation or the module."""
    with pytest.raises(ModelError) as caught:
        check_repeatable(freeze(adapted(name)), SIDE)
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["Plain", "RecurrentHead", "Gray", "NamedLogits", "WeightNorm"])
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_other_answers_are_not(name: str) -> None:
    """Networks that are only unusual pass, whatever rounding differs between one image and two."""
    check_repeatable(freeze(adapted(name)), SIDE)
    check_image_gradient(network(name), ("first",))


@pytest.mark.parametrize(
    ("name", "operation"),
    [("NoGradFirst", "conv2d at {}, within torch.no_grad"), ("DataFirst", "torch.Tensor.data.__get__ at {}")],
)
def test_a_gradient_that_does_not_reach_the_image_is_refused(name: str, operation: str) -> None:
    """Icons cannot be rendered; the layer, the operation and its line are named."""
    with pytest.raises(ModelError) as caught:
        check_image_gradient(network(name), ("first",))
    before, after = operation.split("{}")
    assert "gradient of first with respect to the image, which icons are rendered by, found none: " in str(caught.value)
    assert f"{before}tests/odd_networks.py:" in str(caught.value)
    assert f"{after}; let gradients pass" in str(caught.value)


@pytest.mark.parametrize("name", ["Plain", "AuxiliaryInTraining", "Lazy", "double", "AlwaysDropout"])
def test_networks_that_can_be_trained_pass(name: str) -> None:
    """Among them one that returns the logits of two heads in training."""
    check_training(lambda: adapted(name), SIDE, 0)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("InPlaceProduct", "RuntimeError: one of the variables needed for gradient computation has been modified"),
        ("Numpy", "RuntimeError in the network (Numpy) at tests/odd_networks.py:"),
    ],
)
def test_a_training_that_fails_is_refused(name: str, found: str) -> None:
    """The exception of the pass is told before the run."""
    with pytest.raises(ModelError, match=r"model\.weights: expected a network that can be trained") as caught:
        check_training(lambda: adapted(name), SIDE, 0)
    assert found in str(caught.value)


@pytest.mark.parametrize("name", ["Plain", "InPlaceSum", "FilledBuffer", "RecurrentHead", "BackwardOnly"])
def test_interventions_need_no_vectorized_operation(name: str) -> None:
    """Several interventions at once give the logits of each by itself, where an operation cannot be vectorized too."""
    subject = network(name)
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    positions, keep = torch.tensor([[3, 4], [8, 8]]), torch.tensor([1.0, 0.0, 2.0])
    layer = "short"

    def logits(keep: Tensor) -> Tensor:
        return intervened_logits(subject, layer, images, positions, keep, torch.zeros(len(keep), 2, 6), relative=False)

    together = logits(keep)
    torch.testing.assert_close(together[0], subject.module(images), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(together, torch.cat([logits(one[None]) for one in keep]), rtol=1e-4, atol=1e-6)
    assert (together[1] - together[0]).abs().max() > 1e-6


@pytest.mark.parametrize("name", ["WeightNorm", "SpectralNorm", "Locked", "Plain"])
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_no_copy_fails_where_building_again_works(name: str) -> None:
    """Copies give the same logits, with weights of their own or the very same; what cannot be copied is built again."""
    subject = replace(network(name), rebuild=lambda: freeze(adapted(name)))
    module: Any = subject.module
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        module.head.weight.add_(1)  # other weights than those of a network built again
    own: Any = subject.copy()
    shared: Any = subject.weight_sharing_copy().module
    for copy in (own, shared):
        torch.testing.assert_close(copy(images), module(images), rtol=0, atol=0)
        assert copy.head is not module.head
    assert own.head.weight is not module.head.weight
    assert shared.head.weight is module.head.weight
    if name == "Locked":
        with pytest.raises(ModelError, match=r"expected a network that can be copied, found TypeError.*lock"):
            replace(subject, rebuild=None).copy()


@pytest.mark.parametrize("name", ["WeightNorm", "SpectralNorm"])
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_weights_that_a_hook_computes_are_those_of_the_loaded_parameters(name: str) -> None:
    """A frozen network has the weight of its loaded parameters before any pass; a pass changes nothing."""
    module = adapted(name)
    state = {key: 2 * value if key.endswith(("_g", "_orig")) else value for key, value in module.state_dict().items()}
    before = module.first.weight.detach().clone()
    module.load_state_dict(state)
    freeze(module)
    weight = module.first.weight.clone()
    module(torch.rand(2, 3, SIDE, SIDE))
    torch.testing.assert_close(weight, module.first.weight, rtol=0, atol=0)
    assert not weight.requires_grad
    assert name == "SpectralNorm" or not torch.allclose(weight, before)
