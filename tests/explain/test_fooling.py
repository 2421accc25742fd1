"""Adversarial changes, and images from noise, of networks for which the answer is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.explain.fooling import (
    LEVELS,
    PATH,
    amplified,
    fgsm,
    fool,
    from_noise,
    path_probabilities,
    pgd_linf,
    pixels_of,
    quantized,
    smallest_l2,
    smallest_linf,
    survives,
)
from pipeline.model.build import freeze
from pipeline.model.inputs import normalize, to_tensor
from pipeline.model.network import Network

SIDE = 8
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
OTHER = torch.tensor([1])


def network(module: nn.Module, side: int = SIDE, classes: int = 2) -> Network:
    """The module, frozen; its inputs are normalized."""
    names = tuple(f"class {number}" for number in range(classes))
    preprocessing = PreprocessingSettings(crop=side, mean=MEAN, std=STD)
    return Network("small", freeze(module), names, preprocessing, {})


class Linear(nn.Module):
    """Two classes: the first has a logit of 0, the second one that is linear in the input."""

    def __init__(self, weight: Tensor, bias: float = 0.0) -> None:
        super().__init__()
        self.fc = nn.Linear(weight.numel(), 2)
        self.fc.weight.data = torch.stack([torch.zeros(weight.numel()), weight.flatten()])
        self.fc.bias.data = torch.tensor([0.0, bias])

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.fc(inputs.flatten(1))
        return logits


def linear(distance: float, image: Tensor) -> tuple[Network, Tensor]:
    """A linear network whose second class is at this distance from an image, and the gradient by its pixels."""
    slope = torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    weight = slope * torch.tensor(STD)[:, None, None]
    module = Linear(weight)
    found = network(module)
    value = float(logits(found, image)[0, 1])
    module.fc.bias.data[1] = -value - distance * float(slope.norm())
    return found, slope


def logits(found: Network, pixels: Tensor) -> Tensor:
    """Of images in 0..1."""
    answer: Tensor = found.module(normalize(pixels, found.preprocessing))
    return answer


def photograph(seed: int = 0, count: int = 1, side: int = SIDE, low: int = 77, high: int = 179) -> Tensor:
    """Noise with 8 bits, away from the border of 0..1."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, (count, 3, side, side), generator=generator) / LEVELS


def test_pixels_are_those_of_the_image() -> None:
    """An image with 8 bits that was normalized comes back exactly."""
    values = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    preprocessing = PreprocessingSettings(crop=SIDE, mean=MEAN, std=STD)
    found = pixels_of(to_tensor(Image.fromarray(values), preprocessing)[None], preprocessing)
    assert torch.equal(found[0], torch.from_numpy(values).movedim(-1, 0).float() / 255)


def test_a_step_along_the_sign_changes_a_linear_logit_by_the_sum_of_absolute_weights() -> None:
    """The target's logit grows by ε ‖w‖₁, and by less where values are at the border; no step changes nothing."""
    image = photograph()
    found, slope = linear(0.5, image)
    moved = fgsm(found, image, OTHER, 0.05)
    gain = float((logits(found, moved) - logits(found, image))[0, 1])
    assert gain == pytest.approx(0.05 * float(slope.abs().sum()), rel=1e-4)
    assert float((moved - image).abs().max()) <= 0.05 + 1e-6
    black = torch.zeros_like(image)
    moved = fgsm(found, black, OTHER, 0.05)
    gain = float((logits(found, moved) - logits(found, black))[0, 1])
    assert gain == pytest.approx(0.05 * float(slope.clamp(min=0).sum()), rel=1e-4)
    assert torch.equal(fgsm(found, image, OTHER, 0.0), image)


def test_descent_stays_within_its_bound_and_reaches_its_corner() -> None:
    """On a linear network every value ends at the bound, whatever the step; the target's logit is that of FGSM."""
    image = photograph()
    found, slope = linear(0.5, image)
    for steps, size in ((20, None), (5, 0.5), (50, 0.001)):
        moved = pgd_linf(found, image, OTHER, 0.03, steps, size)
        assert torch.allclose(moved - image, 0.03 * slope.sign()[None], atol=1e-6)
    assert not torch.allclose(pgd_linf(found, image, OTHER, 0.03, 5, 0.001) - image, 0.03 * slope.sign(), atol=1e-3)


