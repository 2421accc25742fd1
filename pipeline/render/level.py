"""All icons of a grid level: each from its parent's, or from noise, and new starts for icons that go astray."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts import KEY_BYTES
from pipeline.render.atelier import Atelier, Done, Wish
from pipeline.render.entry import Entry
from pipeline.render.icon_key import icon_key

Floats = NDArray[np.float32]

POOR = 0.2  # an icon of less fidelity went astray, most likely into plain grey; another start may do better
BLANK = 255  # an icon that could not be drawn is white, as empty cells are, and its fidelity is not a number


@dataclass(frozen=True, eq=False)
class Finished:
    """A sound icon.

    Attributes:
        key: its name in the icon cache.
        mean: what it was drawn for, [channel].
        entry: the icon and what it is worth.
        parent: name of the icon that it was drawn from; None was drawn from noise.
    """

    key: str
    mean: Floats
    entry: Entry
    parent: str | None = None


@dataclass(frozen=True, eq=False)
class Level:
    """The sound icons of a grid level.

    Attributes:
        finished: by row; rows that could not be drawn are missing.
        retried: icons that got a second start, as they could not be drawn or went astray.
    """

    finished: dict[int, Finished]
    retried: int


class Draughtsman:
    """Draws levels, one after the other."""

    def __init__(self, atelier: Atelier, base: bytes, attempts: int, raw: bool) -> None:
        """Prepare.

        Args:
            atelier: where icons come from.
            base: what the keys of all icons begin with, see :func:`pipeline.render.icon_key.base_digest`.
            attempts: starts that an icon gets.
            raw: judge icons by their raw fidelity, as they are drawn for raw activations.
        """
        self._atelier, self._base, self._attempts, self._raw = atelier, base, attempts, raw

    def draw(self, means: Floats, parents: Sequence[Finished | None], done: Done) -> Level:
        """Draw one icon for each cell of a level.

        An icon whose parent was drawn for the very same mean is its parent's. The first attempt at any other starts
        from its parent, where it has one; further ones start from noise.

        Args:
            means: raw mean activations of the cells, [cell, channel].
            parents: of each cell, None where there is no parent to start from.
            done: told the number of icons as they get done.
        """
        kept = {row: same for row, same in enumerate(parents) if same and same.mean.tobytes() == means[row].tobytes()}
        done(len(kept))
        left, retried = [row for row in range(len(means)) if row not in kept], 0
        for attempt in range(self._attempts):
            above = [None if attempt else parents[row] for row in left]
            wishes = [self._wish(means[row], parent, attempt) for row, parent in zip(left, above, strict=True)]
            icons = self._atelier.icons(wishes, _nobody if attempt else done)
            for row, wish, parent in zip(left, wishes, above, strict=True):
                entry = icons[wish.key]
                if entry.sound and (row not in kept or self._score(kept[row].entry) < self._score(entry)):
                    kept[row] = Finished(wish.key, wish.mean, entry, parent.key if parent else None)
            left = [row for row in left if row not in kept or self._score(kept[row].entry) < POOR]
            if not attempt:
                retried = len(left)
        return Level(kept, retried)

    def _wish(self, mean: Floats, parent: Finished | None, attempt: int) -> Wish:
        if parent is None:
            return Wish(icon_key(self._base, mean, attempt), mean, attempt)
        return Wish(icon_key(self._base, mean, attempt, parent.key), mean, attempt, parent.entry.icon)

    def _score(self, entry: Entry) -> float:
        return float(entry.fidelity if self._raw else entry.fidelity_centred)


@dataclass(frozen=True)
class Icons:
    """The icons of one grid level, as they are stored and measured.

    Attributes:
        icon: uint8 [icon, y, x, 3].
        fidelity: [icon], NaN where the icon could not be drawn.
        fidelity_centred: [icon], likewise.
        activation: [icon, channel], mean raw activation over the held-out views, likewise.
        key: uint8 [icon, 32], name in the icon cache; zeros where the icon could not be drawn.
        parent: uint8 [icon, 32], name of the icon that it was drawn from; zeros for noise.
        retried: icons that got a second start, as they could not be drawn or went astray.
    """

    icon: NDArray[np.uint8]
    fidelity: Floats
    fidelity_centred: Floats
    activation: Floats
    key: NDArray[np.uint8]
    parent: NDArray[np.uint8]
    retried: int


def gather(level: Level, means: Floats, size: int) -> Icons:
    """The icons of a level in rows.

    Args:
        level: what could be drawn.
        means: of all its cells, [cell, channel].
        size: side of the icons, pixels.
    """
    count = len(means)
    icons = Icons(
        icon=np.full((count, size, size, 3), BLANK, np.uint8),
        fidelity=np.full(count, np.nan, np.float32),
        fidelity_centred=np.full(count, np.nan, np.float32),
        activation=np.full_like(means, np.nan),
        key=np.zeros((count, KEY_BYTES), np.uint8),
        parent=np.zeros((count, KEY_BYTES), np.uint8),
        retried=level.retried,
    )
    for row, finished in level.finished.items():
        icons.icon[row] = finished.entry.icon
        icons.fidelity[row] = finished.entry.fidelity
        icons.fidelity_centred[row] = finished.entry.fidelity_centred
        icons.activation[row] = finished.entry.activation
        icons.key[row] = _bytes(finished.key)
        icons.parent[row] = _bytes(finished.parent) if finished.parent else 0
    return icons


def _bytes(key: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(key), np.uint8)


def _nobody(_count: int) -> None:
    """Icons drawn again were counted before."""
