"""Layers and classes of a network that settings name: each is there, or the error line names the nearest ones."""

import difflib
from collections.abc import Collection, Mapping, Sequence

from pipeline.core.errors import ConfigError
from pipeline.core.layer_names import LOGITS


def require_layers(setting: str, named: Collection[str], channels: Mapping[str, int]) -> None:
    """Raise ConfigError unless the network has every layer, with a map or token grid.

    Args:
        setting: that names them.
        named: dotted module paths.
        channels: number of channels of every layer with a map or token grid, and of the logits, which are none.
    """
    for layer in named:
        if layer not in channels or layer == LOGITS:
            known = [one for one in channels if one != LOGITS]
            near = difflib.get_close_matches(layer, known, n=4, cutoff=0.3) or known[-4:]
            raise ConfigError(
                f"{setting}: expected a layer with a map or token grid, found {layer!r}; near names: {', '.join(near)}"
            )


def require_channels(setting: str, units: Mapping[str, Sequence[int]], channels: Mapping[str, int]) -> None:
    """Raise ConfigError unless every layer that is named has the channels that are named.

    Args:
        setting: that names them.
        units: channels by layer.
        channels: number of channels of every layer.
    """
    for layer, chosen in units.items():
        if max(chosen) >= channels[layer]:
            raise ConfigError(
                f"{setting}.{layer}: expected channels from 0 to {channels[layer] - 1}, found {max(chosen)}; name "
                "others"
            )


def class_index(wanted: str | int, names: Sequence[str], setting: str) -> int:
    """The index of a class that is given by index or name.

    Args:
        wanted: a name in any case, or an index.
        names: of the network's classes.
        setting: that names it.

    Raises:
        ConfigError: the network has no class of that name or index, or several of that name.
    """
    if isinstance(wanted, int):
        if wanted < len(names):
            return wanted
        raise ConfigError(f"{setting}: expected classes from 0 to {len(names) - 1}, found {wanted}; name others")
    found = [index for index, name in enumerate(names) if name.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"{setting}: expected a name of one class, found {wanted!r}, which {len(found)} have; give one of their "
            f"numbers: {', '.join(map(str, found))}"
        )
    near = difflib.get_close_matches(wanted, names, n=4, cutoff=0.3) or list(names)[:4]
    raise ConfigError(f"{setting}: expected a class of the network, found {wanted!r}; near names: {', '.join(near)}")
