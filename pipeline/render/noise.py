"""Randomness that belongs to one icon: it follows from what the icon is drawn for, never from its place in a batch."""

from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def generator(seed: int, direction: NDArray[np.float32], attempt: int) -> np.random.Generator:
    """The random numbers of one attempt at one icon.

    They are made on the CPU by a counter-based generator, so that they are the same on every device.

    Args:
        seed: of the run.
        direction: mean activation of the icon's cell, [channel].
        attempt: which start, from 0.
    """
    key = sha256(f"{seed} {attempt} ".encode() + direction.astype("<f4").tobytes()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))


def start_and_draws(
    generators: list[np.random.Generator], shape: tuple[int, ...], steps: int, per_step: int
) -> tuple[Tensor, Tensor]:
    """Random numbers for a batch of icons, each icon's from its own generator.

    Args:
        generators: one for each icon.
        shape: of an icon's parameters.
        steps: gradient steps.
        per_step: numbers that one view needs.

    Returns:
        Normal noise [icon, *shape] and uniform draws [icon, step, per_step] in 0..1, float32.
    """
    starts = [one.standard_normal(shape, dtype=np.float32) for one in generators]
    draws = [one.random((steps, per_step), dtype=np.float32) for one in generators]
    return torch.from_numpy(np.stack(starts)), torch.from_numpy(np.stack(draws))
