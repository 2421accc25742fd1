"""A tiny run with everything that the stage ``synthesize`` reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_config, write_params
from pipeline.core.artifacts import SYNTHESIZE
from pipeline.core.site_data import read_data_script
from tests.tiny_run import TINY, checkout, photograph, run_one

IMAGES = 12


def make_atlas(folder: Path, *overrides: str) -> Path:
    """A checkout with photographs and every stage before ``synthesize``; the current folder has to be ``folder``.

    Args:
        folder: of the checkout.
        overrides: beside those of :data:`tests.tiny_run.TINY`.
    """
    for number in range(IMAGES):
        photograph(folder / "photographs" / f"{number % 3}" / f"{number:02d}.png", number)
    checkout(folder)
    write_params(folder, compose_config(folder, [*TINY, *overrides]))
    for name in ("prepare", "sample", "reduce", "grid", "render"):
        run_one(folder, name)
    return folder


def synthesize(folder: Path, method: str, *overrides: str, base: Sequence[str] = TINY) -> Any:
    """Run the stage; what the page says of the method."""
    write_params(folder, compose_config(folder, [*base, f"synthesize.methods=[{method}]", *overrides]))
    run_stage("synthesize", [f"method={method}"])
    return read_data_script(SYNTHESIZE.path(OUTPUTS, method=method) / "synthesize.js")
