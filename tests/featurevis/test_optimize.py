from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.config.render import RenderSettings
from pipeline.core.errors import ConfigError
from pipeline.featurevis import regularizers
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.composition import Objective, at_most
from pipeline.featurevis.engine_settings import cold_config, warm_config
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import channel, direction
from pipeline.featurevis.optimize import OptimizerConfig, Penalty, optimize
from pipeline.featurevis.parameterization import image_parameterization
from pipeline.featurevis.renderer import to_uint8
from pipeline.featurevis.transforms import IDENTITY
from pipeline.render.fidelity import FidelityMeasure
from tests.featurevis.rendering import activations, extractor, hooks, optimized
from tests.featurevis.scene import Scene

Quick = Callable[..., RenderSettings]
ROWS = [0, 1, 2, 3, 4, 5]


@pytest.fixture(params=["cnn", "vit"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """A convolutional and a token layer."""
    found: Scene = request.getfixturevalue(f"{request.param}_scene")
    return found


@pytest.mark.parametrize("kind", ["raw", "centered", "whitened"])
@pytest.mark.parametrize("parameterization", ["fourier", "pixel"])
def test_every_objective_rises(
    scene: Scene, quick: Quick, kind: Literal["raw", "centered", "whitened"], parameterization: str
) -> None:
    """In a few steps every icon comes nearer to its direction than its start was, in every space."""
    settings = quick(parameterization=parameterization, cosine_power=1.0, jitter=0.02, rotation=2.0)
    covariance = np.cov(scene.activations, rowvar=False)
    found = activation_space(kind, scene.mean, covariance, len(scene.activations), 0.2)
    target = direction(scene.layer, torch.from_numpy(scene.means), found, 1.0)
    features = extractor(scene, settings)
    start = optimized(
        scene, quick(parameterization=parameterization, cosine_power=1.0, steps=1, learning_rate=1e-9), ROWS, found
    )
    end = optimized(scene, settings, ROWS, found)
    before, after = (target.values(activations(features, scene.layer, one.images), 1.0) for one in (start, end))
    assert end.valid.all()
    assert (after > before).all()
    assert after.mean() > before.mean() + 0.3


@pytest.mark.parametrize(("contrast", "share"), [(None, 0.7), (0.75, 0.85)])
@pytest.mark.parametrize("name", ["total_variation", "l2", "blur", "boundary"])
def test_every_regularizer_falls(
    cnn_scene: Scene, quick: Quick, name: str, contrast: float | None, share: float
) -> None:
    """A penalty lowers what it penalizes, in every icon; a given contrast leaves it less room."""
    penalty = getattr(regularizers, name)
    free, asked = (
        penalty(optimized(cnn_scene, quick(steps=96, warmup=0.0, contrast=contrast, **{name: weight}), ROWS).images)
        for weight in (0.0, 3000.0)
    )
    assert (asked < share * free).all()


def test_a_step_does_not_depend_on_the_batch(scene: Scene, quick: Quick) -> None:
    """One gradient step of an icon alone and in a batch gives the same image, closely."""
    settings = quick(steps=1)
    together = optimized(scene, settings, ROWS).images
    for row in ROWS[:3]:
        alone = optimized(scene, settings, [row]).images[0]
        torch.testing.assert_close(alone, together[row], atol=1e-4, rtol=0)
    assert (together[0] - together[1]).abs().max() > 0.02


def test_fidelity_does_not_depend_on_the_batch(scene: Scene, quick: Quick) -> None:
    """After all steps an icon rendered alone has the fidelity of the same icon rendered with others."""
    settings, mean = quick(), torch.from_numpy(scene.mean)
    measure = FidelityMeasure(scene.network, scene.layer, (settings.size, settings.size), mean)
    rows = [2, 4]
    alone = torch.cat([optimized(scene, settings, [row]).images for row in rows])
    together = optimized(scene, settings, ROWS).images[rows]
    means = torch.from_numpy(scene.means[rows])
    found = [measure(to_uint8(images), means).scores["fidelity_centred"] for images in (alone, together)]
    np.testing.assert_allclose(found[0], found[1], atol=0.02)
    assert min(found[0]) > 0.5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_settings_give_the_same_bytes(cnn_scene: Scene, quick: Quick, dtype: str) -> None:
    """Rendering twice gives the same icons, bit for bit."""
    settings = quick(steps=6, dtype=dtype)
    assert torch.equal(optimized(cnn_scene, settings, ROWS).images, optimized(cnn_scene, settings, ROWS).images)


def test_an_icon_is_for_its_own_direction(cnn_scene: Scene, quick: Quick) -> None:
    """Each icon points along its own cell better than it does along the other cells, on the average."""
    settings = quick(steps=48)
    icons = to_uint8(optimized(cnn_scene, settings, ROWS).images)
    size, mean = (settings.size, settings.size), torch.from_numpy(cnn_scene.mean)
    measure = FidelityMeasure(cnn_scene.network, cnn_scene.layer, size, mean)
    own, other = (
        measure(icons, torch.from_numpy(means)).scores["fidelity_centred"].mean()
        for means in (cnn_scene.means, np.roll(cnn_scene.means, 1, axis=0))
    )
    assert own > other + 0.3


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_hook_is_left(scene: Scene, quick: Quick, share: float) -> None:
    """A run leaves no hook on the network it was given, nor on its own copy, with redirected gradient and without."""
    settings = quick(steps=2, redirected_relu=share)
    features = extractor(scene, settings)
    optimized(scene, settings, [0, 1])
    features(torch.rand(2, 3, *features.size).requires_grad_(True), share)[scene.layer].sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert hooks(scene.network.module) == hooks(features._module) == 0


def test_no_hook_is_left_when_a_pass_fails(cnn_scene: Scene, quick: Quick) -> None:
    """Nor does a pass that breaks in the middle of the network leave one."""
    features = extractor(cnn_scene, quick())
    features._module.second = nn.Conv2d(99, 12, 3)
    with pytest.raises(RuntimeError, match="channels"):
        features(torch.rand(2, 3, *features.size).requires_grad_(True), 1.0)
    assert hooks(features._module) == 0


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


def test_an_icon_without_gradient_is_reported(cnn_scene: Scene, quick: Quick) -> None:
    """A layer of zeros gives no gradient: no icon is valid."""
    for parameter in cnn_scene.network.module.parameters():
        parameter.zero_()
    assert not optimized(cnn_scene, quick(steps=3, total_variation=5.0), ROWS).valid.any()


def test_an_icon_that_is_not_finite_is_reported(cnn_scene: Scene, quick: Quick) -> None:
    """A direction that is not a number spoils its own icon and no other one's."""
    good = optimized(cnn_scene, quick(steps=3), ROWS)
    cnn_scene.means[1] = np.nan
    bad = optimized(cnn_scene, quick(steps=3), ROWS)
    assert bad.valid.tolist() == [True, False, True, True, True, True]
    torch.testing.assert_close(bad.images[[0, 2, 3]], good.images[[0, 2, 3]], atol=1e-6, rtol=0)


def test_a_size_too_small_for_the_network_is_an_error(cnn_scene: Scene) -> None:
    """An image that vanishes inside the network is refused in one line that says what to change."""
    cnn_scene.network.module.second.padding = (0, 0)  # type: ignore[union-attr]  # a convolution
    with pytest.raises(ConfigError, match=r"^render\.size: .*take a larger one$"):
        FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (8, 8), "float32", size_setting="render.size")


BETAS = (0.7, 0.99)
SETTINGS = RenderSettings(
    steps=100, learning_rate=0.1, cooldown=0.4, warmup=0.5, redirected_relu=0.8, warm_steps=30, warm_learning_rate=0.05
)


def test_it_warms_up_and_stays_warm() -> None:
    """From 0 at the first step to 1 at the end of the warm-up; without one it is warm at once."""
    warmups = [cold_config(SETTINGS).warmup_at(step) for step in range(100)]
    assert warmups[0] == 0
    assert warmups[25] == pytest.approx(0.5)
    assert warmups[50:] == [1.0] * 50
    assert OptimizerConfig(100, 0.1, BETAS, 0.4, 0.0, 0.0).warmup_at(0) == 1


def test_the_learning_rate_cools_down() -> None:
    """It stays until the cooldown begins, then falls in a line; without one it stays to the end."""
    rates = [cold_config(SETTINGS).learning_rate_at(step) for step in range(100)]
    assert rates[:60] == [0.1] * 60
    assert rates[80] == pytest.approx(0.05)
    assert 0 < rates[99] < 0.003
    assert OptimizerConfig(100, 0.1, BETAS, 0.0, 0.5, 0.0).learning_rate_at(99) == 0.1


def test_inactive_units_pass_less_and_less() -> None:
    """All of their gradient at the first step, half in the middle of the share, none after it; a share of 0 never."""
    shares = [cold_config(SETTINGS).redirect_at(step) for step in range(100)]
    assert shares[0] == 1
    assert shares[40] == pytest.approx(0.5)
    assert 0 < shares[79] < 0.02
    assert shares[80:] == [0.0] * 20
    assert OptimizerConfig(100, 0.1, BETAS, 0.4, 0.5, 0.0).redirect_at(0) == 0


def test_a_warm_start_is_shorter_and_has_its_power_at_once() -> None:
    """Fewer steps, its own learning rate, full power from the first step, and the rest as from noise."""
    warm, cold = warm_config(SETTINGS), cold_config(SETTINGS)
    assert (warm.steps, cold.steps) == (30, 100)
    assert (warm.learning_rate_at(0), cold.learning_rate_at(0)) == (0.05, 0.1)
    assert (warm.warmup_at(0), cold.warmup_at(0)) == (1.0, 0.0)
    assert (warm.cooldown, warm.redirected_relu) == (cold.cooldown, cold.redirected_relu)
    assert warm.redirect_at(12) == pytest.approx(0.5)


def test_the_defaults_warm_start_is_shorter() -> None:
    """What the defaults ask of a finer level is less than what they ask of the first."""
    assert warm_config(RenderSettings()).steps < cold_config(RenderSettings()).steps


def test_a_penalty_holds_an_image_and_a_limit_is_its_own(cnn_scene: Scene, quick: Quick) -> None:
    """An image with a heavy penalty on its distance to the start stays near it; limits by image hold one by one."""
    features = extractor(cnn_scene, quick())
    pixels = image_parameterization("fourier", features.size)
    start = torch.randn(2, *pixels.shape, generator=torch.Generator().manual_seed(0))
    objective, before = channel(cnn_scene.layer, [3, 3]), pixels.decode(start)
    weights = torch.tensor([0.0, 1e4])
    limited = at_most(objective, [-1e3, 1e3])

    def run(maximized: Objective, penalty: Penalty | None) -> list[float]:
        result = optimize(
            features,
            pixels,
            maximized,
            start=start,
            uniforms=torch.zeros(2, 12, 4),
            transform=IDENTITY,
            regularizers={},
            config=OptimizerConfig(12, 0.1),
            penalty=penalty,
        )
        change: list[float] = (result.images - before).square().mean((1, 2, 3)).tolist()
        return change

    free, held = run(objective, lambda images: weights * (images - before).square().mean((1, 2, 3)))
    assert held < 0.2 * free
    below, above = run(limited, None)
    assert below == 0
    assert above > 0
    assert len({limited.target_bytes(0), limited.target_bytes(1)}) == 2
