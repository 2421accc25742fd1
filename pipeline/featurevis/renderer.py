"""Renderers: batches of images for many requests, by worker processes, with finished images kept in a cache."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.featurevis.cache import CachedImage, ImageCache
from pipeline.featurevis.composition import Objective
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.optimize import OptimizerConfig, Result, image_generator, noise_and_uniforms, optimize
from pipeline.featurevis.parameterization import Parameterization
from pipeline.featurevis.reduced_view import ReducedViewExtractor
from pipeline.featurevis.step_filters import StepFilters
from pipeline.featurevis.transforms import RandomAffine
from pipeline.model.network import Network, load_network
from pipeline.parallel.pool import Pool

Targets = NDArray[Any]  # [image, ...]
Progress = Callable[[int], None]
NOISE_GROWTH = 4.0  # factor on the noise of each further attempt


@dataclass(frozen=True, eq=False)
class RenderRequest:
    """One attempt at one image.

    Attributes:
        key: of the image, see :func:`pipeline.featurevis.cache.image_key`.
        target: what it is optimized for, e.g. a direction [channel]; all requests of a renderer have one shape.
        attempt: counted from 0; each has other noise.
        parent: the image it starts from, uint8 [y, x, 3]; None starts from noise.
        group: requests of one group are rendered in one batch of their own, for an objective that couples images.
    """

    key: str
    target: Targets
    attempt: int = 0
    parent: NDArray[np.uint8] | None = None
    group: Hashable = None


@dataclass(frozen=True)
class Measured:
    """What a measure found for a batch.

    Attributes:
        scores: by name, each float32 [image].
        activation: mean activation that they were taken from, float32 [image, channel].
    """

    scores: Mapping[str, NDArray[np.float32]]
    activation: NDArray[np.float32]


class Measure(Protocol):
    """Measures finished images."""

    def __call__(self, images: Tensor, targets: Tensor) -> Measured:
        """Measure images uint8 [image, y, x, 3], as they are stored, against their targets [image, ...]."""


class Purpose(Protocol):
    """What a stage renders images for; small enough to travel to a worker."""

    @property
    def layers(self) -> Sequence[str]:
        """That the objective reads."""

    @property
    def center_layer(self) -> str | None:
        """The layer whose central position looks at the image's center; None takes the middle."""

    def objective(self, targets: Tensor) -> Objective:
        """Of a batch, for targets [image, ...] on the device."""

    def measure(self, network: Network, size: tuple[int, int]) -> Measure:
        """Prepare the measure of images of this size."""


@dataclass(frozen=True, eq=False)
class RendererSpec:
    """Everything that a renderer is built from; small enough to travel to a worker.

    Attributes:
        model: folder of the saved network, at the same path for all workers.
        purpose: the objective, and what is measured on its images.
        parameterization: of the images; gives their size.
        transform: applied at every step.
        regularizers: weights by name.
        cold: optimizer of an image that starts from noise.
        warm: of one that starts from a parent.
        init_std: standard deviation of the noise.
        batch_size: images rendered together.
        seed: of the run.
        device: where it runs.
        dtype: number type of the network's pass.
        size_setting: name of the setting that gives the size, for error lines.
        reduction: the objective also sees the images reduced by this factor, see
            :mod:`pipeline.featurevis.reduced_view`; 1 for no second view.
        filters: of gradients and images between steps; None for none.
    """

    model: Path
    purpose: Purpose
    parameterization: Parameterization
    transform: RandomAffine
    regularizers: Mapping[str, float]
    cold: OptimizerConfig
    warm: OptimizerConfig
    init_std: float
    batch_size: int
    seed: int
    device: str
    dtype: Literal["float32", "bfloat16"]
    size_setting: str = "size"
    reduction: int = 1
    filters: StepFilters | None = None

    def __call__(self) -> "BatchRenderer":
        """A renderer, in a worker."""
        return BatchRenderer(load_network(self.model, self.device), self)

    def extractor(self, network: Network) -> FeatureExtractor:
        """The network as far as the objective needs it."""
        size, layers = self.parameterization.size, self.purpose.layers
        if self.reduction > 1:
            return ReducedViewExtractor(
                network, layers, size, self.dtype, self.reduction, size_setting=self.size_setting
            )
        return FeatureExtractor(network, layers, size, self.dtype, size_setting=self.size_setting)

    def centered_transform(self, extractor: FeatureExtractor) -> RandomAffine:
        """The transform that puts the image's center where the central position of the layer looks."""
        layer = self.purpose.center_layer
        return self.transform if layer is None else replace(self.transform, center=extractor.center(layer))


