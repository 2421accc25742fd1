"""The places that the configuration names, as links that the page follows."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pipeline.core.class_id import class_id
from pipeline.core.errors import ConfigError
from pipeline.params import Params
from pipeline.site.config import SavedPlace

# the parts of a link as the page writes them, see viewer/src/link.ts
PARTS = (
    *("layer", "atlas", "level", "class", "also", "hues", "sign", "intensity", "show", "pin", "box", "cells", "view"),
    *("beside", "measure", "marks", "labels", "tour"),
)
VIEW = ((-1.0, 2.0), (-1.0, 2.0), (0.001, 10.0))  # what the page accepts as centre (x, y) and span
SIGNS = {"for": "", "against": "-"}

Place = dict[str, str]


@dataclass(frozen=True)
class Known:
    """What a link may name.

    Attributes:
        layers: of the run.
        levels: cells a side, by atlas.
        classes: the network's by their numbers; None where they have no names.
    """

    layers: Sequence[str]
    levels: Mapping[str, Sequence[int]]
    classes: Sequence[str] | None


def known(params: Params, classes: Sequence[str] | None) -> Known:
    """What a link may name in this run."""
    return Known(params.layers, {atlas: params.grid.for_atlas(atlas) for atlas in params.atlases}, classes)


def configured(places: Sequence[SavedPlace], run: Known) -> list[Place]:
    """``title``, ``text`` and ``link`` of every place; classes in links are numbers.

    Raises:
        ConfigError: a link names a part, layer, atlas, level, class or cell that the run does not have.
    """
    return [
        {"title": place.title, "text": place.text, "link": _link(place.link, run, f"site.places.{number}.link")}
        for number, place in enumerate(places)
    ]


def link(parts: Mapping[str, str]) -> str:
    """The parts as the page writes them into its address."""
    return urlencode([(name, parts[name]) for name in PARTS if name in parts], safe=",")


def _link(given: str | Mapping[str, Any], run: Known, where: str) -> str:
    named = _of_address(given) if isinstance(given, str) else {name: given[name] for name in given}
    _refuse_unknown(named, where)
    named.pop("tour", None)  # a step of another tour
    for name in ("class", "also"):
        if named.get(name) not in (None, ""):
            each = named[name] if isinstance(named[name], list) else [named[name]]
            named[name] = [_number(class_, run, f"{where}.{name}", isinstance(given, str)) for class_ in each]
    parts = {name: _text(name, value) for name, value in named.items()}
    _check_atlas(parts, run, where)
    if "sign" in parts:
        parts["sign"] = SIGNS.get(parts["sign"], parts["sign"])
    return link({name: text for name, text in parts.items() if text})


def _refuse_unknown(named: Mapping[str, Any], where: str) -> None:
    for name in named:
        if name not in PARTS:
            near = difflib.get_close_matches(name, PARTS, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(PARTS)}"
            raise ConfigError(f"{where}: expected parts of the page's address, found {name}; {hint}")


def _of_address(address: str) -> dict[str, Any]:
    """The parts of an address, whole or after its ``#``."""
    found: dict[str, Any] = dict(parse_qsl(address.rpartition("#")[2], keep_blank_values=True))
    if "also" in found:
        found["also"] = found["also"].split(".")
    return found


def _text(name: str, value: Any) -> str:
    """A field as it stands in an address."""
    if isinstance(value, list | tuple):
        return ("," if name == "view" else ".").join(map(str, value))
    return "" if value is None else str(value)


def _check_atlas(parts: Mapping[str, str], run: Known, where: str) -> None:
    """Raise ConfigError unless layer, atlas, level, pin and view are of this run."""
    atlas = parts.get("atlas") or "all"
    _expect(parts.get("layer") or run.layers[0], run.layers, f"{where}.layer", "one of the run's layers")
    _expect(atlas, run.levels, f"{where}.atlas", "one of the run's atlases")
    levels = [str(size) for size in run.levels[atlas]]
    if parts.get("level"):
        _expect(parts["level"], levels, f"{where}.level", f"one of the levels of {atlas}")
    if parts.get("pin"):
        _check_pin(parts["pin"], levels, f"{where}.pin")
    if parts.get("view"):
        _check_view(parts["view"], f"{where}.view")


def _expect(found: str, allowed: Sequence[str] | Mapping[str, Any], where: str, what: str) -> None:
    if found not in allowed:
        raise ConfigError(f"{where}: expected {what}, found {found}; choose from {', '.join(allowed)}")


def _check_pin(pin: str, levels: Sequence[str], where: str) -> None:
    size, *place = pin.split(".")
    numbers = [int(part) for part in place if re.fullmatch("[0-9]+", part)]
    if size not in levels or len(place) != 2 or len(numbers) != 2 or max(numbers) >= int(size):
        raise ConfigError(
            f"{where}: expected level.row.column, the level one of {', '.join(levels)}, row and column counted from 0, "
            f"found {pin}"
        )


def _check_view(view: str, where: str) -> None:
    numbers = view.split(",")
    try:
        inside = len(numbers) == 3 and all(
            low <= float(number) <= high for number, (low, high) in zip(numbers, VIEW, strict=True)
        )
    except ValueError:
        inside = False
    if not inside:
        raise ConfigError(
            f"{where}: expected x,y,span: the centre and the shorter side of what is in sight, in sides of the atlas, "
            f"found {view}"
        )


def _number(wanted: Any, run: Known, where: str, of_page: bool) -> str:
    """The number of a class; in an address as the page makes it, digits are a number even if a class is called so."""
    number = re.fullmatch("[0-9]+", str(wanted))
    if run.classes is None and not number:
        raise ConfigError(f"{where}: expected a number, since the network's classes have no names, found {wanted}")
    if run.classes is None or (of_page and number and int(wanted) < len(run.classes)):
        return str(wanted)
    return str(class_id(wanted, run.classes, where))
