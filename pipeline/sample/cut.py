"""How the images are cut into tasks: one task fills one shard of every layer's arrays.

A shard holds a whole number of batches, and batches are counted from the first image of all, so what is in a batch
depends on the batch size alone: neither on workers, nor on what was done before.
"""

from dataclasses import dataclass

FEWEST_BATCHES = 8  # of a task: what it takes to write its files is then little beside the network's work
TASKS = 32  # of a run, if memory allows: enough for many workers, and files of a layer by the tens
HELD_BYTES = 2**29  # of all the rows that a task holds before it writes them


@dataclass(frozen=True)
class Cut:
    """All images in tasks.

    Attributes:
        images: how many there are.
        per_task: images of a task; the last one may have fewer.
        positions: rows that each image gives.
    """

    images: int
    per_task: int
    positions: int

    @property
    def rows(self) -> int:
        """Rows of the whole array."""
        return self.images * self.positions

    @property
    def shard_rows(self) -> int:
        """Rows of a shard."""
        return self.per_task * self.positions

    def tasks(self) -> list[range]:
        """The images of each task."""
        starts = range(0, self.images, self.per_task)
        return [range(start, min(start + self.per_task, self.images)) for start in starts]


def cut(images: int, batch_size: int, positions: int, row_bytes: int) -> Cut:
    """Cut.

    Args:
        images: how many there are.
        batch_size: images in one pass.
        positions: rows that each image gives.
        row_bytes: of one row of all arrays of all layers.
    """
    batches = -(-images // batch_size)
    wanted = max(FEWEST_BATCHES, -(-batches // TASKS))
    possible = max(1, HELD_BYTES // max(1, batch_size * positions * row_bytes))
    return Cut(images, min(wanted, possible) * batch_size, positions)
