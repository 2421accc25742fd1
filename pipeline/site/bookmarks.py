"""Bookmarks: named views of the page, from the configuration to links.

The page ignores parts of a link that it does not know, so they are all checked here before anything runs.
"""

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pipeline.config.params import Params
from pipeline.config.site import BookmarkSettings
from pipeline.core.atlas_names import class_id
from pipeline.core.errors import ConfigError

Bookmark = dict[str, str]  # title, text, link

# the parts of a link in the order in which the page writes them
PARTS = (
    *("layer", "atlas", "level", "class", "also", "hues", "sign", "intensity", "show", "label", "predicted", "outcome"),
    *("color", "pin", "box", "cells", "view", "beside", "style", "photographs", "measure", "channel", "marks"),
    *("labels", "tour"),
)
VIEW = ((-1.0, 2.0), (-1.0, 2.0), (0.001, 10.0))  # ranges that the page accepts for center (x, y) and span
SIGNS = {"for": "", "against": "-"}
SINGLE = dict.fromkeys(("label", "predicted"), "give one") | {"class": "give the others as also"}
VALUES = {
    "sign": (*SIGNS, "-"),
    "show": ("attribution", "density", "second", "samples"),
    "outcome": ("right", "wrong"),
    "color": ("outcome", "label", "prediction"),
    "measure": ("samples", "fidelity", "reliability", "spread"),
    "photographs": ("on", "off"),
    "marks": ("on", "off"),
    "labels": ("on", "off"),
}


@dataclass(frozen=True)
class LinkTargets:
    """Layers, levels, classes, styles of icons and photographs that a link may name.

    Attributes:
        layers: of the run.
        levels: cells per side, by atlas.
        classes: the network's by their numbers; None where they have no names.
        styles: of the icons.
        photographs: whether the site has photographs to show in place of icons.
    """

    layers: Sequence[str]
    levels: Mapping[str, Sequence[int]]
    classes: Sequence[str] | None
    styles: Sequence[str] = ("drawn",)
    photographs: bool = True


def link_targets(params: Params, classes: Sequence[str] | None) -> LinkTargets:
    """What links may name in this run."""
    levels = {atlas: params.grid.for_atlas(atlas) for atlas in params.atlases}
    return LinkTargets(params.layers, levels, classes, params.render.styles, params.site.exemplars > 0)


def configured_bookmarks(bookmarks: Sequence[BookmarkSettings], run: LinkTargets) -> list[Bookmark]:
    """``title``, ``text`` and ``link`` of every bookmark; classes in links are indices.

    Raises:
        ConfigError: a link names a part, layer, atlas, level, class or cell that does not exist in the run, or
            photographs where the site has none.
    """
    return [
        {"title": given.title, "text": given.text, "link": _link(given.link, run, f"site.bookmarks.{number}.link")}
        for number, given in enumerate(bookmarks)
    ]


def format_link(parts: Mapping[str, str]) -> str:
    """The parts as the page writes them into its URL after ``#``."""
    return urlencode([(name, parts[name]) for name in PARTS if name in parts], safe=",")


def _link(given: str | Mapping[str, Any], run: LinkTargets, where: str) -> str:
    named = _parse_link(given) if isinstance(given, str) else {name: given[name] for name in given}
    _refuse_unknown(named, where)
    named.pop("tour", None)  # the step of another tour
    for name, advice in SINGLE.items():
        if isinstance(named.get(name), list | tuple):
            raise ConfigError(f"{where}.{name}: expected one class, found a list; {advice}")
    for name in ("class", "also", "label", "predicted"):
        if named.get(name) not in (None, ""):
            each = named[name] if isinstance(named[name], list | tuple) else [named[name]]
            named[name] = [_class_index(class_, run, f"{where}.{name}", isinstance(given, str)) for class_ in each]
    parts = {name: _text(name, value) for name, value in named.items()}
    check_parts(parts, run, where)
    if "sign" in parts:
        parts["sign"] = SIGNS.get(parts["sign"], parts["sign"])
    return format_link({name: text for name, text in parts.items() if text})


def _refuse_unknown(named: Mapping[str, Any], where: str) -> None:
    for name in named:
        if name not in PARTS:
            near = difflib.get_close_matches(name, PARTS, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(PARTS)}"
            raise ConfigError(f"{where}: expected parts of the page's address, found {name}; {hint}")


def _parse_link(url: str) -> dict[str, Any]:
    """The parts of a URL, given whole or from after its ``#``."""
    found: dict[str, Any] = dict(parse_qsl(url.rpartition("#")[2], keep_blank_values=True))
    if found.get("also"):
        found["also"] = found["also"].split(".")
    return found


