from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.config.render import RenderSettings
from pipeline.core.errors import ConfigError
from pipeline.render import regularizers
from pipeline.render.directions import space
from pipeline.render.fidelity import measure
from pipeline.render.objective import objective
from pipeline.render.probe import Probe
from tests.render.drawing import drawn, hooks, probe, seen, stored
from tests.render.scene import Scene

Quick = Callable[..., RenderSettings]
ROWS = [0, 1, 2, 3, 4, 5]


@pytest.fixture(params=["cnn", "vit"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """A convolutional and a token layer."""
    found: Scene = request.getfixturevalue(f"{request.param}_scene")
    return found


@pytest.mark.parametrize("kind", ["raw", "centred", "whitened"])
@pytest.mark.parametrize("parameterisation", ["fourier", "pixel"])
def test_every_objective_rises(
    scene: Scene, quick: Quick, kind: Literal["raw", "centred", "whitened"], parameterisation: str
) -> None:
    """In a few steps every icon comes nearer to its direction than its start was, in every space."""
    settings = quick(parameterisation=parameterisation, power=1.0, jitter=0.02, rotation=2.0)
    covariance = np.cov(scene.activations, rowvar=False)
    found = space(kind, scene.mean, covariance, len(scene.activations), 0.2)
    target = objective(found, torch.from_numpy(scene.means))
    look = probe(scene, settings)
    start = drawn(scene, quick(parameterisation=parameterisation, power=1.0, steps=1, learning_rate=1e-9), ROWS, found)
    end = drawn(scene, settings, ROWS, found)
    before, after = (target.values(seen(look, one.pictures), 1.0) for one in (start, end))
    assert end.sound.all()
    assert (after > before).all()
    assert after.mean() > before.mean() + 0.3


@pytest.mark.parametrize(("contrast", "share"), [(None, 0.7), (0.75, 0.85)])
@pytest.mark.parametrize("name", ["total_variation", "l2", "blur", "boundary"])
def test_every_regulariser_falls(
    cnn_scene: Scene, quick: Quick, name: str, contrast: float | None, share: float
) -> None:
    """Asking for less of something gives less of it, in every icon; a given contrast leaves it less room."""
    penalty = getattr(regularizers, name)
    free, asked = (
        penalty(drawn(cnn_scene, quick(steps=48, warmup=0.0, contrast=contrast, **{name: weight}), ROWS).pictures)
        for weight in (0.0, 3000.0)
    )
    assert (asked < share * free).all()


def test_a_step_does_not_depend_on_the_batch(scene: Scene, quick: Quick) -> None:
    """One gradient step of an icon alone and in company gives the same picture, closely."""
    settings = quick(steps=1)
    together = drawn(scene, settings, ROWS).pictures
    for row in ROWS[:3]:
        alone = drawn(scene, settings, [row]).pictures[0]
        torch.testing.assert_close(alone, together[row], atol=1e-4, rtol=0)
    assert (together[0] - together[1]).abs().max() > 0.02


def test_fidelity_does_not_depend_on_the_batch(scene: Scene, quick: Quick) -> None:
    """After all steps an icon drawn alone is as faithful as the same icon drawn in company."""
    settings, mean = quick(), torch.from_numpy(scene.mean)
    look = probe(scene, settings)
    rows = [2, 4]
    alone = torch.cat([drawn(scene, settings, [row]).pictures for row in rows])
    together = drawn(scene, settings, ROWS).pictures[rows]
    means = torch.from_numpy(scene.means[rows])
    found = [measure(look, stored(pictures), means, mean).fidelity_centred for pictures in (alone, together)]
    np.testing.assert_allclose(found[0], found[1], atol=0.02)
    assert min(found[0]) > 0.5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_settings_give_the_same_bytes(cnn_scene: Scene, quick: Quick, dtype: str) -> None:
    """Drawing twice gives the same icons, bit for bit."""
    settings = quick(steps=6, dtype=dtype)
    assert torch.equal(drawn(cnn_scene, settings, ROWS).pictures, drawn(cnn_scene, settings, ROWS).pictures)


def test_an_icon_is_for_its_own_direction(cnn_scene: Scene, quick: Quick) -> None:
    """Each icon points along its own cell better than it does along the other cells, on the average."""
    settings = quick(steps=48)
    icons = stored(drawn(cnn_scene, settings, ROWS).pictures)
    mean = torch.from_numpy(cnn_scene.mean)
    own, other = (
        measure(probe(cnn_scene, settings), icons, torch.from_numpy(means), mean).fidelity_centred.mean()
        for means in (cnn_scene.means, np.roll(cnn_scene.means, 1, axis=0))
    )
    assert own > other + 0.3


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_hook_is_left(scene: Scene, quick: Quick, share: float) -> None:
    """A run leaves no hook on the network it was given, nor on its own copy, with redirected gradient and without."""
    settings = quick(steps=2, redirect=share)
    look = probe(scene, settings)
    drawn(scene, settings, [0, 1])
    look(torch.rand(2, 3, look.size, look.size).requires_grad_(True), share).sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert hooks(scene.network.module) == hooks(look._module) == 0


def test_no_hook_is_left_when_a_pass_fails(cnn_scene: Scene, quick: Quick) -> None:
    """Nor does a pass that breaks in the middle of the network leave one."""
    look = probe(cnn_scene, quick())
    look._module.second = nn.Conv2d(99, 12, 3)
    with pytest.raises(RuntimeError, match="channels"):
        look(torch.rand(2, 3, look.size, look.size).requires_grad_(True), 1.0)
    assert hooks(look._module) == 0


@pytest.mark.parametrize(
    "plant",
    [
        lambda part: part.register_forward_hook(print),
        lambda part: part.register_forward_pre_hook(print),
        lambda part: part.register_full_backward_hook(print),
        lambda part: part.register_full_backward_pre_hook(print),
        lambda part: part.weight.requires_grad_(True).register_hook(print),
    ],
)
def test_one_hook_that_is_left_is_noticed(cnn_scene: Scene, plant: Callable[[nn.Module], object]) -> None:
    """A single hook of any kind, deep in a network, does not go unseen."""
    plant(cnn_scene.network.module.get_submodule("second"))
    assert hooks(cnn_scene.network.module) == 1


def test_an_icon_without_gradient_is_told(cnn_scene: Scene, quick: Quick) -> None:
    """A layer that says nothing gives no gradient: no icon is taken for a drawn one."""
    for parameter in cnn_scene.network.module.parameters():
        parameter.zero_()
    assert not drawn(cnn_scene, quick(steps=3, total_variation=5.0), ROWS).sound.any()


def test_an_icon_that_is_not_finite_is_told(cnn_scene: Scene, quick: Quick) -> None:
    """A direction that is not a number spoils its own icon and no other one's."""
    good = drawn(cnn_scene, quick(steps=3), ROWS)
    cnn_scene.means[1] = np.nan
    bad = drawn(cnn_scene, quick(steps=3), ROWS)
    assert bad.sound.tolist() == [True, False, True, True, True, True]
    torch.testing.assert_close(bad.pictures[[0, 2, 3]], good.pictures[[0, 2, 3]], atol=1e-6, rtol=0)


def test_a_canvas_too_small_for_the_network_is_an_error(cnn_scene: Scene) -> None:
    """A canvas that vanishes inside the network is refused in one line that says what to change."""
    cnn_scene.network.module.second.padding = (0, 0)  # type: ignore[union-attr]  # a convolution
    with pytest.raises(ConfigError, match=r"^render\.size: .*take a larger one$"):
        Probe(cnn_scene.network, cnn_scene.layer, 8, "float32")
