"""Grid levels that fit the number of samples, so that a first atlas of a few pictures has icons too.

A level fits if its cells hold ``grid.min_count`` samples on average; about half of them are drawn then. The values of
``grid.levels`` and ``grid.min_count`` in ``conf/`` are computed here from the number of images, while the configuration
is composed, and ``params.yaml`` holds the result. Values that the user gives are taken as they are.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pipeline.config.grid import GridSettings
from pipeline.config.images import ImagesSettings
from pipeline.images.image_set import may_download, open_image_set

# share of a level's cells that hold a point: 0.95, 0.89 and 0.84 at levels 10, 20 and 40 of SqueezeNet's layers
FILL = 0.85
COARSEST = 5  # cells a side of the level that is put before the usual ones where these are too fine
FEWEST = 2  # samples that a cell needs for a second level; a mean of one sample alone has no reliability
WANTED = 2  # levels, so that one can zoom

USUAL = GridSettings()


def fits(level: int, samples: int, min_count: int) -> bool:
    """Whether the cells of a level of ``level`` × ``level`` hold ``min_count`` samples on average."""
    return samples >= min_count * FILL * level**2


def fitting_levels(samples: int, min_count: int) -> tuple[int, ...]:
    """Cells a side of the usual levels that fit, coarse to fine; a coarser one precedes them where fewer than two fit.

    Args:
        samples: of a layer.
        min_count: samples that a cell needs to be drawn.
    """
    found = tuple(level for level in USUAL.levels if fits(level, samples, min_count))
    return found if len(found) >= WANTED else (COARSEST, *found)


def fitting_min_count(samples: int) -> int:
    """Samples that a cell needs to be drawn: the usual number, or the largest lower one with which enough levels fit.

    Args:
        samples: of a layer.
    """
    for count in range(USUAL.min_count, FEWEST - 1, -1):
        if len(fitting_levels(samples, count)) >= WANTED:
            return count
    return next((count for count in range(USUAL.min_count, 1, -1) if fits(COARSEST, samples, count)), 1)


def configured_samples(images: Any, limit: Any, places: Any) -> int | None:
    """Number of samples of a layer; None where it cannot be known yet.

    A set that may have to be downloaded is not opened, see :class:`pipeline.images.image_set.ImageSet`. Nothing is
    raised: what is wrong with the settings is said by the checks that follow.

    Args:
        images: the section ``images``.
        limit: ``prepare.limit``.
        places: ``sample.positions_per_image``.
    """
    if not isinstance(images, dict) or not isinstance(places, int) or places < 1:
        return None
    try:
        count = _image_count(json.dumps(images, sort_keys=True))
    except Exception:  # noqa: BLE001  # an image set may be a class of the user's, which raises anything
        return None
    if count is None:
        return None
    return (min(count, limit) if isinstance(limit, int) and limit > 0 else count) * places


def levels_note(grid: GridSettings, samples: int, of_class: Sequence[int]) -> str | None:
    """A line about levels that were fitted to few samples, or that do not fit; None for the usual case.

    Args:
        grid: the settings.
        samples: of a layer.
        of_class: at most, of each class atlas and comparison.
    """
    given = (grid.levels, grid.min_count)
    fitted = (fitting_levels(samples, fitting_min_count(samples)), fitting_min_count(samples))
    sparse = [f"{level}" for level in grid.levels if not fits(level, samples, grid.min_count)]
    in_classes = {
        f"{level}" for count in of_class for level in grid.class_levels if not fits(level, count, grid.min_count)
    }
    if given == fitted and fitted != (USUAL.levels, USUAL.min_count):
        return (
            f"grid: {samples:,} samples are few, so {_overrides(*given)} by themselves; for finer levels add images or "
            "raise sample.positions_per_image, or give values of your own"
        )
    if given != fitted and sparse:
        return (
            f"grid: many cells of level {', '.join(sparse)} will have no icon, since {samples:,} samples are fewer "
            f"than grid.min_count={grid.min_count} for each cell; this fits: {_overrides(*fitted)}"
        )
    if in_classes:
        return (
            f"grid: many cells of class level {', '.join(sorted(in_classes, key=int))} will have no icon, since a "
            f"class atlas has at most {min(of_class):,} samples; lower grid.min_count, or leave it out of "
            "grid.class_levels"
        )
    return None


@lru_cache(maxsize=4)
def _image_count(images: str) -> int | None:
    """Number of images of a set, described by its section as JSON; a folder's fingerprint is a part of that.

    None where opening the set may download it.
    """
    settings = ImagesSettings.model_validate_json(images)
    return None if may_download(settings) else len(open_image_set(settings).entries())


def _overrides(levels: Sequence[int], min_count: int) -> str:
    return f"grid.levels=[{','.join(map(str, levels))}] grid.min_count={min_count}"
