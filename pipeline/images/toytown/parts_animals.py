"""Parts of animals: scales, fins, feathers, beaks, eyes."""

from math import pi, sin

from pipeline.images.toytown.canvas import Canvas, Colour, Pen
from pipeline.images.toytown.colours import Dice, dark, light, mix


def _rows(ink: Pen, w: float, h: float, step: float, colour: Colour, deep: float) -> None:
    """Overlapping rounded rows, each over the one behind it, as scales lie on a fish that swims to the right."""
    column, x = 0, -step
    while x < w + step:
        y = -step + (column % 2) * step / 2
        while y < h + step:
            tone = mix(light(colour, 0.4), dark(colour, 0.1), min(max(y / h, 0), 1))
            ink.disc(x, y, deep, step * 0.54, dark(tone, 0.6))
            ink.disc(x + 0.9, y, deep, step * 0.47, tone)
            y += step
        x += step * 0.72
        column += 1


def scales(canvas: Canvas, dice: Dice, x: float, y: float, w: float, h: float, flip: bool, angle: float) -> Colour:
    """A fish's body covered in scales, its head to the right; (x, y) is its middle."""
    colour = dice.vivid()
    stamp = canvas.stamp(w, h, colour)
    back = [(w * t / 12, h / 2 - h / 2 * sin(pi * (0.04 + 0.96 * t / 12) ** 0.8) ** 0.8) for t in range(13)]
    stamp.cut.polygon([*back, *[(px, h - py) for px, py in reversed(back)]], 255)
    _rows(stamp.ink, w, h, 5.6, colour, 4.1)
    stamp.ink.disc(w * 1.02, h / 2, w * 0.3, h * 0.62, mix(colour, (255, 235, 190), 0.35))
    stamp.ink.arc(w * 1.02, h / 2, w * 0.3, h * 0.62, (100, 260), dark(colour, 0.5), 0.9)
    stamp.ink.arc(w * 0.99, h * 0.58, w * 0.07, h * 0.1, (60, 190), dark(colour, 0.75), 0.9)
    canvas.place("scales", stamp, x, y, angle, flip)
    return colour


def fin(canvas: Canvas, x: float, y: float, w: float, h: float, colour: Colour, flip: bool, angle: float) -> None:
    """A fan of rays with a scalloped rim that opens to the left; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, light(colour, 0.25))
    rim = [(w * (0.1 * (t % 2) + 0.25 * sin(pi * t / 8)), h * t / 8) for t in range(9)]
    stamp.cut.polygon([(w, h * 0.35), *rim, (w, h * 0.65)], 255)
    for ray in range(9):
        stamp.ink.line([(w, h / 2), (0, h * ray / 8)], dark(colour, 0.5), 0.7)
    canvas.place("fins", stamp, x, y, angle, flip)


def eye(canvas: Canvas, dice: Dice, x: float, y: float, r: float) -> None:
    """A big round eye around (x, y) with a coloured iris, a pupil and a gleam."""
    stamp = canvas.stamp(2 * r, 2 * r, (25, 22, 30))
    stamp.cut.disc(r, r, r, r, 255)
    stamp.ink.disc(r, r, r * 0.86, r * 0.86, (255, 253, 245))
    stamp.ink.disc(r, r, r * 0.62, r * 0.62, dice.choice(((250, 190, 40), (70, 150, 220), (90, 180, 90))))
    stamp.ink.disc(r, r, r * 0.42, r * 0.42, (18, 16, 22))
    stamp.ink.disc(r * 0.75, r * 0.72, r * 0.18, r * 0.18, (255, 255, 255))
    canvas.place("eye", stamp, x, y)


def feathers(canvas: Canvas, x: float, y: float, w: float, h: float, colour: Colour, flip: bool, angle: float) -> None:
    """A wing or tail of long layered feathers that point to the left; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, dark(colour, 0.5))
    count = max(3, round(h / 2.6))
    for row in range(count - 1, -1, -1):
        py = h * (row + 0.5) / count
        reach = w * (0.62 + 0.38 * (1 - row / count))
        tone = mix(light(colour, 0.35), dark(colour, 0.3), row / max(1, count - 1))
        for pen, shrink, fill in ((stamp.cut, 0.0, 255), (stamp.ink, 0.0, dark(tone, 0.55)), (stamp.ink, 0.5, tone)):
            pen.disc(w - reach / 2 - 0.5, py, reach / 2 - shrink, h / count * 0.95 - shrink, fill)
        stamp.ink.line([(w - reach + 1, py), (w - 2, py)], light(tone, 0.65), 0.5)
    canvas.place("feathers", stamp, x, y, angle, flip)


def plumage(canvas: Canvas, x: float, y: float, rx: float, ry: float, colour: Colour, angle: float) -> None:
    """A round body of short downy feathers around (x, y)."""
    stamp = canvas.stamp(2 * rx, 2 * ry, colour)
    stamp.cut.disc(rx, ry, rx, ry, 255)
    row, py = 0, ry * 2 - 1
    while py > 0:
        px = (row % 2) * 1.7
        while px < 2 * rx:
            tone = mix(light(colour, 0.35), dark(colour, 0.25), py / (2 * ry))
            stamp.ink.disc(px, py, 1.8, 2.0, dark(tone, 0.28))
            stamp.ink.disc(px, py - 0.6, 1.6, 1.8, tone)
            px += 3.4
        py -= 2.4
        row += 1
    canvas.place("feathers", stamp, x, y, angle)


def beak(canvas: Canvas, dice: Dice, x: float, y: float, length: float, flip: bool) -> None:
    """An open beak that points to the right; (x, y) is where it meets the head."""
    horn = dice.near(0.09, 0.85, 0.98)
    h = length * 0.85
    stamp = canvas.stamp(length, h, horn)
    stamp.cut.polygon([(0, 0), (length, h * 0.55), (0, h * 0.6)], 255)
    stamp.cut.polygon([(0, h * 0.5), (length * 0.72, h * 0.78), (0, h)], 255)
    stamp.ink.polygon([(0, h * 0.5), (length * 0.72, h * 0.78), (0, h)], dark(horn, 0.3))
    stamp.ink.line([(0, h * 0.55), (length, h * 0.58)], dark(horn, 0.6), 0.6)
    canvas.place("beak", stamp, x + (-length / 2 if flip else length / 2), y, 0, flip)
