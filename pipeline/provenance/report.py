"""The account of an icon as a page of text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.core.escaping import escape_control_chars

Values = Mapping[str, Any]
LISTED = 20  # images named in the text; JSON names them all
SHORT = 12  # letters of a digest


def report(account: Values) -> str:
    """The account for a reader; every line is one line, whatever the names in it."""
    parts = (_icon, _cell, _exemplars, _images, _network, _chain, _settings, _code)
    lines = [line for part in parts for line in part(account)]
    return "".join(f"{escape_control_chars(line)}\n" for line in lines)


def _icon(account: Values) -> Iterator[str]:
    asked, icon = account["asked"], account["icon"]
    row, column = asked["cell"]
    yield (
        f"{asked['layer']} / {asked['atlas']}, level {asked['level']}, cell {row},{column} "
        f"(row {row + 1}, column {column + 1} on the page)"
    )
    yield ""
    if icon is None:
        yield "Icon      none: the cell has fewer samples than grid.min_count"
        return
    yield f"Icon      {icon['pixels']} px, fidelity {_n(icon['fidelity'])}, centred {_n(icon['fidelity_centred'])}"
    yield f"          pixels sha256 {icon['sha256']}"
    if icon.get("key"):
        yield f"          in the cache of icons as {icon['key']}"
    yield f"          drawn from {icon['started_from']}; seed {icon['seed']}"
    for parent in icon["parents"]:
        above, (top, left) = parent["icon"], parent["place"]
        told = f"centred fidelity {_n(above['fidelity_centred'])}" if above else "not drawn"
        yield f"          within cell {top},{left} of level {parent['level']}: {told}"


def _cell(account: Values) -> Iterator[str]:
    cell = account["cell"]
    yield (
        f"Cell      {cell['count']} samples from {len(account['images'])} images; spread {_n(cell['spread'])}, "
        f"reliability {_n(cell['reliability'])}"
    )
    if cell["speaks_for"]:
        yield "          speaks for " + ", ".join(f"{one['name']} {one['logit']:+.2f}" for one in cell["speaks_for"])


def _exemplars(account: Values) -> Iterator[str]:
    yield "Exemplars, the nearest to the cell's mean first"
    for one in account["exemplars"]:
        y, x = one["position"]
        yield (
            f"  sample {one['sample']}: image {one['image']} at ({y}, {x}) of the map, {_about(one)}, "
            f"the file is {one['now']}"
        )


def _images(account: Values) -> Iterator[str]:
    yield "Images of the cell's samples"
    places: dict[int, list[str]] = {}
    for sample in account["samples"]:
        places.setdefault(sample["image"], []).append("({}, {})".format(*sample["position"]))
    for one in account["images"][:LISTED]:
        yield f"  image {one['image']}: {_about(one)}, at {' '.join(places[one['image']])}"
    if len(account["images"]) > LISTED:
        yield f"  ... and {len(account['images']) - LISTED} more; --json names them all"


def _about(image: Values) -> str:
    label = f", {image['label']}" if image["label"] else ""
    return f"{image['key']}{label}, sha256 {image['digest'][:SHORT]}"


def _network(account: Values) -> Iterator[str]:
    network = account["network"]
    yield f"Network   {network['name']}: {_plain(network['architecture'])}"
    yield f"          weights sha256 {network['weights']}"


def _chain(account: Values) -> Iterator[str]:
    yield "Artifacts: each was made from those above it as they lie there now"
    for link in account["chain"]:
        from_ = ", ".join(f"{name} {identity[:SHORT]}" for name, identity in link["made_from"].items())
        identity = link["identity"][:SHORT] or "-" * SHORT
        yield f"  {link['artifact']:<12}{identity}  {link['path']}{' <- ' + from_ if from_ else ''}"


def _settings(account: Values) -> Iterator[str]:
    yield "Settings"
    sections: dict[str, Any] = {}
    for link in account["chain"]:
        sections |= link["settings"]
    for name, values in sections.items():
        yield f"  {name}: {_plain(values)}"


def _code(account: Values) -> Iterator[str]:
    made = _versions(account["chain"])
    code = account["code"]
    changed = ", with changes in pipeline/" if code["changed"] else ""
    commit = f"commit {code['commit']}{changed}" if code["commit"] else "no git commit known"
    yield f"Code      artifacts made by version {made}; here lies version {code['version']}, {commit}"


def _versions(chain: Sequence[Values]) -> str:
    return ", ".join(dict.fromkeys(link["project_version"] for link in chain if link["project_version"]))


def _plain(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=False)


def _n(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
