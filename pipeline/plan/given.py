"""What a plan is made from: the sizes of a run, and how fast the machine is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.params import Params

FLOAT_BYTES = 4
# share of a level's cells that a layout reaches: 0.95, 0.89 and 0.84 at levels 10, 20 and 40 of SqueezeNet's layers
FILL = 0.85


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run.

    Attributes:
        params: its configuration.
        images: how many the run uses.
        classes: of the network.
        channels: of every layer that is looked at, by dotted module path.
        fill: share of the cells of a level that a layout reaches, 0..1.
        crop: side of the network's input, pixels.
    """

    params: Params
    images: int
    classes: int
    channels: Mapping[str, int]
    fill: float
    crop: int

    @property
    def samples(self) -> int:
        """Rows of every activations artifact."""
        return self.images * self.params.sample.positions_per_image

    @property
    def stored(self) -> int:
        """Bytes of one stored activation or attribution."""
        return np.dtype(self.params.sample.storage).itemsize

    @property
    def attributed(self) -> int:
        """Numbers that a row of attributions has."""
        return self.classes if self.params.sample.attribution else 0


@dataclass(frozen=True)
class Drawing:
    """How fast icons of one layer are drawn.

    Attributes:
        step: seconds of one icon and one gradient step, in a batch.
        rest: seconds of one icon besides its steps: its start and its measuring.
        bytes: memory that one icon of a batch takes.
    """

    step: float
    rest: float
    bytes: int


@dataclass(frozen=True)
class Given:
    """Rates that are said rather than measured, since the machine is not here.

    Attributes:
        images: a second in ``sample``, decoding and all, of one GPU.
        icons: a second in ``render``, of one GPU.
        points: a second of a layout.
    """

    images: float | None = None
    icons: float | None = None
    points: float | None = None


@dataclass(frozen=True)
class Rates:
    """How fast one process works, and what it takes.

    Attributes:
        decoded: images a second, from their files to the network's input, in several threads.
        listed: images a second, decoded one after the other.
        evaluated: images a second in a plain pass of the network.
        passed: images a second in the passes of the stage ``sample``, decoding left aside.
        summed: numbers a second, read from shards and added up over cells.
        encoded: pixels of tiles a second.
        drawing: by layer.
        memory: bytes of a process that has the network loaded.
        pass_bytes: bytes that a batch of ``sample`` takes beyond them.
        given: what counts instead, where it was said; then ``drawing`` may tell of memory alone.
    """

    decoded: float
    listed: float
    evaluated: float
    passed: float
    summed: float
    encoded: float
    drawing: Mapping[str, Drawing]
    memory: int
    pass_bytes: int
    given: Given = Given()
