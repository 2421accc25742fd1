"""The table of networks, printed and written to ``docs/networks.md``; exits 1 if any row is wrong.

python -m tests.networks [--only resnet18 vit ...] [--seconds 600]

Networks of timm need the group of packages: uv sync --inexact --group networks
"""

import argparse
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from torch import nn

from pipeline.core.errors import AtlasError
from pipeline.model.discovery import FoundLayers, find_layers
from tests.networks import table
from tests.networks import unusual_outputs as unusual
from tests.networks.checks import Row, check_layer
from tests.networks.networks import TIMM, TORCHVISION, timm_network, torchvision_network

LAYERS = 2  # of each published network


def main() -> int:
    """Run the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks", description="The table of networks.")
    parser.add_argument("--only", nargs="+", help="networks with one of these in their names; writes no document")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no network later than this")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: list[Row] = []
    start = time.monotonic()
    for name, job in jobs():
        if time.monotonic() - start < given.seconds and any(part in name for part in given.only or [""]):
            for row in guarded(name, job):
                sys.stdout.write(table.line(row) + "\n")
                sys.stdout.flush()
                rows.append(row)
    if not given.only:
        table.write(rows, "python -m tests.networks")
    return 0 if all(row.holds for row in rows) else 1


def jobs() -> Iterator[tuple[str, Callable[[], Iterator[Row]]]]:
    """The name of each network, and what yields its rows."""
    for name, one in unusual.ODD.items():
        yield f"own: {name}", lambda name=name, one=one: odd_rows(f"own: {name}", one)  # type: ignore[misc]  # lambda
    for name, (crop, _) in TORCHVISION.items():
        yield (
            f"torchvision {name}",
            lambda name=name, crop=crop: rows_of(  # type: ignore[misc]  # lambda
                f"torchvision {name}", torchvision_network(name), crop
            ),
        )
    if find_spec("timm") is None:
        sys.stderr.write("tests.networks: timm is not installed, its networks are left out\n")
        return
    for name, (crop, _) in TIMM.items():
        yield (
            f"timm {name}",
            lambda name=name, crop=crop: rows_of(  # type: ignore[misc]  # lambda
                f"timm {name}", timm_network(name), crop
            ),
        )


def guarded(name: str, job: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """The rows of a job; an error that is no line for the user is a row that does not hold."""
    try:
        yield from job()
    except AtlasError as error:
        yield Row(name, "", "", refused=str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, the table goes on
        where = traceback.extract_tb(error.__traceback__)[-1]
        line = " ".join(str(error).split())[:200]
        yield Row(name, "", "", refused=f"{type(error).__name__} in {where.name}: {line}", expected=False)


def odd_rows(name: str, one: unusual.Odd) -> Iterator[Row]:
    """The row of an odd network, which is right if its layer is read or refused as it has to be."""
    module = unusual.build(one)
    row = check_layer(name, module, unusual.CROP, one.layer, find_layers(module, unusual.CROP, one.given))
    yield unusual.judged(row, one)


def rows_of(name: str, make: Callable[[], nn.Module], crop: int) -> Iterator[Row]:
    """The rows of a published network."""
    module = make()
    found = find_layers(module, crop)
    names = chosen(found)
    for layer in names:
        yield check_layer(name, module, crop, layer, found, icon=layer == names[0])


def chosen(found: FoundLayers) -> list[str]:
    """Layers in the middle and at the end of those with a grid, blocks rather than their parts."""
    depth = {name: name.count(".") for name, form in found.formats.items() if form.height * form.width >= 4}
    names = [name for name in depth if 1 <= depth[name] <= 2] or list(depth)
    return list(dict.fromkeys([names[len(names) // 2], names[-1]][:LAYERS])) if names else []


if __name__ == "__main__":
    raise SystemExit(main())
