"""Parts of living things: bark, leaves, petals, seeds; scales, fins, feathers, beaks, eyes."""

from math import cos, pi, sin

from pipeline.images.toytown.canvas import Canvas, Color, Pen, Point, SceneRandom, dark, light, mix


def bark(canvas: Canvas, rng: SceneRandom, x: float, y: float, w: float, h: float, angle: float = 0) -> None:
    """A trunk or branch with furrowed bark; (x, y) is its middle."""
    wood = rng.near(0.07, 0.52, 0.48)
    stamp = canvas.stamp(w, h, wood)
    stamp.shape.polygon([(w * 0.14, 0), (w * 0.86, 0), (w * 0.9, h * 0.7), (w, h), (0, h), (w * 0.1, h * 0.7)], 255)
    for furrow in range(max(3, round(w / 1.7))):
        fx, sway = (furrow + 0.5) * w / max(3, round(w / 1.7)), rng.uniform(0, 2 * pi)
        line = [(fx + 0.5 * sin(sway + t * 0.9), t * h / 8) for t in range(9)]
        stamp.ink.line(line, dark(wood, 0.5) if furrow % 2 else light(wood, 0.3), 0.7)
    canvas.paste("bark", stamp, x, y, angle)


def _almond(length: float, width: float, angle: float, x: float, y: float, blunt: float = 0.8) -> list[Point]:
    """A leaf's outline from its stalk at (x, y), along ``angle`` (radians); a large ``blunt`` rounds its tip."""
    steps = 8
    side = [(length * t / steps, width / 2 * sin(pi * (t / steps) ** blunt)) for t in range(steps + 1)]
    outline = side + [(a, -b) for a, b in reversed(side)]
    return [(x + a * cos(angle) - b * sin(angle), y + a * sin(angle) + b * cos(angle)) for a, b in outline]


def crown(canvas: Canvas, rng: SceneRandom, x: float, y: float, rx: float, ry: float) -> None:
    """A tree's crown of many leaves, light above and dark below; (x, y) is its middle."""
    hue = rng.choice((0.25, 0.29, 0.33, 0.37, 0.09, 0.02))
    green = rng.near(hue, 0.68, 0.62)
    w, h = 2 * rx + 8, 2 * ry + 8
    stamp = canvas.stamp(w, h, dark(green, 0.55))
    cx, cy = w / 2, h / 2
    stamp.shape.disc(cx, cy, rx * 0.92, ry * 0.92, 255)
    stamp.ink.disc(cx, cy, rx, ry, dark(green, 0.5))
    count = round(rx * ry / 4.2)
    for leaf in range(count):
        # the golden angle spreads leaves evenly from the rim to the middle
        turn, reach = leaf * 2.39996 + rng.uniform(-0.2, 0.2), (1 - leaf / count) ** 0.5
        lx, ly = cx + rx * reach * cos(turn), cy + ry * reach * sin(turn)
        lit = 0.5 - 0.42 * (reach * sin(turn)) - 0.2 * reach * cos(turn)
        color = mix(dark(green, 0.3), light(green, 0.4), min(max(lit + rng.uniform(-0.25, 0.25), 0), 1))
        outline = _almond(6.2, 3.6, turn + rng.uniform(-0.7, 0.7), lx - 2 * cos(turn), ly - 2 * sin(turn))
        stamp.shape.polygon(outline, 255)
        stamp.ink.polygon(outline, color)
        stamp.ink.line([outline[0], outline[8]], dark(color, 0.3), 0.35)
    canvas.paste("leaves", stamp, x, y)


def leaf(canvas: Canvas, rng: SceneRandom, x: float, y: float, length: float, angle: float) -> None:
    """One large veined leaf from its stalk at (x, y), pointing along ``angle`` (radians, clockwise from the right)."""
    green = rng.near(0.32, 0.65, 0.58, 0.04)
    side = 2 * length + 2
    stamp = canvas.stamp(side, side, green)
    c = side / 2
    outline = _almond(length, length * 0.48, angle, c, c)
    stamp.shape.polygon(outline, 255)
    tip = (c + length * cos(angle), c + length * sin(angle))
    for step in range(1, 6):
        vx, vy = c + (tip[0] - c) * step / 6, c + (tip[1] - c) * step / 6
        for turn in (-0.8, 0.8):
            end = (vx + length * 0.3 * cos(angle + turn), vy + length * 0.3 * sin(angle + turn))
            stamp.ink.line([(vx, vy), end], light(green, 0.5), 0.6)
    stamp.ink.line([(c, c), tip], light(green, 0.6), 0.8)
    canvas.paste("leaves", stamp, x, y)


