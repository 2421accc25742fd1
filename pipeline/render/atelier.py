"""The atelier: every icon that is wished for, taken from the cache or drawn by a pool of workers and kept there."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.parallel.pool import Pool
from pipeline.render.artist import Artist
from pipeline.render.cache import IconCache
from pipeline.render.entry import Entry

Floats = NDArray[np.float32]
Done = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Wish:
    """One attempt at one icon.

    Attributes:
        key: of the icon, see :mod:`pipeline.render.icon_key`.
        mean: raw mean activation of its cell, [channel].
        attempt: which start, from 0.
        parent: the icon it starts from, uint8 [y, x, 3]; None starts from noise.
    """

    key: str
    mean: Floats
    attempt: int
    parent: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class Order:
    """A batch, as it travels to a worker.

    Attributes:
        keys: of its icons.
        means: [icon, channel].
        attempt: which start, from 0.
        parents: icons to start from, uint8 [icon, y, x, 3]; None starts all from noise.
    """

    keys: tuple[str, ...]
    means: Floats
    attempt: int
    parents: NDArray[np.uint8] | None


class Atelier:
    """Hands out icons by key; draws those that nobody has drawn before.

    Attributes:
        taken: how many icons came from the cache so far.
        drawn: how many were drawn.
    """

    def __init__(
        self,
        cache: IconCache,
        pool: Pool,
        engage: Callable[[], Artist],
        batch_size: int,
        before: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            cache: of finished icons.
            pool: the workers.
            engage: what gives a worker its artist, see :meth:`pipeline.parallel.pool.Pool.map_unordered`.
            batch_size: icons drawn together.
            before: called once, before the first icon is drawn.
        """
        self._cache, self._pool, self._engage, self._batch_size = cache, pool, engage, batch_size
        self._before: Callable[[], None] | None = before
        self.taken = self.drawn = 0

    def icons(self, wishes: Sequence[Wish], done: Done) -> dict[str, Entry]:
        """The icons, by key; each finished batch is kept at once.

        Args:
            wishes: those with the same key are one icon.
            done: told how many wishes have just come true.
        """
        found = self._cache.get(dict.fromkeys(wish.key for wish in wishes))
        self.taken += len(found)
        done(sum(wish.key in found for wish in wishes))
        wished = Counter(wish.key for wish in wishes)
        # whatever is missing is put together anew: an icon's bytes depend neither on its neighbours nor on its place
        missing = {wish.key: wish for wish in wishes if wish.key not in found}
        orders = list(_orders(list(missing.values()), self._batch_size))
        if orders and self._before is not None:
            self._before()
            self._before = None
        for index, entries in self._pool.map_unordered(draw_batch, orders, self._engage):
            finished = dict(zip(orders[index].keys, entries, strict=True))
            self._cache.put(finished)
            found.update(finished)
            self.drawn += len(finished)
            done(sum(wished[key] for key in finished))
        return found


def draw_batch(artist: Artist, order: Order) -> list[Entry]:
    """Draw one batch, in a worker."""
    batch = artist.draw(order.means, order.parents, order.attempt)
    return [
        Entry(
            # laid out as the cache gives it back: sums over an icon round differently in another order of its bytes
            icon=np.ascontiguousarray(batch.icon[row]),
            fidelity=batch.measured.fidelity[row],
            fidelity_centred=batch.measured.fidelity_centred[row],
            activation=batch.measured.activation[row],
            sound=bool(batch.sound[row]),
        )
        for row in range(len(order.keys))
    ]


def _orders(wishes: Sequence[Wish], batch_size: int) -> Iterator[Order]:
    """Batches of one kind each: the steps of icons that start from another one are fewer."""
    kinds: dict[tuple[int, bool], list[Wish]] = {}
    for wish in wishes:
        kinds.setdefault((wish.attempt, wish.parent is not None), []).append(wish)
    for (attempt, _), alike in kinds.items():
        for start in range(0, len(alike), batch_size):
            rows = alike[start : start + batch_size]
            parents = [wish.parent for wish in rows if wish.parent is not None]
            yield Order(
                keys=tuple(wish.key for wish in rows),
                means=np.stack([wish.mean for wish in rows]),
                attempt=attempt,
                parents=np.stack(parents) if parents else None,
            )
