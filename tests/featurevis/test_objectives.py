import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.composition import Objective, lazy
from pipeline.featurevis.feature_extractor import FeatureExtractor, Features
from pipeline.featurevis.objectives import (
    MIN_COSINE,
    Direction,
    alignment,
    center_activations,
    channel,
    channel_statistics,
    deep_dream,
    direction,
    diversity,
    feature_statistics,
    gram,
    inversion,
    linear,
    logit,
    neuron,
    probability,
)
from pipeline.featurevis.optimize import OptimizerConfig, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.transforms import IDENTITY
from pipeline.model.network import Network
from tests.featurevis.scene import Scene

LAYER = "second_relu"
MEAN = np.array([1.0, 1.0, 0.0], np.float32)
CELL = torch.tensor([[4.0, 1.0, 4.0]])  # centered: (3, 0, 4), length 5


def in_centered_space(mean: NDArray[np.float32], cell: torch.Tensor) -> Direction:
    """The objective of a cell in the centered space."""
    return direction("layer", cell, activation_space("centered", mean), 4.0)


@pytest.mark.parametrize("power", [0.0, 1.0, 4.0, 12.0])
def test_reaching_the_target_is_worth_one(power: float) -> None:
    """An activation that equals the cell's mean has the value 1, whatever the power."""
    assert in_centered_space(MEAN, CELL).values(CELL, power).item() == pytest.approx(1)


def test_the_cosine_is_a_true_one() -> None:
    """The value by hand: twice as long, 60 degrees away."""
    found = in_centered_space(MEAN, CELL)
    # (3, 0, 4) / 5 turned by 60 degrees towards the second axis, ten long
    centered = 10 * (math.cos(math.pi / 3) * torch.tensor([0.6, 0.0, 0.8]) + math.sin(math.pi / 3) * torch.eye(3)[1])
    value = found.values((centered + torch.from_numpy(MEAN))[None], 4.0).item()
    assert value == pytest.approx(2 * 0.5 * 0.5**4, rel=1e-4)


def test_scale_of_the_layer_does_not_matter() -> None:
    """A layer whose activations are a thousand times larger has the same objective."""
    activation = torch.tensor([[2.0, 3.0, 1.0]])
    small = in_centered_space(MEAN, CELL).values(activation, 4.0)
    large = in_centered_space(1000 * MEAN, 1000 * CELL).values(1000 * activation, 4.0)
    torch.testing.assert_close(small, large)


def test_pointing_away_still_gives_a_gradient() -> None:
    """Below the floor the power is a constant, so that the dot product keeps pulling."""
    activation = torch.tensor([[-2.0, 2.0, -1.0]], requires_grad=True)
    value = in_centered_space(MEAN, CELL).values(activation, 4.0)
    (gradient,) = torch.autograd.grad(value.sum(), activation)
    torch.testing.assert_close(gradient, MIN_COSINE**4 * torch.tensor([[3.0, 0.0, 4.0]]) / 25)


def test_an_empty_direction_is_finite() -> None:
    """A cell whose mean is the layer's mean has no direction; its objective is a number all the same."""
    found = in_centered_space(MEAN, torch.from_numpy(MEAN)[None])
    assert found.values(torch.tensor([[1.0, 2.0, 3.0]]), 4.0).isfinite().all()


@pytest.mark.parametrize("power", [0.0, 4.0, 48.0])
@pytest.mark.parametrize("kind", ["raw", "centered", "whitened"])
def test_a_surrogate_gradient_points_where_the_objective_rises(
    kind: Literal["raw", "centered", "whitened"], power: float
) -> None:
    """It is parallel to the gradient of the values; its norm does not vanish with the power."""
    generator = torch.Generator().manual_seed(0)
    activations = (torch.rand(6, 3, generator=generator) * 4).requires_grad_(True)
    covariance = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 3.0]])
    found = direction("layer", CELL.expand(6, 3), activation_space(kind, MEAN, covariance, samples=100), 4.0)
    surrogate = found.surrogate_gradient(activations, power)
    (value,) = torch.autograd.grad(found.values(activations, power).double().sum(), activations)
    _, cosine = found._dot_and_cosine(found.to_space(activations.detach()))
    torch.testing.assert_close(surrogate * cosine[:, None] ** power, value, rtol=1e-3, atol=1e-12)
    assert surrogate.norm(dim=1).min() > 0.1


SIZE = (24, 36)
COUNT = 3


@pytest.fixture
def network(cnn_scene: Scene) -> Network:
    """The small CNN."""
    return cnn_scene.network


def blobs(seed: int, count: int = COUNT) -> Tensor:
    """Smooth random images, [image, 3, *SIZE]."""
    coarse = torch.rand(count, 3, 4, 6, generator=torch.Generator().manual_seed(seed))
    return interpolate(coarse, SIZE, mode="bilinear", align_corners=False)


