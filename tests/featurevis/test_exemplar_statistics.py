from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.config.render import RenderSettings
from pipeline.core.artifacts import IMAGES as MANIFEST
from pipeline.core.artifacts import MODEL
from pipeline.core.errors import ConfigError
from pipeline.featurevis.exemplar_statistics import (
    EVERY,
    PatchStatistics,
    PatchStatisticsSpec,
    StatisticsPrior,
    prior_channels,
    statistics_layers,
    usual_deviation,
)
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import channel_statistics
from pipeline.featurevis.optimize import OptimizerConfig, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.sample_patches import Patches, PatchesSpec, Samples, cell_means
from pipeline.featurevis.transforms import IDENTITY
from pipeline.images.toytown.toytown import Toytown
from pipeline.model.description import LayerShape
from pipeline.model.network import save_network
from pipeline.parallel.pool import InlinePool
from tests.conftest import SMALL_VIT
from tests.featurevis.scene import SIDE, Scene
from tests.render.planted_samples import plant_samples

ROOT = Path(__file__).parents[2]
SIZE = 24
IMAGES = 40
LAYERS = ("first_relu", "second_relu")


def shape(receptive_field: int, channels: int = 8, kind: str = "map") -> LayerShape:
    """Of a layer with this receptive field."""
    return LayerShape(kind, channels, 8, 8, 0, 4.0, receptive_field)  # type: ignore[arg-type]  # one of the three


@pytest.fixture
def patches(cnn_scene: Scene) -> Patches:
    """Of toytown."""
    toytown = Toytown(IMAGES, 0, SIDE)
    return Patches(lambda row: toytown.open(f"{row:05d}"), cnn_scene.network, cnn_scene.layer, SIZE)


@pytest.fixture
def extractor(cnn_scene: Scene) -> FeatureExtractor:
    """The scene's network."""
    return FeatureExtractor(cnn_scene.network, LAYERS, (SIZE, SIZE), "float32")


@pytest.fixture
def statistics(patches: Patches, extractor: FeatureExtractor) -> PatchStatistics:
    """Of the patches."""
    return PatchStatistics(patches, extractor, "cpu")


def optimized_values(
    extractor: FeatureExtractor, prior: StatisticsPrior, targets: torch.Tensor, steps: int
) -> torch.Tensor:
    """The prior's values after some steps from noise."""
    parameterization = image_parameterization("fourier", (SIZE, SIZE), contrast=1.0)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(len(targets), *parameterization.shape, generator=generator)
    objective = prior.objective(targets)
    result = optimize(
        extractor,
        parameterization,
        objective,
        start=start,
        uniforms=torch.zeros(len(targets), steps, IDENTITY.n_uniforms),
        transform=IDENTITY,
        regularizers={},
        config=OptimizerConfig(steps, 0.3),
    )
    with torch.no_grad():
        return objective(extractor(result.images), 1.0)


@pytest.fixture
def samples() -> Samples:
    """One in each image and one more in each fourth."""
    image = np.sort(np.concatenate([np.arange(IMAGES), np.arange(0, IMAGES, 4)]))
    return Samples(image, np.stack([image % 5, image % 3], 1).astype(np.int32))


def test_earlier_layers_are_chosen_evenly() -> None:
    """Of modules with one shape the last counts; inner, later and equally wide ones do not."""
    shapes = {"conv": shape(3), "relu": shape(3), "pool": shape(5)}
    blocks = {f"blocks.{k}": shape(9 + 8 * k) for k in range(6)}
    layers = {**shapes, **blocks, "blocks.5.inner": shape(20), "wide": shape(49), "head": shape(60)}
    assert statistics_layers("blocks.4", layers, 4) == ["relu", "blocks.0", "blocks.1", "blocks.3"]
    assert statistics_layers("blocks.5", layers, 2) == ["relu", "blocks.4"]
    assert statistics_layers("pool", layers) == ["relu"]
    assert statistics_layers("conv", layers) == []
    tokens = {f"blocks.{k}": shape(224, 16, "tokens") for k in range(8)}
    assert statistics_layers("blocks.7", tokens, 4) == ["blocks.0", "blocks.2", "blocks.4", "blocks.6"]


def test_a_named_layer_is_taken_or_refused() -> None:
    """Settings may name the layers, leave the prior out, or name one that is not there."""
    layers = {"a": shape(3, 4), "b": shape(5, 6), "c": shape(9)}
    assert prior_channels(RenderSettings(), "c", layers) == {"a": 4, "b": 6}
    assert prior_channels(RenderSettings(statistics_layers={"c": ["b"]}), "c", layers) == {"b": 6}
    assert prior_channels(RenderSettings(statistics=0), "c", layers) == {}
    with pytest.raises(ConfigError, match=r"render\.statistics_layers\.c: .*'d'"):
        prior_channels(RenderSettings(statistics_layers={"c": ["d"]}), "c", layers)


