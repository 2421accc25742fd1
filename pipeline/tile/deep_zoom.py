"""Deep Zoom pyramids, written by libvips."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from pipeline.config.tile import TileSettings

OVERLAP = 1


def write_pyramid(
    folder: Path, name: str, rows: Iterable[NDArray[np.uint8]], side: int, settings: TileSettings
) -> None:
    """Write ``<name>.dzi`` and ``<name>_files/`` of a square image into ``folder``.

    libvips streams the image from one raw file, so that memory stays small whatever its size.

    Args:
        folder: output folder.
        name: of the pyramid.
        rows: strips [y, side, 4] RGBA from top to bottom, ``side`` pixels high in total.
        side: of the image, pixels.
        settings: tile size, format and quality.

    Raises:
        OSError: the tiles cannot be written.
    """
    raw = folder / f"{name}.raw"
    with raw.open("wb") as file:
        for strip in rows:
            file.write(strip.tobytes())
    try:
        image = pyvips.Image.rawload(str(raw), side, side, 4, interpretation="srgb", access="sequential")
        if settings.format == "jpeg":
            image = image.flatten(background=[255, 255, 255])
        image.dzsave(
            str(folder / name), tile_size=settings.tile_size, overlap=OVERLAP, suffix=_suffix(settings), keep="none"
        )
    except pyvips.Error as error:
        raise OSError(f"{folder / name}: the tiles cannot be written: {' '.join(str(error).split())}") from None
    finally:
        raw.unlink()
    # libvips writes the time and the raw file's path here, so the file would differ from run to run
    (folder / f"{name}_files" / "vips-properties.xml").unlink(missing_ok=True)


def _suffix(settings: TileSettings) -> str:
    """The tile format and its options as libvips writes them; effort 2 is twice as fast for a few more bytes."""
    return {
        "webp": f".webp[Q={settings.quality},effort=2]",
        "jpeg": f".jpeg[Q={settings.quality}]",
        "png": ".png",
    }[settings.format]
