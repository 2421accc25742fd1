"""Icon styles: what the icons of an atlas are optimized from.

A run renders every icon in each of its styles. In stored icons the groups of the levels at the root are those of the
first style; each further style has a group of its own, named after it, with the same levels.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import zarr

from pipeline.core.errors import ArtifactError, ConfigError, escape_control_chars

# drawn: from noise or the parent cell's icon; accentuated: from the patch of the cell's nearest exemplar, a photograph
IconStyle = Literal["drawn", "accentuated"]

ICON_STYLES: tuple[IconStyle, ...] = get_args(IconStyle)


def add_style(icons: zarr.Group, style: IconStyle) -> zarr.Group:
    """The group for the levels of a further style of icons that are being written; the root for the first one."""
    known: Any = icons.attrs.get("styles", [])
    icons.attrs["styles"] = [*known, style]
    return icons.create_group(style) if known else icons


def stored_styles(icons: zarr.Group) -> tuple[IconStyle, ...]:
    """The styles of stored icons; the first is the one shown first.

    Raises:
        ArtifactError: they are not listed.
    """
    named: Any = icons.attrs.get("styles") or ()
    found = tuple(style for style in named if style in ICON_STYLES)
    if not found:
        raise ArtifactError(f"{icons.store_path}: expected the icons' styles, found none; run the stage render again")
    return found


def style_group(icons: zarr.Group, style: str | None = None) -> zarr.Group:
    """The group of stored icons with the levels of one style.

    Args:
        icons: the artifact.
        style: its name; the first one by default.

    Raises:
        ArtifactError: the icons name no style, or a part of them is missing.
        ConfigError: they do not have this one.
    """
    known = stored_styles(icons)
    if style is not None and style not in known:
        raise ConfigError(f"style: expected one of {', '.join(known)}, found {escape_control_chars(style)}")
    found = icons if style in (None, known[0]) else icons.get(str(style))
    if not isinstance(found, zarr.Group):
        raise ArtifactError(f"{icons.store_path}: expected {style} icons, found none; run the stage render again")
    return found


def by_level(metrics: Mapping[IconStyle, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Metrics of each level: those of the first style's icons, and those of each further one below its name.

    Args:
        metrics: by style, the first one first, and by level.
    """
    first, *others = metrics
    return {
        size: {**numbers, **{style: metrics[style][size] for style in others}}
        for size, numbers in metrics[first].items()
    }
