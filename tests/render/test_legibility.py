import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image

from pipeline.compose import compose_config
from pipeline.config.model import ModelSettings
from pipeline.config.params import parse_params
from pipeline.core.artifacts import IMAGES as MANIFEST
from pipeline.core.artifacts import MODEL
from pipeline.core.bootstrap import draw_counts
from pipeline.core.cells import assign_cells
from pipeline.core.errors import ArtifactError
from pipeline.featurevis.judge import Judge, JudgeSpec, Recognition, judge_layers, recognition
from pipeline.featurevis.sample_patches import Patches, PatchesSpec, Samples
from pipeline.model.description import DESCRIPTION, WEIGHTS, LayerShape
from pipeline.model.network import save_network
from pipeline.parallel.pool import InlinePool
from pipeline.render.legibility import (
    LegibilityMeasure,
    icon_legibility,
    legibility_metrics,
    recognized,
    unused_members,
)
from tests.featurevis.scene import SIDE, Scene
from tests.render.planted_samples import plant_samples

ROOT = Path(__file__).parents[2]
SQUEEZENET = {
    "name": "judge",
    "architecture": {"_target_": "torchvision.models.squeezenet1_1"},
    "weights": "random",
    "preprocessing": {"crop": 64},
}
SIZE = 24
CLASSES = 5  # kinds of pictures, each of which is a cell
IMAGES = 10 * CLASSES

Cells = NDArray[np.intp]


@pytest.fixture
def samples() -> Samples:
    """One in the middle of each image; class after class."""
    image = np.arange(IMAGES)
    return Samples(image, np.full((IMAGES, 2), 3, np.int32))


@pytest.fixture
def judge(cnn_scene: Scene) -> Judge:
    """A small network with seeded weights that looks at plain colors, one for each class."""

    def picture(row: int) -> NDArray[np.uint8]:
        return colored(row % CLASSES, row)

    patches = Patches(lambda row: Image.fromarray(picture(row)), cnn_scene.network, cnn_scene.layer, SIZE)
    return Judge(cnn_scene.network, patches, "cpu")


def colored(kind: int, seed: int) -> NDArray[np.uint8]:
    """A picture in the color of a kind, with some noise of its own."""
    color = np.random.default_rng(kind).integers(30, 220, 3)
    noise = np.random.default_rng(100 + seed).normal(0, 12, (SIDE, SIDE, 3))
    return np.clip(color + noise, 0, 255).astype(np.uint8)


def measure(judge: Judge, samples: Samples) -> LegibilityMeasure:
    """Of one level whose first row of cells has a cell for each kind."""
    xy = np.stack([(samples.image % CLASSES + 0.5) / 8, np.full(IMAGES, 0.1)], 1)
    cells = assign_cells(xy, [8])
    return LegibilityMeasure(InlinePool(None), lambda: judge, samples, cells, np.arange(IMAGES), 0)


def icons(order: list[int]) -> NDArray[np.uint8]:
    """Pictures of these kinds, which no image of the set equals."""
    return np.stack([colored(kind, 1000 + kind)[:SIZE, :SIZE] for kind in order])


def judged(
    judge: Judge, samples: Samples, pictures: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], dict[str, object]]:
    """The legibility of pictures as the icons of the five cells, whose first member is an exemplar."""
    exemplars = np.arange(CLASSES)[:, None]
    valid = np.ones(CLASSES, bool)
    return measure(judge, samples)(8, np.arange(CLASSES), exemplars, pictures, valid)


def test_a_judge_knows_real_patches_and_not_shuffled_ones(judge: Judge, samples: Samples) -> None:
    """Pictures of a cell's kind are assigned to it, as the held-out patches are; those of other cells never are."""
    own, metrics = judged(judge, samples, icons([0, 1, 2, 3, 4]))
    assert own.tolist() == [1] * CLASSES
    assert metrics["top1"] == metrics["ceiling_top1"] == [1, 1, 1]
    assert metrics["recognized"] == metrics["ceiling_recognized"] == {"value": 1, "low": 1, "high": 1}
    assert metrics["to_real_patch"] == 1
    assert metrics["chance_top1"] == pytest.approx(1 / CLASSES)
    other, shuffled = judged(judge, samples, icons([1, 2, 3, 4, 0]))
    assert (other < 1).all()
    assert shuffled["top1"] == [0, 0, 0]
    assert shuffled["ceiling_top1"] == [1, 1, 1]


