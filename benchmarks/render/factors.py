"""Time to fidelity as rows: icons per second, the ratios with a goal, and each factor of the total."""

from dataclasses import dataclass

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Timed
from benchmarks.render.points import Point

AT_SIZE = 20.0  # times torch-lucent at our image size
AT_DEFAULTS = 100.0  # times torch-lucent at its defaults


@dataclass(frozen=True)
class SideResult:
    """Result of one side.

    Attributes:
        side: its name among the timed sides.
        name: for people.
        point: with the fewest steps that reach the target, or its last point if none does.
        reached: whether it reaches the target.
    """

    side: str
    name: str
    point: Point
    reached: bool

    def description(self) -> str:
        """Number of steps, variant, and fidelity where it is below the target."""
        steps = f"{self.point.steps} steps"
        if ", " in self.point.side:  # the variant of ours
            steps += f", {self.point.side.partition(', ')[2]}"
        return steps if self.reached else f"{steps}, which reach only {self.point.fidelity:.3f}"


@dataclass(frozen=True)
class TimeToFidelity:
    """Time to fidelity of all sides at one layer.

    Attributes:
        where: layer and size, for people.
        target: torch-lucent's best point with 128 steps at our size.
        default, size: torch-lucent at its defaults and at our size.
        exact, best: ours in float32 and in bfloat16.
        timed: seconds per icon of all four, up to their points.
    """

    where: str
    target: Point
    default: SideResult
    size: SideResult
    exact: SideResult
    best: SideResult
    timed: Timed

    def rows(self) -> list[Row]:
        """All rows."""
        return [*self._speeds(), *self._ratios(), *self._factors()]

    def _speeds(self) -> list[Row]:
        condition = f"learning rate {self.target.rate:g}, seen at {self.target.seen} px, {self.target.steps} steps"
        target = f"{self.where}: the target, median raw fidelity of {self.size.name}"
        rows = [
            row(f"{target} ({condition})", self.target.fidelity, "cosine"),
            row(f"{self.where}: median centered fidelity of those icons", self.target.fidelity_centred, "cosine"),
        ]
        for result in (self.default, self.size, self.exact, self.best):
            what = f"{self.where}: {result.name}, up to the target ({result.description()})"
            rows.append(row(what, 1 / self.timed.median(result.side), "icons/s"))
        centered = f"{self.where}: median centered fidelity of {self.best.name} at its {self.best.point.steps} steps"
        return [*rows, row(centered, self.best.point.fidelity_centred, "cosine")]

    def _ratios(self) -> list[Row]:
        return [
            self._against(self.size, self.exact, None),
            self._against(self.size, self.best, AT_SIZE),
            self._against(self.default, self.best, AT_DEFAULTS),
        ]

    def _against(self, theirs: SideResult, ours: SideResult, goal: float | None) -> Row:
        what = f"{self.where}, time to fidelity: {ours.name} against {theirs.name}"
        if not ours.reached:
            return row(f"{what} (the target is not reached)", 0.0, "x", at_least=goal)
        return row(what, self.timed.ratio(theirs.side, ours.side), "x", at_least=goal)

    def _factors(self) -> list[Row]:
        of = f"{self.where}, factor of the total"
        bfloat16, more = self.best.name, "steps that it takes"
        return [
            row(
                f"{of}: a step of {self.default.name} against {self.size.name}",
                self._step(self.default, self.size),
                "x",
            ),
            row(
                f"{of}: {more}, {self.default.name} against {self.size.name}", self._steps(self.default, self.size), "x"
            ),
            row(f"{of}: a step of {self.size.name} against {self.exact.name}", self._step(self.size, self.exact), "x"),
            row(f"{of}: a step of {self.exact.name} against {bfloat16}", self._step(self.exact, self.best), "x"),
            row(f"{of}: {more}, {self.size.name} against {bfloat16}", self._steps(self.size, self.best), "x"),
        ]

    def _steps(self, theirs: SideResult, ours: SideResult) -> float:
        return theirs.point.steps / ours.point.steps

    def _step(self, theirs: SideResult, ours: SideResult) -> float:
        return self.timed.ratio(theirs.side, ours.side) / self._steps(theirs, ours)
