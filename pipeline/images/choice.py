"""Choosing images of a run: by their keys, or a number of them spread over the classes."""

import difflib
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import ConfigError, escape_control_chars
from pipeline.images.manifest import Manifest, spread_evenly


def chosen_images(images: int | Sequence[str], manifest: Manifest, setting: str) -> list[int]:
    """Rows of the chosen images.

    Args:
        images: a number of them, or their keys.
        manifest: lists the images.
        setting: that chooses them, for error lines.

    Raises:
        ConfigError: there is no image of a key.
    """
    if isinstance(images, int):
        return spread_over_classes(manifest.label, images)
    row_of = {key: row for row, key in enumerate(manifest.key)}
    require_keys(images, row_of, setting)
    return [row_of[key] for key in dict.fromkeys(images)]


def require_keys(wanted: Collection[str], known: Collection[str], setting: str) -> None:
    """Raise ConfigError unless there is an image of every key.

    Args:
        wanted: keys.
        known: keys of the images that there are.
        setting: that names them.
    """
    for key in wanted:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=4, cutoff=0.3) or list(known)[:4]
            shown = ", ".join(escape_control_chars(one) for one in near)
            raise ConfigError(
                f"{setting}: expected keys of usable images, found {escape_control_chars(key)}; near keys: {shown}"
            )


def spread_over_classes(label: NDArray[np.int64], count: int) -> list[int]:
    """At most ``count`` rows, of as many labels as possible, evenly spaced among the labels and within each.

    Args:
        label: of each image, [image]; all that have none (-1) count as one label.
        count: how many.
    """
    labels = [int(one) for one in np.unique(label)]
    count = min(count, len(label))
    chosen = spread_evenly(labels, count)
    rows = {one: np.flatnonzero(label == one).tolist() for one in chosen}
    wanted = dict.fromkeys(chosen, 0)
    while sum(wanted.values()) < count:  # one more of each label in turn, as long as it has any
        open_labels = [one for one in chosen if wanted[one] < len(rows[one])]
        for one in open_labels[: count - sum(wanted.values())]:
            wanted[one] += 1
        if not open_labels:
            break
    found = [row for one in chosen for row in spread_evenly(rows[one], wanted[one])]
    rest = [row for row in range(len(label)) if row not in set(found)] if len(found) < count else []
    return sorted([*found, *spread_evenly(rest, count - len(found))])
