from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.composition import Objective, at_most
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import inversion, logit
from pipeline.featurevis.optimize import Method, OptimizerConfig, optimize
from pipeline.featurevis.parameterization import Decoder, PixelValues, image_parameterization
from pipeline.featurevis.step_filters import Bilateral, CenterBias, ClipSmallest, GaussianBlur, StepFilters
from pipeline.featurevis.transforms import IDENTITY
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network

SIDE = 8
CLASSES = 3
IMAGES = PixelValues(SIDE, SIDE)


class Linear(nn.Module):
    """Logits linear in the pixels; the layer ``pixels`` has their values."""

    def __init__(self) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, 3, 1)
        self.pixels.weight.data = torch.eye(3)[:, :, None, None]
        self.pixels.bias = nn.Parameter(torch.zeros(3))
        self.head = nn.Linear(3 * SIDE * SIDE, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.pixels(images).flatten(1))
        return logits


def network() -> Network:
    """With random weights; its input is the parameters of :class:`PixelValues` themselves."""
    torch.manual_seed(0)
    module = freeze(Linear())
    preprocessing = PreprocessingSettings(crop=SIDE, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    return Network("linear", module, tuple("abc"), preprocessing, discover_layers(module, SIDE))


NETWORK = network()


def ascend(
    objective: Objective,
    config: OptimizerConfig,
    start: Tensor,
    *,
    l2: float = 0.0,
    filters: StepFilters | None = None,
    decoder: Decoder = IMAGES,
) -> Tensor:
    """The images after an optimization without transforms."""
    extractor = FeatureExtractor(NETWORK, [*objective.layers], (SIDE, SIDE), "float32")
    return optimize(
        extractor,
        decoder,
        objective,
        start=start,
        uniforms=torch.full((len(start), config.steps, 4), 0.5),
        transform=IDENTITY,
        regularizers={"l2": l2} if l2 else {},
        config=config,
        filters=filters,
    ).images


def parameters(images: Tensor) -> Tensor:
    """Of images that are neither black nor white anywhere."""
    return IMAGES.encode(images)


@pytest.mark.parametrize("method", ["sign", "steepest"])
def test_steepest_ascent_of_a_quadratic_is_what_it_is_on_paper(method: Method) -> None:
    """Along the sign each value moves at its own constant speed; along the gradient all move on one straight line."""
    target = torch.linspace(-1, 1, 3 * SIDE * SIDE).reshape(1, 3, SIDE, SIDE)
    steps, rate = 8, 0.05
    found = parameters(
        ascend(inversion("pixels", target), OptimizerConfig(steps, rate, method=method), torch.zeros_like(target))
    )
    if method == "sign":
        moved = torch.where(target.abs() > steps * rate, steps * rate * target.sign(), target)
        assert (found - moved).abs().max() < rate + 1e-4  # a value that has arrived steps to and fro
        assert not torch.allclose(found / found.norm(), target / target.norm(), atol=0.01)
    else:
        line = steps * rate * target / target.square().mean().sqrt()
        assert torch.allclose(found, line, atol=1e-3)


def test_the_class_image_of_a_linear_classifier_is_its_weight_row() -> None:
    """With an L2 penalty the image less gray is the class's weights, and no other's."""
    weights = NETWORK.module.get_parameter("head.weight").reshape(CLASSES, 3, SIDE, SIDE)
    start = 0.2 * torch.randn(CLASSES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    config = OptimizerConfig(steps=160, learning_rate=0.1, cooldown=1.0, method="steepest")
    images = ascend(logit(range(CLASSES)), config, start, l2=100.0)
    found = (images - 0.5).flatten(1)
    cosine = nn.functional.cosine_similarity(found[:, None], weights.flatten(1)[None], dim=2)
    assert (cosine.diagonal() > 0.99).all()
    assert (cosine - torch.diag(cosine.diagonal())).abs().max() < 0.5
    free = (ascend(logit(range(CLASSES)), replace(config, steps=1), start) - 0.5).flatten(1)
    assert (nn.functional.cosine_similarity(free, weights.flatten(1)) < 0.9).all()


def test_an_objective_stops_at_its_limit() -> None:
    """Images stay where the value has reached the limit; without one they go on."""
    start = torch.zeros(1, 3, SIDE, SIDE)
    config = OptimizerConfig(steps=60, learning_rate=0.02, method="steepest")
    extractor = FeatureExtractor(NETWORK, [LOGITS], (SIDE, SIDE), "float32")
    reached = [
        logit([0])(extractor(ascend(one, config, start)), 1.0).item() for one in (at_most(logit([0]), 1.0), logit([0]))
    ]
    assert 1.0 <= reached[0] < 1.2
    assert reached[1] > 2.0


def test_blur_keeps_the_mean_and_has_its_width() -> None:
    """A point becomes a Gaussian of the given standard deviation; a flat image stays."""
    point = torch.zeros(1, 3, 33, 33)
    point[..., 16, 16] = 1
    blurred = GaussianBlur(2.0)(point)
    offsets = torch.arange(33) - 16.0
    variance = (blurred[0, 0].sum(0) * offsets**2).sum()
    assert blurred.sum().item() == pytest.approx(3.0, abs=1e-4)
    assert variance.item() == pytest.approx(4.0, rel=0.03)
    assert torch.allclose(GaussianBlur(2.0)(torch.full((1, 3, 9, 9), 0.3)), torch.tensor(0.3))


def test_the_bilateral_filter_keeps_edges() -> None:
    """It takes off noise as a blur does, but not the step between two colors."""
    clean = torch.zeros(1, 3, 16, 16)
    clean[..., 8:] = 0.8
    noisy = clean + 0.03 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    kept, blurred = Bilateral(1.5, 0.15)(noisy), GaussianBlur(1.5)(noisy)
    assert (kept - clean).square().mean() < 0.4 * (noisy - clean).square().mean()
    assert (blurred - clean)[..., 6:10].abs().max() > 0.2
    assert (kept - clean)[..., 6:10].abs().max() < 0.1


@pytest.mark.parametrize("origin", [0.0, 0.5])
def test_the_smallest_pixels_are_clipped(origin: float) -> None:
    """A quarter of the pixels, those nearest to the origin, become the origin; the others stay."""
    values = origin + torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    clipped = ClipSmallest(0.25, origin)(values)
    gone = (clipped == origin).all(1)
    norm = (values - origin).norm(dim=1)
    assert gone.flatten(1).sum(1).tolist() == [16, 16]
    assert all(norm[row][gone[row]].max() < norm[row][~gone[row]].min() for row in range(2))
    assert torch.equal(clipped.movedim(1, -1)[~gone], values.movedim(1, -1)[~gone])


def test_the_center_bias_favors_the_center() -> None:
    """A gradient keeps its middle and loses its corners."""
    weighted = CenterBias(0.2)(torch.ones(1, 3, 33, 33))
    assert weighted[0, 0, 16, 16] == pytest.approx(1.0, abs=0.01)
    assert weighted[0, 0, 0, 0] < 0.01


def test_filters_work_between_steps() -> None:
    """A gradient filter decides where an image changes; an image filter is applied every few steps, whatever the basis.

    With the gradient clipped to a corner nothing else moves; blurred at each step an image has less detail.
    """
    target = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    config = OptimizerConfig(steps=8, learning_rate=0.1, method="steepest")
    start = torch.zeros_like(target)

    def corner(gradient: Tensor) -> Tensor:
        kept = torch.zeros_like(gradient)
        kept[..., :2, :2] = gradient[..., :2, :2]
        return kept

    objective = inversion("pixels", target)
    changed = ascend(objective, config, start, filters=StepFilters(gradient=(corner,))) != 0.5
    assert changed[..., :2, :2].all()
    assert changed.sum() == 3 * 4
    for decoder in (IMAGES, image_parameterization("fourier", (SIDE, SIDE), decorrelate=True)):
        first = torch.full((1, *decoder.shape), 0.01)
        free = ascend(objective, config, first, decoder=decoder)
        blurred = ascend(
            objective, config, first, decoder=decoder, filters=StepFilters(image=(GaussianBlur(1.0),), every=1)
        )
        rough = [one.diff(dim=-1).square().mean() for one in (free, blurred)]
        assert rough[1] < 0.5 * rough[0]


def test_image_filters_need_an_inverse() -> None:
    """A parameterization that cannot encode an image is refused with its name."""

    class OneWay:
        shape, size = (3, SIDE, SIDE), (SIDE, SIDE)

        def decode(self, values: Tensor) -> Tensor:
            """As pixel values."""
            return IMAGES.decode(values)

    start = torch.zeros(1, 3, SIDE, SIDE)
    with pytest.raises(TypeError, match="expected a parameterization with an inverse"):
        ascend(
            logit([0]),
            OptimizerConfig(4, 0.1),
            start,
            decoder=OneWay(),
            filters=StepFilters(image=(GaussianBlur(1.0),), every=1),
        )
