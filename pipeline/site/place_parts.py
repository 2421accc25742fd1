"""What the parts of a configured link may say: the page drops anything else without a word."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.errors import ConfigError

VIEW = ((-1.0, 2.0), (-1.0, 2.0), (0.001, 10.0))  # what the page accepts as centre (x, y) and span
SIGNS = {"for": "", "against": "-"}
WORDS = {
    "sign": (*SIGNS, "-"),
    "show": ("attribution", "density", "second"),
    "measure": ("samples", "fidelity", "reliability", "spread"),
    "marks": ("on", "off"),
    "labels": ("on", "off"),
}


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


def check_parts(parts: Mapping[str, str], run: Known, where: str) -> None:
    """Check the parts of a link; blank ones say nothing.

    Args:
        parts: as text, classes as numbers.
        run: what they may name.
        where: the setting, for messages.

    Raises:
        ConfigError: a part names what is not of this run, or says nothing that the page knows.
    """
    atlas = parts.get("atlas") or "all"
    _expect(parts.get("layer") or run.layers[0], run.layers, f"{where}.layer", "one of the run's layers")
    _expect(atlas, run.levels, f"{where}.atlas", "one of the run's atlases")
    levels = [str(size) for size in run.levels[atlas]]
    if parts.get("level"):
        _expect(parts["level"], levels, f"{where}.level", f"one of the levels of {atlas}")
    for name, words in WORDS.items():
        if parts.get(name):
            _expect(parts[name], words, f"{where}.{name}", "a word that the page knows")
    for name, check in (("pin", _check_pin), ("box", _check_box), ("cells", _check_cells)):
        if parts.get(name):
            check(parts[name], levels, f"{where}.{name}")
    if parts.get("view"):
        _check_view(parts["view"], f"{where}.view")
    if parts.get("beside"):
        _check_beside(parts["beside"], run, f"{where}.beside")


def _expect(found: str, allowed: Collection[str], where: str, what: str) -> None:
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


def _check_box(box: str, levels: Sequence[str], where: str) -> None:
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


def _check_cells(cells: str, levels: Sequence[str], where: str) -> None:
    found = re.fullmatch(r"([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)\.[0-9a-z]+", cells)
    if found and found[1] in levels:
        size, top, left, width = map(int, found.groups())
        if top < size and left + width <= size:
            return
    raise ConfigError(
        f"{where}: expected a selection as the page writes it, its level one of {', '.join(levels)}, found {cells}"
    )


def _check_beside(beside: str, run: Known, where: str) -> None:
    layer, atlas, ids, hues, *rest = [*beside.split("~"), "", "", ""]
    _expect(layer, run.layers, where, "layer~atlas~classes with one of the run's layers")
    _expect(atlas or "all", run.levels, where, "layer~atlas~classes with one of the run's atlases")
    numbers = ids.split(".") if ids else []
    most = None if run.classes is None else len(run.classes)
    known = all(re.fullmatch("[0-9]+", id_) and (most is None or int(id_) < most) for id_ in numbers)
    if not known or not re.fullmatch("[0-9.]*", hues) or any(rest):
        below = "" if most is None else f" below {most}"
        raise ConfigError(
            f"{where}: expected layer~atlas~classes or layer~atlas~classes~colours, numbers of classes{below}, "
            f"found {beside}"
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