def petals(canvas: Canvas, rng: SceneRandom, x: float, y: float, r: float) -> Color:
    """A ring of petals around (x, y), each with a fold and a darker heart."""
    hue = rng.choice((0.0, 0.04, 0.08, 0.14, 0.6, 0.7, 0.78, 0.86, 0.92, 0.96))
    color = rng.near(0.12, 0.06, 0.98) if rng.chance(0.2) else rng.near(hue, 0.78, 0.92)
    stamp = canvas.stamp(2 * r + 2, 2 * r + 2, color)
    c, count, turn = r + 1, rng.randint(8, 12), rng.uniform(0, 1)
    width = r * 3.6 * pi / (2 * count)
    for petal in range(count):
        angle = turn + 2 * pi * petal / count
        shade = mix(color, light(color, 0.45), 0.35 + 0.35 * sin(angle * 3 + petal * 2.4))
        outline = _almond(r, width, angle, c, c, blunt=1.9)
        stamp.shape.polygon(outline, 255)
        stamp.ink.polygon(outline, shade)
        stamp.ink.line([*outline, outline[0]], dark(color, 0.35), 0.5)
        stamp.ink.line([(c, c), (c + 0.7 * r * cos(angle), c + 0.7 * r * sin(angle))], dark(color, 0.3), 0.6)
    canvas.paste("petals", stamp, x, y)
    return color


def seeds(canvas: Canvas, rng: SceneRandom, x: float, y: float, r: float) -> None:
    """A flower's heart around (x, y): seeds in spirals."""
    gold = rng.choice((rng.near(0.13, 0.8, 0.95), rng.near(0.13, 0.8, 0.95), rng.near(0.07, 0.6, 0.42)))
    stamp = canvas.stamp(2 * r, 2 * r, dark(gold, 0.45))
    stamp.shape.disc(r, r, r, r, 255)
    count = round(6 * r)
    for seed in range(count):
        turn, reach = seed * 2.39996, r * 0.92 * (seed / count) ** 0.5
        stamp.ink.disc(r + reach * cos(turn), r + reach * sin(turn), 0.62, 0.62, light(gold, 0.35 * (seed % 2)))
    canvas.paste("seeds", stamp, x, y)


def stem(canvas: Canvas, rng: SceneRandom, top: Point, foot: Point, width: float) -> None:
    """A flower's stem between two points; it belongs to the leaves."""
    green = rng.near(0.31, 0.6, 0.5)
    stamp = canvas.stamp(64, 64, green)
    bend = ((top[0] + foot[0]) / 2 + rng.uniform(-2, 2), (top[1] + foot[1]) / 2)
    stamp.shape.line([top, bend, foot], 255, width)
    stamp.ink.line([(px - width * 0.2, py) for px, py in (top, bend, foot)], light(green, 0.4), width * 0.3)
    canvas.paste("leaves", stamp, 32, 32)


def _rows(ink: Pen, w: float, h: float, step: float, color: Color, deep: float) -> None:
    """Overlapping rounded rows, each over the one behind it, as scales lie on a fish that swims to the right."""
    column, x = 0, -step
    while x < w + step:
        y = -step + (column % 2) * step / 2
        while y < h + step:
            tone = mix(light(color, 0.4), dark(color, 0.1), min(max(y / h, 0), 1))
            ink.disc(x, y, deep, step * 0.54, dark(tone, 0.6))
            ink.disc(x + 0.9, y, deep, step * 0.47, tone)
            y += step
        x += step * 0.72
        column += 1


def scales(canvas: Canvas, rng: SceneRandom, x: float, y: float, w: float, h: float, flip: bool, angle: float) -> Color:
    """A fish's body covered in scales, its head to the right; (x, y) is its middle."""
    color = rng.vivid()
    stamp = canvas.stamp(w, h, color)
    back = [(w * t / 12, h / 2 - h / 2 * sin(pi * (0.04 + 0.96 * t / 12) ** 0.8) ** 0.8) for t in range(13)]
    stamp.shape.polygon([*back, *[(px, h - py) for px, py in reversed(back)]], 255)
    _rows(stamp.ink, w, h, 5.6, color, 4.1)
    stamp.ink.disc(w * 1.02, h / 2, w * 0.3, h * 0.62, mix(color, (255, 235, 190), 0.35))
    stamp.ink.arc(w * 1.02, h / 2, w * 0.3, h * 0.62, (100, 260), dark(color, 0.5), 0.9)
    stamp.ink.arc(w * 0.99, h * 0.58, w * 0.07, h * 0.1, (60, 190), dark(color, 0.75), 0.9)
    canvas.paste("scales", stamp, x, y, angle, flip)
    return color