class BatchRenderer:
    """Renders and measures batches; what does not change from batch to batch is prepared once."""

    def __init__(self, network: Network, spec: RendererSpec) -> None:
        """Prepare the network and the measure for many batches.

        Args:
            network: on the device of the specification.
            spec: its ``model`` is not read.
        """
        self._spec, self._device = spec, torch.device(spec.device)
        self._extractor = spec.extractor(network)
        self._transform = spec.centered_transform(self._extractor)
        self._measure = spec.purpose.measure(network, spec.parameterization.size)

    def render(self, requests: Sequence[RenderRequest]) -> list[CachedImage]:
        """Render at most ``batch_size`` images, all of the same attempt, and all from parents or all from noise.

        A smaller batch is filled up with its last request, so that all batches run alike; a group is left as it is.

        Raises:
            ValueError: the objective couples images, and the requests are not one group.
        """
        images, measured, valid = self._rendered(requests)
        for scores in measured.scores.values():
            valid = valid & np.isfinite(scores)
        return [
            CachedImage(
                # laid out as the cache returns it: sums over an image round differently in another order of its bytes
                image=np.ascontiguousarray(images[row]),
                scores={name: float(scores[row]) for name, scores in measured.scores.items()},
                activation=measured.activation[row],
                valid=bool(valid[row]),
            )
            for row in range(len(requests))
        ]

    def optimize(
        self, targets: Targets, parents: NDArray[np.uint8] | None = None, attempt: int = 0, *, same_noise: bool = False
    ) -> Result:
        """Optimize one batch, without storing or measuring it.

        Args:
            targets: [image, ...].
            parents: images to start from, uint8 [image, y, x, 3]; None starts all from noise.
            attempt: counted from 0.
            same_noise: all images get the random numbers of the first one.
        """
        return self._optimize(self._objective(targets), len(targets), parents, attempt, same_noise=same_noise)

    def _rendered(self, requests: Sequence[RenderRequest]) -> tuple[NDArray[np.uint8], Measured, NDArray[np.bool_]]:
        parents, attempt = [request.parent for request in requests if request.parent is not None], requests[0].attempt
        grouped = requests[0].group is not None
        count = len(requests) if grouped else self._spec.batch_size
        rows = np.minimum(np.arange(count), len(requests) - 1)
        targets = np.stack([request.target for request in requests])[rows]
        objective = self._objective(targets)
        if objective.couples_images and not grouped:
            raise ValueError("expected requests of one group for an objective that couples images, found none")
        result = self._optimize(objective, count, np.stack(parents)[rows] if parents else None, attempt)
        images = to_uint8(result.images)
        measured = self._measure(images, torch.from_numpy(targets).to(self._device))
        return images.cpu().numpy(), measured, result.valid.cpu().numpy()

    def _objective(self, targets: Targets) -> Objective:
        return self._spec.purpose.objective(torch.from_numpy(targets).to(self._device))

    def _optimize(
        self,
        objective: Objective,
        count: int,
        parents: NDArray[np.uint8] | None,
        attempt: int,
        *,
        same_noise: bool = False,
    ) -> Result:
        spec, parameterization = self._spec, self._spec.parameterization
        config = spec.cold if parents is None else spec.warm
        generators = [
            image_generator(spec.seed, attempt, objective.target_bytes(0 if same_noise else row))
            for row in range(count)
        ]
        start, uniforms = noise_and_uniforms(
            generators, parameterization.shape, config.steps, self._transform.n_uniforms
        )
        # an image that got no gradient from its start needs a stronger one
        start *= spec.init_std * NOISE_GROWTH**attempt
        if parents is not None:
            start = parameterization.encode(torch.from_numpy(parents).movedim(-1, 1) / 255)
        return optimize(
            self._extractor,
            parameterization,
            objective,
            start=start.to(self._device),
            uniforms=uniforms.to(self._device),
            transform=self._transform,
            regularizers=spec.regularizers,
            config=config,
            filters=spec.filters,
        )


