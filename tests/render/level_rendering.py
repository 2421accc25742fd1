"""Rendering levels of a scene, as the tests need it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.render import RenderSettings
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.cache import CachedImage, ImageCache
from pipeline.featurevis.renderer import BatchRenderer, CachedRenderer, Progress, RenderRequest
from pipeline.parallel.pool import InlinePool
from pipeline.render.icons import Icon, IconArrays, icon_arrays, start_from_icon
from pipeline.render.levels import LevelRenderer, RenderedLevel
from pipeline.render.specification import renderer_spec
from tests.featurevis.scene import Scene

Floats = NDArray[np.float32]


class RecordingRenderer(BatchRenderer):
    """A renderer that records each batch, and whose first attempts at some means fail.

    Attributes:
        batches: of each, how many images, which attempt, and whether they started from parents.
        bad: attempts that fail, by the bytes of the mean.
    """

    batches: list[tuple[int, int, bool]]
    bad: dict[bytes, int]

    def render(self, requests: Sequence[RenderRequest]) -> list[CachedImage]:
        """Render as always, then invalidate what shall fail."""
        first = requests[0]
        self.batches.append((len(requests), first.attempt, first.parent is not None))
        fails = [request.attempt < self.bad.get(request.target.tobytes(), 0) for request in requests]
        images = super().render(requests)
        return [replace(image, valid=image.valid and not bad) for image, bad in zip(images, fails, strict=True)]


def recording_renderer(scene: Scene, settings: RenderSettings, bad: dict[int, int] | None = None) -> RecordingRenderer:
    """A renderer for the scene's layer; ``bad`` are attempts that fail, by row."""
    spec = renderer_spec(settings, scene.layer, activation_space("centered", scene.mean), scene.mean, 0)
    found = RecordingRenderer(scene.network, spec)
    found.batches = []
    found.bad = {scene.means[row].tobytes(): attempts for row, attempts in (bad or {}).items()}
    return found


@contextmanager
def level_renderer(renderer: BatchRenderer, settings: RenderSettings, folder: Path) -> Iterator[LevelRenderer]:
    """A level renderer whose cache lies in ``folder``."""
    with InlinePool(None) as pool, ImageCache(folder) as cache:
        cached = CachedRenderer(cache, pool, lambda: renderer, settings.batch_size)
        score = "fidelity" if settings.space == "raw" else "fidelity_centred"
        yield LevelRenderer(cached, b"", settings.attempts, score)


def level(
    renderer: BatchRenderer,
    settings: RenderSettings,
    means: Floats,
    folder: Path,
    parents: Sequence[Icon | None] | None = None,
    progress: Progress = lambda _: None,
) -> RenderedLevel:
    """A level rendered for ``means``; without ``parents`` all icons start from noise."""
    with level_renderer(renderer, settings, folder) as levels:
        return levels.render(means, [start_from_icon(icon) for icon in parents or [None] * len(means)], progress)


def icons(renderer: BatchRenderer, settings: RenderSettings, means: Floats, folder: Path) -> IconArrays:
    """Their icons in rows."""
    return arrays(level(renderer, settings, means, folder), means, settings.size)


def arrays(rendered: RenderedLevel, means: Floats, size: int) -> IconArrays:
    """A level in rows."""
    return icon_arrays(rendered.icons, rendered.retried, means, size)
