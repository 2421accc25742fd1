"""Training: it learns what there is to learn, nothing else, and repeats bit for bit."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings, TrainingSettings
from pipeline.images.toytown.toytown import Toytown
from pipeline.model.build import build
from pipeline.model.inputs import normalize
from pipeline.model.small_inception import SmallInception
from pipeline.prepare.train import TopPredictions, TrainingResult, _adversarial, augment, split, top_accuracy, train

PLAIN = PreprocessingSettings(crop=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def scenes(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Small toytown scenes [image, y, x, 3] of the first four classes, and their labels."""
    town = Toytown(10 * count, seed=0, size=32)
    entries = [entry for entry in town.entries() if entry.label is not None and entry.label < 4][:count]
    labels = np.array([entry.label for entry in entries], dtype=np.int64)
    return np.stack([np.asarray(town.open(entry.key)) for entry in entries]), labels


def trained(
    images: NDArray[np.uint8], labels: NDArray[np.int64], seed: int = 0, epochs: int = 6, robust: float = 0.0
) -> tuple[nn.Module, TrainingResult]:
    """A small Inception trained on the images."""
    module = build({"_target_": "pipeline.model.small_inception.SmallInception"}, 4, seed=0)
    settings = TrainingSettings(epochs=epochs, batch_size=16, test_share=0.25, robust=robust)
    return module, train(module, images, labels, settings, PLAIN, seed)


def test_it_learns_real_labels_and_not_shuffled_ones() -> None:
    """Held-out scenes are named far above chance; with shuffled labels they are not."""
    images, labels = scenes(320)
    _, real = trained(images, labels, epochs=8)
    _, shuffled = trained(images, np.random.default_rng(0).permutation(labels), epochs=3)
    assert real.test_accuracy is not None
    assert shuffled.test_accuracy is not None
    assert (real.train_images, real.test_images) == (240, 80)
    assert real.test_accuracy > 0.7
    assert shuffled.test_accuracy < 0.5
    assert real.loss[-1] < 0.6 * real.loss[0]


@pytest.mark.parametrize("robust", [0.0, 0.5])
def test_training_repeats_bit_for_bit(robust: float) -> None:
    """The same seed gives the same weights to the last bit, whatever other chance was used before; another does not."""
    images, labels = scenes(48)
    first, how = trained(images, labels, epochs=2, robust=robust)
    torch.rand(7)
    second, again = trained(images, labels, epochs=2, robust=robust)
    other, _ = trained(images, labels, seed=1, epochs=2, robust=robust)
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert how == again
    weight = "mixed4b.one.0.weight"
    assert not torch.equal(first.state_dict()[weight], other.state_dict()[weight])
    assert not first.training