class CachedRenderer:
    """Returns images by key; renders those that the cache does not hold.

    Attributes:
        cache_hits: images taken from the cache so far.
        rendered: images rendered so far.
    """

    def __init__(
        self,
        cache: ImageCache,
        pool: Pool,
        spec: Callable[[], BatchRenderer],
        batch_size: int,
        before_first: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            cache: of finished images.
            pool: the workers.
            spec: what a worker's renderer is built from, see :meth:`pipeline.parallel.pool.Pool.map_unordered`.
            batch_size: images rendered together.
            before_first: called once, before the first image is rendered.
        """
        self._cache, self._pool, self._spec, self._batch_size = cache, pool, spec, batch_size
        self._before_first: Callable[[], None] | None = before_first
        self.cache_hits = self.rendered = 0

    def render(self, requests: Sequence[RenderRequest], progress: Progress) -> dict[str, CachedImage]:
        """The requested images, by key; each finished batch is cached at once.

        Args:
            requests: those with the same key are one image.
            progress: called with the number of newly completed requests.
        """
        found = self._cache.get(dict.fromkeys(request.key for request in requests))
        self._drop_incomplete_groups(requests, found)
        self.cache_hits += len(found)
        progress(sum(request.key in found for request in requests))
        copies = Counter(request.key for request in requests)
        # batches are composed anew: an image's bytes depend neither on the others of its batch nor on its place
        missing = {request.key: request for request in requests if request.key not in found}
        batches = list(_batches(list(missing.values()), self._batch_size))
        if batches and self._before_first is not None:
            self._before_first()
            self._before_first = None
        for index, images in self._pool.map_unordered(render_batch, batches, self._spec):
            finished = dict(zip((request.key for request in batches[index]), images, strict=True))
            self._cache.put(finished)
            found.update(finished)
            self.rendered += len(finished)
            progress(sum(copies[key] for key in finished))
        return found

    @staticmethod
    def _drop_incomplete_groups(requests: Sequence[RenderRequest], found: dict[str, CachedImage]) -> None:
        """A group of which one image is missing is rendered as a whole."""
        groups = {request.group for request in requests if request.group is not None and request.key not in found}
        for request in requests:
            if request.group in groups:
                found.pop(request.key, None)


def render_batch(renderer: BatchRenderer, requests: Sequence[RenderRequest]) -> list[CachedImage]:
    """Render one batch, in a worker."""
    return renderer.render(requests)


def to_uint8(images: Tensor) -> Tensor:
    """Images [image, 3, y, x] in 0..1 as they are stored, uint8 [image, y, x, 3]; NaN becomes black."""
    return (images.nan_to_num() * 255).round().byte().movedim(1, -1)


def _batches(requests: Sequence[RenderRequest], batch_size: int) -> Iterator[tuple[RenderRequest, ...]]:
    """Batches of one attempt and one kind of start each, as starts from a parent take fewer steps.

    Raises:
        ValueError: a group is larger than a batch.
    """
    kinds: dict[tuple[Hashable, int, bool], list[RenderRequest]] = {}
    for request in requests:
        kinds.setdefault((request.group, request.attempt, request.parent is not None), []).append(request)
    for (group, _, _), alike in kinds.items():
        if group is not None and len(alike) > batch_size:
            raise ValueError(f"expected a group of at most {batch_size} images, found {len(alike)}")
        for start in range(0, len(alike), batch_size):
            yield tuple(alike[start : start + batch_size])
