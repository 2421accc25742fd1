"""Large icons: they show what the icons show, with finer detail, at one level alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.config.render import RenderSettings
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.cache import CachedImage, ImageCache
from pipeline.featurevis.reduced_view import reduced_view
from pipeline.featurevis.renderer import BatchRenderer, CachedRenderer, RendererSpec, RenderRequest
from pipeline.parallel.pool import InlinePool
from pipeline.render.icons import Icon
from pipeline.render.large_icons import LargeIconRenderer, enlarged, large_renderer_spec
from pipeline.render.specification import renderer_spec
from tests.featurevis.rendering import requests, stacked
from tests.featurevis.scene import SIDE, Scene

Quick = Callable[..., RenderSettings]
LARGE = 2 * SIDE


def specs(scene: Scene, settings: RenderSettings) -> tuple[RendererSpec, RendererSpec]:
    """Of the scene's icons, and of its large ones."""
    spec = renderer_spec(settings, scene.layer, activation_space("centered", scene.mean), scene.mean, 0)
    return spec, large_renderer_spec(spec, settings, scene.network.layers)


def fine_detail(images: NDArray[np.uint8]) -> float:
    """Mean square of what is lost when large icons are reduced to half their side and enlarged again."""
    reduced = images.reshape(len(images), SIDE, 2, SIDE, 2, 3).mean((2, 4))
    smooth = np.stack([enlarged(image.round().astype(np.uint8), LARGE) for image in reduced])
    return float(np.square(images.astype(np.float64) - smooth).mean())


def test_a_large_icon_keeps_the_fidelity_and_gains_detail(cnn_scene: Scene, quick: Quick) -> None:
    """At the icon's size it is as faithful to its cell, and to no other; the enlarged icon has less fine detail."""
    settings = quick(steps=60, warm_steps=40, batch_size=12, total_variation=0.0)
    spec, large = specs(cnn_scene, settings)
    assert large.batch_size == 3
    icons = BatchRenderer(cnn_scene.network, spec).render(requests(cnn_scene.means[:3]))
    starts = np.stack([enlarged(icon.image, LARGE) for icon in icons])
    renderer = BatchRenderer(cnn_scene.network, large)
    found = renderer.render(requests(cnn_scene.means[:3], starts))
    before, after = ([one.scores["fidelity_centred"] for one in images] for images in (icons, found))
    assert np.mean(after) > np.mean(before) - 0.05
    assert fine_detail(stacked(found)) > 2 * fine_detail(starts)
    measure = large.purpose.measure(cnn_scene.network, (LARGE, LARGE))
    others = measure(torch.from_numpy(stacked(found)), torch.from_numpy(np.roll(cnn_scene.means[:3], 1, 0)))
    assert others.scores["fidelity_centred"].mean() < np.mean(after) - 0.2


def test_its_bytes_do_not_depend_on_the_batch(cnn_scene: Scene, quick: Quick) -> None:
    """Alone in a batch of one, or the second of three."""
    _, large = specs(cnn_scene, quick(steps=6, warm_steps=6))
    starts = np.random.default_rng(0).integers(0, 256, (3, LARGE, LARGE, 3), np.uint8)
    given = requests(cnn_scene.means[:3], starts)
    three, one = (BatchRenderer(cnn_scene.network, replace(large, batch_size=count)) for count in (3, 1))
    assert three.render(given)[1].image.tobytes() == one.render(given[1:2])[0].image.tobytes()


def test_tokens_look_at_the_whole_icon_as_it_is(vit_scene: Scene, quick: Quick) -> None:
    """It is resized to their network's input: large icons have the icons' objective, and no second view."""
    spec, large = specs(vit_scene, quick(steps=2, warm_steps=2))
    assert (large.reduction, large.parameterization.size) == (1, (LARGE, LARGE))
    targets = torch.from_numpy(vit_scene.means)
    assert large.purpose.objective(targets).description == spec.purpose.objective(targets).description
    starts = np.random.default_rng(0).integers(0, 256, (1, LARGE, LARGE, 3), np.uint8)
    (found,) = BatchRenderer(vit_scene.network, large).render(requests(vit_scene.means[:1], starts))
    assert found.image.shape == (LARGE, LARGE, 3)
    assert found.valid


def test_a_map_is_centered_as_the_icon_is(cnn_scene: Scene, quick: Quick) -> None:
    """Transforms put the large icon's center where the layer's central position looks at the icon's size."""
    spec, large = specs(cnn_scene, quick())
    assert large.purpose.center_layer == reduced_view(cnn_scene.layer)
    centers = [one.centered_transform(one.extractor(cnn_scene.network)).center for one in (spec, large)]
    assert centers[0] == centers[1]


class FailingRenderer(BatchRenderer):
    """A renderer whose images of the last request fail."""

    def render(self, requests: Sequence[RenderRequest]) -> list[CachedImage]:
        """Render as always, then invalidate the last one."""
        *others, last = super().render(requests)
        return [*others, replace(last, valid=False)]


@pytest.mark.parametrize("failing", [False, True])
def test_where_a_large_icon_fails_the_icon_is_enlarged(
    cnn_scene: Scene, quick: Quick, tmp_path: Path, failing: bool
) -> None:
    """It has neither key nor fidelity; a cell whose icon failed stays white."""
    settings = quick(steps=3, warm_steps=3, batch_size=8)
    spec, large = specs(cnn_scene, settings)
    cached = BatchRenderer(cnn_scene.network, replace(spec, batch_size=2)).render(requests(cnn_scene.means[:2]))
    icons: Mapping[int, Icon] = {
        row: Icon("ab" * 32, mean, image) for row, mean, image in zip((0, 2), cnn_scene.means[:2], cached, strict=True)
    }
    made = (FailingRenderer if failing else BatchRenderer)(cnn_scene.network, large)
    completed: list[int] = []
    with InlinePool(None) as pool, ImageCache(tmp_path) as cache:
        renderer = CachedRenderer(cache, pool, lambda: made, large.batch_size)
        found = LargeIconRenderer(renderer, LARGE, lambda _: b"").render("drawn", icons, 3, completed.append)
    assert sum(completed) == 3
    assert (found.icon[1] == 255).all()
    assert np.isfinite(found.fidelity_centred).tolist() == [True, False, not failing]
    assert found.key.any(1).tolist() == [True, False, not failing]
    start = enlarged(icons[2].cached.image, LARGE)
    assert (found.icon[2].tobytes() == start.tobytes()) is failing
    assert found.metrics()["failed"] == 1 + failing
