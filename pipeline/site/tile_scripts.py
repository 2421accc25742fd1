"""Tiles as scripts, beside the files, so that a page opened from disk may read their pixels and save selections as PNG.

Browsers let such a page show an image file but not read it; the content of a script it may use as it likes.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.site_data import data_script

FOLDER = "pixels"  # below the site's data
LARGEST = 4096  # pixels: a PNG of a selection is no larger, so that it is never made of a larger reduction


def script_levels(side: int) -> Iterator[int]:
    """Numbers of the reductions of a square image that a PNG can be made of.

    They are the full size, and smaller ones down to one of at most :data:`LARGEST` pixels.

    Args:
        side: of the image, pixels.
    """
    finest = (side - 1).bit_length()
    for reduced in range(finest, -1, -1):
        yield reduced
        if side <= LARGEST * 2 ** (finest - reduced):
            return


def write_tile_scripts(site: Path, pyramid: str, side: int, data: Path) -> None:
    """Write the tiles of an image as scripts that assign them in base64.

    Args:
        site: folder that the pyramid is in.
        pyramid: its path there, which names the scripts below ``pixels/``.
        side: of the image, pixels.
        data: folder of the site's data.
    """
    for number in script_levels(side):
        for tile in sorted((site / pyramid / str(number)).iterdir()):
            name = f"{FOLDER}/{pyramid}/{number}/{tile.stem}"
            path = data / f"{name}.js"
            path.parent.mkdir(parents=True, exist_ok=True)
            content = {"data": base64.b64encode(tile.read_bytes()).decode("ascii")}
            path.write_text(data_script(name, content), encoding="ascii")
