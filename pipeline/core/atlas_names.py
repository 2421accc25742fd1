"""Names of atlases and of the classes they are made from.

An atlas is ``all``, ``class-<id>`` or ``compare-<id>-<id>``, with the network's class indices.
"""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.core.errors import ConfigError

ATLAS_PATTERN = r"^(all|class-\d+|compare-\d+-\d+)$"


@dataclass(frozen=True)
class AtlasName:
    """The parts of an atlas's name.

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
    """The parts of an atlas's name.

    Raises:
        ValueError: it is not a name of an atlas.
    """
    kind, *numbers = name.split("-")
    wanted = {"all": 0, "class": 1, "compare": 2}
    if wanted.get(kind) != len(numbers) or not all(number.isdigit() for number in numbers):
        raise ValueError(f"expected all, class-<id> or compare-<id>-<id>, found {name!r}")
    return AtlasName(kind, tuple(map(int, numbers)))  # type: ignore[arg-type]  # one of the three, as just seen


def comparable(name: str) -> str:
    """A name of a class as it is compared: without case, and with accents as one character each (NFC).

    File systems store ``é`` as one character or as a letter and an accent.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def class_id(wanted: str | int, names: Sequence[str], where: str) -> int:
    """The index of a class given by name (ignoring case) or by index.

    Args:
        wanted: its name or index; a name wins over an index that is written like it.
        names: of the network's classes.
        where: the setting, for messages.

    Raises:
        ConfigError: it is neither name nor index, there is no such class, or several have this name.
    """
    if isinstance(wanted, bool) or not isinstance(wanted, str | int):
        raise ConfigError(f"{where}: expected names or numbers, found {wanted}")
    text = comparable(str(wanted))
    found = [number for number, name in enumerate(names) if comparable(name) == text]
    if len(found) > 1:
        raise ConfigError(
            f"{where}: expected one class, found that {wanted} names {len(found)}; give a number: "
            f"{', '.join(map(str, found))}"
        )
    if found:
        return found[0]
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    near = difflib.get_close_matches(str(wanted), names, n=4, cutoff=0.4)
    hint = f"did you mean {', '.join(near)}?" if near else f"give a name or a number below {len(names)}"
    raise ConfigError(f"{where}: expected one of the network's {len(names)} classes, found {wanted}; {hint}")
