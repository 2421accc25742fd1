from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.render import RenderSettings
from pipeline.render.artist import Artist, Batch
from pipeline.render.directions import space
from tests.render.scene import Scene

Quick = Callable[..., RenderSettings]
Pictures = NDArray[np.uint8]


@pytest.fixture(params=["cnn", "vit"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """A convolutional and a token layer."""
    found: Scene = request.getfixturevalue(f"{request.param}_scene")
    return found


def artist(scene: Scene, settings: RenderSettings, seed: int = 0) -> Artist:
    """Who draws centred directions of a scene."""
    return Artist(scene.network, scene.layer, space("centred", scene.mean), scene.mean, settings, seed)


def icons(
    scene: Scene,
    settings: RenderSettings,
    rows: list[int],
    parents: Pictures | None = None,
    attempt: int = 0,
    seed: int = 0,
) -> Batch:
    """The scene's icons of these rows, in one batch."""
    return artist(scene, settings, seed).draw(scene.means[rows], parents, attempt)


def apart(one: Pictures, other: Pictures) -> float:
    """Mean difference of two icons, in levels of 0..255."""
    return float(np.abs(one.astype(float) - other).mean())


def test_a_batch_is_what_was_asked_for(scene: Scene, quick: Quick) -> None:
    """As many icons, measures and scores as directions, though the batch is larger; all of them faithful."""
    done = icons(scene, quick(), [3, 1])
    assert done.icon.shape == (2, 32, 32, 3)
    assert done.measured.activation.shape == (2, scene.means.shape[1])
    assert done.sound.tolist() == [True, True]
    np.testing.assert_array_equal(done.score, done.measured.fidelity_centred)
    assert done.score.min() > 0.5
    raw = icons(scene, quick(space="raw", steps=2), [3, 1])
    np.testing.assert_array_equal(raw.score, raw.measured.fidelity)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_settings_give_the_same_bytes(scene: Scene, quick: Quick, dtype: str) -> None:
    """Drawing twice gives the same icons and measures, bit for bit; another seed or attempt gives others."""
    settings = quick(steps=8, dtype=dtype)
    one, again = (icons(scene, settings, [0, 1, 2]) for _ in range(2))
    np.testing.assert_array_equal(one.icon, again.icon)
    np.testing.assert_array_equal(one.measured.activation, again.measured.activation)
    for other in (icons(scene, settings, [0, 1, 2], seed=1), icons(scene, settings, [0, 1, 2], attempt=1)):
        assert apart(other.icon, one.icon) > 5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_icon_is_the_same_alone_and_in_company(scene: Scene, quick: Quick, dtype: str) -> None:
    """In batches filled up to one size an icon has the same bytes, whoever its neighbours are."""
    settings = quick(dtype=dtype)
    alone = icons(scene, settings, [4])
    company = icons(scene, settings, [4, 0, 1, 2, 3, 5])
    np.testing.assert_array_equal(alone.icon[0], company.icon[0])
    np.testing.assert_array_equal(alone.measured.activation[0], company.measured.activation[0])
    assert apart(company.icon[1], company.icon[0]) > 5


@pytest.mark.parametrize(("size", "contrast"), [(32, 0.75), (39, 0.75), (39, None)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_icon_does_not_depend_on_its_place(
    scene: Scene, quick: Quick, dtype: str, size: int, contrast: float | None
) -> None:
    """Noise and views follow the direction: a batch in another order gives the same icons in that order.

    Odd sizes too, where the last numbers of a batch fill no whole register of the processor.
    """
    settings, order = quick(dtype=dtype, size=size, batch_size=5, contrast=contrast), [3, 1, 0, 2, 4]
    plain, turned = icons(scene, settings, list(range(5))), icons(scene, settings, order)
    np.testing.assert_array_equal(turned.icon, plain.icon[order])
    assert apart(turned.icon[0], plain.icon[0]) > 5


def test_a_short_batch_is_filled_up(scene: Scene, quick: Quick) -> None:
    """What a short batch is filled up with changes none of its icons: they equal those of a full one."""
    full = icons(scene, quick(steps=6), [0, 1, 2, 3, 3, 3])
    short = icons(scene, quick(steps=6), [0, 1, 2, 3])
    assert len(short.icon) == 4
    np.testing.assert_array_equal(short.icon, full.icon[:4])
    np.testing.assert_array_equal(short.measured.fidelity, full.measured.fidelity[:4])


@pytest.mark.parametrize("contrast", [0.75, None])
@pytest.mark.parametrize("parameterisation", ["fourier", "pixel"])
def test_a_warm_start_begins_at_the_parent(
    scene: Scene, quick: Quick, contrast: float | None, parameterisation: str
) -> None:
    """After two tiny steps an icon is its parent's, by a level or so, and not what it would be from noise."""
    settings = quick(contrast=contrast, parameterisation=parameterisation)
    parents = icons(scene, settings, [0, 1, 2]).icon
    tiny = settings.model_copy(update={"warm_steps": 2, "warm_rate": 1e-4})
    warm = icons(scene, tiny, [3, 4, 5], parents)
    cold = icons(scene, settings, [3, 4, 5])
    for child, parent, noise in zip(warm.icon, parents, cold.icon, strict=True):
        assert np.abs(child.astype(int) - parent).max() <= 2
        assert apart(noise, parent) > 5


def test_a_warm_start_reaches_its_own_direction(cnn_scene: Scene, quick: Quick) -> None:
    """Started from the icon of another cell, an icon comes to point where its own cell does, better than its parent."""
    settings = quick(warm_steps=24)
    parents = icons(cnn_scene, settings, [0, 1, 2]).icon
    kept = icons(cnn_scene, settings.model_copy(update={"warm_steps": 1, "warm_rate": 1e-6}), [3, 4, 5], parents)
    done = icons(cnn_scene, settings, [3, 4, 5], parents)
    assert (done.score > kept.score + 0.1).all()
    assert done.sound.all()


def test_a_stored_parent_of_another_contrast_is_no_harm(cnn_scene: Scene, quick: Quick) -> None:
    """Plain grey, black or white as a parent gives an icon all the same."""
    parents = np.stack([np.full((32, 32, 3), level, np.uint8) for level in (0, 128, 255)])
    done = icons(cnn_scene, quick(warm_steps=24), [3, 4, 5], parents)
    assert done.sound.all()
    assert done.icon.std(axis=(1, 2, 3)).min() > 5


def test_an_icon_that_is_not_finite_is_not_sound(cnn_scene: Scene, quick: Quick) -> None:
    """A mean that is not a number spoils its own icon and none of its neighbours."""
    means = cnn_scene.means.copy()
    means[1] = np.nan
    bad = icons(replace(cnn_scene, means=means), quick(steps=4), [0, 1, 2])
    good = icons(cnn_scene, quick(steps=4), [0, 1, 2])
    assert bad.sound.tolist() == [True, False, True]
    np.testing.assert_array_equal(bad.icon[[0, 2]], good.icon[[0, 2]])
