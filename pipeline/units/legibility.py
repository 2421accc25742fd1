"""Legibility of the pictures of units: does another network find the unit's own patches the most alike?"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.featurevis.judge import DEEPEST, Judge, JudgeSpec, recognition
from pipeline.parallel.pool import Pool
from pipeline.units.examples import choose_examples
from pipeline.units.inputs import Inputs, measure_examples
from pipeline.units.scan import Scan

Floats = NDArray[np.float32]
LEAST, MEMBERS = 4, 12  # patches of a unit that its pictures are compared with, at least and at most


class UnitJudge:
    """Compares pictures with patches of all units; none of these patches was used to make a picture.

    The patches are those that activate a unit most after the ones that pictures are made from, of other images.
    """

    def __init__(self, spec: JudgeSpec, inputs: Inputs, pool: Pool, scan: Scan, units: Sequence[int]) -> None:
        """Prepare; nothing is measured yet.

        Args:
            spec: of the judge.
            inputs: of the stage, with at least :data:`LEAST` images more than pictures are made from.
            pool: the workers.
            scan: of all images.
            units: numbers in the scan, at least two.
        """
        self._spec, self._inputs, self._pool, self._scan, self._units = spec, inputs, pool, scan, list(units)

    def recognized(self, units: Sequence[int], pictures: NDArray[np.uint8]) -> Floats:
        """For each picture the share of the judge's deepest depths at which its own unit is the nearest, [picture].

        Args:
            units: of the pictures, at least two; only these are compared.
            pictures: uint8 [picture, y, x, 3].
        """
        rows = [self._units.index(unit) for unit in units]
        ranks = recognition(self._judge.icons(pictures), self._prototypes[rows], self._judge.channels)
        return np.asarray(ranks.top(1)[-DEEPEST:].mean(0), np.float32)

    @cached_property
    def _judge(self) -> Judge:
        return self._spec()

    @cached_property
    def _prototypes(self) -> Floats:
        """What the judge sees in the patches of each unit, [unit, number]."""
        count, width = self._inputs.units.compared, self._inputs.shape.width
        examples = []
        for unit in self._units:
            ranked = choose_examples(self._scan, unit, count + MEMBERS, width)["highest"]
            examples.append(ranked.part(slice(count, None)))
        return np.stack([rows.mean(axis=0) for rows in measure_examples(self._pool, self._spec, examples)])
