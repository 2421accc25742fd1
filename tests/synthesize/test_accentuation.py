"""Feature accentuation of photographs with a planted pattern."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.featurevis.composition import Objective
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import channel, logit
from pipeline.featurevis.optimize import OptimizerConfig, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.transforms import IDENTITY
from pipeline.model.network import Network
from pipeline.synthesize.accentuation import Accentuation, AccentuationConfig, accentuate, overlay
from pipeline.synthesize.cell_objective import ObjectiveOf, toward, value_of_cell
from tests.featurevis.scene import Scene, scene
from tests.units.planted_detector import SIDE, detector, pattern

# the pattern is fine and of red against green, of which photographs have little
QUICK = AccentuationConfig(steps=32, decay_power=0.0, chroma_decay=0.0, chroma=8.0, jitter=0.01, rotation=1.0)
STRENGTHS = (0.0, 0.5, 1.0)
PATTERN = 14  # side of the planted pattern


def unit(count: int) -> Objective:
    """The detector of the first pattern."""
    return channel("patterns", [0] * count)


def thresholded() -> Network:
    """The detector, which does not respond to a trace of its patterns."""
    network = detector()
    network.module.filters.bias.data.fill_(-0.7)  # type: ignore[union-attr, operator]  # a convolution
    return network


def planted(top: int, left: int) -> Tensor:
    """Gray, with a faint pattern at one place, [3, SIDE, SIDE]."""
    image = torch.full((3, SIDE, SIDE), 0.5)
    image[:, top : top + PATTERN, left : left + PATTERN] += 0.1 * pattern(0, PATTERN)
    return image


def accentuated(image: Tensor, config: AccentuationConfig = QUICK, factor: float = 2.0) -> Accentuation:
    """Toward a multiple of the photograph's own activation."""
    network = thresholded()
    with torch.no_grad():
        features = FeatureExtractor(network, ["patterns"], (SIDE, SIDE), "float32")(image[None])
    before = float(features["patterns"][0, 0].mean())
    return accentuate(
        network,
        unit,
        image,
        aim=factor * before,
        strengths=STRENGTHS,
        early_layer="filters",
        config=config,
        seed=0,
    )


def test_it_rises_to_the_aim_and_no_further() -> None:
    """Every strength ends at its aim: within 3 percent of the way below it, and never above."""
    found = accentuated(planted(4, 14))
    way = found.aims - found.before
    np.testing.assert_allclose(way, np.array(STRENGTHS) * way[-1], rtol=1e-5)
    assert (found.after <= found.aims + 1e-6).all()
    assert (found.after >= found.aims - 0.03 * way[-1]).all()
    assert found.images.min() >= 0
    assert found.images.max() <= 1


def test_the_strength_zero_returns_the_photograph() -> None:
    """Bit for bit; so does an aim that the photograph has reached already."""
    image = planted(4, 14)
    found = accentuated(image)
    assert torch.equal(found.images[0], image)
    assert (found.change[0], float(found.maps[0].max())) == (0, 0)
    assert 0 < found.change[1] < found.change[2]
    reached = accentuated(image, factor=0.5)
    assert torch.equal(reached.images, image.expand(3, -1, -1, -1))


@pytest.mark.parametrize("place", [(2, 2), (4, 16), (16, 10)])
def test_the_map_lies_on_the_planted_pattern(place: tuple[int, int]) -> None:
    """Most of the map's weight is on the pattern that counts, wherever it is, and little on as large a part beside."""
    top, left = place
    weight = accentuated(planted(top, left)).maps[-1]
    share = weight / weight.sum()
    own = share[top : top + PATTERN, left : left + PATTERN].sum()
    other = share.flip(0, 1)[top : top + PATTERN, left : left + PATTERN].sum()
    assert own > 0.55  # it covers a fifth of the photograph
    assert own > 2.5 * other


def test_the_overlay_dims_what_does_not_count() -> None:
    """Full color where the map is 1, a gray of the given brightness where it is 0."""
    image, weight = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.zeros(8, 8)
    weight[:4] = 1
    shown = overlay(image, weight, dimmed=0.3)
    assert torch.equal(shown[:, :4], image[:, :4])
    assert (shown[:, 4:].std(0) < 1e-6).all()
    assert shown[:, 4:].mean() < 0.35 * image[:, 4:].mean()


def test_it_changes_less_than_a_free_optimization() -> None:
    """At the same activation a photograph that is held changes less than one that is not, and than noise by far."""
    image = planted(4, 14)
    held = accentuated(image)
    loose = accentuated(image, replace(QUICK, pixel_weight=0.0, feature_weight=0.0, learning_rate=0.3))
    assert held.change[-1] < 0.9 * loose.change[-1]
    pixels = image_parameterization("fourier", (SIDE, SIDE))
    free = optimize(
        FeatureExtractor(thresholded(), ["patterns"], (SIDE, SIDE), "float32"),
        pixels,
        unit(1),
        start=pixels.encode(image[None]),
        uniforms=torch.zeros(1, 24, 4),
        transform=IDENTITY,
        regularizers={},
        config=OptimizerConfig(24, 0.1),
    )
    assert held.change[-1] < 0.5 * float((free.images[0] - image).square().mean().sqrt())


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Twice the same, bit for bit."""
    first, second = (accentuated(planted(4, 14)) for _ in range(2))
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.maps, second.maps)


@pytest.mark.parametrize("kind", ["cell", "class"])
def test_cells_and_classes(cnn_scene: Scene, kind: str) -> None:
    """A photograph is pulled toward a cell of its atlas, or a class, as toward a unit."""
    cell, mean = torch.from_numpy(cnn_scene.means[1]), torch.from_numpy(cnn_scene.mean)
    objectives: dict[str, ObjectiveOf] = {
        "cell": toward(cnn_scene.layer, cell, mean),
        "class": lambda count: logit([2] * count),
    }
    image = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    found = accentuate(
        cnn_scene.network,
        objectives[kind],
        image,
        aim=value_of_cell(cell, mean) if kind == "cell" else 3.0,
        strengths=(0.1,),
        early_layer="first_relu",
        config=QUICK,
        seed=0,
    )
    assert found.before < found.after[0] <= found.aims[0] + 1e-6


def test_a_vision_transformer(vit: nn.Module) -> None:
    """A network of tokens sees a larger photograph resampled to its own size."""
    of = scene(vit, "encoder.layers.encoder_layer_0")
    image = torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(1))
    found = accentuate(
        of.network,
        lambda count: channel("encoder.layers.encoder_layer_1", [3] * count),
        image,
        aim=2.0,
        strengths=(0.2,),
        early_layer=of.layer,
        config=QUICK,
        seed=0,
    )
    assert found.images.shape == (1, 3, 40, 48)
    assert found.after[0] > found.before