def test_a_judge_needs_no_weights_of_the_rendering_network(cnn_scene: Scene, samples: Samples, tmp_path: Path) -> None:
    """Patches are cut by the description of the saved network alone; without it there is one line."""
    save_network(MODEL.path(tmp_path), cnn_scene.network, {"_target_": "torch.nn.Identity"}, {})
    (MODEL.path(tmp_path) / WEIGHTS).unlink()
    plant_samples(tmp_path, cnn_scene.layer, cnn_scene.activations)
    images = parse_params(OmegaConf.to_container(compose_config(ROOT, []))).images
    patches = PatchesSpec(MODEL.path(tmp_path), MANIFEST.path(tmp_path), images, cnn_scene.layer, SIZE)
    settings = ModelSettings.model_validate_json(json.dumps(SQUEEZENET))
    found = JudgeSpec(settings, patches, "cpu")()(samples[:3])
    assert found.shape[0] == 3
    assert np.isfinite(found).all()
    (MODEL.path(tmp_path) / DESCRIPTION).unlink()
    with pytest.raises(ArtifactError, match="run the stage prepare"):
        JudgeSpec(settings, patches, "cpu")()


def test_an_icon_that_could_not_be_rendered_is_not_judged(judge: Judge, samples: Samples) -> None:
    """It has no legibility, and neither has a cell without two members that the renderer did not use."""
    measured = measure(judge, samples)
    exemplars = np.full((CLASSES, IMAGES // CLASSES), -1)
    exemplars[:, 0] = np.arange(CLASSES)
    exemplars[2, :9] = 2 + CLASSES * np.arange(9)  # all but one
    valid = np.array([True, False, True, True, True])
    found, metrics = measured(8, np.arange(CLASSES), exemplars, icons([0, 1, 2, 3, 4]), valid)
    assert np.isnan(found).tolist() == [False, True, True, False, False]
    assert metrics["judged"] == 3
    assert measure(judge, samples)(8, np.arange(1), exemplars[:1], icons([0]), valid[:1])[1] == {"judged": 1}


def test_further_icons_of_the_same_cells_are_measured_as_by_themselves(
    judge: Judge, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Icons of another style, of which another one failed, get their own figures; the patches are not judged again."""
    exemplars, rows = np.arange(CLASSES)[:, None], np.arange(CLASSES)
    some, others = np.array([True, False, True, True, True]), np.array([True, True, True, False, True])
    together = measure(judge, samples)
    together(8, rows, exemplars, icons([0, 1, 2, 3, 4]), some)
    alone, expected = measure(judge, samples)(8, rows, exemplars, icons([0, 2, 1, 3, 4]), others)
    monkeypatch.setattr("pipeline.render.legibility.cell_means", None)
    found, metrics = together(8, rows, exemplars, icons([0, 2, 1, 3, 4]), others)
    np.testing.assert_array_equal(found, alone)
    assert metrics == expected
    assert metrics["judged"] == 4
    assert metrics["top1"] == [0.5, 0.5, 0.5]


def test_members_come_from_images_that_the_renderer_did_not_use() -> None:
    """At most one from an image, none from an exemplar's image, and the same for any order of the points."""
    cells = assign_cells(np.full((40, 2), 0.1), [4])[0]
    image = np.repeat(np.arange(20), 2)  # two samples each
    used = [np.array([0, 5, -1])]
    found = unused_members(cells, np.array([0]), np.arange(40), image, used, 3)
    chosen = np.concatenate([found.prototype[0], found.held_out])
    assert len(chosen) == 13
    assert (chosen >= 0).all()
    assert len(set(image[chosen])) == 13
    assert not set(image[chosen]) & {0, 2}
    order = np.random.default_rng(0).permutation(40)
    again = unused_members(cells, np.array([0]), order, image, used, 3)
    assert (again.prototype == found.prototype).all()
    assert (unused_members(cells, np.array([0]), np.arange(40), image, used, 4).prototype != found.prototype).any()


def test_means_of_either_side_are_taken_off() -> None:
    """A constant that all icons or all prototypes share changes no rank."""
    random = np.random.default_rng(0)
    prototypes = random.normal(size=(30, 8)).astype(np.float32)
    features = prototypes + random.normal(0, 0.1, (30, 8)).astype(np.float32)
    found = recognition(features, prototypes, (3, 5))
    assert (found.rank == 0).mean() > 0.9
    moved = recognition(features + np.float32(7), np.asarray(prototypes - np.arange(8), np.float32), (3, 5))
    assert (moved.rank == found.rank).mean() > 0.95
    assert (recognition(-features, prototypes, (3, 5)).rank > 15).mean() > 0.9


def test_measures_by_hand() -> None:
    """Of four pictures at three depths; only the two deepest count for an icon."""
    rank = np.array([[3, 3, 3, 3], [0, 1, 2, 3], [0, 0, 2, 0]])
    found = Recognition(rank, 4)
    np.testing.assert_allclose(icon_legibility(found), [1, 5 / 6, 1 / 3, 0.5], rtol=1e-6)
    ceiling = Recognition(np.array([[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]), 4)
    metrics = legibility_metrics(found, ceiling, 0)
    assert metrics["top1"] == [0, 0.25, 0.75]
    assert metrics["top5"] == [1, 1, 1]
    assert metrics["ceiling_percentile"] == pytest.approx([1, 11 / 12, 1], abs=1e-4)
    assert [metrics[name]["value"] for name in ("recognized", "ceiling_recognized")] == [0.5, 0.875]
    assert metrics["to_real_patch"] == pytest.approx(0.5 / 0.875, abs=1e-4)
    assert (metrics["chance_top1"], metrics["chance_top5"]) == (0.25, 1)
    assert legibility_metrics(found, Recognition(np.ones((3, 4), int), 4), 0)["to_real_patch"] is None
    nothing = legibility_metrics(Recognition(np.zeros((3, 0), int), 0), Recognition(np.zeros((3, 0), int), 0), 0)
    assert nothing["recognized"] is nothing["to_real_patch"] is nothing["chance_top1"] is None


def test_intervals_hold_the_share_of_the_population() -> None:
    """Of 200 levels whose icons are recognized with a known probability, at least 9 in 10 intervals hold it."""
    random, share, cells, held = np.random.default_rng(0), 0.4, 60, []
    for number in range(200):
        rank = np.where(random.random((2, cells)) < share, 0, 3)
        rank[1] = rank[0]  # the two depths agree, as they nearly do
        found = recognized(Recognition(rank, cells), draw_counts(np.random.default_rng(number), cells, 400))
        assert found is not None
        held.append(found["low"] <= share <= found["high"])
    assert 0.9 <= np.mean(held) <= 1
    certain = recognized(Recognition(np.zeros((2, cells), int), cells), draw_counts(random, cells, 400))
    assert certain == {"value": 1, "low": 1, "high": 1}


def test_a_judge_looks_at_four_depths(shape: Callable[[int], LayerShape]) -> None:
    """The last layer of each quarter; inner modules and maps of one position do not count."""
    layers = {f"blocks.{k}": shape(8) for k in range(8)}
    found = judge_layers({**layers, "blocks.7.inner": shape(8), "pool": shape(1)})
    assert found == ["blocks.1", "blocks.3", "blocks.5", "blocks.7"]
    assert judge_layers({"only": shape(8)}) == ["only"]


@pytest.fixture
def shape() -> Callable[[int], LayerShape]:
    """Of a layer with a map of this side."""
    return lambda side: LayerShape("map", 4, side, side, 0, 4.0, 9)
