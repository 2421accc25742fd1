"""Renders the pictures of units by an engine, and keeps them in the cache."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.cluster import from_environment
from pipeline.config.render import RenderSettings
from pipeline.featurevis.cache import CachedImage, ImageCache, base_digest
from pipeline.featurevis.engine_settings import cold_config, parameterization, random_transform, regularizers
from pipeline.featurevis.memory import check_memory
from pipeline.featurevis.optimize import Method
from pipeline.featurevis.parameterization import Parameterization
from pipeline.featurevis.renderer import CachedRenderer, Purpose, RendererSpec, RenderRequest
from pipeline.featurevis.step_filters import StepFilters
from pipeline.model.description import read_description
from pipeline.parallel.pool import Pool
from pipeline.units.inputs import Inputs

# settings of `render` that change no picture of a unit
NOT_IN_KEY = {
    *("size", "size_by_layer", "steps", "batch_size", "warm_steps", "warm_learning_rate", "styles", "large_level"),
    *("large_scale", "space", "cosine_power", "shrinkage", "statistics_layers", "attempts", "device"),
}

Built = TypeVar("Built")
Lazy = tuple[Callable[[], Built], Any]  # builds something, and what tells it from others in a cache key


@dataclass(frozen=True, eq=False)
class Engine:
    """How pictures are optimized.

    Attributes:
        settings: of the engine.
        method: of the optimizer.
        filters: of gradients and images between steps; None for none. They are built when a picture is missing.
        image: a parameterization that the settings do not have, likewise; None for that of the settings.
    """

    settings: RenderSettings
    method: Method = "adam"
    filters: Lazy[StepFilters] | None = None
    image: Lazy[Parameterization] | None = None

    @property
    def description(self) -> Mapping[str, Any]:
        """What changes a picture, as JSON has it."""
        settings = self.settings
        kept = settings.model_dump(mode="json", exclude=NOT_IN_KEY) | {"size": settings.size, "steps": settings.steps}
        further = {
            "method": None if self.method == "adam" else self.method,
            "filters": None if self.filters is None else self.filters[1],
            "image": None if self.image is None else self.image[1],
        }
        return kept | {name: value for name, value in further.items() if value is not None}

    def parameterization(self) -> Parameterization:
        """Of the pictures."""
        return parameterization(self.settings) if self.image is None else self.image[0]()


class PicturePurpose(Purpose, Protocol):
    """What pictures are rendered for."""

    @property
    def couples_images(self) -> bool:
        """A picture depends on the others of its batch."""


class Request(Protocol):
    """A picture that is wanted: see :class:`pipeline.units.pictures.PictureRequest`."""

    @property
    def target(self) -> NDArray[np.float32]:
        """Of the objective."""

    @property
    def parent(self) -> NDArray[np.uint8] | None:
        """The image it starts from, uint8 [y, x, 3]; None starts from noise."""

    @property
    def group(self) -> Hashable:
        """Pictures of one group are rendered together; None alone."""

    def key(self, base: bytes, attempt: int) -> str:
        """Of the finished picture in the cache."""


class PictureRenderer:
    """Renders the pictures of a layer's units, and keeps them in the cache."""

    def __init__(self, inputs: Inputs, pool: Pool, cache: ImageCache) -> None:
        """Prepare.

        Args:
            inputs: of the stage.
            pool: the workers.
            cache: of finished images.
        """
        self._inputs, self._pool, self._cache = inputs, pool, cache

    def render(
        self, purpose: PicturePurpose, engine: Engine, wanted: Sequence[Request | None], progress: Callable[[int], None]
    ) -> list[CachedImage | None]:
        """Each wanted picture; None where none is wanted, or no attempt got a gradient and finite numbers.

        Args:
            purpose: of all of them.
            engine: likewise.
            wanted: the pictures, None for none.
            progress: called with the number of newly completed pictures; those that are not wanted count at once.
        """
        requests = [one for one in wanted if one is not None]
        progress(len(wanted) - len(requests))
        found = iter(self._render(purpose, engine, requests, progress))
        return [None if one is None else next(found) for one in wanted]

    def _render(
        self, purpose: PicturePurpose, engine: Engine, wanted: Sequence[Request], progress: Callable[[int], None]
    ) -> list[CachedImage | None]:
        if not wanted:
            return []
        settings, batch_size = engine.settings, self._batch_size(purpose, engine, wanted)
        base = self._base(purpose, engine, wanted[0], batch_size)
        bases = (
            _group_bases(base, wanted) if purpose.couples_images else dict.fromkeys([one.group for one in wanted], base)
        )
        renderer: CachedRenderer | None = None
        best: dict[int, CachedImage] = {}
        for attempt in range(settings.attempts):
            left = [number for number in range(len(wanted)) if number not in best]
            requests = {number: _request(wanted[number], bases[wanted[number].group], attempt) for number in left}
            found: Mapping[str, CachedImage] = self._cache.get([one.key for one in requests.values()])
            if len(found) == len({one.key for one in requests.values()}):
                (_ignore if attempt else progress)(len(requests))
            else:
                renderer = renderer or self._renderer(purpose, engine, wanted[0], batch_size)
                found = renderer.render(list(requests.values()), _ignore if attempt else progress)
            best |= {number: found[one.key] for number, one in requests.items() if found[one.key].valid}
        return [best.get(number) for number in range(len(wanted))]

    @staticmethod
    def _batch_size(purpose: PicturePurpose, engine: Engine, wanted: Sequence[Request]) -> int:
        groups = Counter(one.group for one in wanted)
        return max(engine.settings.batch_size, max(groups.values()) if purpose.couples_images else 1)

    def _base(self, purpose: PicturePurpose, engine: Engine, example: Request, batch_size: int) -> bytes:
        """What the keys of all pictures have in common."""
        settings, cluster = engine.settings, from_environment()
        return base_digest(
            {
                "network": read_description(self._inputs.patches.model)["identity"],
                "unit": purpose.objective(torch.from_numpy(example.target)[None]).description,
                "settings": {
                    **engine.description,
                    "device": torch.device(settings.device).type,
                    "threads": cluster.threads or torch.get_num_threads(),
                },
                "batch_size": batch_size,
                "seed": self._inputs.seed,
                "measure": "units",
            }
        )

    def _renderer(self, purpose: PicturePurpose, engine: Engine, example: Request, batch_size: int) -> CachedRenderer:
        settings, config = engine.settings, replace(cold_config(engine.settings), method=engine.method)
        spec = RendererSpec(
            model=self._inputs.patches.model,
            purpose=purpose,
            parameterization=engine.parameterization(),
            transform=random_transform(settings),
            regularizers=regularizers(settings),
            cold=config,
            warm=config,
            init_std=settings.init_std,
            batch_size=batch_size,
            seed=self._inputs.seed,
            device=settings.device,
            dtype=settings.dtype,
            size_setting="units.size",
            filters=None if engine.filters is None else engine.filters[0](),
        )
        check = partial(check_memory, self._pool, spec, example.target, from_environment(), "units", "pictures")
        return CachedRenderer(self._cache, self._pool, spec, batch_size, check)


def _group_bases(base: bytes, wanted: Sequence[Request]) -> Mapping[Hashable, bytes]:
    """What the keys of each group's pictures have in common: each of them depends on all others."""
    digests: dict[Hashable, Any] = {}
    for one in wanted:
        digests.setdefault(one.group, sha256(base)).update(one.target.tobytes())
    return {group: digest.digest() for group, digest in digests.items()}


def _request(wanted: Request, base: bytes, attempt: int) -> RenderRequest:
    return RenderRequest(wanted.key(base, attempt), wanted.target, attempt, wanted.parent, wanted.group)


def _ignore(_count: int) -> None:
    """Pictures of further attempts were counted at the first."""
