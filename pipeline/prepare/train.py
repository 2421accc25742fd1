"""Training a network on the image set's own labels, seeded and repeatable."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pipeline.core.progress import progress
from pipeline.model.config import PreprocessingSettings, TrainingSettings
from pipeline.model.inputs import normalize
from pipeline.prepare.augment import augment
from pipeline.prepare.evaluate import Guesses, top_accuracy


@dataclass(frozen=True)
class Trained:
    """How a training went.

    Attributes:
        test_accuracy: share of the held-out images that it names right, 0..1; None if none was held out.
        train_images, test_images: how many there were of either.
        loss: mean of each epoch.
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
) -> Trained:
    """Train ``module`` in place with AdamW on a one-cycle schedule; it is left in evaluation mode.

    With the same arguments, device and number of threads the weights come out the same, bit for bit.

    Args:
        module: from normalised images to logits.
        images: [image, y, x, 3] uint8.
        labels: [image] class indices.
        settings: of the training.
        preprocessing: its mean and deviation normalise the images.
        seed: of the split, the order, the augmentation and the dropout.
    """
    generator = torch.Generator().manual_seed(seed)
    taught, held_out = split(labels, settings.test_share, seed)
    pixels = torch.from_numpy(images).movedim(-1, 1)
    targets = torch.from_numpy(labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        loss = _fit(module, pixels, targets, torch.from_numpy(taught), settings, preprocessing, generator)
    module.eval()
    guesses = Guesses(module, preprocessing)
    for image in images[held_out]:
        guesses.add(image)
    accuracy = top_accuracy(guesses.result(), labels[held_out], first=1)
    return Trained(accuracy, len(taught), len(held_out), tuple(loss))


def split(labels: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and rows to hold out: ``share`` of each class, at least one row of each class is trained on."""
    chance = np.random.default_rng(seed)
    held_out: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        rows = chance.permutation(np.flatnonzero(labels == label))
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
) -> list[float]:
    module.train().to(memory_format=torch.channels_last)
    batch = min(settings.batch_size, len(rows))
    steps = len(rows) // batch
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, epochs=settings.epochs, steps_per_epoch=steps
    )
    history = []
    with progress("training", settings.epochs * steps * batch, "images") as bar:
        for epoch in range(settings.epochs):
            order = rows[torch.randperm(len(rows), generator=generator)]
            total = 0.0
            # a last, smaller batch would unsettle the batch normalisation; its images come early in another epoch
            for chosen in order[: steps * batch].view(steps, batch):
                images = augment(pixels[chosen].float() / 255, generator, settings.flip, settings.noise)
                images = images.contiguous(memory_format=torch.channels_last)
                inputs = _harden(module, images, targets[chosen], settings.robust, preprocessing, generator)
                loss = functional.cross_entropy(module(normalize(inputs, preprocessing)), targets[chosen])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                optimizer.step()
                schedule.step()
                total += float(loss.detach())
                bar.update(batch)
            history.append(total / steps)
            bar.set_postfix_str(f"epoch {epoch + 1}/{settings.epochs}, loss {history[-1]:.3f}")
    return history


def _harden(
    module: nn.Module,
    images: Tensor,
    targets: Tensor,
    radius: float,
    preprocessing: PreprocessingSettings,
    generator: torch.Generator,
) -> Tensor:
    """Move each image by up to ``radius`` (L2 norm over its values in 0..1) to where the network errs most.

    One step of the gradient from a random start. Features that survive this are those that a person can see too, and
    feature visualisation shows them as such (Engstrom et al. 2019, "Adversarial Robustness as a Prior for Learned
    Representations").
    """
    if radius == 0:
        return images
    start = torch.randn(images.shape, generator=generator)
    start = images + 0.5 * radius * start / start.flatten(1).norm(dim=1)[:, None, None, None]
    start.requires_grad_(True)
    loss = functional.cross_entropy(module(normalize(start, preprocessing)), targets, reduction="sum")
    (slope,) = torch.autograd.grad(loss, start)
    move = start.detach() + radius * slope / slope.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None] - images
    length = move.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]
    hard: Tensor = (images + move * (radius / length).clamp(max=1)).clamp(0, 1)
    return hard
