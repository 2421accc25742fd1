"""Our speed by batch size: small batches leave processors idle, large ones leave the cache."""

from collections.abc import Callable

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.render.cells import Cells
from benchmarks.render.ours import Ours, Recipe
from pipeline.config.render import RenderSettings

BATCHES = (1, 8, 32, 128)
USUAL = 32


def batch_rows(
    cells_of: Callable[[int], Cells], configured: RenderSettings, size: int, steps: int, rounds: int
) -> list[Row]:
    """Icon-steps per second in bfloat16 at each batch size, and what the usual one gains over a single icon.

    Args:
        cells_of: gives as many cells as asked.
        configured: our settings of the stage.
        size: side of the icons, pixels.
        steps: of one batch.
        rounds: timed rounds.
    """
    sides = {}
    for batch in BATCHES:
        cells = cells_of(batch)
        ours = Ours(cells, configured, Recipe(size, steps, "bfloat16"))
        ours.render()  # first passes set up what later ones reuse
        sides[str(batch)] = Side(ours.render, batch * steps)
    timed = interleaved(sides, rounds)
    where = f"{cells.layer}, {size} px, bfloat16"
    rows = [row(f"{where}: ours at batch {batch}", 1 / timed.median(str(batch)), "icon-steps/s") for batch in BATCHES]
    gain = timed.ratio("1", str(USUAL))
    return [*rows, row(f"{where}: an icon-step of ours at batch 1 against batch {USUAL}", gain, "x")]
