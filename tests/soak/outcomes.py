"""What a fault may result in: a right artifact or a clear error; everything else fails."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.soak.processes import Ended

SCRATCH = re.compile(r"/\S*/atlas-soak-[^/]+/(?:[^/\s]+/)?")  # where the tried checkouts lie, and what is beside them

RIGHT, CLEAR = "right artifact", "clear error"
USER_ERROR = 2  # the exit code of errors that the user can correct


@dataclass(frozen=True)
class Outcome:
    """How one try ended.

    Attributes:
        what: :data:`RIGHT`, :data:`CLEAR`, or what is wrong.
        line: the error's line, or another detail.
    """

    what: str
    line: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is one of the two that are allowed."""
        return self.what in (RIGHT, CLEAR)

    def named(self, victim: Path) -> "Outcome":
        """The same, with the file that was damaged."""
        return Outcome(self.what, f"{victim}: {self.line}")


@dataclass(frozen=True)
class Row:
    """One line of the fault table.

    Attributes:
        stage: where the fault was.
        fault: which.
        outcomes: of all tries.
        seen: other counts.
    """

    stage: str
    fault: str
    outcomes: Sequence[Outcome]
    seen: str = ""

    @property
    def holds(self) -> bool:
        """Whether every try holds; a fault that was never tried does not."""
        return bool(self.outcomes) and all(outcome.holds for outcome in self.outcomes)

    def summary(self) -> str:
        """The outcomes, counted."""
        counts = Counter(outcome.what for outcome in self.outcomes)
        return ", ".join(f"{what} ({count} of {len(self.outcomes)})" for what, count in counts.most_common()) or "none"

    def example(self) -> str:
        """The line to show: of a failure if there is one, else the first error's."""
        lines = [one.line for one in sorted(self.outcomes, key=lambda one: one.holds) if one.line]
        return "; ".join(part for part in (self.seen, lines[0] if lines else "") if part)


def judge(ended: Ended, wrong: Sequence[str], missing: Sequence[str]) -> Outcome:
    """How a command ended after a fault.

    Args:
        ended: the command.
        wrong: files of other bytes than undisturbed, in the outputs that are there.
        missing: outputs that are not there.
    """
    lines = ended.printed.strip().splitlines()
    last = lines[-1] if lines else ""
    if ended.code is None or "Traceback" in ended.printed:
        return Outcome("HANG" if ended.code is None else "TRACEBACK", last)
    if wrong:
        return Outcome("WRONG BYTES" if ended.code == 0 else "WRONG BYTES TAKEN FOR WHOLE", ", ".join(wrong[:3]))
    if ended.code == 0:
        return Outcome("NO ARTIFACT", ", ".join(missing)) if missing else Outcome(RIGHT)
    if ended.code != USER_ERROR:
        return Outcome(f"CODE {ended.code}", last)
    errors = [line for line in lines if line.startswith("atlas: ")]
    one_line = len(errors) == 1 and last == errors[0]
    return (
        Outcome(CLEAR, SCRATCH.sub("", last.removeprefix("atlas: ")))
        if one_line
        else Outcome("NOT ONE LINE", " / ".join(lines[-3:]))
    )
