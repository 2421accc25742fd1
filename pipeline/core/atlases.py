"""The names of atlases: ``all``, ``class-<id>`` and ``compare-<id>-<id>``, with the network's class numbers."""

from dataclasses import dataclass
from typing import Literal

ATLAS_PATTERN = r"^(all|class-\d+|compare-\d+-\d+)$"


@dataclass(frozen=True)
class AtlasName:
    """What an atlas is of.

    Attributes:
        kind: every sample, the samples of one class, or those of two classes side by side.
        classes: none, one, or the left and the right one.
    """

    kind: Literal["all", "class", "compare"]
    classes: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The name as commands, paths and settings have it."""
        return "-".join([self.kind, *map(str, self.classes)])


def parse_atlas(name: str) -> AtlasName:
    """What the atlas of this name is of.

    Raises:
        ValueError: it is no name of an atlas.
    """
    kind, *numbers = name.split("-")
    wanted = {"all": 0, "class": 1, "compare": 2}
    if wanted.get(kind) != len(numbers) or not all(number.isdigit() for number in numbers):
        raise ValueError(f"expected all, class-<id> or compare-<id>-<id>, found {name!r}")
    return AtlasName(kind, tuple(map(int, numbers)))  # type: ignore[arg-type]  # one of the three, as just seen
