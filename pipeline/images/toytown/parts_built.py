"""Parts of what is built, and of the water around it: houses, towers, rails and wheels, boats, smoke."""

from math import cos, pi, sin

from pipeline.images.toytown.canvas import Canvas, Color, SceneRandom, dark, light, mix


def window(
    canvas: Canvas, rng: SceneRandom, x: float, y: float, w: float, h: float, frame: Color, glass: Color
) -> None:
    """A window of four panes with a gleam on each; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, frame)
    stamp.shape.box(0, 0, w, h, 255, radius=0.8)
    rim, bar = 1.1, 0.9
    pw, ph = (w - 2 * rim - bar) / 2, (h - 2 * rim - bar) / 2
    for column in (0, 1):
        for row in (0, 1):
            px, py = rim + column * (pw + bar), rim + row * (ph + bar)
            stamp.ink.box(px, py, pw, ph, glass)
            stamp.ink.polygon([(px, py), (px + 0.75 * pw, py), (px, py + 0.75 * ph)], light(glass, 0.6))
    canvas.paste("windows", stamp, x, y, rng.uniform(-2, 2))


def window_colors(rng: SceneRandom, lit: bool) -> tuple[Color, Color]:
    """Colors of a frame and its glass: warm where the window is lit, the color of the sky otherwise."""
    frame = rng.choice(((250, 248, 240), (250, 248, 240), (95, 60, 40), (45, 50, 65)))
    glass = rng.near(0.13, 0.6, 0.99) if lit else rng.near(0.56, 0.45, 0.72)
    return frame, glass


def door(canvas: Canvas, rng: SceneRandom, x: float, foot: float, w: float, h: float) -> None:
    """A panelled door with a round arch and a knob; (x, foot) is the middle of its sill."""
    wood = rng.vivid() if rng.chance(0.6) else rng.near(0.07, 0.6, 0.45)
    stamp = canvas.stamp(w, h, light(wood, 0.75))
    stamp.shape.disc(w / 2, w / 2, w / 2, w / 2, 255)
    stamp.shape.box(0, w / 2, w, h - w / 2, 255)
    stamp.ink.disc(w / 2, w / 2, w / 2 - 0.9, w / 2 - 0.9, wood)
    stamp.ink.box(0.9, w / 2, w - 1.8, h, wood)
    pw = (w - 4.2) / 2
    for column in (0, 1):
        px = 1.7 + column * (pw + 0.8)
        stamp.ink.box(px, w * 0.35, pw, h * 0.3, dark(wood, 0.4))
        stamp.ink.box(px, w * 0.35 + h * 0.38, pw, h * 0.24, dark(wood, 0.4))
    stamp.ink.disc(w * 0.8, h * 0.62, 0.8, 0.8, (255, 220, 90))
    canvas.paste("door", stamp, x, foot - h / 2)


def bricks(canvas: Canvas, rng: SceneRandom, x: float, y: float, w: float, h: float) -> None:
    """A brick wall; (x, y) is its top left corner."""
    hue = rng.choice((0.01, 0.03, 0.06, 0.09))
    clay = rng.near(hue, 0.58, 0.72)
    stamp = canvas.stamp(w, h, light(clay, 0.62))
    stamp.shape.box(0, 0, w, h, 255)
    row, by = 0, 0.0
    while by < h:
        bx = -2.7 if row % 2 else 0.0
        while bx < w:
            stamp.ink.box(bx, by, 4.7, 2.6, mix(clay, dark(clay), rng.uniform(0, 0.55)))
            bx += 5.4
        by += 3.3
        row += 1
    canvas.paste("bricks", stamp, x + w / 2, y + h / 2)


def roof(canvas: Canvas, rng: SceneRandom, x: float, foot: float, w: float, h: float, top: float) -> None:
    """A roof of round tiles; (x, foot) is the middle of its eaves, ``top`` the width of its ridge."""
    tile = rng.choice((rng.near(0.01, 0.7, 0.68), rng.near(0.6, 0.4, 0.5), rng.near(0.4, 0.45, 0.5), rng.vivid()))
    stamp = canvas.stamp(w, h, tile)
    stamp.shape.polygon([((w - top) / 2, 0), ((w + top) / 2, 0), (w, h), (0, h)], 255)
    step, rows = 4.2, int(h / 3.1) + 1
    for row in range(rows, -1, -1):
        cy, shift = h - (rows - row) * 3.1, (row % 2) * step / 2
        cx = shift - step
        while cx < w + step:
            stamp.ink.disc(cx, cy - 1.6, step / 2, 3.2, dark(tile, 0.5))
            stamp.ink.disc(cx, cy - 2.2, step / 2 - 0.35, 3.1, mix(tile, light(tile, 0.35), rng.uniform(0, 0.7)))
            cx += step
    stamp.ink.box((w - top) / 2, 0, top, 1.2, dark(tile, 0.4))
    canvas.paste("roof", stamp, x, foot - h / 2)


def stripes(canvas: Canvas, rng: SceneRandom, x: float, foot: float, w: float, h: float, top: float) -> Color:
    """A tapered tower with slanting bands, lit from the left; (x, foot) is the middle of its foot."""
    band = rng.choice((rng.near(0.99, 0.82, 0.85), rng.near(0.6, 0.75, 0.6), rng.near(0.4, 0.7, 0.5), rng.vivid()))
    white = (250, 247, 238)
    stamp = canvas.stamp(w, h, white)
    stamp.shape.polygon([((w - top) / 2, 0), ((w + top) / 2, 0), (w, h), (0, h)], 255)
    step, slant = rng.uniform(5.5, 7.0), rng.choice((-4.0, 0.0, 4.0))
    for row in range(-1, int(h / step) + 2, 2):
        y = row * step
        stamp.ink.polygon([(0, y), (w, y + slant), (w, y + slant + step), (0, y + step)], band)
    shade = [(0.72 * w, 0), (w, 0), (w, h), (0.78 * w, h)]
    shaded = stamp.color.point(lambda value: int(value * 0.78))
    cover = canvas.stamp(w, h, white)
    cover.shape.polygon(shade, 255)
    stamp.color.paste(shaded, (0, 0), cover.mask)
    canvas.paste("stripes", stamp, x, foot - h / 2)
    return band


def wheel(canvas: Canvas, rng: SceneRandom, x: float, y: float, r: float, color: Color) -> None:
    """A spoked wheel with a dark tire around (x, y)."""
    stamp = canvas.stamp(2 * r, 2 * r, (38, 36, 44))
    stamp.shape.disc(r, r, r, r, 255)
    stamp.ink.ring(r, r, r * 0.84, r * 0.84, (150, 152, 160), r * 0.1)
    stamp.ink.disc(r, r, r * 0.74, r * 0.74, dark(color, 0.72))
    spokes, turn = 8, rng.uniform(0, pi / 4)
    for spoke in range(spokes):
        angle = turn + 2 * pi * spoke / spokes
        end = (r + 0.76 * r * cos(angle), r + 0.76 * r * sin(angle))
        stamp.ink.line([(r, r), end], color, r * 0.15)
    stamp.ink.ring(r, r, r * 0.78, r * 0.78, color, r * 0.13)
    stamp.ink.disc(r, r, r * 0.27, r * 0.27, light(color, 0.45))
    stamp.ink.disc(r, r, r * 0.11, r * 0.11, dark(color, 0.7))
    canvas.paste("wheels", stamp, x, y)


def rails(canvas: Canvas, rng: SceneRandom, top: float) -> None:
    """Two steel rails on sleepers in gravel, across the whole width, ``top`` is where wheels stand."""
    h = rng.uniform(9, 11)
    gravel = rng.near(0.1, 0.1, 0.6)
    stamp = canvas.stamp(68, h, gravel)
    stamp.shape.box(0, 0, 68, h, 255)
    for _ in range(70):
        shade = dark(gravel, rng.uniform(0.1, 0.4)) if rng.chance(0.6) else light(gravel, 0.4)
        stamp.ink.disc(rng.uniform(0, 68), rng.uniform(1, h), 0.6, 0.5, shade)
    wood, step, shift = rng.near(0.07, 0.5, 0.38), rng.uniform(6.6, 7.6), rng.uniform(0, 7)
    for sleeper in range(-1, 11):
        x = shift + sleeper * step
        stamp.ink.polygon([(x, 1), (x + 2.6, 1), (x + 3.2, h - 0.7), (x - 0.6, h - 0.7)], wood)
        stamp.ink.line([(x + 0.5, 1), (x + 0.2, h - 0.7)], light(wood, 0.25), 0.5)
    for y, thick in ((0, 1.5), (h * 0.6, 1.9)):
        stamp.ink.box(0, y, 68, thick, (70, 76, 90))
        stamp.ink.box(0, y, 68, thick * 0.45, (205, 212, 222))
    canvas.paste("rails", stamp, 32, top + h / 2)


def carriage(canvas: Canvas, x: float, y: float, w: float, h: float, colors: tuple[Color, Color]) -> None:
    """A streetcar's body in two tones with a bright belt and riveted panels; (x, y) is its top left corner."""
    upper, lower = colors
    stamp = canvas.stamp(w, h, upper)
    stamp.shape.box(0, 0, w, h, 255, radius=3.5)
    stamp.ink.box(0, 0, w, 2.4, dark(upper, 0.45))
    stamp.ink.box(0, h * 0.6, w, h * 0.4, lower)
    stamp.ink.box(0, h * 0.6, w, 1.3, light(lower, 0.8))
    panels = max(3, round(w / 10))
    for panel in range(1, panels):
        px = panel * w / panels
        stamp.ink.line([(px, h * 0.68), (px, h)], dark(lower, 0.4), 0.6)
    stamp.ink.box(0, h - 1.4, w, 1.4, dark(lower, 0.5))
    canvas.paste("carriage", stamp, x + w / 2, y + h / 2)


