"""Explanations of a network that was trained on toytown."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.config.explain import ExplainSettings
from pipeline.core.bootstrap import Interval
from pipeline.core.layer_names import LOGITS
from pipeline.explain.heatmaps import Column, Explainer, columns
from pipeline.explain.pointing import build_mosaics, choose_mosaics, quarter_shares
from pipeline.explain.randomization import cascade, rank_correlation
from pipeline.explain.scores import Scores
from pipeline.explain.verdict import Resampling
from pipeline.model.inputs import to_tensor
from tests.toytown_truth import PREPROCESSING, network, unseen_scenes

pytestmark = pytest.mark.long

MOSAICS = 40
SETTINGS = ExplainSettings(methods=("saliency", "guided_backpropagation", "grad_cam"), batch_size=32)
COLUMNS = columns(SETTINGS, ["mixed4a"], of_classes=True, relus=True)
SALIENCY, GUIDED, GRAD_CAM = COLUMNS


def confident_images() -> tuple[Tensor, Tensor]:
    """Inputs and predicted classes of unseen scenes, the surest first."""
    inputs = torch.stack([to_tensor(scene.image, PREPROCESSING) for scene in unseen_scenes(300)])
    module = network(learned=True).module  # trained now, where gradients are
    with torch.no_grad():
        softmax = torch.softmax(module(inputs), 1)
    order = softmax.amax(1).argsort(descending=True, stable=True)
    return inputs[order], softmax.argmax(1)[order]


def shares(wanted: Sequence[Column]) -> dict[Column, np.ndarray]:
    """Share of heat in the right quarter, [mosaic, quarter]."""
    inputs, predicted = confident_images()
    chosen = choose_mosaics(predicted.numpy(), MOSAICS, seed=0)
    assert not isinstance(chosen, str)
    groups = torch.from_numpy(chosen)
    mosaics = build_mosaics(inputs[groups], full_size=True)
    explainer = Explainer(Scores(network(learned=True), LOGITS), SETTINGS)
    found: dict[Column, list[Tensor]] = {column: [] for column in wanted}
    for quarter in range(4):
        for column, heat in explainer.heatmaps(wanted, mosaics, predicted[groups[:, quarter]]).items():
            found[column].append(heat)
    return {column: quarter_shares(torch.stack(maps, 1), mosaics.shape[-1]) for column, maps in found.items()}


def test_grad_cam_points_to_the_right_quarter_and_the_gradient_less() -> None:
    """On mosaics Grad-CAM has most of its heat where the class is, above saliency and guided backpropagation."""
    found = shares(COLUMNS)
    resampling = Resampling(np.arange(MOSAICS), 1000, seed=0)
    means: dict[Column, Interval] = {column: resampling.mean(one.mean(axis=1)) for column, one in found.items()}
    assert means[GRAD_CAM].low > 0.6, means
    assert means[GRAD_CAM].low > means[SALIENCY].high, means
    assert means[GRAD_CAM].low > means[GUIDED].high, means
    difference = resampling.mean((found[GRAD_CAM] - found[SALIENCY]).mean(axis=1))
    assert difference.low > 0


def test_guided_backpropagation_does_not_see_that_the_classifier_is_randomized() -> None:
    """After the linear layer saliency and Grad-CAM change, guided backpropagation stays alike."""
    inputs, predicted = (values[:24] for values in confident_images())
    own = Explainer(Scores(network(learned=True), LOGITS), SETTINGS).heatmaps(COLUMNS, inputs, predicted)
    first = next(iter(cascade(network(learned=True), 4, seed=0)))
    assert len(first.modules) == 1
    other = Explainer(Scores(first.network, LOGITS), SETTINGS).heatmaps(COLUMNS, inputs, predicted)
    alike = {column: float(np.nanmean(rank_correlation(own[column], other[column]))) for column in COLUMNS}
    assert alike[GUIDED] > 0.8, alike
    assert alike[GUIDED] > alike[SALIENCY] + 0.1, alike
    assert alike[GUIDED] > alike[GRAD_CAM] + 0.1, alike
