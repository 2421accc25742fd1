"""Heat maps of networks whose explanations are known."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import (  # type: ignore[import-untyped]  # has no types
    GuidedBackprop,
    IntegratedGradients,
    Occlusion,
    Saliency,
)
from torch import Tensor, nn

from pipeline.config.explain import Baseline, ExplainSettings
from pipeline.core.errors import ModelError
from pipeline.core.layer_names import LOGITS
from pipeline.explain.class_activation import fitted_head, layer_gradient, leads_to, own_head
from pipeline.explain.fill import filled
from pipeline.explain.gradients import input_gradient, integrated_gradients
from pipeline.explain.heatmaps import Column, Explainer, columns, enlarge, is_constant
from pipeline.explain.occlusion import occlude, starts
from pipeline.explain.relu_rules import Rule, count_relus, ruled_gradient
from pipeline.explain.scores import Scores
from pipeline.model.layers import run_to
from tests.explain.small_networks import (
    PLAIN,
    RELU_TWINS,
    SIDE,
    ChannelsLast,
    Linear,
    MapOfClasses,
    NoPool,
    Pooled,
    PooledByModule,
    Smooth,
    Tokens,
    images,
    network,
)

UNITS = torch.tensor([2, 0])


def scores_of(module: nn.Module, layer: str = LOGITS) -> Scores:
    """Scores of a module's classes, or of the units of a layer."""
    return Scores(network(module), layer)


def logit(scores: Scores, units: Tensor = UNITS) -> "functools.partial[Tensor]":
    """The scores as a function of the inputs alone."""
    return functools.partial(scores, units=units)


def test_a_linear_network_is_explained_exactly() -> None:
    """Saliency is the largest |w|, integrated gradients in one step are w · (x − baseline), for any baseline."""
    scores, inputs = scores_of(Linear()), images()
    module: Any = scores.network.module
    weight = (
        module.fc.weight.reshape(3, 3, SIDE, SIDE)[UNITS].movedim(1, -1) @ module.same.weight[:, :, 0, 0]
    ).movedim(-1, 1)
    torch.testing.assert_close(input_gradient(logit(scores), inputs), weight)
    baseline = images(seed=5)
    found = integrated_gradients(logit(scores), inputs, baseline, steps=1)
    torch.testing.assert_close(found, weight * (inputs - baseline), atol=1e-6, rtol=1e-4)
    heat = Explainer(scores, ExplainSettings()).heatmaps([Column("saliency")], inputs, UNITS)[Column("saliency")]
    torch.testing.assert_close(heat, weight.abs().amax(1))


def test_occlusion_of_a_linear_network_is_the_sum_of_what_it_covers() -> None:
    """Squares side by side have Σ w · (x − fill) of their pixels; with the image itself as fill nothing changes."""
    scores, inputs = scores_of(Linear()), images()
    fill = filled(inputs, "gray", PLAIN)
    weighted = integrated_gradients(logit(scores), inputs, fill, 1).sum(1)
    found, probability = occlude(scores, inputs, UNITS, fill, size=0.25, stride=0.25, batch_size=3)
    squares = weighted.reshape(2, 4, 4, 4, 4).sum((2, 4))
    torch.testing.assert_close(found[:, ::4, ::4], squares, atol=1e-5, rtol=1e-4)
    assert (found[:, 1::4, 2::4] == found[:, ::4, ::4]).all()
    assert (probability.sign() == found.sign()).float().mean() > 0.5
    for one in occlude(scores, inputs, UNITS, inputs, size=0.3, stride=0.1, batch_size=16):
        assert one.abs().max() < 1e-5


def test_squares_cover_the_whole_side() -> None:
    """The last square ends at the border, also where the step does not divide the side."""
    for length, side, step in ((16, 4, 4), (16, 5, 3), (7, 7, 2), (10, 3, 10)):
        covered = {at + pixel for at in starts(length, side, step) for pixel in range(side)}
        if step <= side:
            assert covered == set(range(length))
        assert max(covered) == length - 1


@pytest.mark.parametrize("rule", ["guided", "deconvolution"])
def test_every_kind_of_relu_has_one_and_the_same_map(rule: Rule) -> None:
    """Modules, functions and operations in place give one gradient under a rule, which is not the plain one."""
    inputs = images()
    found = {name: ruled_gradient(logit(scores_of(make())), inputs, rule) for name, make in RELU_TWINS.items()}
    expected = found["a module each"]
    for name, one in found.items():
        torch.testing.assert_close(one, expected, msg=name)
    plain = input_gradient(logit(scores_of(Pooled())), inputs)
    assert (plain - expected).abs().max() > 0.05 * plain.abs().max()


