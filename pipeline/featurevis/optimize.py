"""The one loop: images by gradient ascent on an objective, and the random numbers that each image starts from.

The random numbers of an image follow from what it is optimized for, never from its place in a batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.optim.adam import adam

from pipeline.featurevis.composition import Objective
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.parameterization import Decoder
from pipeline.featurevis.regularizers import weighted_sum
from pipeline.featurevis.step_filters import StepFilters
from pipeline.featurevis.transforms import Transform, resample

# Regularizers change slowly: evaluated at every fourth step with four times the weight they do the same (lazy
# regularization, Karras et al. 2020), as Adam averages over steps; the other methods take each step for itself.
REGULARIZED_EVERY = 4
EPSILON = 1e-8  # of Adam, as in torch.optim.Adam

Penalty = Callable[[Tensor], Tensor]  # of images [image, 3, y, x] in 0..1; a number for each, [image]

Method = Literal["adam", "steepest", "sign"]


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimizer and the schedule of one optimization.

    Attributes:
        steps: gradient steps.
        learning_rate: of the first step; about the mean change of a parameter in one step.
        betas: of Adam.
        cooldown: share of the steps at the end over which the learning rate falls to 0.
        warmup: share of the steps over which objectives and regularizers reach their full strength.
        redirected_relu: share of the steps over which the gradient through inactive units falls from all of it to none.
        method: ``adam``; ``steepest``, along the gradient, the steepest ascent for a step of given Euclidean length; or
            ``sign``, along its sign, the steepest one for a step whose largest component is given.
    """

    steps: int
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    cooldown: float = 0.0
    warmup: float = 0.0
    redirected_relu: float = 0.0
    method: Method = "adam"

    def warmup_at(self, step: int) -> float:
        """Strength of objectives and regularizers at a step: from 0 to 1 over the warm-up.

        An image that is still noise has a small cosine to its direction. A high power of it would leave next to no
        gradient, so that a regularizer would dominate and the image would stay gray.
        """
        ramp = self.warmup * self.steps
        return 1.0 if step >= ramp else step / ramp

    def learning_rate_at(self, step: int) -> float:
        """The learning rate at a step: it falls to 0 at the end, so that the last transforms leave no traces."""
        left = 1 - step / self.steps
        return self.learning_rate * (min(1.0, left / self.cooldown) if self.cooldown else 1.0)

    def redirect_at(self, step: int) -> float:
        """Share of the gradient that inactive units pass at a step: from 1 to 0."""
        ramp = self.redirected_relu * self.steps
        return 0.0 if step >= ramp else 1 - step / ramp


@dataclass(frozen=True)
class Result:
    """Optimized images.

    Attributes:
        images: [image, 3, y, x] in 0..1.
        valid: [image], the image is finite and had a gradient from the network.
    """

    images: Tensor
    valid: Tensor


def optimize(
    extractor: FeatureExtractor,
    parameterization: Decoder,
    objective: Objective,
    *,
    start: Tensor,
    uniforms: Tensor,
    transform: Transform,
    regularizers: Mapping[str, float],
    config: OptimizerConfig,
    filters: StepFilters | None = None,
    penalty: Penalty | None = None,
) -> Result:
    """Maximize an objective for a batch of images.

    Images share nothing but the passes through the network, unless the objective couples them: each has its own start,
    transforms, gradient and step sizes.

    Args:
        extractor: of the objective's layers.
        parameterization: of the images.
        objective: of the batch; a step at which none of it is evaluated changes nothing.
        start: parameters to start from, [image, *parameterization.shape].
        uniforms: random numbers in 0..1 for the transforms, [image, step, transform.n_uniforms].
        transform: applied anew at every step.
        regularizers: weights by name, see :data:`pipeline.featurevis.regularizers.REGULARIZERS`.
        config: the optimizer and the schedule.
        filters: of gradients and images between steps; None for none. Those of images need a parameterization with an
            inverse.
        penalty: subtracted at every step; of the images as they are, before the transform. For what a regularizer
            cannot know, such as the distance to given images.
    """
    parameters = start.clone().requires_grad_(True)
    matrices = transform.matrices(uniforms, parameterization.size)
    moved, all_moved = torch.zeros(len(start), dtype=torch.bool, device=start.device), False
    state = _AdamState.zeros_like(parameters)
    every = REGULARIZED_EVERY if config.method == "adam" else 1
    for step in range(config.steps):
        due = objective.at(step)
        if due is None:
            continue
        images = parameterization.decode(parameters)
        transformed = resample(images, matrices[:, step], extractor.size)
        warmup = config.warmup_at(step)
        values = due(extractor(transformed, config.redirect_at(step), due.redirected_layers), warmup)
        loss = -values.sum()  # each image has a gradient of its own value alone
        if regularizers and step % every == 0:
            loss = loss + warmup * every * weighted_sum(images, regularizers).sum()
        if penalty is not None:
            loss = loss + penalty(images).sum()
        changed = images if filters is not None and filters.gradient else parameters
        inputs = [changed] if all_moved else [changed, transformed]
        gradient, *from_network = torch.autograd.grad(loss, inputs, retain_graph=changed is images)
        if from_network:
            moved |= from_network[0].flatten(1).any(dim=1)
            all_moved = bool(moved.all())
        if filters is not None and filters.gradient:
            (gradient,) = torch.autograd.grad(images, parameters, filters.filter_gradient(gradient))
        _step(parameters, _normalized(gradient), state, config, step)
        if filters is not None and filters.is_due(step):
            _filter_images(parameters, parameterization, filters)
    with torch.no_grad():
        images = parameterization.decode(parameters.detach())
    return Result(images, moved & images.isfinite().all(dim=(1, 2, 3)))


