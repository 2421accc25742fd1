"""The command ``atlas provenance``."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.core.escaping import escape_control_chars
from pipeline.params import Params
from pipeline.provenance.account import Asked, account
from pipeline.provenance.report import report

USAGE = "layer=NAME atlas=NAME level=CELLS cell=ROW,COLUMN"
KEYS = ("layer", "atlas", "level", "cell")


def provenance(outputs: Path, params: Params, arguments: Sequence[str], as_json: bool) -> None:
    """Print where an icon comes from.

    Args:
        outputs: of the run.
        params: of the run.
        arguments: as in :data:`USAGE`; the atlas is ``all`` unless another is named.
        as_json: print JSON, with every sample and image.

    Raises:
        AtlasError: the arguments are not right, an artifact is missing, or the chain is broken.
    """
    found = account(outputs, params, parse_arguments(params, arguments))
    # JSON in ASCII is valid whatever the names in it; a reader's text is made printable line by line
    sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n" if as_json else report(found))


def parse_arguments(params: Params, arguments: Sequence[str]) -> Asked:
    """Which icon the arguments name.

    Raises:
        ConfigError: one is missing or unknown.
    """
    given = {"atlas": "all"} | dict(argument.partition("=")[::2] for argument in arguments)
    if set(given) != set(KEYS):
        raise ConfigError(f"atlas provenance: expected {USAGE}, found {' '.join(arguments) or 'none'}")
    for key, known in (("layer", params.layers), ("atlas", params.atlases)):
        if given[key] not in known:
            raise ConfigError(
                f"atlas provenance: expected {key} to be one of {', '.join(known)}, found {escape_control_chars(given[key])}"
            )
    return Asked(given["layer"], given["atlas"], _numbers(given, "level", 1)[0], _place(given))


def _place(given: Mapping[str, str]) -> tuple[int, int]:
    row, column = _numbers(given, "cell", 2)
    return row, column


def _numbers(given: Mapping[str, str], key: str, count: int) -> list[int]:
    if not re.fullmatch(",".join(["[0-9]{1,5}"] * count), given[key]):
        shape = "a number" if count == 1 else "row,column, counted from 0"
        raise ConfigError(f"atlas provenance: expected {key} to be {shape}, found {escape_control_chars(given[key])}")
    return [int(number) for number in given[key].split(",")]