def _text(name: str, value: Any) -> str:
    """A field as text in a link; YAML reads on and off as true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ("," if name == "view" else ".").join(map(str, value))
    return "" if value is None else str(value)


def _class_index(wanted: Any, run: LinkTargets, where: str, of_page: bool) -> str:
    """The index of a class; in a link that the page wrote, digits are an index even if a class has that name."""
    number = re.fullmatch("[0-9]+", str(wanted))
    if run.classes is None and not number:
        raise ConfigError(f"{where}: expected a number, since the network's classes have no names, found {wanted}")
    if run.classes is None or (of_page and number and int(wanted) < len(run.classes)):
        return str(wanted)
    return str(class_id(wanted, run.classes, where))


def check_parts(parts: Mapping[str, str], run: LinkTargets, where: str) -> None:
    """Check the parts of a link; blank ones are ignored.

    Args:
        parts: as text, classes as indices.
        run: what they may name.
        where: the setting, for messages.

    Raises:
        ConfigError: a part names something that does not exist in this run, or has a value that the page does not know.
    """
    atlas = parts.get("atlas") or "all"
    _expect(parts.get("layer") or run.layers[0], run.layers, f"{where}.layer", "one of the run's layers")
    _expect(atlas, run.levels, f"{where}.atlas", "one of the run's atlases")
    levels = [str(size) for size in run.levels[atlas]]
    if parts.get("level"):
        _expect(parts["level"], levels, f"{where}.level", f"one of the levels of {atlas}")
    if parts.get("style"):
        _expect(parts["style"], run.styles, f"{where}.style", "one of the run's styles of icons")
    for name, values in VALUES.items():
        if parts.get(name):
            _expect(parts[name], values, f"{where}.{name}", "a value that the page knows")
    if parts.get("photographs") == "on" and not run.photographs:
        raise ConfigError(f"{where}.photographs: expected off, since site.exemplars=0 stores none for cells, found on")
    _check_values(parts, levels, run, where)


def _check_values(parts: Mapping[str, str], levels: Sequence[str], run: LinkTargets, where: str) -> None:
    """Check the parts that are numbers: cells, the viewport, a channel, a second map."""
    checks: Mapping[str, Callable[[str, str], None]] = {
        "pin": partial(_check_pin, levels),
        "box": partial(_check_box, levels),
        "cells": partial(_check_cells, levels),
        "view": _check_view,
        "channel": _check_channel,
        "beside": partial(_check_beside, run),
    }
    for name, check in checks.items():
        if parts.get(name):
            check(parts[name], f"{where}.{name}")


def _expect(found: str, allowed: Collection[str], where: str, what: str) -> None:
    if found not in allowed:
        raise ConfigError(f"{where}: expected {what}, found {found}; choose from {', '.join(allowed)}")


def _check_pin(levels: Sequence[str], pin: str, where: str) -> None:
    size, *cell = pin.split(".")
    numbers = [int(part) for part in cell if re.fullmatch("[0-9]+", part)]
    if size not in levels or len(cell) != 2 or len(numbers) != 2 or max(numbers) >= int(size):
        raise ConfigError(
            f"{where}: expected level.row.column, the level one of {', '.join(levels)}, row and column counted from 0, "
            f"found {pin}"
        )


def _check_box(levels: Sequence[str], box: str, where: str) -> None:
    size, *rest = box.split(".")
    corners = [int(part) for part in rest if re.fullmatch("[0-9]+", part)]
    if size in levels and len(rest) == len(corners) == 4:
        top, left, bottom, right = corners
        if top <= bottom < int(size) and left <= right < int(size):
            return
    raise ConfigError(
        f"{where}: expected level.top.left.bottom.right, the level one of {', '.join(levels)}, rows and columns "
        f"counted from 0, found {box}"
    )


def _check_cells(levels: Sequence[str], cells: str, where: str) -> None:
    found = re.fullmatch(r"([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)\.[0-9a-z]+", cells)
    if found and found[1] in levels:
        size, top, left, width = map(int, found.groups())
        if top < size and left + width <= size:
            return
    raise ConfigError(
        f"{where}: expected a selection as the page writes it, its level one of {', '.join(levels)}, found {cells}"
    )


def _check_beside(run: LinkTargets, beside: str, where: str) -> None:
    layer, atlas, ids, hues, *rest = [*beside.split("~"), "", "", ""]
    _expect(layer, run.layers, where, "layer~atlas~classes with one of the run's layers")
    _expect(atlas or "all", run.levels, where, "layer~atlas~classes with one of the run's atlases")
    numbers = ids.split(".") if ids else []
    most = None if run.classes is None else len(run.classes)
    known = all(re.fullmatch("[0-9]+", id_) and (most is None or int(id_) < most) for id_ in numbers)
    if not known or not re.fullmatch("[0-9.]*", hues) or any(rest):
        below = "" if most is None else f" below {most}"
        raise ConfigError(
            f"{where}: expected layer~atlas~classes or layer~atlas~classes~colors, numbers of classes{below}, "
            f"found {beside}"
        )


def _check_channel(channel: str, where: str) -> None:
    if not re.fullmatch("[0-9]+", channel):
        raise ConfigError(f"{where}: expected a channel, counted from 0, found {channel}")


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
            f"{where}: expected x,y,span: the center and the shorter side of the viewport, in sides of the atlas, "
            f"found {view}"
        )
