"""Pixels => the small files that the page shows."""

import io
from pathlib import Path

from PIL import Image

from pipeline.patch.trials import Pixels


def webp(pixels: Pixels, quality: int = 88) -> bytes:
    """Pixels [y, x, 3] as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


class Album:
    """The pictures of a result, in the folder that it is written to; an album that is shut keeps none."""

    def __init__(self, folder: Path, *, shut: bool) -> None:
        """Nothing is written yet.

        Args:
            folder: where the pictures go.
            shut: nothing may be shown.
        """
        self._folder, self._shut = folder, shut

    def add(self, name: str, pixels: Pixels) -> str | None:
        """Store pixels [y, x, 3]; returns the file's place within the folder, None where the album is shut."""
        if self._shut:
            return None
        path = self._folder / f"{name}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(webp(pixels))
        return f"{name}.webp"
