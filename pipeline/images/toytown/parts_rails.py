"""Parts of the railway: wheels, rails, panelled bodies, boilers."""

from math import cos, pi, sin

from pipeline.images.toytown.canvas import Canvas, Colour
from pipeline.images.toytown.colours import Dice, dark, light


def wheel(canvas: Canvas, dice: Dice, x: float, y: float, r: float, colour: Colour) -> None:
    """A spoked wheel with a dark tyre around (x, y)."""
    stamp = canvas.stamp(2 * r, 2 * r, (38, 36, 44))
    stamp.cut.disc(r, r, r, r, 255)
    stamp.ink.ring(r, r, r * 0.84, r * 0.84, (150, 152, 160), r * 0.1)
    stamp.ink.disc(r, r, r * 0.74, r * 0.74, dark(colour, 0.72))
    spokes, turn = 8, dice.between(0, pi / 4)
    for spoke in range(spokes):
        angle = turn + 2 * pi * spoke / spokes
        end = (r + 0.76 * r * cos(angle), r + 0.76 * r * sin(angle))
        stamp.ink.line([(r, r), end], colour, r * 0.15)
    stamp.ink.ring(r, r, r * 0.78, r * 0.78, colour, r * 0.13)
    stamp.ink.disc(r, r, r * 0.27, r * 0.27, light(colour, 0.45))
    stamp.ink.disc(r, r, r * 0.11, r * 0.11, dark(colour, 0.7))
    canvas.place("wheels", stamp, x, y)


def rails(canvas: Canvas, dice: Dice, top: float) -> None:
    """Two steel rails on sleepers in gravel, across the whole width, ``top`` is where wheels stand."""
    h = dice.between(9, 11)
    gravel = dice.near(0.1, 0.1, 0.6)
    stamp = canvas.stamp(68, h, gravel)
    stamp.cut.box(0, 0, 68, h, 255)
    for _ in range(70):
        shade = dark(gravel, dice.between(0.1, 0.4)) if dice.chance(0.6) else light(gravel, 0.4)
        stamp.ink.disc(dice.between(0, 68), dice.between(1, h), 0.6, 0.5, shade)
    wood, step, shift = dice.near(0.07, 0.5, 0.38), dice.between(6.6, 7.6), dice.between(0, 7)
    for sleeper in range(-1, 11):
        x = shift + sleeper * step
        stamp.ink.polygon([(x, 1), (x + 2.6, 1), (x + 3.2, h - 0.7), (x - 0.6, h - 0.7)], wood)
        stamp.ink.line([(x + 0.5, 1), (x + 0.2, h - 0.7)], light(wood, 0.25), 0.5)
    for y, thick in ((0, 1.5), (h * 0.6, 1.9)):
        stamp.ink.box(0, y, 68, thick, (70, 76, 90))
        stamp.ink.box(0, y, 68, thick * 0.45, (205, 212, 222))
    canvas.place("rails", stamp, 32, top + h / 2)


def carriage(canvas: Canvas, x: float, y: float, w: float, h: float, colours: tuple[Colour, Colour]) -> None:
    """A streetcar's body in two tones with a bright belt and riveted panels; (x, y) is its top left corner."""
    upper, lower = colours
    stamp = canvas.stamp(w, h, upper)
    stamp.cut.box(0, 0, w, h, 255, radius=3.5)
    stamp.ink.box(0, 0, w, 2.4, dark(upper, 0.45))
    stamp.ink.box(0, h * 0.6, w, h * 0.4, lower)
    stamp.ink.box(0, h * 0.6, w, 1.3, light(lower, 0.8))
    panels = max(3, round(w / 10))
    for panel in range(1, panels):
        px = panel * w / panels
        stamp.ink.line([(px, h * 0.68), (px, h)], dark(lower, 0.4), 0.6)
    stamp.ink.box(0, h - 1.4, w, 1.4, dark(lower, 0.5))
    canvas.place("carriage", stamp, x + w / 2, y + h / 2)


def boiler(canvas: Canvas, x: float, y: float, w: float, h: float, colour: Colour, flip: bool) -> None:
    """A round boiler with brass bands and a shine along its back; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, colour)
    stamp.cut.box(0, 0, w, h, 255, radius=2.5)
    stamp.ink.box(0, h * 0.65, w, h * 0.35, dark(colour, 0.45))
    stamp.ink.box(0, h * 0.13, w, h * 0.17, light(colour, 0.55))
    for band in range(1, 5):
        stamp.ink.box(band * w / 5 - 0.6, 0, 1.3, h, (240, 200, 85))
    stamp.ink.box(w - 3, 0, 3, h, (45, 44, 54))
    canvas.place("boiler", stamp, x, y, 0, flip)