def features(network: Network, images: Tensor, *layers: str) -> Features:
    """The features of images without gradient."""
    with torch.no_grad():
        return FeatureExtractor(network, layers, (images.shape[2], images.shape[3]), "float32")(images)


def climb(network: Network, objective: Objective, steps: int = 24, count: int = COUNT) -> tuple[Tensor, Tensor, Tensor]:
    """The values of random images, the optimized images, and their values."""
    extractor = FeatureExtractor(network, sorted(objective.layers), SIZE, "float32")
    images = image_parameterization("fourier", SIZE, contrast=1.0)
    start = torch.randn(count, *images.shape, generator=torch.Generator().manual_seed(1))
    result = optimize(
        extractor,
        images,
        objective,
        start=start,
        uniforms=torch.zeros(count, steps, IDENTITY.n_uniforms),
        transform=IDENTITY,
        regularizers={},
        config=OptimizerConfig(steps, 0.1, (0.7, 0.99), redirected_relu=0.5),
    )
    with torch.no_grad():
        before, after = (objective(extractor(one), 1.0) for one in (images.decode(start), result.images))
    return before, result.images, after


def every_objective(network: Network) -> dict[str, Objective]:
    """One of each kind, with reachable targets, for three images."""
    given = features(network, blobs(5), LAYER)[LAYER]
    means = given.mean((2, 3))
    space = activation_space("centered", means.mean(0).numpy())
    return {
        "direction": direction(LAYER, means, space, 4.0),
        "neuron": neuron(LAYER, [0, 3, 5]),
        "channel": channel(LAYER, [0, 3, 5]),
        "logit": logit([0, 1, 2]),
        "probability": probability([0, 1, 2]),
        "deep_dream": deep_dream(LAYER),
        "linear": linear(LAYER, means - means.mean(0)),
        "inversion": inversion(LAYER, given),
        "gram": gram(LAYER, given),
        "feature_statistics": feature_statistics(LAYER, channel_statistics(given), torch.ones(2, given.shape[1])),
        "diversity": diversity(LAYER),
        "alignment": alignment(LAYER),
    }


NAMES = [
    *("direction", "neuron", "channel", "logit", "probability", "deep_dream", "linear", "inversion", "gram"),
    *("feature_statistics", "diversity", "alignment"),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_objective_rises_in_a_few_steps(name: str, network: Network) -> None:
    """Each image's value rises, or their sum where images are coupled; with the opposite sign it does not."""
    objective = every_objective(network)[name]
    before, _, after = climb(network, objective)
    _, opposite, _ = climb(network, -objective)
    falls = objective(features(network, opposite, *sorted(objective.layers)), 1.0)
    if objective.couples_images or name == "direction":  # what a direction gives the optimizer is a surrogate
        before, after, falls = (values.sum()[None] for values in (before, after, falls))
    if name != "direction":
        assert (after > before).all()
        assert (falls < after).all()
    assert set(NAMES) == set(every_objective(network))


@pytest.mark.parametrize("kind", [neuron, channel])
def test_an_image_activates_its_own_channel(kind: Callable[..., Objective], network: Network) -> None:
    """Of images for three channels, each activates its own more than the others do, and less where it is negated."""
    channels = [0, 3, 5]
    _, images, _ = climb(network, kind(LAYER, channels))
    grid = features(network, images, LAYER)[LAYER]
    found = center_activations(grid) if kind is neuron else grid.mean((2, 3))
    table = found[:, channels]  # [image, channel]
    assert (table.argmax(0) == torch.arange(3)).all()
    _, opposite, _ = climb(network, -kind(LAYER, channels))
    grid = features(network, opposite, LAYER)[LAYER]
    others = center_activations(grid) if kind is neuron else grid.mean((2, 3))
    assert (others[:, channels].diagonal() < table.diagonal()).all()


@pytest.mark.parametrize("kind", [logit, probability])
def test_an_image_is_of_its_own_class(kind: Callable[..., Objective], network: Network) -> None:
    """Of images for three classes, each has more of its own class than the others have."""
    classes = [0, 2, 4]
    _, images, values = climb(network, kind(classes))
    logits = features(network, images, LOGITS)[LOGITS]
    table = (logits if kind is logit else logits.softmax(1))[:, classes]
    assert (table.argmax(0) == torch.arange(3)).all()
    torch.testing.assert_close(values, table.diagonal())


def test_a_softmax_probability_falls_with_other_logits() -> None:
    """Raising another class's logit lowers a probability and leaves the logit as it is."""
    plain, other = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[1.0, 5.0, 0.0]])
    assert logit([0])({LOGITS: plain}, 1.0) == logit([0])({LOGITS: other}, 1.0) == 1
    assert probability([0])({LOGITS: plain}, 1.0) > 5 * probability([0])({LOGITS: other}, 1.0)


