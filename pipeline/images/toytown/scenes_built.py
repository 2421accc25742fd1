"""What is built: houses and lighthouses."""

from pipeline.images.toytown import backdrops, parts_town, parts_water
from pipeline.images.toytown.canvas import Canvas
from pipeline.images.toytown.colours import Dice, dark, light


def house(canvas: Canvas, dice: Dice) -> None:
    """A brick house with a tiled roof, two windows and a door, sometimes with smoke from its chimney."""
    ground = dice.between(51, 56)
    kind = backdrops.sky(canvas, dice, ground)
    if dice.chance(0.5):
        backdrops.hills(canvas, dice, ground, dice.near(0.32, 0.45, 0.6, 0.05))
    backdrops.meadow(canvas, dice, ground - 2, kind == "night")
    size, x = dice.between(0.95, 1.2), dice.between(28, 36)
    w, h, tall = 42 * size, 22 * size, 18 * size
    eaves = ground - h
    side = dice.choice((-1, 1))
    chimney = x + side * w * 0.27
    if dice.chance(0.45):
        parts_water.smoke(canvas, dice, chimney, eaves - tall - 1, dice.between(-0.9, 0.9))
    parts_town.bricks(canvas, dice, chimney - 3.4, eaves - tall - 1, 6.8, tall)
    parts_town.bricks(canvas, dice, x - w / 2, eaves - 1, w, h + 1)
    parts_town.roof(canvas, dice, x, eaves + 1.5, w + 8, tall + 1.5, dice.choice((2.0, w * 0.45)))
    frame, glass = parts_town.window_colours(dice, kind == "night")
    pane = 11.5 * size
    for place in (-0.29, 0.29):
        parts_town.window(canvas, dice, x + place * w, eaves + h * 0.46, pane, pane, frame, glass)
    parts_town.door(canvas, dice, x, ground, 8.6 * size, 15.5 * size)


def lighthouse(canvas: Canvas, dice: Dice) -> None:
    """A striped tower with a glowing lamp on a rock in the sea."""
    line = dice.between(48, 54)
    kind = backdrops.sky(canvas, dice, line, night=0.35)
    size, x = dice.between(0.92, 1.08), dice.between(22, 42)
    foot, tall, w = line - 1, 27 * size, 19 * size
    top, glow = w * 0.66, (255, 236, 130)
    lamp = foot - tall
    if kind in ("night", "sunset"):
        for side in (-1, 1):
            far = 60 * side
            canvas.ink.polygon([(x, lamp - 4), (x + far, lamp - 12), (x + far, lamp + 4)], light(glow, 0.1))
    rock = dice.near(0.08, 0.15, 0.45)
    canvas.ink.polygon([(x - 19, line + 4), (x - 12, foot - 4), (x + 11, foot - 5), (x + 20, line + 4)], rock)
    canvas.ink.polygon([(x - 19, line + 4), (x - 12, foot - 4), (x - 4, foot - 1), (x - 6, line + 4)], dark(rock, 0.4))
    band = parts_town.stripes(canvas, dice, x, foot, w, tall, top)
    parts_town.roof(canvas, dice, x, lamp - 7 * size, top + 4, 7.5 * size, 1.5)
    _lamp(canvas, x, lamp - 3.6 * size, top, 8.5 * size)
    canvas.ink.box(x - top / 2 - 2.5, lamp - 0.4, top + 5, 1.9, dark(band, 0.5))
    if dice.chance(0.5):
        frame, glass = parts_town.window_colours(dice, kind == "night")
        parts_town.window(canvas, dice, x, lamp + tall * 0.36, 8.5 * size, 8.5 * size, frame, glass)
    else:
        parts_town.door(canvas, dice, x, foot - 0.5, 8 * size, 13 * size)
    parts_water.water(canvas, dice, line + 1)


def _lamp(canvas: Canvas, x: float, y: float, w: float, h: float) -> None:
    stamp = canvas.stamp(w, h, (255, 222, 90))
    stamp.cut.box(0, 0, w, h, 255)
    stamp.ink.disc(w / 2, h / 2, w * 0.36, h * 0.48, (255, 244, 170))
    stamp.ink.disc(w / 2, h / 2, w * 0.2, h * 0.3, (255, 255, 240))
    for bar in range(4):
        stamp.ink.box(bar * (w - 0.9) / 3, 0, 0.9, h, (60, 52, 60))
    canvas.place("lamp", stamp, x, y)
