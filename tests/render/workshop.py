"""Drawing levels of a scene, as the tests need it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.render import RenderSettings
from pipeline.parallel.pool import InlinePool
from pipeline.render.artist import Artist, Batch
from pipeline.render.atelier import Atelier
from pipeline.render.cache import IconCache
from pipeline.render.directions import Space, space
from pipeline.render.level import Draughtsman, Finished, Icons, Level, gather
from tests.render.scene import Scene

Floats = NDArray[np.float32]


class Noting(Artist):
    """An artist who notes each batch, and whose first attempts at some means fail.

    Attributes:
        batches: of each, how many icons, which attempt, and whether they started from parents.
        bad: attempts that fail, by the bytes of the mean.
    """

    batches: list[tuple[int, int, bool]]
    bad: dict[bytes, int]

    def draw(self, means: Floats, parents: NDArray[np.uint8] | None, attempt: int) -> Batch:
        """Draw as always, then spoil what is to be spoiled."""
        self.batches.append((len(means), attempt, parents is not None))
        batch = super().draw(means, parents, attempt)
        spoilt = np.array([attempt < self.bad.get(mean.tobytes(), 0) for mean in means])
        return replace(batch, sound=batch.sound & ~spoilt)


def artist(
    scene: Scene, settings: RenderSettings, bad: dict[int, int] | None = None, at: Space | None = None
) -> Noting:
    """An artist for the scene's layer; ``bad`` are attempts that fail, by row."""
    found = Noting(scene.network, scene.layer, at or space("centred", scene.mean), scene.mean, settings, 0)
    found.batches = []
    found.bad = {scene.means[row].tobytes(): attempts for row, attempts in (bad or {}).items()}
    return found


@contextmanager
def workshop(artist: Artist, settings: RenderSettings, folder: Path, base: bytes = b"") -> Iterator[Draughtsman]:
    """A draughtsman whose cache lies in ``folder``."""
    with InlinePool(None) as pool, IconCache(folder) as cache:
        atelier = Atelier(cache, pool, lambda: artist, settings.batch_size, lambda: None)
        yield Draughtsman(atelier, base, settings.attempts, settings.space == "raw")


def level(
    artist: Artist,
    settings: RenderSettings,
    means: Floats,
    folder: Path,
    parents: Sequence[Finished | None] | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> Level:
    """A level drawn for ``means``; without ``parents`` all icons start from noise."""
    with workshop(artist, settings, folder) as draughtsman:
        return draughtsman.draw(means, parents or [None] * len(means), done)


def icons(artist: Artist, settings: RenderSettings, means: Floats, folder: Path) -> Icons:
    """Their icons in rows."""
    return gather(level(artist, settings, means, folder), means, settings.size)
