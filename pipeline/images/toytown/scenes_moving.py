"""Boats on the water, streetcars and trains on rails."""

from math import pi, sin

from pipeline.images.toytown import backdrops, parts_rails, parts_town, parts_water
from pipeline.images.toytown.canvas import Canvas, Colour
from pipeline.images.toytown.colours import Dice, dark, light


def fireboat(canvas: Canvas, dice: Dice) -> None:
    """A boat with a cabin and a crane that often sprays water."""
    line = dice.between(44, 50)
    kind = backdrops.sky(canvas, dice, line)
    if dice.chance(0.4):
        backdrops.town(canvas, dice, line + 2)
    size, flip, x = dice.between(0.95, 1.2), dice.chance(0.5), dice.between(27, 37)
    side = -1 if flip else 1
    deck = line - 7.5 * size
    w = 48 * size
    parts_water.crane(canvas, dice, x + side * 1 * size, deck - 1, 27 * size, 90 - side * dice.between(28, 55))
    cabin_w, cabin_h = 24 * size, 16.5 * size
    cabin_x = x - side * 8 * size
    _cabin(canvas, dice, (cabin_x - cabin_w / 2, deck - cabin_h + 1.5), (cabin_w, cabin_h), kind == "night")
    if dice.chance(0.6):
        _jet(canvas, dice, x + side * 17 * size, deck - 1, side)
    red = dice.near(0.0, 0.82, 0.8) if dice.chance(0.6) else dice.vivid()
    parts_water.hull(canvas, dice, x, deck - 1, w, 15 * size, flip, red)
    parts_water.water(canvas, dice, line + 0.5)


def _cabin(
    canvas: Canvas, dice: Dice, corner: tuple[float, float], size: tuple[float, float], lit: bool, count: int = 2
) -> None:
    (x, y), (w, h) = corner, size
    wall = dice.choice(((250, 245, 232), dice.near(0.1, 0.45, 0.92), dice.near(0.55, 0.3, 0.9)))
    stamp = canvas.stamp(w + 3, h, wall)
    stamp.cut.box(1.5, 0, w, h, 255)
    stamp.cut.box(0, 0, w + 3, 2.4, 255, radius=1)
    stamp.ink.box(0, 0, w + 3, 2.4, dark(dice.vivid(), 0.2))
    canvas.place("cabin", stamp, x + w / 2, y + h / 2)
    frame, glass = parts_town.window_colours(dice, lit)
    pane = min((w - 2) / count - 1, h - 4.5)
    for index in range(count):
        parts_town.window(canvas, dice, x + w * (index + 0.5) / count, y + h * 0.56, pane, pane, frame, glass)


def _jet(canvas: Canvas, dice: Dice, x: float, y: float, side: int) -> None:
    blue: Colour = dice.near(0.54, 0.35, 0.97)
    reach, tall = dice.between(12, 18), dice.between(16, 24)
    stamp = canvas.stamp(64, 64, blue)
    for drop in range(26):
        t = drop / 26
        px, py = x + side * reach * 1.6 * t, y - tall * sin(pi * t * 0.72)
        r = 0.7 + 1.7 * t
        stamp.cut.disc(px, py, r, r, 255)
        stamp.ink.disc(px - 0.3, py - 0.3, r * 0.5, r * 0.5, light(blue, 0.8))
    canvas.place("jet", stamp, 32, 32)


def sailboat(canvas: Canvas, dice: Dice) -> None:
    """A boat under two sails."""
    line = dice.between(46, 53)
    backdrops.sky(canvas, dice, line)
    if dice.chance(0.5):
        backdrops.hills(canvas, dice, line + 2, dice.near(0.35, 0.4, 0.6, 0.1))
    size, flip = dice.between(0.95, 1.2), dice.chance(0.5)
    side = -1 if flip else 1
    x, deck = dice.between(28, 36), line - 6.5 * size
    mast = 40 * size
    canvas.ink.line([(x, deck), (x, deck - mast)], dark(dice.near(0.07, 0.5, 0.5), 0.2), 1.3)
    parts_water.sail(canvas, dice, x - side * 0.8, deck - 2.5, 21 * size, (mast - 5) * dice.between(0.85, 1), not flip)
    parts_water.sail(canvas, dice, x + side * 0.8, deck - 2.5, 15 * size, (mast - 5) * dice.between(0.6, 0.8), flip)
    parts_water.hull(canvas, dice, x, deck - 1, 44 * size, 13 * size, flip, dice.vivid())
    parts_water.water(canvas, dice, line)


