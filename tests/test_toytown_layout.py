"""The layout of toytown shows what the network learned: its parts come apart, and more so than without learning."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.config.sample import SampleSettings
from pipeline.images.crops import relative_positions
from pipeline.images.toytown.toytown import Scene
from pipeline.model.inputs import to_tensor
from pipeline.model.network import Network
from pipeline.reduce.layout import compute_layout
from pipeline.reduce.quality import LayoutSamples, measure_quality
from pipeline.reduce.rows import Rows
from pipeline.sample.attribution import sample_batch
from tests.toytown_truth import PREPROCESSING, network, parts, unseen_scenes

LAYER = "mixed3b"
SCENES, PLACES, PATCH = 300, 12, 12
REDUCE = ReduceSettings(neighbors=15, epochs=150, negative_sample_rate=5)
MARGIN = 0.1


@dataclass(frozen=True)
class Places:
    """Sampled places that show a part.

    Attributes:
        vector: [place, n], what lies there: an activation, or pixels.
        image: [place], the scene.
        part: [place], which part shows.
    """

    vector: NDArray[np.float32]
    image: NDArray[np.int64]
    part: NDArray[np.int64]

    def hits(self, order: NDArray[np.intp] | None = None) -> float:
        """Share of a place's 10 nearest in its layout, from other scenes, that show the same part."""
        xy = compute_layout(Rows(self.vector), REDUCE, 0).coordinates.astype(np.float32)
        xy = xy if order is None else xy[order]
        found = measure_quality(LayoutSamples(Rows(self.vector), xy, self.image, self.part), "cosine", 2000, 0)[
            "label_hits"
        ]
        assert found is not None
        return found


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Scenes that training never saw."""
    return unseen_scenes(SCENES)


def activations(network: Network, scenes: list[Scene]) -> Places:
    """The layer's activations at sampled positions that show a part, by the stage's own forward pass."""
    places = relative_positions(0, [str(index) for index in range(len(scenes))], PLACES)
    images = torch.stack([to_tensor(scene.image, PREPROCESSING) for scene in scenes])
    shape = network.layers[LAYER]
    settings = SampleSettings(positions_per_image=PLACES, attribution=False)
    block = sample_batch(network, {LAYER: shape}, images, places, settings, {})[LAYER]
    pixel = ((block["position"] + 0.5) * 64 / shape.height).astype(np.int64).reshape(len(scenes), PLACES, 2)
    part = parts(scenes, pixel).ravel()
    image = np.repeat(np.arange(len(scenes)), PLACES)
    return Places(block["activation"][part >= 0], image[part >= 0], part[part >= 0])


def patches(scenes: list[Scene], like: Network) -> Places:
    """The pixels around the same places."""
    known = activations(like, scenes)
    places = relative_positions(0, [str(index) for index in range(len(scenes))], PLACES)
    corner = (places * (64 - PATCH)).astype(np.int64)
    vectors = [
        np.asarray(scene.image, np.float32)[y : y + PATCH, x : x + PATCH].ravel() / 255 - 0.5
        for scene, corners in zip(scenes, corner, strict=True)
        for y, x in corners
    ]
    shown = parts(scenes, corner + PATCH // 2).ravel()
    image = np.repeat(np.arange(len(scenes)), PLACES)
    assert abs(int((shown >= 0).sum()) - len(known.part)) < 0.2 * len(known.part)
    return Places(np.stack(vectors)[shown >= 0].astype(np.float32), image[shown >= 0], shown[shown >= 0])


@pytest.mark.long
def test_learned_parts_come_apart_in_the_layout(scenes: list[Scene]) -> None:
    """Neighbors in the layout show the same part, more often than without training, from pixels, or by chance."""
    learned, blank = network(learned=True), network(learned=False)
    found = activations(learned, scenes)
    hits = {
        "learned": found.hits(),
        "untrained": activations(blank, scenes).hits(),
        "pixels": patches(scenes, learned).hits(),
        "chance": found.hits(np.random.default_rng(0).permutation(len(found.part))),
    }
    assert hits["learned"] > hits["untrained"] + MARGIN, hits
    assert hits["learned"] > hits["pixels"] + MARGIN, hits
    assert hits["chance"] < 0.25, hits
