"""The command ``atlas provenance``: its arguments, and the trace of an icon as text."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.params import Params
from pipeline.core.errors import ConfigError, escape_control_chars
from pipeline.provenance.trace import Query, trace

USAGE = "layer=NAME atlas=NAME level=CELLS cell=ROW,COLUMN style=NAME"
KEYS = ("layer", "atlas", "level", "cell")
OPTIONAL = ("style",)
Values = Mapping[str, Any]
LISTED = 20  # images listed in the text; JSON lists them all
SHORT = 12  # characters of a digest


def provenance(outputs: Path, params: Params, arguments: Sequence[str], as_json: bool) -> None:
    """Print the trace of an icon.

    Args:
        outputs: of the run.
        params: of the run.
        arguments: as in :data:`USAGE`; the atlas is ``all`` unless another is named, the style the first one.
        as_json: print JSON, with every sample and image.

    Raises:
        AtlasError: the arguments are not right, an artifact is missing, or the chain is broken.
    """
    found = trace(outputs, params, parse_arguments(params, arguments))
    # JSON in ASCII needs no escaping; the text is escaped line by line
    sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n" if as_json else report(found))


def parse_arguments(params: Params, arguments: Sequence[str]) -> Query:
    """The icon that the arguments name.

    Raises:
        ConfigError: one is missing or unknown.
    """
    given = {"atlas": "all"} | dict(argument.partition("=")[::2] for argument in arguments)
    if set(given) - set(OPTIONAL) != set(KEYS):
        raise ConfigError(f"atlas provenance: expected {USAGE}, found {' '.join(arguments) or 'none'}")
    for key, known in (("layer", params.layers), ("atlas", params.atlases)):
        if given[key] not in known:
            found = escape_control_chars(given[key])
            raise ConfigError(f"atlas provenance: expected {key} to be one of {', '.join(known)}, found {found}")
    row, column = _numbers(given, "cell", 2)
    return Query(given["layer"], given["atlas"], _numbers(given, "level", 1)[0], (row, column), given.get("style"))


def _numbers(given: Mapping[str, str], key: str, count: int) -> list[int]:
    if not re.fullmatch(",".join(["[0-9]{1,5}"] * count), given[key]):
        shape = "a number" if count == 1 else "row,column, counted from 0"
        raise ConfigError(f"atlas provenance: expected {key} to be {shape}, found {escape_control_chars(given[key])}")
    return [int(number) for number in given[key].split(",")]


def report(traced: Values) -> str:
    """The trace as text; control characters in names are escaped, so that no name breaks a line."""
    parts = (_icon, _cell, _exemplars, _images, _network, _chain, _settings, _code)
    lines = [line for part in parts for line in part(traced)]
    return "".join(f"{escape_control_chars(line)}\n" for line in lines)


def _icon(traced: Values) -> Iterator[str]:
    query, icon = traced["query"], traced["icon"]
    row, column = query["cell"]
    yield (
        f"{query['layer']} / {query['atlas']}, level {query['level']}, cell {row},{column} (row {row}, column {column})"
    )
    yield ""
    if icon is None:
        yield "Icon      none: the cell has fewer samples than grid.min_count"
        return
    fidelity = f"fidelity {_n(icon['fidelity'])}, centered {_n(icon['fidelity_centred'])}"
    yield f"Icon      {icon['style']}, {icon['pixels']} px, {fidelity}"
    yield f"          pixels sha256 {icon['sha256']}"
    if icon["key"]:
        yield f"          key in the icon cache {icon['key']}"
    yield f"          started from {icon['started_from']}; seed {icon['seed']}"
    for parent in icon["parents"]:
        above, (top, left) = parent["icon"], parent["cell"]
        metric = f"centered fidelity {_n(above['fidelity_centred'])}" if above else "not drawn"
        yield f"          within cell {top},{left} of level {parent['level']}: {metric}"
    if large := icon.get("large"):
        of_large = f"centered fidelity {_n(large['fidelity_centred'])} at the icon's size"
        yield f"Large     {large['pixels']} px, started from the icon, {of_large}"
        yield f"          pixels sha256 {large['sha256']}"
        yield f"          key in the icon cache {large['key'] or 'none: it could not be rendered'}"


def _cell(traced: Values) -> Iterator[str]:
    cell = traced["cell"]
    yield (
        f"Cell      {cell['count']} samples from {len(traced['images'])} images; spread {_n(cell['spread'])}, "
        f"reliability {_n(cell['reliability'])}"
    )
    if cell["top_classes"]:
        top = ", ".join(f"{one['name']} {one['logit']:+.2f}" for one in cell["top_classes"])
        unit = {"mean": "logit, relative to the layer's mean", "zero": "logit, relative to zero"}.get(
            cell["baseline"], "logit"
        )
        yield f"          top classes (mean attribution, {unit}): {top}"


def _exemplars(traced: Values) -> Iterator[str]:
    yield "Exemplars, the nearest to the cell's mean first"
    for one in traced["exemplars"]:
        y, x = one["position"]
        yield (
            f"  sample {one['sample']}: image {one['image']} at ({y}, {x}) of the map, {_about(one)}, "
            f"file {one['file']}"
        )


def _images(traced: Values) -> Iterator[str]:
    yield "Images of the cell's samples"
    positions: dict[int, list[str]] = {}
    for sample in traced["samples"]:
        positions.setdefault(sample["image"], []).append("({}, {})".format(*sample["position"]))
    for one in traced["images"][:LISTED]:
        yield f"  image {one['image']}: {_about(one)}, at {' '.join(positions[one['image']])}"
    if len(traced["images"]) > LISTED:
        yield f"  ... and {len(traced['images']) - LISTED} more; --json lists them all"


def _about(image: Values) -> str:
    label = f", {image['label']}" if image["label"] else ""
    return f"{image['key']}{label}, sha256 {image['digest'][:SHORT]}"


def _network(traced: Values) -> Iterator[str]:
    network = traced["network"]
    yield f"Network   {network['name']}: {_json(network['architecture'])}"
    yield f"          weights sha256 {network['weights']}"


def _chain(traced: Values) -> Iterator[str]:
    yield "Artifacts: each was made from those above it as they are stored now"
    for link in traced["chain"]:
        from_ = ", ".join(f"{name} {identity[:SHORT]}" for name, identity in link["made_from"].items())
        identity = link["identity"][:SHORT] or "-" * SHORT
        yield f"  {link['artifact']:<12}{identity}  {link['path']}{' <- ' + from_ if from_ else ''}"


def _settings(traced: Values) -> Iterator[str]:
    yield "Settings"
    sections: dict[str, Any] = {}
    for link in traced["chain"]:
        sections |= link["settings"]
    for name, values in sections.items():
        yield f"  {name}: {_json(values)}"


def _code(traced: Values) -> Iterator[str]:
    made = _versions(traced["chain"])
    code = traced["code"]
    changed = ", with changes in pipeline/" if code["changed"] else ""
    commit = f"commit {code['commit']}{changed}" if code["commit"] else "no git commit known"
    yield f"Code      artifacts made by version {made}; installed version {code['version']}, {commit}"


def _versions(chain: Sequence[Values]) -> str:
    return ", ".join(dict.fromkeys(link["project_version"] for link in chain if link["project_version"]))


def _json(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=False)


def _n(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
