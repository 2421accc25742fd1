"""Paintings with the cells of a small network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import direction, layout, resized_labels
from pipeline.featurevis.optimize import OptimizerConfig
from pipeline.synthesize.painting import BLANK, Painting, PaintingConfig, agreement, paint
from tests.featurevis.scene import SIDE, Scene, scene

QUICK = PaintingConfig(
    size=(96, 112),
    optimizer=OptimizerConfig(64, 0.25, (0.7, 0.99), cooldown=1.0, warmup=0.5, redirected_relu=0.8),
    cosine_power=12.0,
    chroma=3.0,
    contrast=1.5,
    jitter=2.0,
    regularizers={"total_variation": 1.0},
)
LABELS = torch.tensor([[0, 0, 1, 1], [0, 2, 2, 1], [3, 3, 3, 3]])


def palette(of: Scene) -> Tensor:
    """Mean activations of four colors, which a picture can have everywhere."""
    colors = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.8, 0.2], [0.1, 0.2, 0.9], [0.9, 0.9, 0.3]])
    extractor = FeatureExtractor(of.network, [of.layer], (SIDE, SIDE), "float32")
    with torch.no_grad():
        grid = extractor(colors[:, :, None, None].expand(-1, -1, SIDE, SIDE).contiguous())[of.layer]
    return grid[:, :, 1:-1, 1:-1].mean((2, 3))


def painted(of: Scene, labels: Tensor, config: PaintingConfig = QUICK, seed: int = 0) -> Painting:
    """With the four cells."""
    return paint(
        of.network, of.layer, palette(of), labels, layer_mean=torch.from_numpy(of.mean), config=config, seed=seed
    )


def test_each_region_has_its_own_cell(cnn_scene: Scene) -> None:
    """Away from borders nine positions of ten are nearest to their label's cell; with permuted labels they are not."""
    found = painted(cnn_scene, LABELS)
    assert found.valid
    assert found.image.shape == (3, *QUICK.size)
    assert found.image.min() >= 0
    assert found.image.max() <= 1
    assert found.agreement.overall >= 0.9
    assert (found.agreement.by_cell >= 0.6).all()
    extractor = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], QUICK.size, "float32")
    permuted = torch.tensor([1, 2, 3, 0])[LABELS]
    mean = torch.from_numpy(cnn_scene.mean)
    other = agreement(extractor, cnn_scene.layer, found.image, palette(cnn_scene), permuted, mean)
    assert other.overall < 0.35


def test_a_single_color(cnn_scene: Scene) -> None:
    """A picture of one cell has it everywhere, and no share for the others."""
    found = painted(cnn_scene, torch.full((2, 2), 2))
    assert found.agreement.overall >= 0.9
    assert np.isnan(found.agreement.by_cell[[0, 1, 3]]).all()
    assert found.agreement.inner.all()


def test_blank_labels(cnn_scene: Scene) -> None:
    """A blank picture has no gradient and no agreement, but is one; a blank part leaves the other its cell."""
    found = painted(cnn_scene, torch.full((2, 3), BLANK))
    assert not found.valid
    assert found.image.isfinite().all()
    assert np.isnan(found.agreement.overall)
    half = painted(cnn_scene, torch.tensor([[BLANK, 1]]))
    assert half.valid
    assert half.agreement.by_cell[1] >= 0.8


def test_a_vision_transformer(vit: nn.Module) -> None:
    """A network of tokens has regions as well; a larger picture is resampled to its own size."""
    of = scene(vit, "encoder.layers.encoder_layer_0")
    found = painted(of, torch.tensor([[0, 1]]), replace(QUICK, size=(40, 64)))
    assert found.image.shape == (3, 40, 64)
    assert found.agreement.nearest.shape == (4, 4)


def test_the_same_seed_gives_the_same_bytes(cnn_scene: Scene) -> None:
    """Twice the same, bit for bit; another seed is another picture."""
    few = replace(QUICK, optimizer=replace(QUICK.optimizer, steps=4))
    first, second, other = (painted(cnn_scene, LABELS, few, seed).image for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_labels_of_no_cell_are_refused(cnn_scene: Scene) -> None:
    """A label beyond the palette, or below that of a blank, is an error."""
    for label in (4, -2):
        with pytest.raises(ValueError, match="expected labels of 4 cells"):
            painted(cnn_scene, torch.tensor([[0, label]]))


def test_one_label_is_the_direction_at_each_position(cnn_scene: Scene) -> None:
    """With a single label the gradient at each position is that of the direction objective there, over their number."""
    targets, space = palette(cnn_scene), activation_space("centered", cnn_scene.mean)
    grid = torch.rand(2, 12, 3, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.tensor([[[1]], [[3]]])
    objective = layout(cnn_scene.layer, targets, labels, space, 4.0)
    (found,) = torch.autograd.grad(objective({cnn_scene.layer: grid}, 1.0).sum(), grid)
    center = direction(cnn_scene.layer, targets[[1, 3]], space, 4.0)
    for row, column in ((0, 0), (1, 4), (2, 2)):
        expected = center.surrogate_gradient(grid[:, :, row, column], 4.0) / 15
        torch.testing.assert_close(found[:, :, row, column], expected)


def test_labels_are_resized_to_the_nearest(cnn_scene: Scene) -> None:
    """Enlarged labels are blocks, reduced ones those at the middle; the digest tells arrangements apart."""
    labels = torch.tensor([[[0, 1], [2, 3]]])
    assert resized_labels(labels, (4, 2))[0].tolist() == [[0, 1], [0, 1], [2, 3], [2, 3]]
    assert resized_labels(torch.arange(9).view(1, 3, 3), (1, 1)).item() == 4
    space = activation_space("centered", cnn_scene.mean)
    digests = {
        layout(cnn_scene.layer, palette(cnn_scene), one, space, 4.0).digest(1) for one in (labels, labels.flip(1))
    }
    assert len(digests) == 2
