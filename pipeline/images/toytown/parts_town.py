"""Parts of the town: windows, doors, bricks, roofs, chimneys, striped towers."""

from pipeline.images.toytown.canvas import Canvas, Colour
from pipeline.images.toytown.colours import Dice, dark, light, mix


def window(canvas: Canvas, dice: Dice, x: float, y: float, w: float, h: float, frame: Colour, glass: Colour) -> None:
    """A window of four panes with a gleam on each; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, frame)
    stamp.cut.box(0, 0, w, h, 255, radius=0.8)
    rim, bar = 1.1, 0.9
    pw, ph = (w - 2 * rim - bar) / 2, (h - 2 * rim - bar) / 2
    for column in (0, 1):
        for row in (0, 1):
            px, py = rim + column * (pw + bar), rim + row * (ph + bar)
            stamp.ink.box(px, py, pw, ph, glass)
            stamp.ink.polygon([(px, py), (px + 0.75 * pw, py), (px, py + 0.75 * ph)], light(glass, 0.6))
    canvas.place("windows", stamp, x, y, dice.between(-2, 2))


def window_colours(dice: Dice, lit: bool) -> tuple[Colour, Colour]:
    """A frame and its glass: warm when a lamp burns behind it, the colour of the sky otherwise."""
    frame = dice.choice(((250, 248, 240), (250, 248, 240), (95, 60, 40), (45, 50, 65)))
    glass = dice.near(0.13, 0.6, 0.99) if lit else dice.near(0.56, 0.45, 0.72)
    return frame, glass


def door(canvas: Canvas, dice: Dice, x: float, foot: float, w: float, h: float) -> None:
    """A panelled door with a round arch and a knob; (x, foot) is the middle of its sill."""
    wood = dice.vivid() if dice.chance(0.6) else dice.near(0.07, 0.6, 0.45)
    stamp = canvas.stamp(w, h, light(wood, 0.75))
    stamp.cut.disc(w / 2, w / 2, w / 2, w / 2, 255)
    stamp.cut.box(0, w / 2, w, h - w / 2, 255)
    stamp.ink.disc(w / 2, w / 2, w / 2 - 0.9, w / 2 - 0.9, wood)
    stamp.ink.box(0.9, w / 2, w - 1.8, h, wood)
    pw = (w - 4.2) / 2
    for column in (0, 1):
        px = 1.7 + column * (pw + 0.8)
        stamp.ink.box(px, w * 0.35, pw, h * 0.3, dark(wood, 0.4))
        stamp.ink.box(px, w * 0.35 + h * 0.38, pw, h * 0.24, dark(wood, 0.4))
    stamp.ink.disc(w * 0.8, h * 0.62, 0.8, 0.8, (255, 220, 90))
    canvas.place("door", stamp, x, foot - h / 2)


def bricks(canvas: Canvas, dice: Dice, x: float, y: float, w: float, h: float) -> None:
    """A brick wall; (x, y) is its top left corner."""
    hue = dice.choice((0.01, 0.03, 0.06, 0.09))
    clay = dice.near(hue, 0.58, 0.72)
    stamp = canvas.stamp(w, h, light(clay, 0.62))
    stamp.cut.box(0, 0, w, h, 255)
    row, by = 0, 0.0
    while by < h:
        bx = -2.7 if row % 2 else 0.0
        while bx < w:
            stamp.ink.box(bx, by, 4.7, 2.6, mix(clay, dark(clay), dice.between(0, 0.55)))
            bx += 5.4
        by += 3.3
        row += 1
    canvas.place("bricks", stamp, x + w / 2, y + h / 2)


def roof(canvas: Canvas, dice: Dice, x: float, foot: float, w: float, h: float, top: float) -> None:
    """A roof of round tiles; (x, foot) is the middle of its eaves, ``top`` the width of its ridge."""
    tile = dice.choice((dice.near(0.01, 0.7, 0.68), dice.near(0.6, 0.4, 0.5), dice.near(0.4, 0.45, 0.5), dice.vivid()))
    stamp = canvas.stamp(w, h, tile)
    stamp.cut.polygon([((w - top) / 2, 0), ((w + top) / 2, 0), (w, h), (0, h)], 255)
    step, rows = 4.2, int(h / 3.1) + 1
    for row in range(rows, -1, -1):
        cy, shift = h - (rows - row) * 3.1, (row % 2) * step / 2
        cx = shift - step
        while cx < w + step:
            stamp.ink.disc(cx, cy - 1.6, step / 2, 3.2, dark(tile, 0.5))
            stamp.ink.disc(cx, cy - 2.2, step / 2 - 0.35, 3.1, mix(tile, light(tile, 0.35), dice.between(0, 0.7)))
            cx += step
    stamp.ink.box((w - top) / 2, 0, top, 1.2, dark(tile, 0.4))
    canvas.place("roof", stamp, x, foot - h / 2)


def stripes(canvas: Canvas, dice: Dice, x: float, foot: float, w: float, h: float, top: float) -> Colour:
    """A tapered tower with slanting bands, lit from the left; (x, foot) is the middle of its foot."""
    band = dice.choice((dice.near(0.99, 0.82, 0.85), dice.near(0.6, 0.75, 0.6), dice.near(0.4, 0.7, 0.5), dice.vivid()))
    white = (250, 247, 238)
    stamp = canvas.stamp(w, h, white)
    stamp.cut.polygon([((w - top) / 2, 0), ((w + top) / 2, 0), (w, h), (0, h)], 255)
    step, slant = dice.between(5.5, 7.0), dice.choice((-4.0, 0.0, 4.0))
    for row in range(-1, int(h / step) + 2, 2):
        y = row * step
        stamp.ink.polygon([(0, y), (w, y + slant), (w, y + slant + step), (0, y + step)], band)
    shade = [(0.72 * w, 0), (w, 0), (w, h), (0.78 * w, h)]
    shaded = stamp.colour.point(lambda value: int(value * 0.78))
    cover = canvas.stamp(w, h, white)
    cover.cut.polygon(shade, 255)
    stamp.colour.paste(shaded, (0, 0), cover.mask)
    canvas.place("stripes", stamp, x, foot - h / 2)
    return band
