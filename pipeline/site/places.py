"""The places that the configuration names, as links that the page follows."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pipeline.core.atlas_names import class_id
from pipeline.core.errors import ConfigError
from pipeline.params import Params
from pipeline.site.config import SavedPlace
from pipeline.site.place_parts import SIGNS, Known, check_parts

# the parts of a link as the page writes them, see viewer/src/link.ts
PARTS = (
    *("layer", "atlas", "level", "class", "also", "hues", "sign", "intensity", "show", "pin", "box", "cells", "view"),
    *("beside", "measure", "marks", "labels", "tour"),
)

Place = dict[str, str]


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
    if isinstance(named.get("class"), list | tuple):
        raise ConfigError(f"{where}.class: expected one class, found a list; give the others as also")
    for name in ("class", "also"):
        if named.get(name) not in (None, ""):
            each = named[name] if isinstance(named[name], list | tuple) else [named[name]]
            named[name] = [_number(class_, run, f"{where}.{name}", isinstance(given, str)) for class_ in each]
    parts = {name: _text(name, value) for name, value in named.items()}
    check_parts(parts, run, where)
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
    if found.get("also"):
        found["also"] = found["also"].split(".")
    return found


def _text(name: str, value: Any) -> str:
    """A field as it stands in an address; YAML reads on and off as true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ("," if name == "view" else ".").join(map(str, value))
    return "" if value is None else str(value)


def _number(wanted: Any, run: Known, where: str, of_page: bool) -> str:
    """The number of a class; in an address as the page makes it, digits are a number even if a class is called so."""
    number = re.fullmatch("[0-9]+", str(wanted))
    if run.classes is None and not number:
        raise ConfigError(f"{where}: expected a number, since the network's classes have no names, found {wanted}")
    if run.classes is None or (of_page and number and int(wanted) < len(run.classes)):
        return str(wanted)
    return str(class_id(wanted, run.classes, where))
