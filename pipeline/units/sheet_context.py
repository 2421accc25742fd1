"""What the sheets of a layer share; it is measured and trained once, when a sheet needs it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.config.model import ModelSettings
from pipeline.config.units import SheetName
from pipeline.core.progress import progress
from pipeline.featurevis.cache import CachedImage, ImageCache
from pipeline.featurevis.exemplar_statistics import StatisticsPrior
from pipeline.featurevis.judge import JudgeSpec
from pipeline.parallel.pool import Pool
from pipeline.units.concepts import Concepts
from pipeline.units.examples import Examples, Kind, choose_examples
from pipeline.units.figures import EmbeddingSpec
from pipeline.units.inputs import Inputs, measure_examples
from pipeline.units.legibility import LEAST, UnitJudge
from pipeline.units.picture_renderer import PictureRenderer
from pipeline.units.scan import Scan
from pipeline.units.sheet_engines import SheetEngines
from pipeline.units.sheets import Cell, Row

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Progress = Callable[[int], None]
TINY = 1e-12


@dataclass(eq=False)
class SheetContext:
    """What the sheets of a layer share.

    Attributes:
        inputs: of the stage.
        pool: the workers.
        cache: of finished pictures.
        scan: of all images.
        strongest: patches of each unit.
        prior: the pull towards feature statistics; None for none.
        statistics: of each unit's strongest patches, [patch, statistic].
        judge_settings: of the network that tells whether pictures are legible, as written; None for none.
        concepts: overlap of the units with annotated concepts; None without masks.
    """

    inputs: Inputs
    pool: Pool
    cache: ImageCache
    scan: Scan
    strongest: Sequence[Examples]
    prior: StatisticsPrior | None
    statistics: Sequence[Floats]
    judge_settings: ModelSettings | None
    concepts: Concepts | None

    @cached_property
    def renderer(self) -> PictureRenderer:
        """Of pictures, by the run's network."""
        return PictureRenderer(self.inputs, self.pool, self.cache)

    @cached_property
    def engines(self) -> SheetEngines:
        """Of the columns."""
        return SheetEngines(self.inputs)

    @cached_property
    def high(self) -> list[float]:
        """The highest activation of each unit in the images."""
        return [float(self.scan.highest[:, unit].max()) for unit in range(len(self.inputs.channels))]

    @property
    def units(self) -> list[int]:
        """Numbers of the units that an image activates."""
        return [unit for unit, high in enumerate(self.high) if high > 0]

    @cached_property
    def layer_mean(self) -> Floats:
        """Mean activation over all positions of all images, [channel]."""
        return (self.scan.sums / self.scan.positions).astype(np.float32)

    @property
    def mean_square(self) -> float:
        """Mean square activation over all channels, positions and images."""
        return max(float(self.scan.squares.mean() / self.scan.positions), TINY)

    @cached_property
    def mean_statistics(self) -> list[Floats]:
        """Of the strongest patches of each unit, [statistic]."""
        return [rows.mean(axis=0) for rows in self.statistics]

    @cached_property
    def exemplars(self) -> list[Floats]:
        """Mean activation over map and strongest patches of each unit, [channel]."""
        inputs = self.inputs
        spec = EmbeddingSpec(inputs.patches, inputs.layer, inputs.units.device, inputs.settings.size)
        return [rows.mean(axis=0) for rows in measure_examples(self.pool, spec, self.strongest)]

    @contextmanager
    def progress(self, name: SheetName, pictures: int) -> Iterator[Progress]:
        """A bar that counts the finished pictures of a sheet; within the block it is called with their number."""
        with progress(f"units {self.inputs.layer} {name}", pictures, "picture") as bar:

            def advance(count: int) -> None:
                bar.update(count)

            yield advance

    def rows(self, columns: Sequence[Sequence[Cell | None]]) -> list[Row]:
        """A row for each active unit, of columns with a cell for each of them."""
        return [
            Row((self.inputs.channels[unit],), "", [column[row] for column in columns])
            for row, unit in enumerate(self.units)
        ]

    def weight(self, unit: int) -> float:
        """Of a unit's activation."""
        weight = self.inputs.units.weight
        return weight if self.inputs.units.objective == "probability" else weight / self.high[unit]

    def fidelity(self, picture: CachedImage, wanted: Floats) -> float:
        """Cosine between a picture's mean activation and a wanted one [channel], both minus the layer's mean."""
        return cosine(picture.activation - self.layer_mean, wanted - self.layer_mean)

    def photograph(self, unit: int, kind: Kind = "middle") -> Pixels:
        """The patch of an image that activates a unit as much as the median, or most, as large as a picture."""
        example = choose_examples(self.scan, unit, 1, self.inputs.shape.width)[kind]
        patches = self.inputs.patches.open(self.inputs.network)
        return patches(int(example.image[0]), example.position[0])

    @cached_property
    def _judge(self) -> UnitJudge | None:
        inputs = self.inputs
        if self.judge_settings is None or len(inputs.manifest) < inputs.units.compared + LEAST:
            return None
        spec = JudgeSpec(self.judge_settings, inputs.patches, inputs.units.device)
        return UnitJudge(spec, inputs, self.pool, self.scan, self.units)

    def recognized(self, pictures: Sequence[CachedImage | None]) -> list[float | None]:
        """Of the picture of each active unit, by the judge; None without a judge or without another picture."""
        shown = [(row, one) for row, one in enumerate(pictures) if one is not None]
        found: list[float | None] = [None] * len(pictures)
        if self._judge is not None and len(shown) > 1:
            units, images = [self.units[row] for row, _ in shown], np.stack([one.image for _, one in shown])
            for (row, _), share in zip(shown, self._judge.recognized(units, images), strict=True):
                found[row] = float(share)
        return found


def cosine(one: Floats, other: Floats) -> float:
    """Cosine between two vectors; 0 where one of them is zero."""
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms > 0 else 0.0
