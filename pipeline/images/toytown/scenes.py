"""The ten classes: how each is put together from parts that several of them share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.images.toytown import scenes_alive, scenes_built, scenes_moving
from pipeline.images.toytown.canvas import Canvas
from pipeline.images.toytown.colours import Dice


@dataclass(frozen=True)
class Subject:
    """One class of scenes.

    Attributes:
        draw: draws a scene of it on an empty canvas.
        parts: every scene of it has these.
        extras: some scenes of it have these too.
    """

    draw: Callable[[Canvas, Dice], None]
    parts: frozenset[str]
    extras: frozenset[str] = frozenset()


def _subject(draw: Callable[[Canvas, Dice], None], parts: str, extras: str = "") -> Subject:
    return Subject(draw, frozenset(parts.split()), frozenset(extras.split()))


SUBJECTS: Mapping[str, Subject] = {
    "bird": _subject(scenes_alive.bird, "feathers beak eye bark", "leaves"),
    "fireboat": _subject(scenes_moving.fireboat, "hull water crane windows cabin", "jet"),
    "fish": _subject(scenes_alive.fish, "water scales fins eye"),
    "flower": _subject(scenes_alive.flower, "petals seeds leaves"),
    "house": _subject(scenes_built.house, "bricks roof windows door", "smoke"),
    "lighthouse": _subject(scenes_built.lighthouse, "stripes lamp roof water", "door windows"),
    "sailboat": _subject(scenes_moving.sailboat, "hull sail water"),
    "streetcar": _subject(scenes_moving.streetcar, "carriage windows wheels rails"),
    "train": _subject(scenes_moving.train, "boiler cabin windows wheels rails smoke"),
    "tree": _subject(scenes_alive.tree, "bark leaves", "fruit"),
}