def test_the_smallest_bound_of_a_linear_network_is_known() -> None:
    """It is |f| / ‖w‖₁, to a quarter of a level; with a limit below there is none."""
    image = photograph()
    found, slope = linear(1.0, image)
    exact = float(slope.norm() / slope.abs().sum())
    smallest = smallest_linf(found, image, OTHER)
    assert exact <= smallest.size[0] <= exact + 0.25 / LEVELS + 1e-6
    assert smallest.size[0] * 4 * LEVELS == pytest.approx(round(smallest.size[0] * 4 * LEVELS))
    assert float((smallest.pixels - image).abs().max()) <= smallest.size[0] + 1e-6
    assert logits(found, smallest.pixels).argmax() == 1
    none = smallest_linf(found, image, OTHER, limit=int(exact * LEVELS))
    assert not none.reached[0]
    assert torch.equal(none.pixels, image)


@pytest.mark.parametrize("distance", [0.02, 0.3, 1.0])
def test_the_smallest_norm_of_a_linear_network_is_known(distance: float) -> None:
    """It is |f| / ‖w‖ within 3 %, along w; 97 % of the change do not reach the target."""
    image = photograph()
    found, slope = linear(distance, image)
    smallest = smallest_l2(found, image, OTHER)
    change = smallest.pixels - image
    assert distance <= smallest.size[0] <= 1.03 * distance
    assert float(change.norm()) == pytest.approx(smallest.size[0], rel=1e-5)
    assert float((change * slope).sum() / change.norm() / slope.norm()) == pytest.approx(1, abs=1e-4)
    assert logits(found, smallest.pixels).argmax() == 1
    assert logits(found, image + 0.97 * change).argmax() == 0


