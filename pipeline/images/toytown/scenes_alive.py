"""What lives: trees, flowers, fish, birds."""

from math import cos, pi, sin

from pipeline.images.toytown import backdrops, parts_animals, parts_garden, parts_water
from pipeline.images.toytown.canvas import Canvas
from pipeline.images.toytown.colours import Dice, dark, light


def tree(canvas: Canvas, dice: Dice) -> None:
    """A leafy tree in a meadow, sometimes with fruit."""
    ground = dice.between(50, 56)
    kind = backdrops.sky(canvas, dice, ground)
    backdrops.hills(canvas, dice, ground, dice.near(0.3, 0.45, 0.6, 0.06))
    backdrops.meadow(canvas, dice, ground - 1, kind == "night")
    size, x = dice.between(0.9, 1.15), dice.between(25, 39)
    tall = 25 * size
    parts_garden.bark(canvas, dice, x, ground + 3 - tall / 2, dice.between(9, 12) * size, tall, dice.between(-4, 4))
    rx, ry = dice.between(19, 23) * size, dice.between(15, 18) * size
    cy = ground + 3 - tall - ry * 0.5
    parts_garden.crown(canvas, dice, x, cy, rx, ry)
    if dice.chance(0.4):
        colour = dice.choice((dice.near(0.0, 0.85, 0.88), dice.near(0.11, 0.85, 0.98)))
        for fruit in range(dice.whole(4, 7)):
            turn, reach = fruit * 2.39996 + dice.between(0, 0.6), dice.between(0.35, 0.85)
            stamp = canvas.stamp(5, 5, colour)
            stamp.cut.disc(2.5, 2.5, 2.4, 2.4, 255)
            stamp.ink.disc(1.8, 1.7, 0.8, 0.7, light(colour, 0.7))
            canvas.place("fruit", stamp, x + rx * reach * cos(turn), cy + ry * reach * sin(turn))


def flower(canvas: Canvas, dice: Dice) -> None:
    """One large flower, close to."""
    ground = dice.between(40, 52)
    kind = backdrops.sky(canvas, dice, ground, night=0.06)
    backdrops.meadow(canvas, dice, ground, kind == "night")
    x, y, r = dice.between(25, 39), dice.between(21, 27), dice.between(15, 19)
    foot = x + dice.between(-4, 4)
    parts_garden.stem(canvas, dice, (x, y), (foot, 66), 2.6)
    for side in (-1, 1):
        angle = pi / 2 - side * (pi / 2 + dice.between(0.25, 0.75))
        parts_garden.leaf(canvas, dice, (x + foot) / 2, dice.between(52, 58), dice.between(17, 22), angle)
    parts_garden.petals(canvas, dice, x, y, r)
    parts_garden.seeds(canvas, dice, x, y, r * dice.between(0.34, 0.42))


def fish(canvas: Canvas, dice: Dice) -> None:
    """A large fish in the waves."""
    line = dice.between(4, 12)
    backdrops.sky(canvas, dice, line + 3)
    parts_water.water(canvas, dice, line)
    size, flip, angle = dice.between(0.95, 1.2), dice.chance(0.5), dice.between(-12, 12)
    side = -1 if flip else 1
    x, y, w, h = dice.between(28, 36), dice.between(35, 42), 40 * size, 25 * size
    slope = -side * angle * pi / 180
    turn = angle if not flip else -angle
    hue = dice.vivid()

    def spot(along: float, across: float) -> tuple[float, float]:
        """A place on the fish: ``along`` from tail to head, ``across`` from back to belly, both from its middle."""
        px, py = along * w, across * h
        return x + side * px * cos(slope) - py * sin(slope), y + px * sin(slope) + py * cos(slope)

    parts_animals.fin(canvas, *spot(-0.52, 0), 13 * size, 22 * size, hue, flip, turn)
    parts_animals.fin(canvas, *spot(0.0, -0.5), 18 * size, 12 * size, hue, flip, turn - side * 25)
    parts_animals.scales(canvas, dice, x, y, w, h, flip, turn)
    parts_animals.fin(canvas, *spot(-0.02, 0.22), 11 * size, 9 * size, hue, flip, turn + side * 20)
    parts_animals.eye(canvas, dice, *spot(0.31, -0.12), 4.1 * size)
    for _ in range(dice.whole(1, 4)):
        bx, by, r = x + side * dice.between(22, 30), dice.between(14, 34), dice.between(0.9, 1.8)
        canvas.ink.ring(bx, by, r, r, (235, 248, 255), 0.5)


def bird(canvas: Canvas, dice: Dice) -> None:
    """A plump bird on a branch."""
    backdrops.sky(canvas, dice, 64, night=0.08)
    size, flip = dice.between(0.95, 1.2), dice.chance(0.5)
    side = -1 if flip else 1
    x, y = 32 - side * dice.between(0, 6), dice.between(34, 38)
    branch = y + 16 * size
    parts_garden.bark(canvas, dice, 32, branch + 3, dice.between(6.5, 8.5), 74, 90 + dice.between(-6, 6))
    if dice.chance(0.6):
        for place in (dice.between(3, 14), dice.between(50, 61)):
            parts_garden.leaf(canvas, dice, place, branch + 1, dice.between(9, 13), dice.between(-2.4, -0.7))
    coat, breast = dice.vivid(), dice.vivid()
    parts_animals.feathers(canvas, x - side * 20 * size, y + 9 * size, 20 * size, 7.5 * size, coat, flip, side * 28)
    for leg in (-2.5, 3.0):
        canvas.ink.line([(x + leg, y + 11 * size), (x + leg, branch + 1)], dark((250, 160, 40), 0.2), 1.2)
    parts_animals.plumage(canvas, x, y + 2 * size, 16 * size, 12.5 * size, breast, side * 18)
    head = (x + side * 11 * size, y - 11 * size)
    parts_animals.beak(canvas, dice, head[0] + side * 7 * size, head[1] + 0.5, 10 * size, flip)
    parts_animals.plumage(canvas, *head, 9.5 * size, 9 * size, coat, 0)
    parts_animals.feathers(canvas, x - side * 5 * size, y + 2.5 * size, 27 * size, 14 * size, coat, flip, side * 20)
    parts_animals.eye(canvas, dice, head[0] + side * 2.6 * size, head[1] - 1.2 * size, 3.9 * size)
