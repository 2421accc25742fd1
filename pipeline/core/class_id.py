"""From the name of a class to its number."""

import difflib
from collections.abc import Sequence

from pipeline.core.errors import ConfigError


def class_id(wanted: str | int, names: Sequence[str], where: str) -> int:
    """The number of a class given by name (letters' case aside) or number.

    Args:
        wanted: its name or number; a name wins over a number that is written like it.
        names: of the network's classes.
        where: the setting, for messages.

    Raises:
        ConfigError: it is neither name nor number, there is no such class, or several have this name.
    """
    if isinstance(wanted, bool) or not isinstance(wanted, str | int):
        raise ConfigError(f"{where}: expected names or numbers, found {wanted}")
    text = str(wanted).casefold()
    found = [number for number, name in enumerate(names) if name.casefold() == text]
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
