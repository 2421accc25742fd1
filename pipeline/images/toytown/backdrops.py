"""Scenery behind the parts: skies, suns, clouds, hills, meadows, sand, streets. It belongs to no part."""

from math import pi, sin

from PIL import Image

from pipeline.images.toytown.canvas import UNITS, Canvas, Color, SceneRandom, dark, hsv, light, mix

# (top, horizon) as hue, saturation, value
SKIES = {
    "day": ((0.57, 0.55, 0.95), (0.53, 0.18, 1.0)),
    "morning": ((0.55, 0.3, 0.95), (0.1, 0.35, 1.0)),
    "sunset": ((0.74, 0.45, 0.65), (0.06, 0.6, 1.0)),
    "mint": ((0.46, 0.3, 0.9), (0.17, 0.2, 1.0)),
    "rose": ((0.9, 0.25, 0.95), (0.12, 0.2, 1.0)),
    "night": ((0.65, 0.7, 0.28), (0.72, 0.5, 0.5)),
}


def gradient(canvas: Canvas, top: Color, bottom: Color, start: float = 0, end: float = UNITS) -> None:
    """Fill the rows from ``start`` to ``end`` (units) with a gradient from top to bottom."""
    steps = 32
    strip = Image.new("RGB", (1, steps))
    strip.putdata([mix(top, bottom, step / (steps - 1)) for step in range(steps)])
    first, last = (round((y - canvas.corner[1]) * canvas.scale) for y in (start, end))
    if last > first:
        filled = strip.resize((1, last - first), Image.Resampling.BILINEAR).resize((canvas.color.width, last - first))
        canvas.color.paste(filled, (0, first))


def sky(canvas: Canvas, rng: SceneRandom, horizon: float, night: float = 0.12) -> str:
    """A sky down to the horizon, with clouds, sun or stars; returns its kind. ``night`` is the probability of night."""
    kind = "night" if rng.chance(night) else rng.choice([name for name in SKIES if name != "night"])
    (top, bottom) = (rng.near(*color) for color in SKIES[kind])
    gradient(canvas, top, bottom, 0, horizon + 5)
    if kind == "night":
        for _ in range(rng.randint(8, 16)):
            star = rng.uniform(0.3, 0.6)
            canvas.ink.disc(rng.uniform(0, 64), rng.uniform(0, horizon), star, star, (255, 250, 215))
    elif rng.chance(0.7):
        for _ in range(rng.randint(1, 2)):
            _cloud(canvas, rng, light(bottom, 0.65))
    if kind == "night" or rng.chance(0.45):
        _sun(canvas, rng, kind)
    return kind


def _sun(canvas: Canvas, rng: SceneRandom, kind: str) -> None:
    x, y, r = rng.uniform(6, 58), rng.uniform(5, 16), rng.uniform(3.5, 6)
    color = (250, 246, 220) if kind == "night" else rng.near(0.13, 0.45, 1.0)
    canvas.ink.disc(x, y, r, r, color)
    if kind == "night":
        canvas.ink.disc(x + r * 0.2, y - r * 0.2, r * 0.25, r * 0.2, dark(color, 0.15))


def _cloud(canvas: Canvas, rng: SceneRandom, color: Color) -> None:
    x, y, r = rng.uniform(4, 60), rng.uniform(4, 18), rng.uniform(2.5, 4)
    for step, size in ((-1.5, 0.7), (-0.6, 1.0), (0.5, 1.15), (1.5, 0.75)):
        canvas.ink.disc(x + step * r, y - size * r * 0.3, size * r, size * r * 0.8, color)
    canvas.ink.box(x - 2.2 * r, y, 4.4 * r, 0.8 * r, color, radius=0.4 * r)


def hills(canvas: Canvas, rng: SceneRandom, horizon: float, color: Color) -> None:
    """Two ranges of hills on the horizon."""
    for depth in (0.55, 0.2):
        height, waves, phase = rng.uniform(3, 7), rng.uniform(0.8, 2.0), rng.uniform(0, 2 * pi)
        ridge = [(x, horizon - height * (0.6 + 0.4 * sin(phase + waves * x / 10))) for x in range(0, 65, 4)]
        canvas.ink.polygon([*ridge, (64, horizon + 1), (0, horizon + 1)], mix(color, (190, 205, 225), depth))


def meadow(canvas: Canvas, rng: SceneRandom, horizon: float, night: bool = False) -> None:
    """Grass with blades and a few tiny flowers, from the horizon down."""
    green = rng.near(0.29, 0.55, 0.45 if night else 0.72, 0.04)
    gradient(canvas, light(green, 0.2), dark(green, 0.2), horizon)
    for _ in range(70):
        x, y, tall = rng.uniform(0, 64), rng.uniform(horizon + 1, 65), rng.uniform(1.2, 2.8)
        blade = dark(green, 0.3) if rng.chance(0.6) else light(green, 0.3)
        canvas.ink.line([(x, y), (x + rng.uniform(-0.8, 0.8), y - tall)], blade, 0.5)
    for _ in range(rng.randint(0, 6)):
        x, y = rng.uniform(0, 64), rng.uniform(horizon + 2, 63)
        canvas.ink.disc(x, y, 0.8, 0.8, rng.choice([(255, 255, 255), (255, 224, 90), (250, 150, 190)]))


def sand(canvas: Canvas, rng: SceneRandom, horizon: float) -> None:
    """A beach with grains, from the horizon down."""
    yellow = rng.near(0.12, 0.35, 0.92)
    gradient(canvas, light(yellow, 0.2), dark(yellow, 0.12), horizon)
    for _ in range(60):
        x, y = rng.uniform(0, 64), rng.uniform(horizon + 1, 64)
        canvas.ink.disc(x, y, 0.45, 0.35, dark(yellow, rng.uniform(0.15, 0.4)))


def town(canvas: Canvas, rng: SceneRandom, horizon: float) -> None:
    """A far row of house fronts on the horizon."""
    x = -2.0
    haze = hsv(rng.uniform(0, 1), 0.22, 0.8)
    while x < 64:
        w, h = rng.uniform(7, 12), rng.uniform(7, 17)
        front = mix(haze, rng.vivid(), 0.18)
        canvas.ink.box(x, horizon - h, w, h + 1, front)
        canvas.ink.polygon([(x, horizon - h), (x + w / 2, horizon - h - 4), (x + w, horizon - h)], dark(front, 0.2))
        x += w


def street(canvas: Canvas, rng: SceneRandom, horizon: float) -> None:
    """Cobbles from the horizon down."""
    gray = rng.near(0.6, 0.08, 0.62)
    canvas.ink.box(0, horizon, 64, 64 - horizon, dark(gray, 0.25))
    row, y = 0, horizon + 0.3
    while y < 64:
        for column in range(-1, 14):
            x = column * 5 + (row % 2) * 2.5
            canvas.ink.box(x, y, 4.4, 2.6, mix(gray, (255, 255, 255), rng.uniform(0, 0.2)), radius=0.8)
        y += 3.1
        row += 1
