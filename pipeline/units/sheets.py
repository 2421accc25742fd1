"""Comparison sheets: the same units optimized in different ways, and the images between two units."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.model import ModelSettings
from pipeline.config.units import SheetName
from pipeline.core.progress import log_line, progress
from pipeline.featurevis.cache import CachedImage
from pipeline.featurevis.exemplar_statistics import StatisticsPrior
from pipeline.featurevis.judge import JudgeSpec
from pipeline.parallel.pool import Pool
from pipeline.units.examples import Examples, choose_examples
from pipeline.units.figures import EmbeddingSpec
from pipeline.units.inputs import Inputs, measure_examples
from pipeline.units.legibility import LEAST, UnitJudge
from pipeline.units.picture_renderer import Engine, PictureRenderer
from pipeline.units.pictures import PictureRequest, UnitPurpose
from pipeline.units.report import Cell, Row, Sheet
from pipeline.units.scan import Scan
from pipeline.units.sheet_columns import EQUAL, SHEETS, Column, Start
from pipeline.units.sheet_engines import SheetEngines

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FRAMES = 5  # of an interpolation
TINY = 1e-12


class SheetMaker:
    """Makes the sheets of a layer; what they share is measured and trained once, when it is needed."""

    def __init__(
        self,
        inputs: Inputs,
        pool: Pool,
        renderer: PictureRenderer,
        scan: Scan,
        strongest: Sequence[Examples],
        prior: StatisticsPrior | None,
        statistics: Sequence[Floats],
        judge: ModelSettings | None,
    ) -> None:
        """Prepare; nothing is rendered yet.

        Args:
            inputs: of the stage.
            pool: the workers.
            renderer: of pictures.
            scan: of all images.
            strongest: patches of each unit.
            prior: the pull towards feature statistics; None for none.
            statistics: of each unit's strongest patches, [patch, statistic].
            judge: settings of the network that tells whether pictures are legible, as written; None for none.
        """
        self._inputs, self._pool, self._renderer, self._scan = inputs, pool, renderer, scan
        self._strongest, self._prior = strongest, prior
        self._engines = SheetEngines(inputs)
        self._statistics = [rows.mean(axis=0) for rows in statistics]
        self._high = [float(scan.highest[:, unit].max()) for unit in range(len(inputs.channels))]
        self._units = [unit for unit, high in enumerate(self._high) if high > 0]
        self._judge = None
        if judge is not None and len(inputs.manifest) >= inputs.units.compared + LEAST:
            spec = JudgeSpec(judge, inputs.patches, inputs.units.device)
            self._judge = UnitJudge(spec, inputs, pool, scan, self._units)
        self._mean_square = max(float(scan.squares.mean() / scan.positions), TINY)
        self._layer_mean = (scan.sums / scan.positions).astype(np.float32)

    def make(self, name: SheetName) -> Sheet:
        """Render a sheet."""
        log_line(f"  sheet {name}")
        return self._interpolation() if name == "interpolation" else self._comparison(name)

    def _comparison(self, name: SheetName) -> Sheet:
        missing = {None: False, "photographs": not self._inputs.units.examples, "statistics": self._prior is None}
        columns = [column for column in SHEETS[name] if not missing[column.needs]]
        with progress(f"units {self._inputs.layer} {name}", len(columns) * len(self._units), "picture") as bar:

            def advance(count: int) -> None:
                bar.update(count)

            found = [self._pictures(column, advance) for column in columns]
        cells = [self._cells(pictures) for pictures in found]
        rows = []
        for row, unit in enumerate(self._units):
            pictures = [column[row] for column in found]
            rows.append(Row((self._inputs.channels[unit],), "", [column[row] for column in cells], _distance(pictures)))
        return Sheet(name, [(one.name, one.text, one.source) for one in columns], rows)

    def _pictures(self, column: Column, progress_of: Callable[[int], None]) -> list[CachedImage | None]:
        """The pictures of a column, of all units that are active."""
        inputs = self._inputs
        engine = self._engines.engine(column)
        prior = self._prior if engine.settings.statistics else None
        purpose = UnitPurpose(inputs.layer, inputs.units.objective, prior, limit=self._limit(column))
        wanted = []
        for unit in self._units:
            statistics = self._statistics[unit] if prior else np.zeros(0, np.float32)
            wanted.append(
                PictureRequest(
                    inputs.channels[unit],
                    self._weight(unit),
                    statistics,
                    number=column.noise,
                    parent=self._parent(column.start, unit),
                )
            )
        return self._renderer.render(purpose, engine, wanted, progress_of)

    def _weight(self, unit: int) -> float:
        weight = self._inputs.units.weight
        return weight if self._inputs.units.objective == "probability" else weight / self._high[unit]

    def _limit(self, column: Column) -> float | None:
        if not column.equal:
            return None
        share = 0.5 if self._inputs.units.objective == "probability" else EQUAL
        return share * self._inputs.units.weight

    def _parent(self, start: Start, unit: int) -> Pixels | None:
        """The image that a picture starts from; None for noise."""
        size = self._inputs.settings.size
        if start == "noise":
            return None
        if start == "photograph":
            example = choose_examples(self._scan, unit, 1, self._inputs.shape.width)["middle"]
            patches = self._inputs.patches.open(self._inputs.network)
            return patches(int(example.image[0]), example.position[0])
        color = {"zero": self._inputs.network.preprocessing.mean, "gray": (0.5,) * 3, "black": (0.0,) * 3}[start]
        return np.broadcast_to(np.round(np.array(color) * 255).astype(np.uint8), (size, size, 3)).copy()

    def _cells(self, pictures: Sequence[CachedImage | None]) -> list[Cell | None]:
        """The cells of a column, one for each active unit."""
        recognized = self._recognized(pictures)
        found: list[Cell | None] = []
        for row, (unit, picture) in enumerate(zip(self._units, pictures, strict=True)):
            if picture is None:
                found.append(None)
                continue
            fidelity = _cosine(picture.activation - self._layer_mean, self._exemplars[unit] - self._layer_mean)
            activation = picture.scores["activation"] / self._high[unit]
            found.append(Cell(picture.image, (activation,), fidelity, recognized[row]))
        return found

    @cached_property
    def _exemplars(self) -> list[Floats]:
        """Mean activation over map and strongest patches of each unit, [channel]."""
        inputs = self._inputs
        spec = EmbeddingSpec(inputs.patches, inputs.layer, inputs.units.device, inputs.settings.size)
        return [rows.mean(axis=0) for rows in measure_examples(self._pool, spec, self._strongest)]

    def _recognized(self, pictures: Sequence[CachedImage | None]) -> list[float | None]:
        """Of each picture, by the judge; None without a judge or without another picture."""
        shown = [(row, one) for row, one in enumerate(pictures) if one is not None]
        found: list[float | None] = [None] * len(pictures)
        if self._judge is not None and len(shown) > 1:
            units, images = [self._units[row] for row, _ in shown], np.stack([one.image for _, one in shown])
            for (row, _), share in zip(shown, self._judge.recognized(units, images), strict=True):
                found[row] = float(share)
        return found

    def _interpolation(self) -> Sheet:
        inputs, position = self._inputs, {channel: unit for unit, channel in enumerate(self._inputs.channels)}
        pairs = [
            pair
            for pair in inputs.units.chosen_pairs(inputs.layer, inputs.channels)
            if all(self._high[position[channel]] > 0 for channel in pair)
        ]
        shares = np.linspace(0, 1, FRAMES)
        rows = []
        with progress(f"units {inputs.layer} interpolation", 2 * FRAMES * len(pairs), "picture") as bar:

            def advance(count: int) -> None:
                bar.update(count)

            for alignment in (inputs.units.alignment / self._mean_square, 0.0):
                purpose = UnitPurpose(
                    inputs.layer,
                    inputs.units.objective,
                    self._prior,
                    pairs=True,
                    alignment=alignment,
                    compared_layer=inputs.map_layer,
                )
                wanted = [self._between(pair, share, position) for pair in pairs for share in shares]
                if not alignment:
                    wanted = [replace(one, group=None) for one in wanted]
                found = self._renderer.render(purpose, Engine(self._engines.settings({})), wanted, advance)
                for number, pair in enumerate(pairs):
                    pictures = found[number * FRAMES : (number + 1) * FRAMES]
                    cells = [self._pair_cell(picture, pair, position) for picture in pictures]
                    rows.append(Row(pair, "aligned" if alignment else "independent", cells, _neighbors(pictures)))
        rows.sort(key=lambda row: pairs.index((row.channels[0], row.channels[1])))
        columns = [(f"{share:.0%}", f"Share of the second unit: {share:.0%}.", "") for share in shares]
        return Sheet("interpolation", columns, rows)

    def _between(self, pair: tuple[int, int], share: float, position: Mapping[int, int]) -> PictureRequest:
        first, second = (position[channel] for channel in pair)
        statistics = (1 - share) * self._statistics[first] + share * self._statistics[second]
        return PictureRequest(
            pair[0],
            float(1 - share) * self._weight(first),
            statistics.astype(np.float32),
            group=pair,
            other=(pair[1], float(share) * self._weight(second)),
        )

    def _pair_cell(
        self, picture: CachedImage | None, pair: tuple[int, int], position: Mapping[int, int]
    ) -> Cell | None:
        if picture is None:
            return None
        reached = (picture.scores["activation"], picture.scores["other_activation"])
        high = [self._high[position[channel]] for channel in pair]
        return Cell(picture.image, tuple(value / most for value, most in zip(reached, high, strict=True)))


def _distance(pictures: Sequence[CachedImage | None]) -> tuple[float, float] | None:
    """Mean difference between two pictures; see :class:`Row`."""
    return _mean_distance(combinations([one for one in pictures if one is not None], 2))


def _neighbors(pictures: Sequence[CachedImage | None]) -> tuple[float, float] | None:
    """Mean difference between neighbors."""
    neighbors = pairwise(pictures)
    return _mean_distance((one, other) for one, other in neighbors if one is not None and other is not None)


def _mean_distance(pairs: Any) -> tuple[float, float] | None:
    found = []
    for one, other in pairs:
        difference = (one.image.astype(np.float64) - other.image) / 255
        pixels = float(np.sqrt(np.mean(difference**2)))
        found.append((pixels, 1 - _cosine(one.activation, other.activation)))
    if not found:
        return None
    pixels, activation = np.mean(found, axis=0).tolist()
    return pixels, activation


def _cosine(one: Floats, other: Floats) -> float:
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms > 0 else 0.0
