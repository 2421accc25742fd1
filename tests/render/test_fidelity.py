from collections.abc import Callable

import numpy as np
import pytest
import torch

from pipeline.config.render import RenderSettings
from pipeline.featurevis.objectives import center_activations
from pipeline.featurevis.transforms import held_out_matrices, resample
from pipeline.render.fidelity import FidelityMeasure, fidelity_floor, retrieval
from tests.featurevis.rendering import extractor
from tests.featurevis.scene import SIDE, Scene

Quick = Callable[..., RenderSettings]


def test_a_planted_perfect_icon_has_fidelity_one(cnn_scene: Scene, quick: Quick) -> None:
    """Flat colors look the same under every transform; a cell whose mean is their activation is met exactly."""
    icons = torch.tensor([[220, 40, 30], [30, 60, 220]], dtype=torch.uint8)[:, None, None].expand(2, SIDE, SIDE, 3)
    own = center_activations(extractor(cnn_scene, quick())(icons.movedim(-1, 1) / 255)[cnn_scene.layer])
    measure = FidelityMeasure(cnn_scene.network, cnn_scene.layer, (SIDE, SIDE), torch.from_numpy(cnn_scene.mean))
    right, wrong = measure(icons, own), measure(icons, own.flip(0))
    np.testing.assert_allclose(right.scores["fidelity"], 1, atol=1e-5)
    np.testing.assert_allclose(right.scores["fidelity_centred"], 1, atol=1e-5)
    np.testing.assert_allclose(right.activation, own.numpy(), atol=1e-5)
    assert (wrong.scores["fidelity_centred"] < 0.7).all()


def test_it_is_the_mean_of_cosines_over_eight_transforms(cnn_scene: Scene, quick: Quick) -> None:
    """One transform after the other, one icon after the other, by hand; not the cosine of a mean."""
    generator = torch.Generator().manual_seed(0)
    icons = (255 * torch.rand(3, SIDE, SIDE, 3, generator=generator)).byte()
    features, mean, means = (
        extractor(cnn_scene, quick()),
        torch.from_numpy(cnn_scene.mean),
        torch.from_numpy(cnn_scene.means[:3]),
    )
    measure = FidelityMeasure(cnn_scene.network, cnn_scene.layer, (SIDE, SIDE), mean)
    found, matrices = measure(icons, means), held_out_matrices((SIDE, SIDE), features.center(cnn_scene.layer))
    assert len(matrices) == 8
    scores = zip(icons, means, found.scores["fidelity"], found.scores["fidelity_centred"], strict=True)
    for icon, cell, raw, centered in scores:
        images = [resample(icon.movedim(-1, 0)[None] / 255, matrix[None], (SIDE, SIDE)) for matrix in matrices]
        seen = [center_activations(features(image)[cnn_scene.layer])[0] for image in images]
        raws = [torch.cosine_similarity(one, cell, dim=0).item() for one in seen]
        centereds = [torch.cosine_similarity(one - mean, cell - mean, dim=0).item() for one in seen]
        assert raw == pytest.approx(np.mean(raws), abs=1e-5)
        assert centered == pytest.approx(np.mean(centereds), abs=1e-5)
        assert np.std(centereds) > 1e-4


def test_the_floor_is_the_cosine_to_the_layer_s_mean() -> None:
    """What the layer's mean would score as everyone's icon; an empty cell scores nothing."""
    cells = np.array([[2, 0], [0, 3], [1, 1], [0, 0]], np.float32)
    np.testing.assert_allclose(
        fidelity_floor(cells, np.array([4, 3], np.float32)), [0.8, 0.6, 7 / 50**0.5, 0], rtol=1e-6
    )


CELLS = np.array([[0, 0], [0, 1], [5, 5]])
MEANS = np.array([[2.0, 1.0], [1.0, 2.0], [-1.0, -3.0]], np.float32)
ORIGIN = np.array([0.5, 0.5], np.float32)


def test_icons_that_equal_their_cells_are_found() -> None:
    """A perfect icon's nearest cell is its own."""
    found = retrieval(MEANS.copy(), MEANS, CELLS, ORIGIN)
    assert (found.exact, found.near) == (1.0, 1.0)


def test_a_neighbor_counts_as_near_only() -> None:
    """Two icons of neighboring cells swapped: found nearby, not exactly. A far one swapped is not found at all."""
    swapped = retrieval(MEANS[[1, 0, 2]], MEANS, CELLS, ORIGIN)
    assert (swapped.exact, swapped.near) == (1 / 3, 1.0)
    far = retrieval(MEANS[[2, 1, 0]], MEANS, CELLS, ORIGIN)
    assert (far.exact, far.near) == (1 / 3, 1 / 3)


def test_an_icon_that_was_not_rendered_finds_nothing() -> None:
    """It counts among the icons, and is never found."""
    activations = MEANS.copy()
    activations[2] = np.nan
    found = retrieval(activations, MEANS, CELLS, ORIGIN)
    assert (found.exact, found.near) == (2 / 3, 2 / 3)