def test_plain_gradients_stay_plain_after_a_rule() -> None:
    """A rule holds for one graph: the next gradient is the network's own again."""
    scores, inputs = scores_of(Pooled()), images()
    before = input_gradient(logit(scores), inputs)
    ruled_gradient(logit(scores), inputs, "guided")
    torch.testing.assert_close(input_gradient(logit(scores), inputs), before)


def test_a_network_without_relus_is_said_to_have_none() -> None:
    """Methods that need ReLUs are refused where they are named, and left out of all."""
    scores = scores_of(Smooth())
    assert count_relus(logit(scores), images()) == 0
    assert count_relus(logit(scores_of(Pooled())), images()) == 2
    left = columns(ExplainSettings(), ["second"], of_classes=True, relus=False)
    assert {one.method for one in left} & {"guided_backpropagation", "deconvolution", "guided_grad_cam"} == set()
    assert any(one.method == "saliency" for one in left)
    with pytest.raises(ModelError, match="expected a network with ReLUs for deconvolution, found none"):
        columns(ExplainSettings(methods=("deconvolution",)), [], of_classes=True, relus=False)


@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients", "ignore:Setting backward hooks")
def test_captum_agrees_where_it_is_exact() -> None:
    """Saliency, guided backpropagation with modules, integrated gradients and occlusion equal captum's."""
    scores, inputs = scores_of(RELU_TWINS["a module each"]()), images()
    module = scores.network.module
    torch.testing.assert_close(
        input_gradient(logit(scores), inputs).abs(), Saliency(module).attribute(inputs, target=UNITS)
    )
    guided = GuidedBackprop(module).attribute(inputs, target=UNITS)
    torch.testing.assert_close(ruled_gradient(logit(scores), inputs, "guided"), guided)
    integrated = IntegratedGradients(module).attribute(
        inputs, torch.zeros_like(inputs), target=UNITS, n_steps=16, method="riemann_middle"
    )
    own = integrated_gradients(logit(scores), inputs, torch.zeros_like(inputs), 16)
    torch.testing.assert_close(own, integrated.float(), atol=1e-6, rtol=1e-3)
    found, _ = occlude(scores, inputs, UNITS, torch.zeros_like(inputs), size=0.25, stride=0.125, batch_size=5)
    expected = Occlusion(module).attribute(inputs, (3, 4, 4), strides=(3, 2, 2), target=UNITS, baselines=0)
    torch.testing.assert_close(found, expected[:, 0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("baseline", ["mean", "gray", "black", "blur"])
def test_integrated_gradients_add_up_to_the_difference_of_the_scores(baseline: Baseline) -> None:
    """Their sum is F(x) − F(baseline), nearer with more steps."""
    scores, inputs = scores_of(Pooled()), 3 * images() - 1
    start = filled(inputs, baseline, PLAIN)
    difference = scores(inputs, UNITS) - scores(start, UNITS)
    error = [
        (integrated_gradients(logit(scores), inputs, start, steps).sum((1, 2, 3)) - difference).abs().max().item()
        for steps in (4, 256)
    ]
    assert error[1] < 0.01 * difference.abs().max().item() + 1e-4
    assert error[1] <= error[0] + 1e-6


@pytest.mark.parametrize(
    ("make", "layer"), [(Pooled, "relu:1"), (PooledByModule, "relu:1"), (ChannelsLast, "norm"), (Tokens, "mix")]
)
def test_grad_cam_equals_cam_where_the_mean_of_the_map_is_classified(make: type[Pooled], layer: str) -> None:
    """CAM = Grad-CAM × height × width, for maps, maps with the channels last and tokens; mean + bias = the logit."""
    scores, inputs = scores_of(make()), images()
    head = own_head(scores.network)
    found = layer_gradient(scores, layer, inputs, UNITS).grad_cam()
    size = found.shape[1] * found.shape[2]
    classifier: Any = scores.network.module.fc
    weight, bias = classifier.weight, classifier.bias
    grid = scores.network.layers[layer].to_map(run_to(scores.network.module, layer, inputs))
    cam = torch.einsum("bcyx,bc->byx", grid, weight[UNITS])
    torch.testing.assert_close(found * size, cam, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(cam.mean((1, 2)) + bias[UNITS], scores(inputs, UNITS), atol=1e-5, rtol=1e-4)
    assert head is not None
    assert head.kind == "linear"
    assert head.layer == ("second" if make is Tokens else layer)  # the tokens without the class token
    torch.testing.assert_close(head.heatmap(scores.network, inputs, UNITS), cam, atol=1e-5, rtol=1e-4)
    product = layer_gradient(scores, layer, inputs, UNITS).product()
    torch.testing.assert_close(product * size, cam, atol=1e-4, rtol=1e-3)


def test_an_operation_in_place_behind_the_layer_changes_nothing() -> None:
    """The map that was recorded is the layer's own, and the gradient is that at the layer, on any device."""
    inputs = images()
    plain, in_place = (scores_of(RELU_TWINS[name]()) for name in ("function", "method in place"))
    for layer in ("first", "second"):
        found = [layer_gradient(one, layer, inputs, UNITS) for one in (plain, in_place)]
        torch.testing.assert_close(found[0].activation, found[1].activation)
        torch.testing.assert_close(found[0].gradient, found[1].gradient)
        assert (found[0].activation < 0).any()


def test_a_map_of_classes_is_its_own_head() -> None:
    """Where the logits are the mean of a map with a channel a class, that map is the class activation map."""
    scores, inputs = scores_of(MapOfClasses()), images()
    head = own_head(scores.network)
    assert head is not None
    assert head.kind == "map"
    assert head.layer == "classify"
    heat = head.heatmap(scores.network, inputs, UNITS)
    torch.testing.assert_close(heat.mean((1, 2)), scores(inputs, UNITS), atol=1e-5, rtol=1e-4)


def test_a_fitted_head_recovers_a_planted_one() -> None:
    """Logits that are linear in the means are recovered; from random ones nothing can be."""
    assert own_head(network(NoPool())) is None
    random = np.random.default_rng(0)
    means = torch.from_numpy(random.normal(size=(400, 6)).astype(np.float32))
    logits = means @ torch.from_numpy(random.normal(size=(6, 3)).astype(np.float32)) + 1
    labels = logits.argmax(1).tolist()
    head = fitted_head("second", means, logits, labels)
    assert head.agreement is not None
    assert head.agreement > 0.95
    assert head.accuracy is not None
    assert head.accuracy[0] == 1
    assert head.accuracy[1] > 0.95
    noise = torch.from_numpy(random.normal(size=(400, 3)).astype(np.float32))
    control = fitted_head("second", means, noise, [-1] * 400)
    assert control.agreement is not None
    assert control.agreement < 0.6
    assert control.accuracy is None


def test_units_are_explained_by_their_highest_activation() -> None:
    """The gradient of a unit's score lies within the receptive field of the position of the maximum."""
    scores, inputs = scores_of(Pooled(), "first"), images()
    grid = run_to(scores.network.module, "first", inputs)[torch.arange(2), UNITS]
    torch.testing.assert_close(scores(inputs, UNITS), grid.flatten(1).amax(1))
    gradient = input_gradient(logit(scores), inputs).abs().amax(1)
    for image in range(2):
        top, left = divmod(int(grid[image].argmax()), SIDE)
        inside = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        inside[max(0, top - 1) : top + 2, max(0, left - 1) : left + 2] = True
        assert gradient[image][inside].any()
        assert not gradient[image][~inside].any()


def test_a_layer_behind_what_is_explained_is_refused() -> None:
    """A unit's score does not depend on a later layer, and the line says so."""
    scores = scores_of(Pooled(), "first")
    with pytest.raises(ModelError, match="expected a layer that first depend on, found 'second'"):
        layer_gradient(scores, "second", images(), UNITS)
    assert not leads_to(scores, "second", images())
    assert leads_to(scores_of(Pooled(), "second"), "first", images())


def test_constant_maps_are_told_from_small_ones() -> None:
    """A map that differs by rounding errors is constant, a faint one is not."""
    flat = torch.full((1, 4, 4), 3.0)
    rounded = flat + 1e-7 * torch.arange(16).reshape(1, 4, 4)
    faint = 1e-12 * torch.arange(16.0).reshape(1, 4, 4)
    assert is_constant(torch.cat([flat, rounded, faint, torch.zeros(1, 4, 4)])).tolist() == [True, True, False, True]


def test_every_column_has_a_map_for_every_image() -> None:
    """All methods run in one batch, are finite, not negative unless signed, and the same for other batches."""
    scores, inputs = scores_of(Pooled()), images()
    settings = ExplainSettings(integration_steps=4)
    explainer = Explainer(scores, settings, own_head(scores.network))
    wanted = [*columns(settings, ["first", "relu:1"], of_classes=True, relus=True), Column("occlusion_probability")]
    found = explainer.heatmaps(wanted, inputs, UNITS)
    assert list(found) == wanted
    assert len(wanted) == 14
    for column, heat in found.items():
        assert heat.isfinite().all(), column
        assert len(heat) == 2
        assert not is_constant(heat).any(), column
        assert column.signed or (heat >= 0).all(), column
        alone = explainer.heatmaps([column], inputs[1:], UNITS[1:])[column]
        torch.testing.assert_close(alone[0], heat[1], atol=1e-5, rtol=1e-3)
        assert enlarge(heat, SIDE).shape == (2, SIDE, SIDE)