def test_a_patch_is_cut_around_its_sample(cnn_scene: Scene) -> None:
    """A dot at what a map position looks at lies in the middle of the patch, or towards the edge where it is moved."""
    network = cnn_scene.network
    known = network.layers[cnn_scene.layer]
    for position in ((0, 0), (known.height // 2, known.width // 2), (known.height - 1, 1)):
        at = [round((place + 0.5) / known.height * SIDE) for place in position]
        dotted = Image.new("RGB", (SIDE, SIDE))
        dotted.putpixel((at[1], at[0]), (255, 0, 0))
        patches = Patches(lambda _, dotted=dotted: dotted, network, cnn_scene.layer, 12)  # type: ignore[misc]  # mypy: a default of a lambda
        patch = patches(0, np.array(position, np.int32))
        assert patch.shape == (12, 12, 3)
        y, x = np.argwhere(patch[:, :, 0])[0]
        moved = [place - min(max(place - 6, 0), SIDE - 12) for place in at]
        assert [int(y), int(x)] == moved
    whole = Patches(lambda _: Image.new("RGB", (SIDE, SIDE), (9, 9, 9)), network, cnn_scene.layer, 2 * SIDE)
    assert (whole(0, np.array([1, 1], np.int32)) == 9).all()


def test_a_cell_has_the_mean_statistics_of_its_exemplars(statistics: PatchStatistics, samples: Samples) -> None:
    """As by hand, one patch at a time, whatever other cells there are; none for a cell without exemplars."""
    cells = [np.array([[3, 3, -1], [20, 7, 41], [-1, -1, -1]]), np.array([[41], [0]])]
    found = cell_means(InlinePool(None), lambda: statistics, samples, cells)
    assert [len(level) for level in found] == [3, 2]

    def by_hand(rows: Sequence[int]) -> np.ndarray:
        return np.asarray(np.mean([statistics(samples[np.array([row])])[0] for row in rows], axis=0))

    np.testing.assert_allclose(found[0][0], by_hand([3]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[0][1], by_hand([20, 7, 41]), rtol=1e-4, atol=1e-5)
    assert np.isnan(found[0][2]).all()
    np.testing.assert_allclose(found[1], [by_hand([41]), by_hand([0])], rtol=1e-4, atol=1e-5)
    assert np.abs(found[0][1] - found[1][0]).max() > 0.01


def test_the_prior_vanishes_for_the_patch_itself(
    statistics: PatchStatistics, samples: Samples, patches: Patches, extractor: FeatureExtractor
) -> None:
    """A patch has no loss against its own statistics and some against another's, in units of the usual deviation."""
    rows = np.array([2, 30])
    own = torch.from_numpy(statistics(samples[rows]))
    deviation = usual_deviation(InlinePool(None), lambda: statistics, samples)
    channels = {layer: extractor.channels(layer) for layer in LAYERS}
    prior = StatisticsPrior(channels, deviation, 3.0)
    pixels = np.stack([patches(int(samples.image[row]), samples.position[row]) for row in rows])
    features = extractor(torch.from_numpy(pixels).movedim(-1, 1).float() / 255)
    torch.testing.assert_close(prior.objective(own)(features, 1.0), torch.zeros(2), atol=1e-6, rtol=0)
    others = prior.objective(own.flip(0))(features, 1.0)
    by_hand = 0.0
    for layer in LAYERS:
        mine, other = channel_statistics(features[layer])
        start = sum(2 * channels[before] for before in LAYERS[: LAYERS.index(layer)])
        usual = torch.from_numpy(deviation[start : start + 2 * channels[layer]]).view(2, -1)
        by_hand += float((((mine - other) / usual) ** 2).sum(0).mean())
    torch.testing.assert_close(others, torch.full((2,), -3.0 * by_hand / 2), rtol=1e-4, atol=0)
    assert by_hand > 0.1


def test_the_prior_s_loss_falls_from_noise(
    statistics: PatchStatistics, samples: Samples, extractor: FeatureExtractor
) -> None:
    """Each image's loss falls within three of the steps at which it is evaluated, and further within 24."""
    deviation = usual_deviation(InlinePool(None), lambda: statistics, samples)
    prior = StatisticsPrior({layer: extractor.channels(layer) for layer in LAYERS}, deviation, 1.0)
    targets = torch.from_numpy(statistics(samples[np.array([2, 11, 30])]))
    found = [optimized_values(extractor, prior, targets, steps) for steps in (1, 1 + 3 * EVERY, 1 + 24 * EVERY)]
    assert (found[1] > found[0]).all()
    assert (found[2] > found[1]).all()


def test_a_network_of_tokens_sees_whole_inputs_at_every_layer(vit_scene: Scene, tmp_path: Path) -> None:
    """Its patches are as large as its input, whatever the icons' size, also where the statistics are of a map alone."""
    save_network(MODEL.path(tmp_path), vit_scene.network, SMALL_VIT, {})
    plant_samples(tmp_path, vit_scene.layer, vit_scene.activations)
    images = parse_params(OmegaConf.to_container(compose_config(ROOT, []))).images
    cut = PatchesSpec(MODEL.path(tmp_path), MANIFEST.path(tmp_path), images, vit_scene.layer, 16)
    samples = Samples(np.arange(3), np.ones((3, 2), np.int32))
    for layers in (["conv_proj"], ["conv_proj", "encoder.dropout"]):
        found = PatchStatisticsSpec(cut, layers, "cpu")()(samples)
        assert found.shape == (3, 2 * sum(vit_scene.network.layers[layer].channels for layer in layers))
        assert np.isfinite(found).all()
