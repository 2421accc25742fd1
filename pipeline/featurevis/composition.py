"""What objectives have in common, and how they are combined: sums, weights, limits, and when they are evaluated.

    objective = neuron("mixed4a", [11, 12]) - 0.5 * channel("mixed4a", [3, 3])

An objective maps features (see :class:`pipeline.featurevis.feature_extractor.FeatureExtractor`) to one number for each
image of the batch, which :func:`pipeline.featurevis.optimize.optimize` maximizes. Most of them have an own target for
each image: the n-th image of the batch gets the n-th target. Those that there are lie in
:mod:`pipeline.featurevis.objectives`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.files import identity
from pipeline.featurevis.feature_extractor import Features


class Objective(ABC):
    """What a batch of images is optimized for.

    Attributes:
        layers: whose features it reads; :data:`~pipeline.model.description.LOGITS` may be among them.
        couples_images: an image's value depends on the other images of the batch, so that the batch can only be
            rendered and cached as a whole.
        redirected_layers: those at whose end inactive units pass gradient during the first steps, see
            :mod:`pipeline.featurevis.redirected_relu`.
        description: what all images have in common, as JSON has it.
    """

    layers: frozenset[str]
    couples_images: bool = False
    description: Mapping[str, Any]

    @property
    def redirected_layers(self) -> frozenset[str]:
        """All of its layers, unless an objective says otherwise."""
        return self.layers

    @abstractmethod
    def __call__(self, features: Features, warmup: float) -> Tensor:
        """The value of each image, [image], to be maximized.

        Args:
            features: of the images, with at least :attr:`layers`.
            warmup: strength of what shall grow during the first steps, 0..1.
        """

    def at(self, step: int) -> "Objective | None":
        """What is evaluated at a step, from 0: all of it, unless a part is a :func:`lazy` one; None for nothing."""
        del step
        return self

    def target_bytes(self, image: int) -> bytes:
        """Canonical bytes of the target of one image; they seed its noise. Empty where images have no own targets."""
        del image
        return b""

    def digest(self, images: int) -> str:
        """SHA-256 (hex) of everything that a batch of so many images is optimized for."""
        targets = [sha256(self.target_bytes(image)).hexdigest() for image in range(images)]
        return identity({"objective": self.description, "targets": targets})

    def __add__(self, other: "Objective") -> "Objective":
        return _Sum((self, other))

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -1.0 * other

    def __mul__(self, weight: float | Sequence[float]) -> "Objective":
        """Weighted: by one number, or by one for each image, e.g. to interpolate between two objectives."""
        return _Weighted(self, weight)

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return -1.0 * self


class _Sum(Objective):
    def __init__(self, terms: Sequence[Objective]) -> None:
        self._terms = tuple(terms)
        self.layers = frozenset[str]().union(*(term.layers for term in terms))
        self.couples_images = any(term.couples_images for term in terms)
        self.description = {"sum": [dict(term.description) for term in terms]}

    @property
    def redirected_layers(self) -> frozenset[str]:
        return frozenset[str]().union(*(term.redirected_layers for term in self._terms))

    def __call__(self, features: Features, warmup: float) -> Tensor:
        first, *others = (term(features, warmup) for term in self._terms)
        for value in others:
            first = first + value
        return first

    def at(self, step: int) -> Objective | None:
        due = [term for term in (term.at(step) for term in self._terms) if term is not None]
        return _Sum(due) if len(due) > 1 else due[0] if due else None

    def target_bytes(self, image: int) -> bytes:
        targets = [term.target_bytes(image) for term in self._terms]
        return b"".join(len(target).to_bytes(8, "little") + target for target in targets)


class _Wrapped(Objective):
    """An objective around another one, whose layers and coupling it has."""

    def __init__(self, term: Objective, description: Mapping[str, Any]) -> None:
        self._term = term
        self.layers, self.couples_images = term.layers, term.couples_images
        self.description = {**description, "of": dict(term.description)}

    @property
    def redirected_layers(self) -> frozenset[str]:
        return self._term.redirected_layers

    def __call__(self, features: Features, warmup: float) -> Tensor:
        return self._term(features, warmup)

    def at(self, step: int) -> Objective | None:
        return self._term.at(step)

    def target_bytes(self, image: int) -> bytes:
        return self._term.target_bytes(image)


class _Weighted(_Wrapped):
    def __init__(self, term: Objective, weight: float | Sequence[float]) -> None:
        self._weights = None if isinstance(weight, int | float) else np.asarray(weight, np.float32)
        self._weight = weight if isinstance(weight, int | float) else 1.0
        super().__init__(term, {"weight": "by image" if self._weights is not None else weight})

    def __call__(self, features: Features, warmup: float) -> Tensor:
        value = self._term(features, warmup)
        return value * (self._weight if self._weights is None else torch.from_numpy(self._weights).to(value))

    def at(self, step: int) -> Objective | None:
        due = self._term.at(step)
        return None if due is None else due * (self._weight if self._weights is None else self._weights.tolist())

    def target_bytes(self, image: int) -> bytes:
        own = b"" if self._weights is None else canonical_bytes(self._weights[image])
        return own + self._term.target_bytes(image)


class _Lazy(_Wrapped):
    def __init__(self, term: Objective, every: int) -> None:
        self._every = every
        super().__init__(term, {"every": every})

    def at(self, step: int) -> Objective | None:
        due = None if step % self._every else self._term.at(step)
        return None if due is None else self._every * due


def lazy(objective: Objective, every: int) -> Objective:
    """Evaluate an objective only at every n-th step, with n times the weight (lazy regularization, Karras et al. 2020).

    For what changes slowly, as statistics over a whole map do; it then costs one n-th of the time.

    Args:
        objective: of a sum, since nothing is optimized at the steps between if it is alone.
        every: n, at least 1.
    """
    return _Lazy(objective, every)


class _Numbered(_Wrapped):
    def __init__(self, term: Objective, numbers: Sequence[int]) -> None:
        self._numbers = np.asarray(numbers, np.int64)
        super().__init__(term, {"numbered": True})

    def target_bytes(self, image: int) -> bytes:
        return canonical_bytes(self._numbers[image]) + self._term.target_bytes(image)


def numbered(objective: Objective, numbers: Sequence[int]) -> Objective:
    """The same objective; images of one target start from different noise if their numbers differ.

    Args:
        objective: of a batch.
        numbers: of its images, [image].
    """
    return _Numbered(objective, numbers)


class _SameStart(_Wrapped):
    def __init__(self, term: Objective) -> None:
        super().__init__(term, {"same_start": True})
        self.couples_images = True

    def target_bytes(self, image: int) -> bytes:
        del image
        return self._term.target_bytes(0)


def same_start(objective: Objective) -> Objective:
    """The same objective; all images of a batch start from the same noise. It couples the images of a batch.

    Args:
        objective: of a batch.
    """
    return _SameStart(objective)


class _AtMost(_Wrapped):
    def __init__(self, term: Objective, limit: float | Sequence[float]) -> None:
        self._limits = None if isinstance(limit, int | float) else np.asarray(limit, np.float32)
        self._limit = limit if isinstance(limit, int | float) else np.inf
        super().__init__(term, {"at_most": "by image" if self._limits is not None else limit})

    def __call__(self, features: Features, warmup: float) -> Tensor:
        value = self._term(features, warmup)
        if self._limits is None:
            return value.clamp(max=self._limit)
        return value.minimum(torch.from_numpy(self._limits).to(value))

    def at(self, step: int) -> Objective | None:
        due = self._term.at(step)
        return None if due is None else _AtMost(due, self._limit if self._limits is None else self._limits.tolist())

    def target_bytes(self, image: int) -> bytes:
        own = b"" if self._limits is None else canonical_bytes(self._limits[image])
        return own + self._term.target_bytes(image)


def at_most(objective: Objective, limit: float | Sequence[float]) -> Objective:
    """The same objective up to a limit, above which it has no gradient: to compare images at an equal value.

    Args:
        objective: of a batch.
        limit: of the value of each image; or one for each image, [image].
    """
    return _AtMost(objective, limit)


def canonical_bytes(values: NDArray[Any] | np.generic) -> bytes:
    """The bytes of an array in row-major, little-endian order."""
    array = np.asarray(values)
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
