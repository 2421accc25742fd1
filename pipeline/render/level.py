"""All icons of a grid level: fixed batches, and new starts for icons that fail."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.render.artist import Artist, Batch, Done
from pipeline.render.noise import Place

Floats = NDArray[np.float32]

POOR = 0.2  # an icon of less fidelity went astray, most likely into plain grey; another start may do better
BLANK = 255  # an icon that could not be drawn is white, as empty cells are, and its fidelity is not a number


@dataclass(frozen=True)
class Icons:
    """The icons of one grid level.

    Attributes:
        icon: uint8 [icon, y, x, 3].
        fidelity: [icon], NaN where the icon could not be drawn.
        fidelity_centred: [icon], likewise.
        activation: [icon, channel], mean raw activation over the held-out views, likewise.
        retried: icons that got a second start, as they could not be drawn or went astray.
    """

    icon: NDArray[np.uint8]
    fidelity: Floats
    fidelity_centred: Floats
    activation: Floats
    retried: int


def draw_level(
    artist: Artist, places: Sequence[Place], means: Floats, batch_size: int, attempts: int, done: Done
) -> Icons:
    """Draw one icon for each cell of a level.

    Args:
        artist: who draws.
        places: of the cells.
        means: raw mean activations of the cells, [cell, channel].
        batch_size: icons drawn together.
        attempts: starts that an icon gets.
        done: told the number of icons as they get done.
    """
    kept: dict[int, tuple[Batch, int]] = {}
    left, retried = list(range(len(places))), 0
    for attempt in range(attempts):
        for start in range(0, len(left), batch_size):
            rows = left[start : start + batch_size]
            batch = artist.draw([places[row] for row in rows], means[rows], attempt, _nobody if attempt else done)
            for index, row in enumerate(rows):
                if batch.sound[index] and (row not in kept or _score(kept[row]) < batch.score[index]):
                    kept[row] = (batch, index)
        left = [row for row in left if row not in kept or _score(kept[row]) < POOR]
        if not attempt:
            retried = len(left)
    return _gather(kept, means, artist.size, retried)


def _gather(kept: dict[int, tuple[Batch, int]], means: Floats, size: int, retried: int) -> Icons:
    count = len(means)
    icons = Icons(
        icon=np.full((count, size, size, 3), BLANK, np.uint8),
        fidelity=np.full(count, np.nan, np.float32),
        fidelity_centred=np.full(count, np.nan, np.float32),
        activation=np.full_like(means, np.nan),
        retried=retried,
    )
    for row, (batch, index) in kept.items():
        icons.icon[row] = batch.icon[index]
        icons.fidelity[row] = batch.measured.fidelity[index]
        icons.fidelity_centred[row] = batch.measured.fidelity_centred[index]
        icons.activation[row] = batch.measured.activation[index]
    return icons


def _score(kept: tuple[Batch, int]) -> float:
    batch, index = kept
    return float(batch.score[index])


def _nobody(_count: int) -> None:
    """Icons drawn again were counted before."""