def test_training_leaves_the_callers_chance_alone() -> None:
    """Training does not move the random numbers that the caller draws afterwards."""
    images, labels = scenes(32)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained(images, labels, epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_split_takes_its_share_of_every_class() -> None:
    """Each class gives its share to the test, rows are in one part only, and a single image is trained on."""
    labels = np.array([0] * 40 + [1] * 20 + [2] * 1)
    taught, held_out = split(labels, 0.25, seed=3)
    assert sorted([*taught, *held_out]) == list(range(61))
    assert np.bincount(labels[held_out], minlength=3).tolist() == [10, 5, 0]
    assert not np.array_equal(held_out, split(labels, 0.25, seed=4)[1])


def arrow(count: int) -> Tensor:
    """Pictures whose left half is bright and whose right half is dark."""
    images = torch.full((count, 3, 16, 16), 0.2)
    images[:, :, :, :8] = 0.8
    return images


@pytest.mark.parametrize(("flip", "low", "high"), [(True, 0.3, 0.7), (False, 0.0, 0.0)])
def test_mirroring_happens_when_asked(flip: bool, low: float, high: float) -> None:
    """About half of the pictures are mirrored where that is allowed, none where it is not."""
    moved = augment(arrow(200), torch.Generator().manual_seed(0), flip=flip, noise=0.0)
    mirrored = (moved[:, :, :, 10:].mean((1, 2, 3)) > moved[:, :, :, :6].mean((1, 2, 3))).float().mean()
    assert low <= float(mirrored) <= high


def test_augmented_images_stay_images() -> None:
    """Values stay in 0..1, each image is augmented differently, and the same seed gives the same images."""
    one, two = (augment(arrow(4), torch.Generator().manual_seed(7), flip=True, noise=0.1) for _ in range(2))
    assert torch.equal(one, two)
    assert float(one.min()) >= 0
    assert float(one.max()) <= 1
    assert not torch.equal(one[0], one[1])


def test_adversarial_images_are_near_and_worse() -> None:
    """Each image moves by at most the radius, and its loss is higher than after a random move of that length."""
    images, labels = scenes(96)
    module, _ = trained(images, labels, epochs=10)
    pixels, targets = torch.from_numpy(images).movedim(-1, 1).float() / 255, torch.from_numpy(labels)
    generator = torch.Generator().manual_seed(0)
    moved = _adversarial(module, pixels, targets, 1.0, PLAIN, generator)
    chance = torch.randn(pixels.shape, generator=generator)
    chance = (pixels + chance / chance.flatten(1).norm(dim=1)[:, None, None, None]).clamp(0, 1)
    assert float((moved - pixels).flatten(1).norm(dim=1).max()) <= 1.0 + 1e-4
    loss = nn.CrossEntropyLoss()
    with torch.no_grad():
        worse, usual = loss(module(normalize(moved, PLAIN)), targets), loss(module(normalize(chance, PLAIN)), targets)
    assert float(worse) > float(usual) + 0.05


def test_predictions_equal_a_plain_pass() -> None:
    """Images given one by one are guessed as in one pass, over the edges of batches and with few classes."""
    images, _ = scenes(40)
    module = build({"_target_": "pipeline.model.small_inception.SmallInception"}, 4, seed=0).eval()
    predictions = TopPredictions(module, PLAIN)
    for image in images:
        predictions.add(image)
    with torch.no_grad():
        logits = module(normalize(torch.from_numpy(images).movedim(-1, 1).float() / 255, PLAIN))
    assert predictions.result().shape == (40, 4)
    np.testing.assert_array_equal(predictions.result(), logits.argsort(dim=1, descending=True).numpy())


def test_accuracy_counts_known_images_only() -> None:
    """Images without a class do not count; first and later predictions are distinguished."""
    predictions = np.array([[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 1, 2]])
    classes = np.array([0, 0, 0, -1])
    assert top_accuracy(predictions, classes, 1) == pytest.approx(1 / 3)
    assert top_accuracy(predictions, classes, 2) == pytest.approx(2 / 3)
    assert top_accuracy(predictions, classes, 3) == 1
    assert top_accuracy(predictions, np.full(4, -1), 1) is None


@pytest.mark.parametrize("side", [32, 64, 96])
def test_small_inception_maps_are_as_promised(side: int) -> None:
    """Mixed blocks give non-negative maps of a fourth and an eighth of the side with their documented channels."""
    module = SmallInception(num_classes=7).eval()
    seen: dict[str, Tensor] = {}
    for name in ("mixed3a", "mixed3b", "mixed4a", "mixed4b"):
        module.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.__setitem__(name, output)
        )
    with torch.no_grad():
        assert module(torch.randn(2, 3, side, side)).shape == (2, 7)
    for name, channels, stride in (("mixed3a", 96, 4), ("mixed3b", 128, 4), ("mixed4a", 160, 8), ("mixed4b", 192, 8)):
        assert seen[name].shape == (2, channels, side // stride, side // stride)
        assert float(seen[name].min()) >= 0
    assert not any(getattr(part, "inplace", False) for part in module.modules())