def streetcar(canvas: Canvas, dice: Dice) -> None:
    """A streetcar under its wire."""
    track = dice.between(50, 55)
    kind = backdrops.sky(canvas, dice, track)
    backdrops.town(canvas, dice, track + 1)
    size = dice.between(0.95, 1.15)
    w, h, r = 54 * size, 28 * size, 6.6 * size
    x, foot = dice.between(28, 36), track - r * 0.85
    canvas.ink.line([(0, foot - h - 6), (64, foot - h - 7)], (60, 60, 72), 0.6)
    canvas.ink.line([(x - 5, foot - h), (x, foot - h - 3), (x - 4, foot - h - 6.4)], (60, 60, 72), 0.9)
    upper = (252, 244, 222) if dice.chance(0.6) else dice.vivid()
    parts_rails.carriage(canvas, x - w / 2, foot - h, w, h, (upper, dice.vivid()))
    frame, glass = parts_town.window_colours(dice, kind == "night" or dice.chance(0.15))
    count = dice.whole(3, 4)
    pane = (w - 4) / count - 2
    for index in range(count):
        px = x - w / 2 + 2 + (w - 4) * (index + 0.5) / count
        parts_town.window(canvas, dice, px, foot - h * 0.66, pane, h * 0.4, frame, glass)
    backdrops.street(canvas, dice, track)
    parts_rails.rails(canvas, dice, track)
    rim = dice.vivid()
    for place in (-0.3, 0.3):
        parts_rails.wheel(canvas, dice, x + place * w, track - r + 0.8, r, rim)


def train(canvas: Canvas, dice: Dice) -> None:
    """A steam engine that puffs."""
    track = dice.between(50, 55)
    kind = backdrops.sky(canvas, dice, track)
    backdrops.hills(canvas, dice, track + 1, dice.near(0.3, 0.5, 0.6, 0.05))
    size, flip = dice.between(0.95, 1.15), dice.chance(0.5)
    side = -1 if flip else 1
    x, r = dice.between(28, 36), 7.2 * size
    axle = track - r + 0.8
    paint = dice.vivid()
    chimney = (x + side * 17 * size, axle - 15 * size)
    parts_water.smoke(canvas, dice, chimney[0], chimney[1] - 7 * size, -side * dice.between(0.6, 1.2))
    _funnel(canvas, chimney[0], chimney[1], size, dark(paint, 0.55))
    parts_rails.boiler(canvas, x + side * 8 * size, axle - 9 * size, 32 * size, 14 * size, paint, flip)
    w, h = 18 * size, 25 * size
    _cabin(canvas, dice, (x - side * 16 * size - w / 2, axle - h + 2), (w, h * 0.95), kind == "night", count=1)
    canvas.ink.box(x - 25 * size, axle - 4.5, 50 * size, 4, dark(paint, 0.65))
    backdrops.meadow(canvas, dice, track, kind == "night")
    parts_rails.rails(canvas, dice, track)
    rim = dice.vivid()
    for place, scale in ((-16.5, 1.0), (0.5, 1.0), (17, 1.0)):
        parts_rails.wheel(canvas, dice, x + side * place * size, axle, r * scale, rim)


def _funnel(canvas: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    w, h = 7 * size, 9 * size
    stamp = canvas.stamp(w, h, colour)
    stamp.cut.polygon([(0, 0), (w, 0), (w, h * 0.2), (w * 0.75, h * 0.3), (w * 0.75, h), (w * 0.25, h)], 255)
    stamp.cut.polygon([(0, 0), (w * 0.3, 0), (w * 0.3, h), (w * 0.25, h * 0.3), (0, h * 0.2)], 255)
    stamp.ink.box(0, 0, w, h * 0.2, light(colour, 0.3))
    canvas.place("boiler", stamp, x, y - h / 2 + 2)
