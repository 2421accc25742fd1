"""Whether a machine can hold what is planned."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.plan.estimate import Estimate
from pipeline.plan.table import totals
from pipeline.plan.words import size


def refuse(found: Sequence[Estimate], outputs: Path, disk: float | None, memory: float | None) -> None:
    """Refuse a plan that does not fit.

    Args:
        found: the plan.
        outputs: where it would be written.
        disk: free bytes; None where they are not known.
        memory: likewise.

    Raises:
        ConfigError: names what is too small, and the stage that asks for most of it.
    """
    needed, held, _ = totals(found)
    if disk is not None and needed > disk:
        raise no_room(outputs, needed, disk)
    most = max(found, key=lambda row: row.memory)
    if memory is not None and held > memory:
        name = " ".join(part for part in (most.stage, most.layer, most.atlas) if part)
        raise ConfigError(
            f"{name}: expected {size(held)} of free memory, found {size(memory)}; free some, or {ADVICE[most.stage]}"
        )


ADVICE = {
    "prepare": "train on fewer images (prepare.limit)",
    "sample": "use a smaller sample.batch_size or fewer layers",
    "reduce": "sample fewer places, or set reduce.components and reduce.fit_samples lower",
    "grid": "leave out the finest of grid.levels",
    "render": "use a smaller render.batch_size or render.size",
    "tile": "leave out the finest of grid.levels",
    "site": "sample fewer places or layers",
}


def no_room(outputs: Path, needed: float, free: float) -> ConfigError:
    """The error of a disk that is too small."""
    return ConfigError(
        f"{outputs}: expected {needed / 1e9:.1f} GB of free disk, found {free / 1e9:.1f} GB free; free some, or sample "
        "fewer places, layers or grid levels"
    )
