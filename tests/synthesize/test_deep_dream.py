"""DeepDream in small networks, and its tiles."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import ConfigError
from pipeline.featurevis import memory
from pipeline.featurevis.objectives import channel, deep_dream, linear, logit
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network
from pipeline.synthesize import deep_dream as module
from pipeline.synthesize.cell_objective import ObjectiveOf, toward
from pipeline.synthesize.deep_dream import (
    Dream,
    DreamConfig,
    ascended,
    check_dream_memory,
    needed_bytes,
    octave_sizes,
    preconditioned,
)
from pipeline.synthesize.tiles import TiledGradient, tile_starts, tile_windows
from tests.featurevis.scene import Scene, scene

LAYER = "second_relu"
QUICK = DreamConfig(octaves=2, steps=4, step_size=0.01, jitter=4, tile=64, batch_size=4)


def photograph(height: int = 90, width: int = 101, seed: int = 0) -> Tensor:
    """Smooth random colors, [3, height, width]."""
    coarse = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(seed))
    return interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)


def dream(of: Scene, objective_of: ObjectiveOf, config: DreamConfig = QUICK, image: Tensor | None = None) -> Dream:
    """Of the usual photograph."""
    return module.deep_dream(of.network, objective_of, photograph() if image is None else image, config, seed=0)


def objectives(of: Scene) -> dict[str, ObjectiveOf]:
    """One of each kind."""
    cell, mean = torch.from_numpy(of.means[1]), torch.from_numpy(of.mean)
    unit = int(of.activations.var(0).argmax())
    return {
        "layer": lambda _: deep_dream(LAYER),
        "unit": lambda count: channel(LAYER, [unit] * count),
        "class": lambda count: logit([2] * count),
        "cell": toward(LAYER, cell, mean),
    }


@pytest.mark.parametrize("kind", ["layer", "unit", "class", "cell"])
def test_what_is_chosen_rises(cnn_scene: Scene, kind: str) -> None:
    """It rises in the photograph, and by more than in one that is changed as much toward something else."""
    objective_of = objectives(cnn_scene)[kind]
    found = dream(cnn_scene, objective_of)
    vector = torch.randn(12, generator=torch.Generator().manual_seed(5))
    other = dream(cnn_scene, lambda count: linear(LAYER, vector.expand(count, -1)))
    tiles = TiledGradient(cnn_scene.network, objective_of, (90, 101), tile=64, batch_size=4)
    assert tiles.value(photograph()) == found.before
    assert tiles.value(found.image) == found.after
    assert found.after - found.before > 1.5 * max(0.0, tiles.value(other.image) - found.before)
    assert other.after > other.before


def test_a_vision_transformer_dreams_too(vit: nn.Module) -> None:
    """A network of one input size sees tiles of that size, and resampled ones of a smaller photograph."""
    of = scene(vit, "encoder.layers.encoder_layer_0")
    for image in (photograph(70, 40), photograph(20, 25)):
        found = dream(of, lambda count: logit([1] * count), image=image)
        assert found.image.shape == image.shape
        assert found.after > found.before


def test_values_stay_in_range(cnn_scene: Scene) -> None:
    """However large the steps are, every value lies in 0..1, and some reach both ends."""
    found = dream(cnn_scene, lambda _: deep_dream(LAYER), replace(QUICK, step_size=0.3)).image
    assert (float(found.min()), float(found.max())) == (0, 1)
    assert found.shape == (3, 90, 101)


def test_the_same_seed_gives_the_same_bytes(cnn_scene: Scene) -> None:
    """Twice the same, bit for bit; another seed shifts otherwise."""
    objective_of, image = objectives(cnn_scene)["layer"], photograph()
    first, second, other = (
        module.deep_dream(cnn_scene.network, objective_of, image, QUICK, seed=seed).image for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_batch_size_does_not_matter(cnn_scene: Scene) -> None:
    """Tiles one by one and all together give the same image, up to rounding."""
    one, all_ = (
        dream(cnn_scene, objectives(cnn_scene)["unit"], replace(QUICK, tile=32, batch_size=size)).image
        for size in (1, 12)
    )
    torch.testing.assert_close(one, all_, atol=1e-4, rtol=0)


class Wide(nn.Module):
    """A wide random filter, which sees at an edge of a tile what is not there."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.wide = nn.Conv2d(3, 4, 9, padding=4)
        self.relu = nn.ReLU()
        self.head = nn.Linear(4, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.relu(self.wide(images)).mean((2, 3)))
        return logits


def seam(image: Tensor) -> float:
    """Mean absolute step of a dream's change across the edges of tiles of 32 pixels, relative to that elsewhere."""
    config = replace(QUICK, octaves=1, steps=48, tile=32, step_size=0.002, decay_power=0.0, chroma=None)
    wide = freeze(Wide())
    network = Network("wide", wide, tuple("abcde"), PreprocessingSettings(crop=32), discover_layers(wide, 32))
    change = module.deep_dream(network, lambda _: deep_dream("relu"), image, config, seed=0).image - image
    steps = change.diff(dim=2).abs().mean((0, 1))
    edges = torch.zeros(len(steps), dtype=torch.bool)
    edges[31::32] = True
    return float(steps[edges].mean() / steps[~edges].mean())


