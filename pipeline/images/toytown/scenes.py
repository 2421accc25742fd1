"""The ten classes of scenes: how each is drawn from parts that several of them share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi, sin

from pipeline.images.toytown import backdrops, parts_built, parts_living
from pipeline.images.toytown.canvas import Canvas, Color, SceneRandom, dark, light


@dataclass(frozen=True)
class SceneClass:
    """One class of scenes.

    Attributes:
        draw: draws a scene of it on an empty canvas.
        parts: every scene of it has these.
        extras: some scenes of it have these too.
    """

    draw: Callable[[Canvas, SceneRandom], None]
    parts: frozenset[str]
    extras: frozenset[str] = frozenset()


def tree(canvas: Canvas, rng: SceneRandom) -> None:
    """A leafy tree in a meadow, sometimes with fruit."""
    ground = rng.uniform(50, 56)
    kind = backdrops.sky(canvas, rng, ground)
    backdrops.hills(canvas, rng, ground, rng.near(0.3, 0.45, 0.6, 0.06))
    backdrops.meadow(canvas, rng, ground - 1, kind == "night")
    size, x = rng.uniform(0.9, 1.15), rng.uniform(25, 39)
    tall = 25 * size
    parts_living.bark(canvas, rng, x, ground + 3 - tall / 2, rng.uniform(9, 12) * size, tall, rng.uniform(-4, 4))
    rx, ry = rng.uniform(19, 23) * size, rng.uniform(15, 18) * size
    cy = ground + 3 - tall - ry * 0.5
    parts_living.crown(canvas, rng, x, cy, rx, ry)
    if rng.chance(0.4):
        color = rng.choice((rng.near(0.0, 0.85, 0.88), rng.near(0.11, 0.85, 0.98)))
        for fruit in range(rng.randint(4, 7)):
            turn, reach = fruit * 2.39996 + rng.uniform(0, 0.6), rng.uniform(0.35, 0.85)
            stamp = canvas.stamp(5, 5, color)
            stamp.shape.disc(2.5, 2.5, 2.4, 2.4, 255)
            stamp.ink.disc(1.8, 1.7, 0.8, 0.7, light(color, 0.7))
            canvas.paste("fruit", stamp, x + rx * reach * cos(turn), cy + ry * reach * sin(turn))


def flower(canvas: Canvas, rng: SceneRandom) -> None:
    """One large flower, close to."""
    ground = rng.uniform(40, 52)
    kind = backdrops.sky(canvas, rng, ground, night=0.06)
    backdrops.meadow(canvas, rng, ground, kind == "night")
    x, y, r = rng.uniform(25, 39), rng.uniform(21, 27), rng.uniform(15, 19)
    foot = x + rng.uniform(-4, 4)
    parts_living.stem(canvas, rng, (x, y), (foot, 66), 2.6)
    for side in (-1, 1):
        angle = pi / 2 - side * (pi / 2 + rng.uniform(0.25, 0.75))
        parts_living.leaf(canvas, rng, (x + foot) / 2, rng.uniform(52, 58), rng.uniform(17, 22), angle)
    parts_living.petals(canvas, rng, x, y, r)
    parts_living.seeds(canvas, rng, x, y, r * rng.uniform(0.34, 0.42))


def fish(canvas: Canvas, rng: SceneRandom) -> None:
    """A large fish in the waves."""
    line = rng.uniform(4, 12)
    backdrops.sky(canvas, rng, line + 3)
    parts_built.water(canvas, rng, line)
    size, flip, angle = rng.uniform(0.95, 1.2), rng.chance(0.5), rng.uniform(-12, 12)
    side = -1 if flip else 1
    x, y, w, h = rng.uniform(28, 36), rng.uniform(35, 42), 40 * size, 25 * size
    slope = -side * angle * pi / 180
    turn = angle if not flip else -angle
    hue = rng.vivid()

    def spot(along: float, across: float) -> tuple[float, float]:
        """A point on the fish: ``along`` from tail to head, ``across`` from back to belly, both from its middle."""
        px, py = along * w, across * h
        return x + side * px * cos(slope) - py * sin(slope), y + px * sin(slope) + py * cos(slope)

    parts_living.fin(canvas, *spot(-0.52, 0), 13 * size, 22 * size, hue, flip, turn)
    parts_living.fin(canvas, *spot(0.0, -0.5), 18 * size, 12 * size, hue, flip, turn - side * 25)
    parts_living.scales(canvas, rng, x, y, w, h, flip, turn)
    parts_living.fin(canvas, *spot(-0.02, 0.22), 11 * size, 9 * size, hue, flip, turn + side * 20)
    parts_living.eye(canvas, rng, *spot(0.31, -0.12), 4.1 * size)
    for _ in range(rng.randint(1, 4)):
        bx, by, r = x + side * rng.uniform(22, 30), rng.uniform(14, 34), rng.uniform(0.9, 1.8)
        canvas.ink.ring(bx, by, r, r, (235, 248, 255), 0.5)


def bird(canvas: Canvas, rng: SceneRandom) -> None:
    """A plump bird on a branch."""
    backdrops.sky(canvas, rng, 64, night=0.08)
    size, flip = rng.uniform(0.95, 1.2), rng.chance(0.5)
    side = -1 if flip else 1
    x, y = 32 - side * rng.uniform(0, 6), rng.uniform(34, 38)
    branch = y + 16 * size
    parts_living.bark(canvas, rng, 32, branch + 3, rng.uniform(6.5, 8.5), 74, 90 + rng.uniform(-6, 6))
    if rng.chance(0.6):
        for offset in (rng.uniform(3, 14), rng.uniform(50, 61)):
            parts_living.leaf(canvas, rng, offset, branch + 1, rng.uniform(9, 13), rng.uniform(-2.4, -0.7))
    coat, breast = rng.vivid(), rng.vivid()
    parts_living.feathers(canvas, x - side * 20 * size, y + 9 * size, 20 * size, 7.5 * size, coat, flip, side * 28)
    for leg in (-2.5, 3.0):
        canvas.ink.line([(x + leg, y + 11 * size), (x + leg, branch + 1)], dark((250, 160, 40), 0.2), 1.2)
    parts_living.plumage(canvas, x, y + 2 * size, 16 * size, 12.5 * size, breast, side * 18)
    head = (x + side * 11 * size, y - 11 * size)
    parts_living.beak(canvas, rng, head[0] + side * 7 * size, head[1] + 0.5, 10 * size, flip)
    parts_living.plumage(canvas, *head, 9.5 * size, 9 * size, coat, 0)
    parts_living.feathers(canvas, x - side * 5 * size, y + 2.5 * size, 27 * size, 14 * size, coat, flip, side * 20)
    parts_living.eye(canvas, rng, head[0] + side * 2.6 * size, head[1] - 1.2 * size, 3.9 * size)


def house(canvas: Canvas, rng: SceneRandom) -> None:
    """A brick house with a tiled roof, two windows and a door, sometimes with smoke from its chimney."""
    ground = rng.uniform(51, 56)
    kind = backdrops.sky(canvas, rng, ground)
    if rng.chance(0.5):
        backdrops.hills(canvas, rng, ground, rng.near(0.32, 0.45, 0.6, 0.05))
    backdrops.meadow(canvas, rng, ground - 2, kind == "night")
    size, x = rng.uniform(0.95, 1.2), rng.uniform(28, 36)
    w, h, tall = 42 * size, 22 * size, 18 * size
    eaves = ground - h
    side = rng.choice((-1, 1))
    chimney = x + side * w * 0.27
    if rng.chance(0.45):
        parts_built.smoke(canvas, rng, chimney, eaves - tall - 1, rng.uniform(-0.9, 0.9))
    parts_built.bricks(canvas, rng, chimney - 3.4, eaves - tall - 1, 6.8, tall)
    parts_built.bricks(canvas, rng, x - w / 2, eaves - 1, w, h + 1)
    parts_built.roof(canvas, rng, x, eaves + 1.5, w + 8, tall + 1.5, rng.choice((2.0, w * 0.45)))
    frame, glass = parts_built.window_colors(rng, kind == "night")
    pane = 11.5 * size
    for offset in (-0.29, 0.29):
        parts_built.window(canvas, rng, x + offset * w, eaves + h * 0.46, pane, pane, frame, glass)
    parts_built.door(canvas, rng, x, ground, 8.6 * size, 15.5 * size)


def lighthouse(canvas: Canvas, rng: SceneRandom) -> None:
    """A striped tower with a glowing lamp on a rock in the sea."""
    line = rng.uniform(48, 54)
    kind = backdrops.sky(canvas, rng, line, night=0.35)
    size, x = rng.uniform(0.92, 1.08), rng.uniform(22, 42)
    foot, tall, w = line - 1, 27 * size, 19 * size
    top, glow = w * 0.66, (255, 236, 130)
    lamp = foot - tall
    if kind in ("night", "sunset"):
        for side in (-1, 1):
            far = 60 * side
            canvas.ink.polygon([(x, lamp - 4), (x + far, lamp - 12), (x + far, lamp + 4)], light(glow, 0.1))
    rock = rng.near(0.08, 0.15, 0.45)
    canvas.ink.polygon([(x - 19, line + 4), (x - 12, foot - 4), (x + 11, foot - 5), (x + 20, line + 4)], rock)
    canvas.ink.polygon([(x - 19, line + 4), (x - 12, foot - 4), (x - 4, foot - 1), (x - 6, line + 4)], dark(rock, 0.4))
    band = parts_built.stripes(canvas, rng, x, foot, w, tall, top)
    parts_built.roof(canvas, rng, x, lamp - 7 * size, top + 4, 7.5 * size, 1.5)
    _lamp(canvas, x, lamp - 3.6 * size, top, 8.5 * size)
    canvas.ink.box(x - top / 2 - 2.5, lamp - 0.4, top + 5, 1.9, dark(band, 0.5))
    if rng.chance(0.5):
        frame, glass = parts_built.window_colors(rng, kind == "night")
        parts_built.window(canvas, rng, x, lamp + tall * 0.36, 8.5 * size, 8.5 * size, frame, glass)
    else:
        parts_built.door(canvas, rng, x, foot - 0.5, 8 * size, 13 * size)
    parts_built.water(canvas, rng, line + 1)


def _lamp(canvas: Canvas, x: float, y: float, w: float, h: float) -> None:
    stamp = canvas.stamp(w, h, (255, 222, 90))
    stamp.shape.box(0, 0, w, h, 255)
    stamp.ink.disc(w / 2, h / 2, w * 0.36, h * 0.48, (255, 244, 170))
    stamp.ink.disc(w / 2, h / 2, w * 0.2, h * 0.3, (255, 255, 240))
    for bar in range(4):
        stamp.ink.box(bar * (w - 0.9) / 3, 0, 0.9, h, (60, 52, 60))
    canvas.paste("lamp", stamp, x, y)


def fireboat(canvas: Canvas, rng: SceneRandom) -> None:
    """A boat with a cabin and a crane that often sprays water."""
    line = rng.uniform(44, 50)
    kind = backdrops.sky(canvas, rng, line)
    if rng.chance(0.4):
        backdrops.town(canvas, rng, line + 2)
    size, flip, x = rng.uniform(0.95, 1.2), rng.chance(0.5), rng.uniform(27, 37)
    side = -1 if flip else 1
    deck = line - 7.5 * size
    w = 48 * size
    parts_built.crane(canvas, rng, x + side * 1 * size, deck - 1, 27 * size, 90 - side * rng.uniform(28, 55))
    cabin_w, cabin_h = 24 * size, 16.5 * size
    cabin_x = x - side * 8 * size
    _cabin(canvas, rng, (cabin_x - cabin_w / 2, deck - cabin_h + 1.5), (cabin_w, cabin_h), kind == "night")
    if rng.chance(0.6):
        _jet(canvas, rng, x + side * 17 * size, deck - 1, side)
    red = rng.near(0.0, 0.82, 0.8) if rng.chance(0.6) else rng.vivid()
    parts_built.hull(canvas, rng, x, deck - 1, w, 15 * size, flip, red)
    parts_built.water(canvas, rng, line + 0.5)


def _cabin(
    canvas: Canvas, rng: SceneRandom, corner: tuple[float, float], size: tuple[float, float], lit: bool, count: int = 2
) -> None:
    (x, y), (w, h) = corner, size
    wall = rng.choice(((250, 245, 232), rng.near(0.1, 0.45, 0.92), rng.near(0.55, 0.3, 0.9)))
    stamp = canvas.stamp(w + 3, h, wall)
    stamp.shape.box(1.5, 0, w, h, 255)
    stamp.shape.box(0, 0, w + 3, 2.4, 255, radius=1)
    stamp.ink.box(0, 0, w + 3, 2.4, dark(rng.vivid(), 0.2))
    canvas.paste("cabin", stamp, x + w / 2, y + h / 2)
    frame, glass = parts_built.window_colors(rng, lit)
    pane = min((w - 2) / count - 1, h - 4.5)
    for index in range(count):
        parts_built.window(canvas, rng, x + w * (index + 0.5) / count, y + h * 0.56, pane, pane, frame, glass)


def _jet(canvas: Canvas, rng: SceneRandom, x: float, y: float, side: int) -> None:
    blue: Color = rng.near(0.54, 0.35, 0.97)
    reach, tall = rng.uniform(12, 18), rng.uniform(16, 24)
    stamp = canvas.stamp(64, 64, blue)
    for drop in range(26):
        t = drop / 26
        px, py = x + side * reach * 1.6 * t, y - tall * sin(pi * t * 0.72)
        r = 0.7 + 1.7 * t
        stamp.shape.disc(px, py, r, r, 255)
        stamp.ink.disc(px - 0.3, py - 0.3, r * 0.5, r * 0.5, light(blue, 0.8))
    canvas.paste("jet", stamp, 32, 32)


def sailboat(canvas: Canvas, rng: SceneRandom) -> None:
    """A boat under two sails."""
    line = rng.uniform(46, 53)
    backdrops.sky(canvas, rng, line)
    if rng.chance(0.5):
        backdrops.hills(canvas, rng, line + 2, rng.near(0.35, 0.4, 0.6, 0.1))
    size, flip = rng.uniform(0.95, 1.2), rng.chance(0.5)
    side = -1 if flip else 1
    x, deck = rng.uniform(28, 36), line - 6.5 * size
    mast = 40 * size
    canvas.ink.line([(x, deck), (x, deck - mast)], dark(rng.near(0.07, 0.5, 0.5), 0.2), 1.3)
    parts_built.sail(canvas, rng, x - side * 0.8, deck - 2.5, 21 * size, (mast - 5) * rng.uniform(0.85, 1), not flip)
    parts_built.sail(canvas, rng, x + side * 0.8, deck - 2.5, 15 * size, (mast - 5) * rng.uniform(0.6, 0.8), flip)
    parts_built.hull(canvas, rng, x, deck - 1, 44 * size, 13 * size, flip, rng.vivid())
    parts_built.water(canvas, rng, line)


def streetcar(canvas: Canvas, rng: SceneRandom) -> None:
    """A streetcar under its wire."""
    track = rng.uniform(50, 55)
    kind = backdrops.sky(canvas, rng, track)
    backdrops.town(canvas, rng, track + 1)
    size = rng.uniform(0.95, 1.15)
    w, h, r = 54 * size, 28 * size, 6.6 * size
    x, foot = rng.uniform(28, 36), track - r * 0.85
    canvas.ink.line([(0, foot - h - 6), (64, foot - h - 7)], (60, 60, 72), 0.6)
    canvas.ink.line([(x - 5, foot - h), (x, foot - h - 3), (x - 4, foot - h - 6.4)], (60, 60, 72), 0.9)
    upper = (252, 244, 222) if rng.chance(0.6) else rng.vivid()
    parts_built.carriage(canvas, x - w / 2, foot - h, w, h, (upper, rng.vivid()))
    frame, glass = parts_built.window_colors(rng, kind == "night" or rng.chance(0.15))
    count = rng.randint(3, 4)
    pane = (w - 4) / count - 2
    for index in range(count):
        px = x - w / 2 + 2 + (w - 4) * (index + 0.5) / count
        parts_built.window(canvas, rng, px, foot - h * 0.66, pane, h * 0.4, frame, glass)
    backdrops.street(canvas, rng, track)
    parts_built.rails(canvas, rng, track)
    rim = rng.vivid()
    for offset in (-0.3, 0.3):
        parts_built.wheel(canvas, rng, x + offset * w, track - r + 0.8, r, rim)


def train(canvas: Canvas, rng: SceneRandom) -> None:
    """A steam engine that puffs."""
    track = rng.uniform(50, 55)
    kind = backdrops.sky(canvas, rng, track)
    backdrops.hills(canvas, rng, track + 1, rng.near(0.3, 0.5, 0.6, 0.05))
    size, flip = rng.uniform(0.95, 1.15), rng.chance(0.5)
    side = -1 if flip else 1
    x, r = rng.uniform(28, 36), 7.2 * size
    axle = track - r + 0.8
    paint = rng.vivid()
    chimney = (x + side * 17 * size, axle - 15 * size)
    parts_built.smoke(canvas, rng, chimney[0], chimney[1] - 7 * size, -side * rng.uniform(0.6, 1.2))
    _funnel(canvas, chimney[0], chimney[1], size, dark(paint, 0.55))
    parts_built.boiler(canvas, x + side * 8 * size, axle - 9 * size, 32 * size, 14 * size, paint, flip)
    w, h = 18 * size, 25 * size
    _cabin(canvas, rng, (x - side * 16 * size - w / 2, axle - h + 2), (w, h * 0.95), kind == "night", count=1)
    canvas.ink.box(x - 25 * size, axle - 4.5, 50 * size, 4, dark(paint, 0.65))
    backdrops.meadow(canvas, rng, track, kind == "night")
    parts_built.rails(canvas, rng, track)
    rim = rng.vivid()
    for offset, scale in ((-16.5, 1.0), (0.5, 1.0), (17, 1.0)):
        parts_built.wheel(canvas, rng, x + side * offset * size, axle, r * scale, rim)


def _funnel(canvas: Canvas, x: float, y: float, size: float, color: Color) -> None:
    w, h = 7 * size, 9 * size
    stamp = canvas.stamp(w, h, color)
    stamp.shape.polygon([(0, 0), (w, 0), (w, h * 0.2), (w * 0.75, h * 0.3), (w * 0.75, h), (w * 0.25, h)], 255)
    stamp.shape.polygon([(0, 0), (w * 0.3, 0), (w * 0.3, h), (w * 0.25, h * 0.3), (0, h * 0.2)], 255)
    stamp.ink.box(0, 0, w, h * 0.2, light(color, 0.3))
    canvas.paste("boiler", stamp, x, y - h / 2 + 2)


def _scene_class(draw: Callable[[Canvas, SceneRandom], None], parts: str, extras: str = "") -> SceneClass:
    return SceneClass(draw, frozenset(parts.split()), frozenset(extras.split()))


SCENE_CLASSES: Mapping[str, SceneClass] = {
    "bird": _scene_class(bird, "feathers beak eye bark", "leaves"),
    "fireboat": _scene_class(fireboat, "hull water crane windows cabin", "jet"),
    "fish": _scene_class(fish, "water scales fins eye"),
    "flower": _scene_class(flower, "petals seeds leaves"),
    "house": _scene_class(house, "bricks roof windows door", "smoke"),
    "lighthouse": _scene_class(lighthouse, "stripes lamp roof water", "door windows"),
    "sailboat": _scene_class(sailboat, "hull sail water"),
    "streetcar": _scene_class(streetcar, "carriage windows wheels rails"),
    "train": _scene_class(train, "boiler cabin windows wheels rails smoke"),
    "tree": _scene_class(tree, "bark leaves", "fruit"),
}
