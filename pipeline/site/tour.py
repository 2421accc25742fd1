"""Figures of the atlases => a short tour: places of the page with captions made from what was measured there."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from pipeline.core.atlas_names import parse_atlas
from pipeline.site.glimpse import Glimpse, Spot
from pipeline.site.places import Place, link

AROUND = 9  # cells in sight around the one that is shown


@dataclass(frozen=True)
class Told:
    """What all captions share.

    Attributes:
        network: its name.
        classes: their names by number.
        images: of the atlas.
    """

    network: str
    classes: Sequence[str]
    images: int


@dataclass(frozen=True)
class Followed:
    """Where most samples of the first layer's surest cell lie at the last layer.

    Attributes:
        spot: the cell there.
        share: of the samples.
    """

    spot: Spot
    share: float


@dataclass(frozen=True)
class Compared:
    """A comparison at the layer where it says most.

    Attributes:
        layer: that layer.
        atlas: name of the comparison.
        samples: in it.
        scale: what the right edge stands for, logit.
    """

    layer: str
    atlas: str
    samples: int
    scale: float


def tour(
    first: Glimpse, last: Glimpse, followed: Followed | None, compared: Compared | None, told: Told
) -> list[Place]:
    """The stops: the whole first layer, a cell, its samples at the last layer, a class, a comparison.

    Args:
        first: the whole atlas at the first layer.
        last: the same at the last layer, which may be the same one.
        followed: None where there is one layer only.
        compared: None without comparisons.
        told: what all captions share.
    """
    stops = [_whole(first, told), _cell(first, told)]
    if followed:
        stops.append(_same_samples(first, last.layer, followed, told))
    if last.loudest:
        stops.append(_class(last, last.loudest, told))
    if compared:
        stops.append(_comparison(compared, told))
    return stops


def _whole(seen: Glimpse, told: Told) -> Place:
    text = (
        f"{_count(seen.samples, 'place')} in {_count(told.images, 'image')}, arranged by what {told.network} makes of "
        "them at this layer. Each picture is drawn to excite the network as the places beneath it do; what lies close "
        "together is alike to it."
    )
    return {"title": f"The whole of {seen.layer}", "text": text, "link": link({"layer": seen.layer})}


def _cell(seen: Glimpse, told: Told) -> Place:
    spot = seen.surest
    agree = f"two halves of its images agree (reliability {_decimal(spot.reliability)})"
    excite = f"its picture excites the network as they do (centred fidelity {_decimal(spot.fidelity)})"
    known = [*([] if isnan(spot.reliability) else [agree]), *([] if isnan(spot.fidelity) else [excite])]
    surest = f"of the fullest cells of the layer none is surer{': ' if known else ''}{' and '.join(known)}"
    text = f"{_count(spot.samples, 'sample')}; {surest}. {_speaks(spot, told)}"
    return {"title": "The surest cell", "text": text.strip(), "link": _around(seen.layer, spot)}


def _same_samples(seen: Glimpse, layer: str, followed: Followed, told: Told) -> Place:
    text = (
        f"At {layer}, the deepest layer of this atlas, {_percent(followed.share)} of those "
        f"{_count(seen.surest.samples, 'sample')} lie in this cell, more than in any other. "
        f"{_speaks(followed.spot, told)}"
    )
    return {"title": "The same samples, deeper", "text": text.strip(), "link": _around(layer, followed.spot)}


def _class(seen: Glimpse, loudest: Spot, told: Told) -> Place:
    name = _name(loudest.class_, told)
    text = (
        f"No class speaks louder at {seen.layer} than {name}: {_signed(loudest.value)} logit in its strongest cell. It "
        f"comes first in {seen.first} of {_count(seen.drawn, 'cell')}. The brighter a cell, the more it says for the "
        "class."
    )
    parts = {"layer": seen.layer, "class": str(loudest.class_)}
    return {"title": f"Where it sees {_short(name)}", "text": text, "link": link(parts)}


def _comparison(compared: Compared, told: Told) -> Place:
    left, right = (_name(class_, told) for class_ in parse_atlas(compared.atlas).classes)
    text = (
        f"{_count(compared.samples, 'sample')} of {left} and of {right}. The further to the right, the more a picture "
        f"says for {right} rather than for {left}; the right edge stands for {_signed(compared.scale)} logit."
    )
    parts = {"layer": compared.layer, "atlas": compared.atlas}
    return {"title": f"{_short(left)} or {_short(right)}?", "text": text, "link": link(parts)}


def _around(layer: str, spot: Spot) -> str:
    size, row, column = spot.place
    view = ((column + 0.5) / size, (row + 0.5) / size, min(AROUND / size, 1.0))
    return link(
        {
            "layer": layer,
            "level": str(size),
            "pin": ".".join(map(str, spot.place)),
            "view": ",".join(f"{number:.4f}" for number in view),
        }
    )


def _speaks(spot: Spot, told: Told) -> str:
    if spot.class_ < 0:
        return ""
    return f"It speaks most for {_name(spot.class_, told)} ({_signed(spot.value)} logit)."


def _name(class_: int, told: Told) -> str:
    return told.classes[class_] if class_ < len(told.classes) else f"class {class_}"


def _short(name: str, most: int = 24) -> str:
    """A name that fits a title."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%" if share >= 0.01 else "under 1\u00a0%"


def _decimal(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _signed(value: float) -> str:
    """Small values keep two significant digits."""
    size = abs(value)
    text = f"{size:.2f}" if size >= 0.1 else f"{size:#.2g}"
    return f"{'−' if value < 0 else '+'}{text}"