def test_no_line_is_left_between_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Across the edges of tiles the change varies as it does elsewhere; where tiles stay in place it jumps there."""
    image = photograph(128, 128)
    assert seam(image) < 1.1
    monkeypatch.setattr(module, "_random_shift", lambda *_: (0, 0))
    assert seam(image) > 1.5


@pytest.mark.parametrize(("side", "tile"), [(64, 64), (65, 64), (100, 32), (129, 64), (300, 77), (96, 32)])
def test_tiles_cover_every_pixel_once(side: int, tile: int) -> None:
    """The fewest tiles, within the image; their weights at a pixel add up to 1."""
    starts = tile_starts(side, tile)
    windows = tile_windows(side, tile, starts)
    total = torch.zeros(side)
    for start, window in zip(starts, windows, strict=True):
        total[start : start + tile] += window
    assert len(starts) == -(-side // tile)
    assert (starts[0], starts[-1]) == (0, side - tile)
    torch.testing.assert_close(total, torch.ones(side))
    assert windows.min() > 0


def test_one_tile_has_the_gradient_of_the_image(cnn_scene: Scene) -> None:
    """A photograph no larger than a tile has its exact gradient, and a shift moves it along."""
    objective_of, image = objectives(cnn_scene)["unit"], photograph(40, 56)
    tiles = TiledGradient(cnn_scene.network, objective_of, (40, 56), tile=64, batch_size=2)
    direct = image.clone()[None].requires_grad_()
    (expected,) = torch.autograd.grad(objective_of(1)(tiles._extractor(direct), 1.0).sum(), direct)
    assert tiles.tile == (40, 56)
    torch.testing.assert_close(tiles.gradient(image), expected[0])
    rolled = tiles.gradient(image.roll((-3, 5), (1, 2)), (3, -5)).roll((3, -5), (1, 2))
    torch.testing.assert_close(rolled, expected[0])


def test_a_step_has_the_given_size() -> None:
    """The mean absolute change of a value is the step size, whatever the gradient's own size is."""
    gradient = torch.randn(3, 8, 9, generator=torch.Generator().manual_seed(0))
    for scale in (1e-6, 1e6):
        change = ascended(torch.full((3, 8, 9), 0.5), scale * gradient, 0.01) - 0.5
        assert change.abs().mean().item() == pytest.approx(0.01, rel=1e-4)
    assert torch.equal(ascended(gradient.sigmoid(), torch.zeros_like(gradient), 0.01), gradient.sigmoid())


def test_preconditioning_is_positive_and_can_be_left_out() -> None:
    """A preconditioned gradient still ascends, has less of high frequencies and of color; without it stays as it is."""
    gradient = torch.randn(3, 48, 51, generator=torch.Generator().manual_seed(0))
    assert torch.equal(preconditioned(gradient, replace(QUICK, decay_power=0.0, chroma=None)), gradient)
    smooth = preconditioned(gradient, replace(QUICK, decay_power=1.0, chroma=None))
    gray = preconditioned(gradient, replace(QUICK, decay_power=0.0, chroma=0.0))
    roughness = [float(one.diff(dim=2).square().mean() / one.square().mean()) for one in (gradient, smooth)]
    assert roughness[1] < 0.7 * roughness[0]
    assert gray.std(0).mean() < 0.1 * gray.abs().mean()
    assert min(float((one * gradient).sum()) for one in (smooth, gray)) > 0


def test_octaves_end_with_the_photograph() -> None:
    """Each is larger by the factor; those too small for a network are left out."""
    config = DreamConfig(octaves=4, octave_scale=2.0)
    assert octave_sizes((512, 800), config) == [(64, 100), (128, 200), (256, 400), (512, 800)]
    assert octave_sizes((200, 300), config) == [(100, 150), (200, 300)]
    assert octave_sizes((20, 30), config) == [(20, 30)]


def test_memory_is_bounded_by_the_tile(cnn_scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger image needs no more of the network; one that does not fit is refused in a line that says what to do."""
    objective_of = objectives(cnn_scene)["layer"]
    small, large, coarse = (
        needed_bytes(cnn_scene.network, objective_of, (side, side), replace(QUICK, tile=tile))
        for side, tile in ((128, 64), (1024, 64), (1024, 512))
    )
    assert large - small == 14 * 3 * 4 * (1024**2 - 128**2)
    assert coarse > large + 16 * (small - 14 * 3 * 4 * 128**2)
    check_dream_memory(large, "cpu", (1024, 1024), "synthesize.deep_dream")
    monkeypatch.setattr(module, "free_bytes", lambda _: int(0.9 * large))
    with pytest.raises(ConfigError, match=r"^synthesize\.deep_dream\.tile: .*1024 × 1024 pixels"):
        check_dream_memory(large, "cpu", (1024, 1024), "synthesize.deep_dream")
    assert memory.free_bytes("cpu") > 0
    assert np.isfinite(large)
