"""Parts of the waterfront: water, hulls, sails, cranes, smoke."""

from math import cos, pi, sin

from pipeline.images.toytown.canvas import Canvas, Colour
from pipeline.images.toytown.colours import Dice, dark, light, mix


def water(canvas: Canvas, dice: Dice, top: float) -> None:
    """Water from ``top`` down over the whole width: rows of scalloped crests."""
    blue = dice.near(dice.choice((0.52, 0.56, 0.59)), 0.66, 0.76)
    h = 66 - top
    stamp = canvas.stamp(68, h, blue)
    wave, phase = dice.between(9, 11.5), dice.between(0, 8)
    stamp.cut.polygon([*_crest(0.8, wave, phase, 1.3), (68, h), (0, h)], 255)
    row, y = 0, 0.8
    while y < h + 4:
        line = _crest(y, wave, phase + row * wave / 2, 2.6)
        stamp.ink.polygon([*line, (68, h), (0, h)], mix(blue, dark(blue, 0.45), min(1.0, y / 50)))
        stamp.ink.line(line, light(blue, 0.8), 1.0)
        y += 5.4
        row += 1
    canvas.place("water", stamp, 32, top + h / 2)


def _crest(y: float, wave: float, phase: float, height: float) -> list[tuple[float, float]]:
    steps = [float(step) for step in range(69)]
    return [(x, y + height - height * abs(sin(pi * (x + phase) / wave))) for x in steps]


def hull(canvas: Canvas, dice: Dice, x: float, y: float, w: float, h: float, flip: bool, colour: Colour) -> None:
    """A hull with planks and a bright rail; (x, y) is the middle of its deck."""
    stamp = canvas.stamp(w, h, colour)
    bow = [(w - 0.02 * w * t * t, h * t / 6) for t in range(7)]
    stamp.cut.polygon([(0, h * 0.12), (w * 0.5, h * 0.16), (w, 0), *bow, (w * 0.8, h), (w * 0.12, h)], 255)
    planks = max(2, round(h / 3.2))
    for plank in range(1, planks + 1):
        line = h * (0.14 + 0.86 * plank / (planks + 1))
        stamp.ink.line([(0, line), (w, line)], dark(colour, 0.45), 0.6)
    stamp.ink.line([(0, h * 0.16), (w * 0.5, h * 0.2), (w, h * 0.06)], light(colour, 0.7), h * 0.17)
    stamp.ink.box(0, h * 0.82, w, h * 0.2, dice.choice(((120, 30, 35), (40, 45, 60), (245, 240, 225))))
    canvas.place("hull", stamp, x, y + h / 2, dice.between(-3, 3), flip)


def sail(canvas: Canvas, dice: Dice, x: float, y: float, w: float, h: float, flip: bool) -> None:
    """A bellied triangular sail with seams and stripes; (x, y) is its foot at the mast."""
    white = dice.near(0.12, 0.08, 0.97)
    cloth = dice.vivid() if dice.chance(0.55) else white
    stamp = canvas.stamp(w, h, cloth)
    belly = [(w * (t / 6) ** 0.75, h * t / 6) for t in range(7)]
    stamp.cut.polygon([(0, 0), *belly, (w, h * 0.97), (0, h)], 255)
    stripe = light(cloth, 0.8) if cloth != white else dice.vivid()
    step = dice.between(5.5, 7.5)
    for band in range(1, int(h / step) + 1, 2):
        stamp.ink.polygon([(0, band * step), (w, band * step - 1), (w, band * step + 2), (0, band * step + 3)], stripe)
    for seam in range(1, int(h / step) + 1):
        stamp.ink.line([(0, seam * step), (w, seam * step - 1)], dark(cloth, 0.2), 0.35)
    stamp.ink.line(belly, dark(cloth, 0.35), 0.8)
    stamp.ink.line([(0, h - 0.4), (w, h - 0.4)], dark(cloth, 0.35), 0.8)
    canvas.place("sail", stamp, x + (-w / 2 if flip else w / 2), y - h / 2, dice.between(-2, 2), flip)


def crane(canvas: Canvas, dice: Dice, x: float, y: float, length: float, angle: float) -> None:
    """A lattice boom from its foot (x, y), raised by ``angle`` degrees, with cable and hook at its tip."""
    steel = dice.choice(((250, 190, 30), (240, 120, 25), (110, 126, 146), (225, 50, 45)))
    h = 7.5
    stamp = canvas.stamp(length, h, steel)
    bays = max(3, round(length / 5.0))
    bay = length / bays
    for first, last in (((0, 0.7), (length, 0.7)), ((0, h - 0.7), (length, h - 0.7))):
        stamp.cut.line([first, last], 255, 1.5)
    for step in range(bays):
        a, b = step * bay, (step + 1) * bay
        stamp.cut.line([(a, 0.7), (b, h - 0.7)], 255, 0.9)
        stamp.cut.line([(a, h - 0.7), (b, 0.7)], 255, 0.9)
        stamp.cut.line([(b - 0.4, 0), (b - 0.4, h)], 255, 1.0)
    stamp.ink.line([(0, h - 0.6), (length, h - 0.6)], dark(steel, 0.3), 0.9)
    turn = angle * pi / 180
    tip = (x + length * cos(turn), y - length * sin(turn))
    canvas.place("crane", stamp, (x + tip[0]) / 2, (y + tip[1]) / 2, angle)
    _hook(canvas, tip, dice.between(5, 9), steel)


def _hook(canvas: Canvas, tip: tuple[float, float], drop: float, steel: Colour) -> None:
    stamp = canvas.stamp(5, drop + 4, dark(steel, 0.75))
    stamp.cut.line([(2.5, 0), (2.5, drop)], 255, 0.7)
    stamp.cut.disc(2.5, drop, 1.0, 1.0, 255)
    stamp.cut.arc(2.5, drop + 1.8, 1.5, 1.6, (-60, 190), 255, 0.9)
    canvas.place("crane", stamp, tip[0], tip[1] + (drop + 4) / 2)


def smoke(canvas: Canvas, dice: Dice, x: float, y: float, lean: float) -> None:
    """A trail of puffs that grow as they rise from (x, y) and lean to one side."""
    grey = dice.near(0.6, 0.05, dice.between(0.72, 0.93))
    r, px, py = 3.1, x, y - 1.5
    puffs = []
    for _ in range(dice.whole(4, 6)):
        puffs.append((px, py, r))
        px, py, r = px + lean * r * dice.between(0.7, 1.2), py - r * dice.between(0.7, 1.0), r * 1.24
    for px, py, r in reversed(puffs):
        stamp = canvas.stamp(2 * r + 1, 2 * r + 1, dark(grey, 0.32))
        c = r + 0.5
        stamp.cut.disc(c, c, r, r, 255)
        stamp.ink.disc(c - 0.12 * r, c - 0.15 * r, 0.86 * r, 0.86 * r, grey)
        stamp.ink.disc(c - 0.3 * r, c - 0.35 * r, 0.5 * r, 0.45 * r, light(grey, 0.6))
        stamp.ink.arc(c + 0.1 * r, c + 0.1 * r, 0.55 * r, 0.55 * r, (20, 160), dark(grey, 0.22), 0.5)
        canvas.place("smoke", stamp, px, py)
