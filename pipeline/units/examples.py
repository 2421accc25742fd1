"""Examples of a unit: the images of its highest, middle and lowest activations, each at one position."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.units.scan import Scan

Kind = Literal["highest", "middle", "lowest"]
KINDS: tuple[Kind, ...] = ("highest", "middle", "lowest")


@dataclass(frozen=True, eq=False)
class Examples:
    """Positions in images, at most one an image.

    Attributes:
        image: row in the list of images, [example].
        position: (y, x) in the layer's map, [example, 2].
        activation: of the unit there, [example].
    """

    image: NDArray[np.int64]
    position: NDArray[np.int32]
    activation: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.image)

    def part(self, rows: slice) -> "Examples":
        """Some of them."""
        return Examples(self.image[rows], self.position[rows], self.activation[rows])


def choose_examples(scan: Scan, unit: int, count: int, width: int) -> Mapping[Kind, Examples]:
    """The examples of a unit.

    ``highest`` are the images of the highest activations, from the highest; ``lowest`` those of the lowest ones, from
    the lowest; ``middle`` those around the median of all images, ordered by the highest activation in each. Of equal
    ones the first image and the first position, row by row, come first.

    Args:
        scan: of all images.
        unit: its number in the scan.
        count: of each kind; there are fewer where there are fewer images.
        width: of the layer's map.
    """
    high, low = scan.highest[:, unit], scan.lowest[:, unit]
    falling = np.argsort(-high, kind="stable")
    start = max(0, (len(high) - count) // 2)
    rows: Mapping[Kind, NDArray[np.int64]] = {
        "highest": falling[:count],
        "middle": falling[start : start + count],
        "lowest": np.argsort(low, kind="stable")[:count],
    }
    values = {"highest": high, "middle": high, "lowest": low}
    at = {"highest": scan.highest_at, "middle": scan.highest_at, "lowest": scan.lowest_at}
    return {
        kind: Examples(chosen, _positions(at[kind][chosen, unit], width), values[kind][chosen])
        for kind, chosen in rows.items()
    }


def _positions(flat: NDArray[np.int64], width: int) -> NDArray[np.int32]:
    return np.stack(np.divmod(flat, width), axis=1).astype(np.int32)