@pytest.mark.parametrize("at", ["center", "mean"])
def test_a_sum_of_one_channel_is_that_channel(at: Literal["center", "mean"]) -> None:
    """A vector of one entry has the value of its channel, that of several the weighted sum of theirs."""
    grid = torch.rand(2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    one_channel = neuron if at == "center" else channel
    alone = [one_channel("a", [number, number])({"a": grid}, 1.0) for number in range(4)]
    vectors = torch.eye(4)[[2, 3]]
    torch.testing.assert_close(linear("a", vectors, at)({"a": grid}, 1.0), torch.stack([alone[2][0], alone[3][1]]))
    vectors = torch.tensor([[1.0, -2.0, 0.0, 3.0]]).expand(2, 4)
    torch.testing.assert_close(linear("a", vectors, at)({"a": grid}, 1.0), alone[0] - 2 * alone[1] + 3 * alone[3])


def test_deep_dream_is_a_mean_square() -> None:
    """By hand, for each image on its own."""
    grid = torch.stack([torch.full((2, 3, 4), 2.0), torch.zeros(2, 3, 4)])
    assert deep_dream("a")({"a": grid}, 1.0).tolist() == [4, 0]


def test_texture_and_style_do_not_depend_on_positions() -> None:
    """A map of shuffled positions keeps its Gram matrix and statistics, but is no inversion; another map has others."""
    generator = torch.Generator().manual_seed(0)
    grid, other = torch.rand(2, 5, 4, 6, generator=generator), torch.rand(2, 5, 4, 6, generator=generator).square()
    order = torch.randperm(24, generator=generator)
    shuffled = grid.flatten(2)[:, :, order].view_as(grid)
    wider = torch.cat([grid, grid], dim=3)
    statistics = channel_statistics(grid)
    for objective in (gram("a", grid), feature_statistics("a", statistics, statistics.mean(0))):
        for same in (grid, shuffled, wider):
            torch.testing.assert_close(objective({"a": same}, 1.0), torch.zeros(2), atol=1e-6, rtol=0)
        assert (objective({"a": other}, 1.0) < -0.01).all()
    assert (inversion("a", grid)({"a": grid}, 1.0) == 0).all()
    assert (inversion("a", grid)({"a": shuffled}, 1.0) < -0.1).all()


def test_an_inverted_image_has_the_features_of_its_own_target(network: Network) -> None:
    """After an inversion, an image is nearer to its own target's features than to those of the others."""
    given = features(network, blobs(5), LAYER)[LAYER]
    _, images, values = climb(network, inversion(LAYER, given), steps=48)
    found = features(network, images, LAYER)[LAYER]
    distances = torch.cdist(found.flatten(1), given.flatten(1))
    assert (distances.argmin(1) == torch.arange(3)).all()
    assert (values > -0.5).all()


def test_copies_have_no_diversity() -> None:
    """Equal images have the lowest value, -1; images without a channel in common have 0; one alone has 0."""
    apart = torch.zeros(2, 2, 3, 3)
    apart[0, 0], apart[1, 1] = 1, 1
    assert diversity("a")({"a": apart}, 1.0).tolist() == [0, 0]
    torch.testing.assert_close(diversity("a")({"a": apart[:1].expand(3, 2, 3, 3)}, 1.0), torch.full((3,), -1.0))
    assert diversity("a")({"a": apart[:1]}, 1.0).tolist() == [0]


def test_alignment_counts_near_neighbors_most() -> None:
    """By hand: three maps 0, 1 and 1, with neighbors two apart counting a quarter; equal maps cost nothing."""
    grid = torch.tensor([0.0, 1.0, 1.0])[:, None, None, None].expand(3, 2, 2, 2)
    found = alignment("a", decay_ratio=4.0)({"a": grid}, 1.0)
    torch.testing.assert_close(found, -torch.tensor([1 + 0.25, 1.0, 0.25]) / 2)
    assert (alignment("a")({"a": torch.ones(4, 2, 2, 2)}, 1.0) == 0).all()


def test_objectives_can_be_combined(network: Network) -> None:
    """Sums, differences, negation and weights, of one number or one an image, are those of the values."""
    one, other = neuron(LAYER, [0, 3, 5]), logit([2, 1, 0])
    given = features(network, blobs(2), LAYER, LOGITS)
    a, b = one(given, 1.0), other(given, 1.0)
    torch.testing.assert_close((one + 0.5 * other)(given, 1.0), a + 0.5 * b)
    torch.testing.assert_close((one - other * 2)(given, 1.0), a - 2 * b)
    torch.testing.assert_close((-one)(given, 1.0), -a)
    torch.testing.assert_close((one * [0, 1, 2] + other)(given, 1.0), a * torch.tensor([0, 1, 2]) + b)
    assert (one + other).layers == {LAYER, LOGITS}
    assert not (one + other).couples_images
    assert (one + 0.1 * diversity(LAYER)).couples_images


def test_a_joint_objective_raises_both_of_its_parts(network: Network) -> None:
    """Two channels that are asked for together both rise; asked for the first alone, the second rises less."""
    both = channel(LAYER, [0] * COUNT) + channel(LAYER, [3] * COUNT)
    before, images, _ = climb(network, both)
    found = features(network, images, LAYER)[LAYER].mean((2, 3))
    _, alone, _ = climb(network, channel(LAYER, [0] * COUNT))
    single = features(network, alone, LAYER)[LAYER].mean((2, 3))
    assert (found[:, 0] + found[:, 3] > before).all()
    assert (found[:, 3] > single[:, 3]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_lazy_part_counts_n_times_at_every_nth_step(name: str, network: Network) -> None:
    """Of any kind, plain or weighted: n times its value at steps 0, n, 2n, and nothing of it between."""
    rest, part = neuron(LAYER, [0, 3, 5]), every_objective(network)[name]
    whole = rest + -0.5 * lazy(part, 3)
    given = features(network, blobs(2), *sorted(whole.layers))
    for step in range(7):
        due = whole.at(step)
        assert due is not None
        wanted = rest(given, 1.0) - (0 if step % 3 else 1.5) * part(given, 1.0)
        torch.testing.assert_close(due(given, 1.0), wanted)
    assert whole.at(1) is rest
    assert lazy(part, 3).at(1) is None
    torch.testing.assert_close(lazy(part, 3)(given, 1.0), part(given, 1.0))


def test_a_lazy_part_is_optimized_too(network: Network) -> None:
    """Statistics asked for at every fourth step come half as close at least; those at every step are closer still."""
    target = channel_statistics(features(network, blobs(5), LAYER)[LAYER])
    statistics = feature_statistics(LAYER, target, torch.full((2, target.shape[2]), 0.1))
    distances = []
    for one in (statistics, lazy(statistics, 4), 0 * statistics):
        _, images, _ = climb(network, neuron(LAYER, [0, 3, 5]) + one, steps=48)
        distances.append(-statistics(features(network, images, LAYER), 1.0).sum().item())
    assert distances[0] < distances[1] < distances[2] / 2


def test_digests_tell_objectives_apart(network: Network) -> None:
    """Every kind, layer, target, weight and order of targets has another digest; equal objectives have the same."""
    objectives = [
        *every_objective(network).values(),
        neuron("other", [0, 3, 5]),
        neuron(LAYER, [0, 5, 3]),
        2 * neuron(LAYER, [0, 3, 5]),
        lazy(neuron(LAYER, [0, 3, 5]), 2),
        lazy(neuron(LAYER, [0, 3, 5]), 3),
        neuron(LAYER, [0, 3, 5]) * [2, 1, 1],
        -neuron(LAYER, [0, 3, 5]),
        neuron(LAYER, [0, 3, 5]) + logit([0, 1, 2]),
        neuron(LAYER, [0, 3, 5]) + logit([0, 1, 3]),
        alignment(LAYER, 3.0),
        inversion(LAYER, torch.zeros(3, 12, 6, 9)),
    ]
    digests = [objective.digest(COUNT) for objective in objectives]
    assert len(set(digests)) == len(digests)
    assert neuron(LAYER, [0, 3, 5]).digest(COUNT) == neuron(LAYER, (0, 3, 5)).digest(COUNT)
    assert [objective.digest(COUNT) for objective in every_objective(network).values()] == digests[: len(NAMES)]


def test_a_direction_in_the_mean_of_a_map_takes_every_position() -> None:
    """It is that of a map which holds the mean alone; one at the center sees nothing of the other positions."""
    grid = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    space = activation_space("centered", MEAN)
    center, mean = (direction("layer", CELL[:1], space, 4.0, at) for at in ("center", "mean"))
    collapsed = {"layer": grid.mean((2, 3), keepdim=True)}
    torch.testing.assert_close(mean({"layer": grid}, 1.0), center(collapsed, 1.0))
    assert (mean({"layer": grid}, 1.0) - center({"layer": grid}, 1.0)).abs() > 1e-3
    assert mean.description != center.description == direction("layer", CELL[:1], space, 4.0).description


def test_the_noise_of_a_direction_follows_from_its_raw_activation() -> None:
    """Whatever the space and the power, its bytes are those of the float32 activation."""
    for space in (activation_space("raw", MEAN), activation_space("centered", MEAN)):
        found = direction("layer", CELL, space, 1.0).target_bytes(0)
        assert found == CELL[0].numpy().astype("<f4").tobytes()
    assert direction("layer", 2 * CELL, space, 1.0).target_bytes(0) != found
