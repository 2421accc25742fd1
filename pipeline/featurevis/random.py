"""Random numbers of one image: they follow from what it is optimized for, never from its place in a batch."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor


def image_generator(seed: int, attempt: int, target: bytes) -> np.random.Generator:
    """The random numbers of one attempt at one image.

    They are made on the CPU by a counter-based generator, so that they are the same on every device.

    Args:
        seed: of the run.
        attempt: counted from 0.
        target: what the image is optimized for, see :meth:`pipeline.featurevis.objectives.Objective.target_bytes`.
    """
    key = sha256(f"{seed} {attempt} ".encode() + target).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))


def noise_and_uniforms(
    generators: Sequence[np.random.Generator], shape: tuple[int, ...], steps: int, per_step: int
) -> tuple[Tensor, Tensor]:
    """Random numbers for a batch, each image's from its own generator.

    Args:
        generators: one for each image.
        shape: of an image's parameters.
        steps: gradient steps.
        per_step: numbers that one random transform needs.

    Returns:
        Normal noise [image, *shape] and uniform numbers [image, step, per_step] in 0..1, float32.
    """
    noise = [one.standard_normal(shape, dtype=np.float32) for one in generators]
    uniforms = [one.random((steps, per_step), dtype=np.float32) for one in generators]
    return torch.from_numpy(np.stack(noise)), torch.from_numpy(np.stack(uniforms))
