from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.render import RenderSettings
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.cache import CachedImage, ImageCache, pack
from pipeline.featurevis.composition import Objective
from pipeline.featurevis.objectives import channel, diversity
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.renderer import BatchRenderer, CachedRenderer, Measure, Measured, RenderRequest
from pipeline.model.network import Network
from pipeline.parallel.pool import InlinePool
from pipeline.render.specification import renderer_spec
from tests.featurevis.rendering import renderer, requests, scores, stacked
from tests.featurevis.scene import Scene

Quick = Callable[..., RenderSettings]
Images = NDArray[np.uint8]


@pytest.fixture(params=["cnn", "vit"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """A convolutional and a token layer."""
    found: Scene = request.getfixturevalue(f"{request.param}_scene")
    return found


def icons(
    scene: Scene,
    settings: RenderSettings,
    rows: list[int],
    parents: Images | None = None,
    attempt: int = 0,
    seed: int = 0,
) -> list[CachedImage]:
    """The scene's icons of these rows, in one batch."""
    return renderer(scene, settings, seed=seed).render(requests(scene.means[rows], parents, attempt))


def apart(one: Images, other: Images) -> float:
    """Mean difference of two icons, in levels of 0..255."""
    return float(np.abs(one.astype(float) - other).mean())


def test_a_batch_has_an_image_for_each_request(scene: Scene, quick: Quick) -> None:
    """As many images and scores as requests, though the batch is larger; all of them faithful."""
    done = icons(scene, quick(), [3, 1])
    assert stacked(done).shape == (2, 32, 32, 3)
    assert [image.activation.shape for image in done] == [scene.means.shape[1:]] * 2
    assert [image.valid for image in done] == [True, True]
    assert [list(image.scores) for image in done] == [["fidelity", "fidelity_centred"]] * 2
    assert scores(done).min() > 0.5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_settings_give_the_same_bytes(scene: Scene, quick: Quick, dtype: str) -> None:
    """Rendering twice gives the same icons and measures, bit for bit; another seed or attempt gives others."""
    settings = quick(steps=8, dtype=dtype)
    one, again = (icons(scene, settings, [0, 1, 2]) for _ in range(2))
    np.testing.assert_array_equal(stacked(one), stacked(again))
    np.testing.assert_array_equal([i.activation for i in one], [i.activation for i in again])
    for other in (icons(scene, settings, [0, 1, 2], seed=1), icons(scene, settings, [0, 1, 2], attempt=1)):
        assert apart(stacked(other), stacked(one)) > 5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_icon_is_the_same_alone_and_in_a_batch(scene: Scene, quick: Quick, dtype: str) -> None:
    """In batches filled up to one size an icon has the same bytes, whatever the others are."""
    settings = quick(dtype=dtype)
    alone = icons(scene, settings, [4])
    batch = icons(scene, settings, [4, 0, 1, 2, 3, 5])
    np.testing.assert_array_equal(alone[0].image, batch[0].image)
    np.testing.assert_array_equal(alone[0].activation, batch[0].activation)
    assert apart(batch[1].image, batch[0].image) > 5


@pytest.mark.parametrize(("size", "contrast"), [(32, 0.75), (39, 0.75), (39, None)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_icon_does_not_depend_on_its_place(
    scene: Scene, quick: Quick, dtype: str, size: int, contrast: float | None
) -> None:
    """Noise and transforms follow the direction: a batch in another order gives the same icons in that order.

    Odd sizes too, where the last numbers of a batch fill no whole register of the processor.
    """
    settings, order = quick(dtype=dtype, size=size, batch_size=5, contrast=contrast), [3, 1, 0, 2, 4]
    plain, reordered = icons(scene, settings, list(range(5))), icons(scene, settings, order)
    np.testing.assert_array_equal(stacked(reordered), stacked(plain)[order])
    assert apart(reordered[0].image, plain[0].image) > 5


def test_a_short_batch_is_filled_up(scene: Scene, quick: Quick) -> None:
    """What a short batch is filled up with changes none of its icons: they equal those of a full one."""
    full = icons(scene, quick(steps=6), [0, 1, 2, 3, 3, 3])
    short = icons(scene, quick(steps=6), [0, 1, 2, 3])
    assert len(short) == 4
    np.testing.assert_array_equal(stacked(short), stacked(full[:4]))
    np.testing.assert_array_equal(scores(short, "fidelity"), scores(full[:4], "fidelity"))


@pytest.mark.parametrize("contrast", [0.75, None])
@pytest.mark.parametrize("parameterization", ["fourier", "pixel"])
def test_a_warm_start_begins_at_the_parent(
    scene: Scene, quick: Quick, contrast: float | None, parameterization: str
) -> None:
    """After two tiny steps an icon is its parent's, by a level or so, and not what it would be from noise."""
    settings = quick(contrast=contrast, parameterization=parameterization)
    parents = stacked(icons(scene, settings, [0, 1, 2]))
    tiny = settings.model_copy(update={"warm_steps": 2, "warm_learning_rate": 1e-4})
    warm = icons(scene, tiny, [3, 4, 5], parents)
    cold = icons(scene, settings, [3, 4, 5])
    for child, parent, noise in zip(stacked(warm), parents, stacked(cold), strict=True):
        assert np.abs(child.astype(int) - parent).max() <= 2
        assert apart(noise, parent) > 5


def test_a_warm_start_reaches_its_own_direction(cnn_scene: Scene, quick: Quick) -> None:
    """Started from the icon of another cell, an icon comes to point where its own cell does, better than its parent."""
    settings = quick(warm_steps=24)
    parents = stacked(icons(cnn_scene, settings, [0, 1, 2]))
    kept = icons(
        cnn_scene, settings.model_copy(update={"warm_steps": 1, "warm_learning_rate": 1e-6}), [3, 4, 5], parents
    )
    done = icons(cnn_scene, settings, [3, 4, 5], parents)
    assert (scores(done) > scores(kept) + 0.1).all()
    assert all(image.valid for image in done)


def test_a_stored_parent_of_another_contrast_is_no_harm(cnn_scene: Scene, quick: Quick) -> None:
    """Plain gray, black or white as a parent gives an icon all the same."""
    parents = np.stack([np.full((32, 32, 3), level, np.uint8) for level in (0, 128, 255)])
    done = icons(cnn_scene, quick(warm_steps=24), [3, 4, 5], parents)
    assert all(image.valid for image in done)
    assert stacked(done).std(axis=(1, 2, 3)).min() > 5


def test_an_icon_that_is_not_finite_is_not_valid(cnn_scene: Scene, quick: Quick) -> None:
    """A mean that is not a number spoils its own icon and none of its neighbors."""
    means = cnn_scene.means.copy()
    means[1] = np.nan
    bad = icons(replace(cnn_scene, means=means), quick(steps=4), [0, 1, 2])
    good = icons(cnn_scene, quick(steps=4), [0, 1, 2])
    assert [image.valid for image in bad] == [True, False, True]
    np.testing.assert_array_equal(stacked(bad)[[0, 2]], stacked(good)[[0, 2]])


def differing(found: list[CachedImage], wanted: list[CachedImage], rows: list[int]) -> int:
    """How many images of ``found`` are not, in every byte, those ``rows`` of ``wanted``."""
    return sum(pack(b"", one) != pack(b"", wanted[row]) for one, row in zip(found, rows, strict=True))


@pytest.mark.parametrize("network", ["cnn_scene", "vit_scene"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("batch_size", [7, 8])
def test_an_icon_does_not_depend_on_its_batch(
    network: str, dtype: str, batch_size: int, quick: Quick, request: pytest.FixtureRequest
) -> None:
    """Other neighbors, another place, fewer icons: the same bytes, from noise and from a parent."""
    scene: Scene = request.getfixturevalue(network)
    settings = quick(steps=6, warm_steps=6, batch_size=batch_size, dtype=dtype, total_variation=1.0)
    covariance = np.cov(scene.activations.T)
    space = activation_space("whitened", scene.mean, covariance, len(scene.activations))
    who = renderer(scene, settings, space)
    whole = who.render(requests(scene.means))
    warm = who.render(requests(scene.means, stacked(whole)))
    for rows in ([5, 3, 0, 1, 4, 2], [4, 1], [2]):
        assert differing(who.render(requests(scene.means[rows])), whole, rows) == 0
        assert differing(who.render(requests(scene.means[rows], stacked(whole)[rows])), warm, rows) == 0
    assert differing(warm, whole, list(range(6))) == 6


@dataclass(frozen=True)
class DiverseChannels:
    """Images of one channel each that differ from one another, with their mean as the only score."""

    layer: str
    layers: tuple[str, ...]
    center_layer: str | None = None

    def objective(self, targets: Tensor) -> Objective:
        """Of channels [image]."""
        return channel(self.layer, targets.tolist()) + diversity(self.layer)

    def measure(self, network: Network, size: tuple[int, int]) -> Measure:
        """Needs no network."""
        del network, size

        def mean(images: Tensor, targets: Tensor) -> Measured:
            found = images.float().mean((1, 2, 3)).numpy()
            return Measured({"mean": found}, np.zeros((len(targets), 0), np.float32))

        return mean


def coupled(scene: Scene, settings: RenderSettings) -> BatchRenderer:
    """A renderer whose objective couples images, of another height than width."""
    spec = renderer_spec(settings, scene.layer, activation_space("centered", scene.mean), scene.mean, 0)
    oblong = image_parameterization("fourier", (24, 36), contrast=1.0)
    purpose = DiverseChannels(scene.layer, (scene.layer,))
    return BatchRenderer(scene.network, replace(spec, purpose=purpose, parameterization=oblong))


def test_a_group_is_rendered_and_cached_as_a_whole(cnn_scene: Scene, quick: Quick, tmp_path: Path) -> None:
    """Where one image of a group is missing, all of it is rendered again, to the same bytes; others are not."""
    settings = quick(steps=4, batch_size=4)
    who = coupled(cnn_scene, settings)
    done: list[int] = []
    wanted = [
        RenderRequest(f"{number:064x}", np.asarray(number % 3), group=number // 3, attempt=0) for number in range(6)
    ]
    found: list[dict[str, CachedImage]] = []
    for kept in (range(0), range(1, 6)):  # nothing, then all but one of the first group
        with InlinePool(None) as pool, ImageCache(tmp_path / str(len(kept))) as cache:
            cache.put({wanted[number].key: found[0][wanted[number].key] for number in kept})
            cached = CachedRenderer(cache, pool, lambda: who, settings.batch_size)
            found.append(cached.render(wanted, done.append))
            assert (cached.cache_hits, cached.rendered) == ((0, 6) if not kept else (3, 3))
    assert sum(done) == 12
    assert found[0].keys() == found[1].keys()
    for key, image in found[0].items():
        assert pack(b"", image) == pack(b"", found[1][key])
        assert image.image.shape == (24, 36, 3)
        assert list(image.scores) == ["mean"]
    alone = who.render([replace(wanted[0], group="alone")])
    assert apart(alone[0].image, found[0][wanted[0].key].image) > 0


def test_a_coupled_objective_needs_groups_that_fit(cnn_scene: Scene, quick: Quick, tmp_path: Path) -> None:
    """Images that would be filled up with copies, or split over batches, are a mistake of the caller."""
    settings = quick(steps=2, batch_size=2)
    who = coupled(cnn_scene, settings)
    with pytest.raises(ValueError, match="one group"):
        who.render([RenderRequest("", np.asarray(1))])
    large = [RenderRequest(f"{number:064x}", np.asarray(number), group="one") for number in range(3)]
    with InlinePool(None) as pool, ImageCache(tmp_path) as cache:
        renderer = CachedRenderer(cache, pool, lambda: who, settings.batch_size)
        with pytest.raises(ValueError, match="at most 2 images, found 3"):
            renderer.render(large, lambda _: None)