def fin(canvas: Canvas, x: float, y: float, w: float, h: float, color: Color, flip: bool, angle: float) -> None:
    """A fan of rays with a scalloped rim that opens to the left; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, light(color, 0.25))
    rim = [(w * (0.1 * (t % 2) + 0.25 * sin(pi * t / 8)), h * t / 8) for t in range(9)]
    stamp.shape.polygon([(w, h * 0.35), *rim, (w, h * 0.65)], 255)
    for ray in range(9):
        stamp.ink.line([(w, h / 2), (0, h * ray / 8)], dark(color, 0.5), 0.7)
    canvas.paste("fins", stamp, x, y, angle, flip)


def eye(canvas: Canvas, rng: SceneRandom, x: float, y: float, r: float) -> None:
    """A big round eye around (x, y) with a colored iris, a pupil and a gleam."""
    stamp = canvas.stamp(2 * r, 2 * r, (25, 22, 30))
    stamp.shape.disc(r, r, r, r, 255)
    stamp.ink.disc(r, r, r * 0.86, r * 0.86, (255, 253, 245))
    stamp.ink.disc(r, r, r * 0.62, r * 0.62, rng.choice(((250, 190, 40), (70, 150, 220), (90, 180, 90))))
    stamp.ink.disc(r, r, r * 0.42, r * 0.42, (18, 16, 22))
    stamp.ink.disc(r * 0.75, r * 0.72, r * 0.18, r * 0.18, (255, 255, 255))
    canvas.paste("eye", stamp, x, y)


def feathers(canvas: Canvas, x: float, y: float, w: float, h: float, color: Color, flip: bool, angle: float) -> None:
    """A wing or tail of long layered feathers that point to the left; (x, y) is its middle."""
    stamp = canvas.stamp(w, h, dark(color, 0.5))
    count = max(3, round(h / 2.6))
    for row in range(count - 1, -1, -1):
        py = h * (row + 0.5) / count
        reach = w * (0.62 + 0.38 * (1 - row / count))
        tone = mix(light(color, 0.35), dark(color, 0.3), row / max(1, count - 1))
        for pen, shrink, fill in (
            (stamp.shape, 0.0, 255),
            (stamp.ink, 0.0, dark(tone, 0.55)),
            (stamp.ink, 0.5, tone),
        ):
            pen.disc(w - reach / 2 - 0.5, py, reach / 2 - shrink, h / count * 0.95 - shrink, fill)
        stamp.ink.line([(w - reach + 1, py), (w - 2, py)], light(tone, 0.65), 0.5)
    canvas.paste("feathers", stamp, x, y, angle, flip)


def plumage(canvas: Canvas, x: float, y: float, rx: float, ry: float, color: Color, angle: float) -> None:
    """A round body of short downy feathers around (x, y)."""
    stamp = canvas.stamp(2 * rx, 2 * ry, color)
    stamp.shape.disc(rx, ry, rx, ry, 255)
    row, py = 0, ry * 2 - 1
    while py > 0:
        px = (row % 2) * 1.7
        while px < 2 * rx:
            tone = mix(light(color, 0.35), dark(color, 0.25), py / (2 * ry))
            stamp.ink.disc(px, py, 1.8, 2.0, dark(tone, 0.28))
            stamp.ink.disc(px, py - 0.6, 1.6, 1.8, tone)
            px += 3.4
        py -= 2.4
        row += 1
    canvas.paste("feathers", stamp, x, y, angle)


def beak(canvas: Canvas, rng: SceneRandom, x: float, y: float, length: float, flip: bool) -> None:
    """An open beak that points to the right; (x, y) is where it meets the head."""
    horn = rng.near(0.09, 0.85, 0.98)
    h = length * 0.85
    stamp = canvas.stamp(length, h, horn)
    stamp.shape.polygon([(0, 0), (length, h * 0.55), (0, h * 0.6)], 255)
    stamp.shape.polygon([(0, h * 0.5), (length * 0.72, h * 0.78), (0, h)], 255)
    stamp.ink.polygon([(0, h * 0.5), (length * 0.72, h * 0.78), (0, h)], dark(horn, 0.3))
    stamp.ink.line([(0, h * 0.55), (length, h * 0.58)], dark(horn, 0.6), 0.6)
    canvas.paste("beak", stamp, x + (-length / 2 if flip else length / 2), y, 0, flip)