def boiler(canvas: Canvas, x: float, y: float, w: float, h: float, color: Color, flip: bool) -> None:
    """A round boiler with brass bands and a shine along its back; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, color)
    stamp.shape.box(0, 0, w, h, 255, radius=2.5)
    stamp.ink.box(0, h * 0.65, w, h * 0.35, dark(color, 0.45))
    stamp.ink.box(0, h * 0.13, w, h * 0.17, light(color, 0.55))
    for band in range(1, 5):
        stamp.ink.box(band * w / 5 - 0.6, 0, 1.3, h, (240, 200, 85))
    stamp.ink.box(w - 3, 0, 3, h, (45, 44, 54))
    canvas.paste("boiler", stamp, x, y, 0, flip)


def water(canvas: Canvas, rng: SceneRandom, top: float) -> None:
    """Water from ``top`` down over the whole width: rows of scalloped crests."""
    blue = rng.near(rng.choice((0.52, 0.56, 0.59)), 0.66, 0.76)
    h = 66 - top
    stamp = canvas.stamp(68, h, blue)
    wave, phase = rng.uniform(9, 11.5), rng.uniform(0, 8)
    stamp.shape.polygon([*_crest(0.8, wave, phase, 1.3), (68, h), (0, h)], 255)
    row, y = 0, 0.8
    while y < h + 4:
        line = _crest(y, wave, phase + row * wave / 2, 2.6)
        stamp.ink.polygon([*line, (68, h), (0, h)], mix(blue, dark(blue, 0.45), min(1.0, y / 50)))
        stamp.ink.line(line, light(blue, 0.8), 1.0)
        y += 5.4
        row += 1
    canvas.paste("water", stamp, 32, top + h / 2)


def _crest(y: float, wave: float, phase: float, height: float) -> list[tuple[float, float]]:
    steps = [float(step) for step in range(69)]
    return [(x, y + height - height * abs(sin(pi * (x + phase) / wave))) for x in steps]


def hull(canvas: Canvas, rng: SceneRandom, x: float, y: float, w: float, h: float, flip: bool, color: Color) -> None:
    """A hull with planks and a bright rail; (x, y) is the middle of its deck."""
    stamp = canvas.stamp(w, h, color)
    bow = [(w - 0.02 * w * t * t, h * t / 6) for t in range(7)]
    stamp.shape.polygon([(0, h * 0.12), (w * 0.5, h * 0.16), (w, 0), *bow, (w * 0.8, h), (w * 0.12, h)], 255)
    planks = max(2, round(h / 3.2))
    for plank in range(1, planks + 1):
        line = h * (0.14 + 0.86 * plank / (planks + 1))
        stamp.ink.line([(0, line), (w, line)], dark(color, 0.45), 0.6)
    stamp.ink.line([(0, h * 0.16), (w * 0.5, h * 0.2), (w, h * 0.06)], light(color, 0.7), h * 0.17)
    stamp.ink.box(0, h * 0.82, w, h * 0.2, rng.choice(((120, 30, 35), (40, 45, 60), (245, 240, 225))))
    canvas.paste("hull", stamp, x, y + h / 2, rng.uniform(-3, 3), flip)


def sail(canvas: Canvas, rng: SceneRandom, x: float, y: float, w: float, h: float, flip: bool) -> None:
    """A bellied triangular sail with seams and stripes; (x, y) is its foot at the mast."""
    white = rng.near(0.12, 0.08, 0.97)
    cloth = rng.vivid() if rng.chance(0.55) else white
    stamp = canvas.stamp(w, h, cloth)
    belly = [(w * (t / 6) ** 0.75, h * t / 6) for t in range(7)]
    stamp.shape.polygon([(0, 0), *belly, (w, h * 0.97), (0, h)], 255)
    stripe = light(cloth, 0.8) if cloth != white else rng.vivid()
    step = rng.uniform(5.5, 7.5)
    for band in range(1, int(h / step) + 1, 2):
        stamp.ink.polygon([(0, band * step), (w, band * step - 1), (w, band * step + 2), (0, band * step + 3)], stripe)
    for seam in range(1, int(h / step) + 1):
        stamp.ink.line([(0, seam * step), (w, seam * step - 1)], dark(cloth, 0.2), 0.35)
    stamp.ink.line(belly, dark(cloth, 0.35), 0.8)
    stamp.ink.line([(0, h - 0.4), (w, h - 0.4)], dark(cloth, 0.35), 0.8)
    canvas.paste("sail", stamp, x + (-w / 2 if flip else w / 2), y - h / 2, rng.uniform(-2, 2), flip)


def crane(canvas: Canvas, rng: SceneRandom, x: float, y: float, length: float, angle: float) -> None:
    """A lattice boom from its foot (x, y), raised by ``angle`` degrees, with cable and hook at its tip."""
    steel = rng.choice(((250, 190, 30), (240, 120, 25), (110, 126, 146), (225, 50, 45)))
    h = 7.5
    stamp = canvas.stamp(length, h, steel)
    bays = max(3, round(length / 5.0))
    bay = length / bays
    for first, last in (((0, 0.7), (length, 0.7)), ((0, h - 0.7), (length, h - 0.7))):
        stamp.shape.line([first, last], 255, 1.5)
    for step in range(bays):
        a, b = step * bay, (step + 1) * bay
        stamp.shape.line([(a, 0.7), (b, h - 0.7)], 255, 0.9)
        stamp.shape.line([(a, h - 0.7), (b, 0.7)], 255, 0.9)
        stamp.shape.line([(b - 0.4, 0), (b - 0.4, h)], 255, 1.0)
    stamp.ink.line([(0, h - 0.6), (length, h - 0.6)], dark(steel, 0.3), 0.9)
    turn = angle * pi / 180
    tip = (x + length * cos(turn), y - length * sin(turn))
    canvas.paste("crane", stamp, (x + tip[0]) / 2, (y + tip[1]) / 2, angle)
    _hook(canvas, tip, rng.uniform(5, 9), steel)


def _hook(canvas: Canvas, tip: tuple[float, float], drop: float, steel: Color) -> None:
    stamp = canvas.stamp(5, drop + 4, dark(steel, 0.75))
    stamp.shape.line([(2.5, 0), (2.5, drop)], 255, 0.7)
    stamp.shape.disc(2.5, drop, 1.0, 1.0, 255)
    stamp.shape.arc(2.5, drop + 1.8, 1.5, 1.6, (-60, 190), 255, 0.9)
    canvas.paste("crane", stamp, tip[0], tip[1] + (drop + 4) / 2)


def smoke(canvas: Canvas, rng: SceneRandom, x: float, y: float, lean: float) -> None:
    """A trail of puffs that grow as they rise from (x, y) and lean to one side."""
    gray = rng.near(0.6, 0.05, rng.uniform(0.72, 0.93))
    r, px, py = 3.1, x, y - 1.5
    puffs = []
    for _ in range(rng.randint(4, 6)):
        puffs.append((px, py, r))
        px, py, r = px + lean * r * rng.uniform(0.7, 1.2), py - r * rng.uniform(0.7, 1.0), r * 1.24
    for px, py, r in reversed(puffs):
        stamp = canvas.stamp(2 * r + 1, 2 * r + 1, dark(gray, 0.32))
        c = r + 0.5
        stamp.shape.disc(c, c, r, r, 255)
        stamp.ink.disc(c - 0.12 * r, c - 0.15 * r, 0.86 * r, 0.86 * r, gray)
        stamp.ink.disc(c - 0.3 * r, c - 0.35 * r, 0.5 * r, 0.45 * r, light(gray, 0.6))
        stamp.ink.arc(c + 0.1 * r, c + 0.1 * r, 0.55 * r, 0.55 * r, (20, 160), dark(gray, 0.22), 0.5)
        canvas.paste("smoke", stamp, px, py)
