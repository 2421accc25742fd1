from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.units import UnitsSettings
from pipeline.featurevis.exemplar_statistics import StatisticsPrior
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import center_activations, channel_statistics, gram_matrix, mean_activations
from pipeline.featurevis.optimize import OptimizerConfig
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.renderer import BatchRenderer, RendererSpec, RenderRequest
from pipeline.featurevis.transforms import RandomAffine
from pipeline.units.figures import Clusters
from pipeline.units.pictures import PictureRequest, UnitPurpose, picture_requests
from tests.units.planted_detector import SIDE, detector, striped

NETWORK = detector()
EITHER, FIRST = 0, 1
COPIES = 4


def render(purpose: UnitPurpose, wanted: list[PictureRequest], steps: int = 128) -> NDArray[np.uint8]:
    """The wanted pictures in one batch, [image, y, x, 3]."""
    config = OptimizerConfig(steps=steps, learning_rate=0.25, betas=(0.7, 0.99), cooldown=1.0, redirected_relu=0.5)
    spec = RendererSpec(
        model=Path(),
        purpose=purpose,
        parameterization=image_parameterization(
            "fourier", (SIDE, SIDE), decay_power=0.0, decorrelate=True, chroma=1.0, contrast=1.0
        ),
        transform=RandomAffine(0.04, (0.97, 1.03), 2.0),
        regularizers={},
        cold=config,
        warm=config,
        init_std=1.0,
        batch_size=len(wanted),
        seed=0,
        device="cpu",
        dtype="float32",
    )
    group = 0 if purpose.couples_images else None
    requests = [RenderRequest(f"{number}", one.target, group=group) for number, one in enumerate(wanted)]
    return np.stack([image.image for image in BatchRenderer(NETWORK, spec).render(requests)])


def tensor(images: NDArray[np.uint8]) -> Tensor:
    """As the network's extractor takes them."""
    return torch.from_numpy(images).movedim(-1, 1).float() / 255


def features(images: Tensor, layer: str) -> Tensor:
    """Of images [image, 3, y, x] in 0..1."""
    with torch.no_grad():
        return FeatureExtractor(NETWORK, [layer], (SIDE, SIDE), "float32")(images)[layer]


def responses(images: NDArray[np.uint8], objective: str = "channel") -> NDArray[np.float32]:
    """Response to each pattern in the mean over the map, or at its center, [image, 2]."""
    grid = features(tensor(images), "patterns")
    found: NDArray[np.float32] = (center_activations(grid) if objective == "neuron" else mean_activations(grid)).numpy()
    return found


def strongest() -> float:
    """Highest activation of either pattern in images of them."""
    return features(torch.stack([striped(number, 0) for number in (0, 1)]), "either")[:, EITHER].max().item()


def wanted(channel: int, weight: float = 1.0, number: int = 0) -> PictureRequest:
    """A picture without a prior."""
    return PictureRequest(channel, weight, np.zeros(0, np.float32), number)


@pytest.mark.parametrize("objective", ["channel", "neuron"])
def test_a_picture_shows_what_its_unit_detects(objective: str) -> None:
    """The unit of the first pattern gets that pattern, ten times as much as noise has; a negative weight gets less."""
    purpose = UnitPurpose("either", objective)  # type: ignore[arg-type]  # one of the two
    high, low = render(purpose, [wanted(FIRST), wanted(FIRST, -1.0)])
    noise = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3)).astype(np.uint8)
    (high_found, other), (low_found, _), (by_chance, _) = responses(np.stack([high, low, noise[0]]), objective)
    assert high_found > 3 * max(other, by_chance)
    assert low_found < 0.5 * high_found


