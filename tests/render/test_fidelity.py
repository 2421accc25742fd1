from collections.abc import Callable

import numpy as np
import pytest
import torch

from pipeline.config.render import RenderSettings
from pipeline.render import fidelity
from pipeline.render.fidelity import floor, measure
from pipeline.render.views import aimed, look
from tests.render.drawing import probe
from tests.render.scene import SIDE, Scene

Quick = Callable[..., RenderSettings]


def test_a_planted_perfect_icon_has_fidelity_one(cnn_scene: Scene, quick: Quick) -> None:
    """Flat colours look the same in every view; a cell whose mean is their activation is met exactly."""
    icons = torch.tensor([[220, 40, 30], [30, 60, 220]], dtype=torch.uint8)[:, None, None].expand(2, SIDE, SIDE, 3)
    see = probe(cnn_scene, quick())
    own = see(icons.movedim(-1, 1) / 255)
    mean = torch.from_numpy(cnn_scene.mean)
    right, wrong = measure(see, icons, own, mean), measure(see, icons, own.flip(0), mean)
    np.testing.assert_allclose(right.fidelity, 1, atol=1e-5)
    np.testing.assert_allclose(right.fidelity_centred, 1, atol=1e-5)
    np.testing.assert_allclose(right.activation, own.numpy(), atol=1e-5)
    assert (wrong.fidelity_centred < 0.7).all()


def test_it_is_the_mean_of_cosines_over_eight_views(cnn_scene: Scene, quick: Quick) -> None:
    """One view after the other, one icon after the other, by hand; not the cosine of a mean."""
    generator = torch.Generator().manual_seed(0)
    icons = (255 * torch.rand(3, SIDE, SIDE, 3, generator=generator)).byte()
    see, mean, means = (
        probe(cnn_scene, quick()),
        torch.from_numpy(cnn_scene.mean),
        torch.from_numpy(cnn_scene.means[:3]),
    )
    found = measure(see, icons, means, mean)
    matrices = aimed(fidelity._held_out(), see.target)
    assert len(matrices) == 8
    for icon, cell, raw, centred in zip(icons, means, found.fidelity, found.fidelity_centred, strict=True):
        seen = [see(look(icon.movedim(-1, 0)[None] / 255, matrix[None], SIDE))[0] for matrix in matrices]
        raws = [torch.cosine_similarity(one, cell, dim=0).item() for one in seen]
        centreds = [torch.cosine_similarity(one - mean, cell - mean, dim=0).item() for one in seen]
        assert raw == pytest.approx(np.mean(raws), abs=1e-5)
        assert centred == pytest.approx(np.mean(centreds), abs=1e-5)
        assert np.std(centreds) > 1e-4


def test_the_floor_is_the_cosine_to_the_layer_s_mean() -> None:
    """What the layer's mean would score as everyone's icon; an empty cell scores nothing."""
    cells = np.array([[2, 0], [0, 3], [1, 1], [0, 0]], np.float32)
    np.testing.assert_allclose(floor(cells, np.array([4, 3], np.float32)), [0.8, 0.6, 7 / 50**0.5, 0], rtol=1e-6)