@dataclass(frozen=True, eq=False)
class _AdamState:
    """Averages of the gradient and of its square, and the number of steps, as torch's Adam keeps them."""

    average: Tensor
    average_square: Tensor
    steps: Tensor

    @classmethod
    def zeros_like(cls, parameters: Tensor) -> "_AdamState":
        """Before the first step."""
        average, average_square = torch.zeros_like(parameters), torch.zeros_like(parameters)
        return cls(average, average_square, torch.zeros((), device=parameters.device))


def _step(parameters: Tensor, gradient: Tensor, state: _AdamState, config: OptimizerConfig, step: int) -> None:
    """One step along minus a gradient whose norm is 1 for each image, in place.

    The mean square change of an image's parameters is the learning rate's square for ``steepest`` and ``sign``.
    """
    learning_rate = config.learning_rate_at(step)
    if config.method == "adam":
        _adam_step(parameters, gradient, state, config.betas, learning_rate)
        return
    with torch.no_grad():
        if config.method == "sign":
            parameters.sub_(gradient.sign(), alpha=learning_rate)
        else:
            parameters.sub_(gradient, alpha=learning_rate * gradient[0].numel() ** 0.5)


def _filter_images(parameters: Tensor, parameterization: Decoder, filters: StepFilters) -> None:
    """Replace parameters by those of the filtered images, in place.

    Raises:
        TypeError: the parameterization has no inverse.
    """
    encode = getattr(parameterization, "encode", None)
    if encode is None:
        raise TypeError(f"expected a parameterization with an inverse for image filters, found {parameterization!r}")
    with torch.no_grad():
        parameters.copy_(encode(filters.filter_image(parameterization.decode(parameters))))


def _adam_step(
    parameters: Tensor, gradient: Tensor, state: _AdamState, betas: tuple[float, float], learning_rate: float
) -> None:
    """A step of Adam, in place.

    torch.optim.Adam itself would import torch's compiler first, which takes longer than all other imports of a stage.
    """
    with torch.no_grad():
        adam(
            [parameters],
            [gradient],
            [state.average],
            [state.average_square],
            [],
            [state.steps],
            # one pass over memory; and it works value by value, so that no image's step depends on another's
            fused=True,
            amsgrad=False,
            beta1=betas[0],
            beta2=betas[1],
            lr=learning_rate,
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )


def _normalized(gradient: Tensor) -> Tensor:
    """The gradient of each image, [image, ...], with unit norm.

    The norm changes by orders of magnitude while an image takes shape; Adam's moments shall average directions only.
    """
    norm: Tensor = gradient.flatten(1).norm(dim=1).clamp(min=torch.finfo(gradient.dtype).tiny)
    return gradient / norm.view(-1, *[1] * (gradient.ndim - 1))


def image_generator(seed: int, attempt: int, target: bytes) -> np.random.Generator:
    """The random numbers of one attempt at one image.

    They are made on the CPU by a counter-based generator, so that they are the same on every device.

    Args:
        seed: of the run.
        attempt: counted from 0.
        target: what the image is optimized for, see :meth:`pipeline.featurevis.composition.Objective.target_bytes`.
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
