"""Parts of the garden: bark, leaves, petals, feathers, beaks, eyes, scales, fins."""

from math import cos, pi, sin

from pipeline.images.toytown.canvas import Canvas, Colour, Point
from pipeline.images.toytown.colours import Dice, dark, light, mix


def bark(canvas: Canvas, dice: Dice, x: float, y: float, w: float, h: float, angle: float = 0) -> None:
    """A trunk or branch with furrowed bark; (x, y) is its middle."""
    wood = dice.near(0.07, 0.52, 0.48)
    stamp = canvas.stamp(w, h, wood)
    stamp.cut.polygon([(w * 0.14, 0), (w * 0.86, 0), (w * 0.9, h * 0.7), (w, h), (0, h), (w * 0.1, h * 0.7)], 255)
    for furrow in range(max(3, round(w / 1.7))):
        fx, sway = (furrow + 0.5) * w / max(3, round(w / 1.7)), dice.between(0, 2 * pi)
        line = [(fx + 0.5 * sin(sway + t * 0.9), t * h / 8) for t in range(9)]
        stamp.ink.line(line, dark(wood, 0.5) if furrow % 2 else light(wood, 0.3), 0.7)
    canvas.place("bark", stamp, x, y, angle)


def _almond(length: float, width: float, angle: float, x: float, y: float, blunt: float = 0.8) -> list[Point]:
    """A leaf's outline from its stalk at (x, y), along ``angle`` (radians); a large ``blunt`` rounds its tip."""
    steps = 8
    side = [(length * t / steps, width / 2 * sin(pi * (t / steps) ** blunt)) for t in range(steps + 1)]
    outline = side + [(a, -b) for a, b in reversed(side)]
    return [(x + a * cos(angle) - b * sin(angle), y + a * sin(angle) + b * cos(angle)) for a, b in outline]


def crown(canvas: Canvas, dice: Dice, x: float, y: float, rx: float, ry: float) -> None:
    """A tree's crown of many leaves, light above and dark below; (x, y) is its middle."""
    hue = dice.choice((0.25, 0.29, 0.33, 0.37, 0.09, 0.02))
    green = dice.near(hue, 0.68, 0.62)
    w, h = 2 * rx + 8, 2 * ry + 8
    stamp = canvas.stamp(w, h, dark(green, 0.55))
    cx, cy = w / 2, h / 2
    stamp.cut.disc(cx, cy, rx * 0.92, ry * 0.92, 255)
    stamp.ink.disc(cx, cy, rx, ry, dark(green, 0.5))
    count = round(rx * ry / 4.2)
    for leaf in range(count):
        # the golden angle spreads leaves evenly from the rim to the middle
        turn, reach = leaf * 2.39996 + dice.between(-0.2, 0.2), (1 - leaf / count) ** 0.5
        lx, ly = cx + rx * reach * cos(turn), cy + ry * reach * sin(turn)
        lit = 0.5 - 0.42 * (reach * sin(turn)) - 0.2 * reach * cos(turn)
        colour = mix(dark(green, 0.3), light(green, 0.4), min(max(lit + dice.between(-0.25, 0.25), 0), 1))
        outline = _almond(6.2, 3.6, turn + dice.between(-0.7, 0.7), lx - 2 * cos(turn), ly - 2 * sin(turn))
        stamp.cut.polygon(outline, 255)
        stamp.ink.polygon(outline, colour)
        stamp.ink.line([outline[0], outline[8]], dark(colour, 0.3), 0.35)
    canvas.place("leaves", stamp, x, y)


def leaf(canvas: Canvas, dice: Dice, x: float, y: float, length: float, angle: float) -> None:
    """One large veined leaf from its stalk at (x, y), pointing along ``angle`` (radians, clockwise from the right)."""
    green = dice.near(0.32, 0.65, 0.58, 0.04)
    side = 2 * length + 2
    stamp = canvas.stamp(side, side, green)
    c = side / 2
    outline = _almond(length, length * 0.48, angle, c, c)
    stamp.cut.polygon(outline, 255)
    tip = (c + length * cos(angle), c + length * sin(angle))
    for step in range(1, 6):
        vx, vy = c + (tip[0] - c) * step / 6, c + (tip[1] - c) * step / 6
        for turn in (-0.8, 0.8):
            end = (vx + length * 0.3 * cos(angle + turn), vy + length * 0.3 * sin(angle + turn))
            stamp.ink.line([(vx, vy), end], light(green, 0.5), 0.6)
    stamp.ink.line([(c, c), tip], light(green, 0.6), 0.8)
    canvas.place("leaves", stamp, x, y)


def petals(canvas: Canvas, dice: Dice, x: float, y: float, r: float) -> Colour:
    """A ring of petals around (x, y), each with a fold and a darker heart."""
    hue = dice.choice((0.0, 0.04, 0.08, 0.14, 0.6, 0.7, 0.78, 0.86, 0.92, 0.96))
    colour = dice.near(0.12, 0.06, 0.98) if dice.chance(0.2) else dice.near(hue, 0.78, 0.92)
    stamp = canvas.stamp(2 * r + 2, 2 * r + 2, colour)
    c, count, turn = r + 1, dice.whole(8, 12), dice.between(0, 1)
    width = r * 3.6 * pi / (2 * count)
    for petal in range(count):
        angle = turn + 2 * pi * petal / count
        shade = mix(colour, light(colour, 0.45), 0.35 + 0.35 * sin(angle * 3 + petal * 2.4))
        outline = _almond(r, width, angle, c, c, blunt=1.9)
        stamp.cut.polygon(outline, 255)
        stamp.ink.polygon(outline, shade)
        stamp.ink.line([*outline, outline[0]], dark(colour, 0.35), 0.5)
        stamp.ink.line([(c, c), (c + 0.7 * r * cos(angle), c + 0.7 * r * sin(angle))], dark(colour, 0.3), 0.6)
    canvas.place("petals", stamp, x, y)
    return colour


def seeds(canvas: Canvas, dice: Dice, x: float, y: float, r: float) -> None:
    """A flower's heart around (x, y): seeds in spirals."""
    gold = dice.choice((dice.near(0.13, 0.8, 0.95), dice.near(0.13, 0.8, 0.95), dice.near(0.07, 0.6, 0.42)))
    stamp = canvas.stamp(2 * r, 2 * r, dark(gold, 0.45))
    stamp.cut.disc(r, r, r, r, 255)
    count = round(6 * r)
    for seed in range(count):
        turn, reach = seed * 2.39996, r * 0.92 * (seed / count) ** 0.5
        stamp.ink.disc(r + reach * cos(turn), r + reach * sin(turn), 0.62, 0.62, light(gold, 0.35 * (seed % 2)))
    canvas.place("seeds", stamp, x, y)


def stem(canvas: Canvas, dice: Dice, top: Point, foot: Point, width: float) -> None:
    """A flower's stem between two points; it belongs to the leaves."""
    green = dice.near(0.31, 0.6, 0.5)
    stamp = canvas.stamp(64, 64, green)
    bend = ((top[0] + foot[0]) / 2 + dice.between(-2, 2), (top[1] + foot[1]) / 2)
    stamp.cut.line([top, bend, foot], 255, width)
    stamp.ink.line([(px - width * 0.2, py) for px, py in (top, bend, foot)], light(green, 0.4), width * 0.3)
    canvas.place("leaves", stamp, 32, 32)
