"""The picture of ``reading.md``: numbers on a picture of the page. ``python -m docs.generate.annotated_picture``.

The list in ``reading.md`` says what each number is. When the picture below is a new one, change the places.
"""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

DOCS = Path(__file__).parents[1]
PICTURE, ANNOTATED = DOCS / "squeezenet-pinned.webp", DOCS / "reading.webp"
PLACES: Sequence[tuple[int, int]] = (  # (x, y) of the numbers 1, 2, ... on the picture, pixels
    (672, 392),  # an icon
    (272, 593),  # region label
    (418, 150),  # no cell
    (520, 28),  # layers
    (687, 28),  # levels
    (983, 358),  # the pinned cell
    (1085, 78),  # its icon
    (1066, 272),  # its classes
    (1085, 546),  # its exemplars
    (24, 640),  # caption
    (1027, 28),  # search
    (1002, 606),  # tools
)
RADIUS = 17
FILL, EDGE, TEXT = "#ffd34d", "#15130f", "#15130f"
QUALITY = 88


def annotated(picture: Image.Image) -> Image.Image:
    """The picture with a numbered disk at each of :data:`PLACES`."""
    found = picture.convert("RGB")
    draw, font = ImageDraw.Draw(found), ImageFont.load_default(size=21)
    for number, (x, y) in enumerate(PLACES, 1):
        draw.circle((x, y), RADIUS, fill=FILL, outline=EDGE, width=3)
        draw.text((x, y), str(number), fill=TEXT, font=font, anchor="mm")
    return found


if __name__ == "__main__":
    annotated(Image.open(PICTURE)).save(ANNOTATED, quality=QUALITY, method=6)
