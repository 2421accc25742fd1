"""Training of a network on the image set's own labels, seeded and reproducible, and its accuracy on labeled images."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pipeline.config.model import PreprocessingSettings, TrainingSettings
from pipeline.core.progress import progress
from pipeline.model.convention import convention_of
from pipeline.model.inputs import normalize
from pipeline.prepare.adamw import AdamW, OneCycle

ROTATION = 8.0  # degrees either way
ZOOM = 0.18  # share of the size, larger or smaller
TRANSLATION = 0.14  # share of half the side, either way
CONTRAST = 0.25
BRIGHTNESS = 0.12
TINT = 0.12  # standard deviation of the mixing of color channels
TOP = 5  # predictions that are kept for an image
BATCH_SIZE = 32  # images that are predicted together


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        test_accuracy: share of the held-out images that are classified correctly, 0..1; None if none was held out.
        train_images, test_images: number of images in either part.
        loss: mean cross-entropy of each epoch.
    """

    test_accuracy: float | None
    train_images: int
    test_images: int
    loss: tuple[float, ...]


def train(
    module: nn.Module,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    settings: TrainingSettings,
    preprocessing: PreprocessingSettings,
    seed: int,
    after_epoch: Callable[[int], None] = lambda _: None,
) -> TrainingResult:
    """Train ``module`` in place with AdamW on a one-cycle schedule; it is left in evaluation mode.

    The same arguments, device and number of threads give the same weights, bit for bit.

    Args:
        module: from normalized images to logits.
        images: [image, y, x, 3] uint8.
        labels: [image] class indices.
        settings: of the training.
        preprocessing: its mean and standard deviation normalize the images.
        seed: of the split, the order, the augmentation and the dropout.
        after_epoch: called with the number of epochs that are done.
    """
    generator = torch.Generator().manual_seed(seed)
    train_rows, test_rows = split(labels, settings.test_share, seed)
    pixels = torch.from_numpy(images).movedim(-1, 1)
    targets = torch.from_numpy(labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        rows = torch.from_numpy(train_rows)
        loss = _fit(module, pixels, targets, rows, settings, preprocessing, generator, after_epoch)
    module.eval()
    predictions = TopPredictions(module, preprocessing)
    for image in images[test_rows]:
        predictions.add(image)
    accuracy = top_accuracy(predictions.result(), labels[test_rows], first=1)
    return TrainingResult(accuracy, len(train_rows), len(test_rows), tuple(loss))


def split(labels: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and rows to hold out: ``share`` of each class, at least one row of each class is trained on."""
    generator = np.random.default_rng(seed)
    held_out: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        held_out.append(rows[: min(round(share * len(rows)), len(rows) - 1)])
    test = np.sort(np.concatenate(held_out)).astype(np.int64)
    return np.setdiff1d(np.arange(len(labels)), test).astype(np.int64), test


def _fit(
    module: nn.Module,
    pixels: Tensor,
    targets: Tensor,
    rows: Tensor,
    settings: TrainingSettings,
    preprocessing: PreprocessingSettings,
    generator: torch.Generator,
    after_epoch: Callable[[int], None],
) -> list[float]:
    memory_format = convention_of(module).memory_format
    module.train().to(memory_format=memory_format)
    batch = min(settings.batch_size, len(rows))
    steps = len(rows) // batch
    schedule = OneCycle(settings.learning_rate, settings.epochs * steps)
    optimizer = AdamW(module.parameters(), schedule, settings.weight_decay)
    history = []
    with progress("training", settings.epochs * steps * batch, "images") as bar:
        for epoch in range(settings.epochs):
            order = rows[torch.randperm(len(rows), generator=generator)]
            total = 0.0
            # a last, smaller batch would disturb the batch normalization; its images come early in another epoch
            for chosen in order[: steps * batch].view(steps, batch):
                images = augment(pixels[chosen].float() / 255, generator, settings.flip, settings.noise)
                images = images.contiguous(memory_format=memory_format)
                inputs = _adversarial(module, images, targets[chosen], settings.robust, preprocessing, generator)
                loss = functional.cross_entropy(module(normalize(inputs, preprocessing)), targets[chosen])
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                optimizer.step()
                total += float(loss.detach())
                bar.update(batch)
            history.append(total / steps)
            after_epoch(epoch + 1)
            bar.set_postfix_str(f"epoch {epoch + 1}/{settings.epochs}, loss {history[-1]:.3f}")
    return history


def _adversarial(
    module: nn.Module,
    images: Tensor,
    targets: Tensor,
    radius: float,
    preprocessing: PreprocessingSettings,
    generator: torch.Generator,
) -> Tensor:
    """Adversarial examples: each image moved by up to ``radius`` (L2 norm over its values in 0..1) to raise its loss.

    One gradient step from a random start. Features that survive this are those that a person can see too, and
    feature visualization shows them as such (Engstrom et al. 2019, "Adversarial Robustness as a Prior for Learned
    Representations").
    """
    if radius == 0:
        return images
    start = torch.randn(images.shape, generator=generator)
    start = images + 0.5 * radius * start / start.flatten(1).norm(dim=1)[:, None, None, None]
    start.requires_grad_(True)
    loss = functional.cross_entropy(module(normalize(start, preprocessing)), targets, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, start)
    move = (
        start.detach()
        + radius * gradient / gradient.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]
        - images
    )
    length = move.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]
    adversarial: Tensor = (images + move * (radius / length).clamp(max=1)).clamp(0, 1)
    return adversarial


def augment(images: Tensor, generator: torch.Generator, flip: bool, noise: float) -> Tensor:
    """Augment each image at random: rotate, scale, translate, perhaps flip, change colors and add noise.

    The network is to learn shapes and textures, not places and exact colors.

    Args:
        images: float32 [image, 3, y, x] in 0..1.
        generator: of the random numbers.
        flip: mirror half of them left to right; wrong for letters and digits.
        noise: standard deviation of Gaussian noise added to each value.

    Returns:
        The same shape and range.
    """
    moved = _transform(images, generator, flip)
    tinted = _change_colors(moved, generator)
    noisy = tinted + noise * torch.randn(tinted.shape, generator=generator)
    return noisy.clamp(0, 1)


def _uniform(count: int, limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * limit


def _transform(images: Tensor, generator: torch.Generator, flip: bool) -> Tensor:
    count = len(images)
    angle = _uniform(count, ROTATION * pi / 180, generator)
    scale = 1 + _uniform(count, ZOOM, generator)
    shift = torch.stack([_uniform(count, TRANSLATION, generator), _uniform(count, TRANSLATION, generator)], dim=1)
    sign = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0) if flip else torch.ones(count)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack([torch.stack([sign * cosine, -sine], dim=1), torch.stack([sign * sine, cosine], dim=1)], dim=1)
    grid = functional.affine_grid(torch.cat([rows, shift[:, :, None]], dim=2), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _change_colors(images: Tensor, generator: torch.Generator) -> Tensor:
    count = len(images)
    mixing = torch.eye(3) + TINT * torch.randn(count, 3, 3, generator=generator)
    gain = 1 + _uniform(count, CONTRAST, generator)
    brightness = _uniform(count, BRIGHTNESS, generator)
    tinted = torch.einsum("nij,njyx->niyx", mixing, images - 0.5)
    return gain[:, None, None, None] * tinted + (0.5 + brightness)[:, None, None, None]


class TopPredictions:
    """The most probable classes of images that are added one after the other.

    Args:
        module: in evaluation mode, from normalized images to logits [image, class].
        preprocessing: its mean and standard deviation normalize the images.
    """

    def __init__(self, module: nn.Module, preprocessing: PreprocessingSettings) -> None:
        self._module = module
        self._preprocessing = preprocessing
        self._pending: list[NDArray[np.uint8]] = []
        self._found: list[NDArray[np.int64]] = []

    def add(self, image: NDArray[np.uint8]) -> None:
        """Add an image [y, x, 3], cropped as for the network."""
        self._pending.append(image)
        if len(self._pending) == BATCH_SIZE:
            self._predict()

    def result(self) -> NDArray[np.int64]:
        """[image, 5] class indices, the most probable first; fewer columns where there are fewer classes."""
        if self._pending:
            self._predict()
        return np.concatenate(self._found) if self._found else np.zeros((0, TOP), np.int64)

    def _predict(self) -> None:
        pixels = torch.from_numpy(np.stack(self._pending)).movedim(-1, 1).float() / 255
        self._pending = []
        with torch.inference_mode():
            logits = self._module(normalize(pixels, self._preprocessing))
        best = logits.topk(min(TOP, logits.shape[1]), dim=1).indices
        self._found.append(best.numpy().astype(np.int64))


def top_accuracy(predictions: NDArray[np.int64], classes: NDArray[np.int64], first: int) -> float | None:
    """Share of the images whose class is among their ``first`` predictions, 0..1.

    Images without a class (-1) do not count; None where no image has one.
    """
    known = classes >= 0
    if not known.any():
        return None
    return float((predictions[known, :first] == classes[known, None]).any(axis=1).mean())