def test_the_smallest_norm_takes_the_border_into_account() -> None:
    """Where half of the values are at the border, the norm is |f| over that of the weights of the others."""
    slope = torch.ones(3, SIDE, SIDE)
    image = torch.full((1, 3, SIDE, SIDE), 0.5)
    image[:, :, :, : SIDE // 2] = 1.0
    module = Linear(slope * torch.tensor(STD)[:, None, None])
    found = network(module)
    module.fc.bias.data[1] = -float(logits(found, image)[0, 1]) - 2.0
    smallest = smallest_l2(found, image, OTHER)
    exact = 2.0 / float(slope[:, :, SIDE // 2 :].norm())
    assert exact <= smallest.size[0] <= 1.03 * exact
    assert smallest.pixels.max() <= 1


class Bounded(nn.Module):
    """Two classes; the second's logit has a gradient, and is always below the first's."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        value = torch.tanh(self.slope * inputs.mean((1, 2, 3)))
        return torch.stack([torch.full_like(value, 1.5), value], 1)


@pytest.mark.parametrize("slope", [1.0, 0.0])
def test_a_class_that_cannot_be_reached_gives_none(slope: float) -> None:
    """With and without a gradient nothing is found, no image is claimed, and nothing is saved."""
    image = photograph()
    found = network(Bounded(slope))
    for smallest in (smallest_linf(found, image, OTHER), smallest_l2(found, image, OTHER)):
        assert np.isnan(smallest.size[0])
        assert torch.equal(smallest.pixels, image)
    assert not quantized(found, image, image, OTHER).held[0]
    (fooled,) = fool(found, image, torch.tensor([0]), OTHER, [0])
    for change in (fooled.linf, fooled.l2):
        assert change.levels is None
        assert not change.png
        assert not change.jpeg
        assert np.isnan([change.size, change.linf, change.l2, change.probability]).all()
        assert change.path.shape == (2, 0)
    assert fooled.noise_probability < 0.5


def test_an_image_of_the_target_needs_no_change() -> None:
    """Its size is 0, and the rounded image is the image itself."""
    image = photograph()
    found, _ = linear(-0.2, image)
    for smallest in (smallest_linf(found, image, OTHER), smallest_l2(found, image, OTHER)):
        assert smallest.size[0] == 0
        assert torch.equal(smallest.pixels, image)
    assert torch.equal(quantized(found, image, image, OTHER).levels, (image * LEVELS).round().byte())


def test_a_change_that_rounding_loses_is_made_larger() -> None:
    """A change below half a level is nothing with 8 bits; made larger it holds, as a file too; one try does not."""
    image = photograph()
    found, _ = linear(0.002, image)
    smallest = smallest_l2(found, image, OTHER)
    once = quantized(found, image, smallest.pixels, OTHER, tries=1)
    assert not once.held[0]
    assert torch.equal(once.levels, (image * LEVELS).round().byte())
    rounded = quantized(found, image, smallest.pixels, OTHER)
    assert rounded.held[0]
    assert rounded.scale[0] > 1
    assert survives(rounded.levels[0], found, 1, "PNG")
    assert not survives(once.levels[0], found, 1, "PNG")


class Rectified(nn.Module):
    """A convolution, ReLUs and a linear head of five classes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.filters, self.head = nn.Conv2d(3, 16, 5, stride=2), nn.Linear(16 * 6 * 6, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.filters(inputs).relu().flatten(1))
        return logits


def rectified() -> tuple[Network, Tensor, Tensor, Tensor]:
    """The network, four images of 16 × 16 pixels, the class of each, and the next one in their order."""
    found, images = network(Rectified(), 16, 5), photograph(1, 4, 16, 0, 256)
    own = logits(found, images).argmax(1)
    return found, images, own, (own + 1) % 5


def test_a_saved_adversarial_image_keeps_its_class_and_its_bound(tmp_path: Path) -> None:
    """A PNG that is read again has the target as its class, and differs by its bound and half a level at most."""
    found, images, own, targets = rectified()
    smallest = smallest_linf(found, images, targets)
    assert smallest.reached.all()
    rounded = quantized(found, images, smallest.pixels, targets)
    assert rounded.held.all()
    for number in range(len(images)):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rounded.levels[number].movedim(0, -1).contiguous().numpy()).save(path)
        again = torch.from_numpy(np.array(Image.open(path))).movedim(-1, 0)[None].float() / 255
        assert logits(found, again).argmax() == targets[number]
        assert logits(found, images[number : number + 1]).argmax() == own[number]
        bound = rounded.scale[number] * smallest.size[number] * LEVELS + 0.5
        assert float((again - images[number]).abs().max()) * LEVELS <= bound + 1e-3
        assert survives(rounded.levels[number], found, int(targets[number]), "PNG")
        assert not survives((images[number] * LEVELS).round().byte(), found, int(targets[number]), "PNG")


def test_what_is_told_of_a_fooled_image_is_true() -> None:
    """Norms, probabilities and paths are those of the saved image; each image's results depend on it alone."""
    found, images, own, targets = rectified()
    every = fool(found, images, own, targets, range(4), 5)
    for number, fooled in enumerate(every):
        image = images[number : number + 1]
        assert (fooled.own, fooled.target) == (int(own[number]), int(targets[number]))
        for change in (fooled.linf, fooled.l2):
            assert change.levels is not None
            after = torch.from_numpy(change.levels)[None].float() / 255
            probability = torch.softmax(logits(found, after), 1)[0]
            assert probability.argmax() == targets[number]
            assert change.png
            assert change.probability == pytest.approx(float(probability[targets[number]]), abs=1e-5)
            assert change.linf == pytest.approx(float((after - image).abs().max()))
            assert change.l2 == pytest.approx(float((after - image).norm()), rel=1e-5)
            before = torch.softmax(logits(found, image), 1)[0]
            assert change.path[:, 0] == pytest.approx([float(before[own[number]]), float(before[targets[number]])])
            assert change.path[1, PATH.tolist().index(1.0)] == pytest.approx(change.probability, abs=1e-5)
        assert fooled.l2.size < fooled.linf.size * image.numel() ** 0.5
        noise = torch.from_numpy(fooled.noise)[None].float() / 255
        assert fooled.noise_probability >= 0.99
        assert float(torch.softmax(logits(found, noise), 1)[0, fooled.target]) == pytest.approx(
            fooled.noise_probability, abs=1e-5
        )
    one = slice(2, 3)
    (alone,) = fool(found, images[one], own[one], targets[one], [2], 5)
    for mine, other in ((alone.linf, every[2].linf), (alone.l2, every[2].l2)):
        assert mine.size == other.size
        assert np.array_equal(mine.levels, other.levels)  # type: ignore[arg-type]  # seen above
        assert np.array_equal(mine.path, other.path)
    assert np.array_equal(alone.noise, every[2].noise)
    assert all(parameter.grad is None for parameter in found.module.parameters())


def test_what_survives_depends_on_the_file() -> None:
    """A pattern of red and blue pixels survives as PNG and not as JPEG, which averages colors; a bright image both."""
    checker = torch.where((torch.arange(SIDE)[:, None] + torch.arange(SIDE)) % 2 == 0, 1.0, -1.0)
    weight = torch.stack([checker, torch.zeros(SIDE, SIDE), -checker])
    pattern = (128 + 10 * weight).byte()
    found = network(Linear(weight, bias=-3.0))
    assert survives(pattern, found, 1, "PNG")
    assert not survives(pattern, found, 1, "JPEG")
    bright = network(Linear(torch.ones(3, SIDE, SIDE)))
    white, black = torch.full_like(pattern, 240), torch.zeros_like(pattern)
    assert survives(white, bright, 1, "PNG")
    assert survives(white, bright, 1, "JPEG")
    assert not survives(black, bright, 1, "JPEG")


def test_images_from_noise_are_seeded_and_sure_of_their_class() -> None:
    """They have a probability of 0.99, depend on their row and the seed alone, and a single step is not enough."""
    found, _ = linear(2.0, torch.full((1, 3, SIDE, SIDE), 0.5))
    targets = torch.tensor([1, 1, 1])
    made = from_noise(found, targets, [4, 7, 4])
    assert (made.probability >= 0.99).all()
    assert (made.steps > 1).all()
    assert torch.equal(made.levels[0], made.levels[2])
    assert not torch.equal(made.levels[0], made.levels[1])
    assert torch.equal(from_noise(found, targets[:1], [7]).levels[0], made.levels[1])
    assert not torch.equal(from_noise(found, targets[:1], [7], seed=1).levels[0], made.levels[1])
    short = from_noise(found, targets[:1], [4], steps=1)
    assert short.steps[0] == 1
    assert short.probability[0] < 0.99
    start = from_noise(found, targets[:1], [4], steps=0).levels.float() / LEVELS
    assert float((start - 0.5).abs().max()) < 0.1


def test_probabilities_along_a_change_of_a_linear_network_are_logistic() -> None:
    """The log odds of the target are linear along the path, 0 where the change has its exact length."""
    image = photograph()
    found, slope = linear(0.1, image)
    change = 0.1 * slope[None] / slope.norm()
    own, target = path_probabilities(found, image, change, torch.tensor([0]), OTHER)[0]
    odds = np.log(target / own)
    assert np.allclose(odds, (PATH - 1) * 0.1 * float(slope.norm()), atol=1e-3)
    assert np.allclose(own + target, 1)
    flat = path_probabilities(found, image, torch.zeros_like(change), torch.tensor([0]), OTHER)[0]
    assert np.ptp(flat[0]) == 0


def test_amplified_changes_fill_the_range_and_tell_their_factor() -> None:
    """The largest value is at the end of 0..1, the factor gives the change back, and no change is gray."""
    changes = torch.stack([photograph(1)[0] - 0.5, torch.zeros(3, SIDE, SIDE)]) / 100
    shown, factor = amplified(changes)
    assert float((shown[0] - 0.5).abs().max()) == pytest.approx(0.5)
    assert torch.allclose((shown[0] - 0.5) / factor[0], changes[0], atol=1e-7)
    assert factor[0] == pytest.approx(1 / (2 * float(changes[0].abs().max())), rel=1e-6)
    assert factor[1] == 1
    assert (shown[1] == 0.5).all()
