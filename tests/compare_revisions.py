"""Compare the artifacts of two revisions: ``python -m tests.compare_revisions REVISION [overrides]``.

It clones the revision and the present commit into a temporary folder, installs both, runs the same configuration in
each, and compares every array of every artifact bit by bit. ``--outputs BEFORE AFTER`` compares two finished runs.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import zarr
from numpy.typing import NDArray
from safetensors.numpy import load_file

ROOT = Path(__file__).parents[1]
PER_ICON = {"key", "parent"}  # names in the icon cache: they follow from code and torch versions, not from pixels


def main() -> int:
    """Return 0 if all arrays are equal, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.compare_revisions", description=__doc__)
    parser.add_argument("--outputs", nargs=2, type=Path, metavar=("BEFORE", "AFTER"), help="two finished runs")
    parser.add_argument("revision", nargs="?", help="of git, to compare the present commit with")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of atlas run, for both")
    options = parser.parse_args()
    if options.outputs:
        return _report(*options.outputs)
    if options.revision is None:
        parser.error("expected a revision, or --outputs BEFORE AFTER")
    with tempfile.TemporaryDirectory(prefix="atlas-revisions-") as folder:
        runs = [
            _run(Path(folder) / name, revision, options.overrides)
            for name, revision in (("before", options.revision), ("after", "HEAD"))
        ]
        return _report(*runs)


def differences(before: Path, after: Path) -> Iterator[str]:
    """One line for each array that differs between two ``outputs`` folders, or that only one of them has."""
    old, new = arrays(before), arrays(after)
    for name in sorted(old.keys() | new.keys()):
        if name not in new or name not in old:
            yield f"{name}: only {'before' if name in old else 'after'}"
        elif (found := _difference(old[name], new[name])) is not None:
            yield f"{name}: {found}"


def arrays(outputs: Path) -> dict[str, NDArray[Any]]:
    """All arrays below an ``outputs`` folder: of Zarr groups, of tables, and of the network's weights."""
    found: dict[str, NDArray[Any]] = {}
    for path in sorted(outputs.rglob("*")):
        relative = path.relative_to(outputs)
        if any(part.startswith(".") for part in relative.parts):
            continue
        if path.suffix == ".zarr":
            group = zarr.open_group(path, mode="r")
            for name, member in group.members(max_depth=None):
                if isinstance(member, zarr.Array):
                    found[f"{relative}/{name}"] = np.asarray(member[...])
        elif path.suffix == ".parquet":
            table = pyarrow.parquet.read_table(path)
            for name in table.column_names:
                found[f"{relative}/{name}"] = np.asarray([str(value) for value in table.column(name).to_pylist()])
        elif path.suffix == ".safetensors":
            found |= {f"{relative}/{name}": values for name, values in load_file(path).items()}
    return found


def _difference(old: NDArray[Any], new: NDArray[Any]) -> str | None:
    if (old.dtype, old.shape) != (new.dtype, new.shape):
        return f"{old.dtype} {old.shape} before, {new.dtype} {new.shape} after"
    if old.tobytes() == new.tobytes():
        return None
    other = ~((old == new) | ((old != old) & (new != new)))  # noqa: PLR0124  # NaN is equal to NaN here
    line = f"{int(other.sum())} of {old.size} values differ"
    if old.dtype.kind in "fiu":
        line += f", by {np.abs(old[other].astype(float) - new[other].astype(float)).max(initial=0.0):.3g} at most"
    return line


def _report(before: Path, after: Path) -> int:
    found = list(differences(before, after))
    pixels = [line for line in found if Path(line.partition(":")[0]).name not in PER_ICON]
    kinds = Counter(name.split("/")[0] for name in arrays(after))
    print(f"{sum(kinds.values())} arrays compared: {', '.join(f'{n} of {kind}' for kind, n in kinds.items())}")  # noqa: T201  # a command's output
    for line in found:
        print(line)  # noqa: T201  # a command's output
    print(f"{len(pixels)} differ, and {len(found) - len(pixels)} keys of the icon cache")  # noqa: T201  # a command's output
    return 1 if pixels else 0


def _run(folder: Path, revision: str, overrides: list[str]) -> Path:
    """The outputs of a run of a revision, in a clone of its own."""
    commands: Mapping[str, list[str]] = {
        "clone": ["git", "clone", "--quiet", str(ROOT), str(folder)],
        "checkout": ["git", "-C", str(folder), "checkout", "--quiet", revision],
        "install": ["make", "-C", str(folder), "install"],
        "run": [str(folder / ".venv" / "bin" / "atlas"), "run", *overrides],
    }
    for name, command in commands.items():
        subprocess.run(command, cwd=folder if name == "run" else ROOT, check=True)
    return folder / "outputs"


if __name__ == "__main__":
    sys.exit(main())