def test_the_picture_of_a_unit_of_two_patterns_shows_one() -> None:
    """Where a unit takes the larger of two patterns, its picture at each position has one of them."""
    (image,) = render(UnitPurpose("either", "neuron"), [wanted(EITHER)])
    center = features(tensor(image[None]), "patterns")[0]
    middle = center[:, center.shape[1] // 2, center.shape[2] // 2]
    assert middle.max() > 3 * middle.min()


def statistics(number: int) -> NDArray[np.float32]:
    """Feature statistics of images of a pattern, [patch, statistic]."""
    images = torch.stack([striped(number, seed) for seed in range(6)])
    return channel_statistics(features(images, "filters")).flatten(1).numpy()


def test_facets_show_both_patterns() -> None:
    """Held near the statistics of each cluster, the same unit gives one picture of each pattern."""
    own = [statistics(number) for number in (0, 1)]
    deviation = np.maximum(np.concatenate(own).std(axis=0), 0.02)
    purpose = UnitPurpose("either", "channel", StatisticsPrior({"filters": 2}, deviation, 10.0))
    clusters = Clusters(0.0, np.repeat([0, 1], 6), 1.0)
    planned = list(
        picture_requests(EITHER, strongest(), 0.0, np.concatenate(own), clusters, UnitsSettings(diverse=0), group=0)
    )
    assert [role for role, _ in planned] == ["high", "facet", "facet"]
    first, second = responses(render(purpose, [one for role, one in planned if role == "facet"]))
    assert first[0] > 1.5 * first[1]
    assert second[1] > 1.5 * second[0]


def similarity(images: NDArray[np.uint8]) -> float:
    """Mean cosine between the Gram matrices of pictures at the unit's layer."""
    grams = gram_matrix(features(tensor(images), "either")).flatten(1)
    unit = grams / grams.norm(dim=1, keepdim=True)
    cosine = unit @ unit.T
    return float((cosine.sum() - cosine.trace()) / (len(images) * (len(images) - 1)))


def test_diverse_pictures_differ_at_nearly_the_same_activation() -> None:
    """The diversity term lowers the mean cosine of Gram matrices and keeps 90 % of the activation."""
    defaults = UnitsSettings()
    pictures = [wanted(EITHER, defaults.weight / strongest(), number) for number in range(COPIES)]
    free = render(UnitPurpose("either", "channel"), pictures)
    diverse = render(UnitPurpose("either", "channel", diversity=defaults.diversity), pictures)
    assert len({image.tobytes() for image in free}) == COPIES  # each number starts from noise of its own
    reached = [features(tensor(images), "either")[:, EITHER].mean().item() for images in (free, diverse)]
    assert reached[1] > 0.9 * reached[0]
    assert similarity(diverse) < similarity(free) - 0.05


def test_a_silent_unit_has_no_picture() -> None:
    """Without a positive activation in the images there is no example to compare with; a negative one gives one."""
    none = list(picture_requests(0, 0.0, 0.0, np.zeros((3, 0), np.float32), None, UnitsSettings(), group=0))
    assert none == []
    (low,) = picture_requests(0, 0.0, -2.0, np.zeros((3, 0), np.float32), None, UnitsSettings(), group=0)
    assert low[0] == "low"
    assert low[1].weight < 0


def pair(share: float, number: int = 0) -> PictureRequest:
    """Both patterns' units, the second one with this share."""
    return PictureRequest(0, 1 - share, np.zeros(0, np.float32), number, group=0, other=(1, share))


def test_an_interpolation_ends_at_its_units_and_raises_both_between() -> None:
    """An end reaches what its unit's own pictures reach, from any noise; the middle activates both, an end only one."""
    numbers = range(COPIES)
    purpose = UnitPurpose("patterns", "channel", pairs=True)
    first, middle, last = (
        responses(render(purpose, [pair(share, number) for number in numbers])).mean(0) for share in (0.0, 0.5, 1.0)
    )
    for unit, end in ((0, first), (1, last)):
        alone = render(UnitPurpose("patterns", "channel"), [wanted(unit, number=number) for number in numbers])
        assert responses(alone).mean(0)[unit] == pytest.approx(end[unit], rel=0.2)
        assert end[unit] > 5 * end[1 - unit]
    assert middle[0] > 3 * last[0]
    assert middle[1] > 3 * first[1]


def test_alignment_brings_neighbors_together() -> None:
    """Neighboring images of an interpolation are nearer to each other with the term than without it."""
    shares = np.linspace(0, 1, 5)
    distance = []
    for weight in (10.0, 0.0):
        purpose = UnitPurpose("patterns", "channel", pairs=True, alignment=weight, compared_layer="filters")
        maps = features(tensor(render(purpose, [pair(float(share)) for share in shares])), "filters")
        distance.append(float(maps.diff(dim=0).square().mean()))
    assert distance[0] < 0.7 * distance[1]


def test_a_limit_ends_the_ascent() -> None:
    """With a limit the activation stays near it; without one it is much higher."""
    reached = []
    for limit in (0.3, None):
        (image,) = render(UnitPurpose("either", "channel", limit=limit), [wanted(FIRST)])
        reached.append(features(tensor(image[None]), "either")[:, FIRST].mean().item())
    assert reached[0] < 0.7 * reached[1]
