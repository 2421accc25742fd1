"""A small run with known numbers: cells of several levels, two layers, synthetic icons and images."""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
import zarr
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import nn

from pipeline.config.model import PreprocessingSettings
from pipeline.config.params import parse_params
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, IMAGES, LAYOUT, MODEL, PLACE, SITE, TILES
from pipeline.core.files import folder_digest
from pipeline.core.icon_styles import IconStyle, add_style
from pipeline.core.site_data import data_script, pack_array
from pipeline.core.zarr_store import create, open_artifact, write_array
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.model.description import LayerShape
from pipeline.model.network import Network, save_network
from pipeline.stages import STAGES, Task

LAYERS = ("features.3", "features.7")
LEVELS = (10, 20, 40)
CLASS_LEVELS = (5, 10)
CLASS_ATLAS = "class-0"
COMPARE_ATLAS = "compare-1-0"
COMPARE_SCALE = {"features.3": 0.16, "features.7": 4.0}  # logit at the right edge
COMPARE_CLIPPED = 0.02
SAMPLES = 24_000
SECOND = "Holiday <i>photos</i>"
SECOND_IMAGES = 31
SECOND_BLOCK = 700  # samples in each file
ICON = 48
FIDELITY_GAIN = np.float32(0.05)  # of accentuated icons over drawn ones
CROP = 64
CLASSES = (
    *("fireboat", "streetcar", "lighthouse", "<script>alert('class')</script>", "sailboat", "goldfish"),
    *("steam train", "sunflower", "hummingbird", "farmhouse", "oak tree", "tea kettle"),
)
RANDOM = np.random.default_rng

# (place, random) => attribution [place, class]
Attribution = Callable[[NDArray[Any], np.random.Generator], NDArray[np.float32]]


@dataclass(frozen=True)
class Level:
    """What was planted at one grid level; arrays as in the grid artifact, fidelities for the drawn cells."""

    size: int
    cell: NDArray[np.int64]
    count: NDArray[np.int64]
    drawn: NDArray[np.bool_]
    attribution: NDArray[np.float32]
    spread: NDArray[np.float32]
    reliability: NDArray[np.float32]
    exemplar: NDArray[np.int64]
    fidelity: NDArray[np.float32]
    fidelity_centred: NDArray[np.float32]


@dataclass(frozen=True)
class Planted:
    """The task to run and the truth behind it: levels by (layer, size), the samples' images and positions by layer.

    ``levels`` are those of the atlas ``all``, ``xy`` [sample, 2] its places by layer; ``of_atlas`` holds the others'
    levels by (layer, atlas, size). ``second`` are the samples whose places the second image set's samples took,
    ``second_image`` the rows of their images in that set. ``prediction`` [image] are the predicted classes.
    """

    task: Task
    levels: dict[tuple[str, int], Level]
    of_atlas: dict[tuple[str, str, int], Level]
    image: NDArray[np.int64]
    position: dict[str, NDArray[np.int64]]
    xy: dict[str, NDArray[np.float32]]
    second: NDArray[np.int64]
    second_image: NDArray[np.int64]
    keys: tuple[str, ...]
    prediction: NDArray[np.int64]
    styles: tuple[IconStyle, ...] = ("drawn",)

    @property
    def site(self) -> Path:
        """The folder that people browse."""
        return self.task.path(SITE)


def plant(
    root: Path,
    samples: int = SAMPLES,
    levels: tuple[int, ...] = LEVELS,
    styles: tuple[IconStyle, ...] = ("drawn",),
    without: Collection[str] = (),
    **site: Any,
) -> Planted:
    """Write every artifact that the stage ``site`` reads below ``root``.

    The comparison has icons of the first style alone.

    Args:
        root: of the run.
        samples: of every layer.
        levels: cells per side.
        styles: of the icons.
        without: what the run does not have, of ``attributions``, ``predictions``, ``labels``, ``comparisons``,
            ``second``.
        site: settings of the stage.
    """
    keys = _photographs(root / "images", labeled="labels" not in without)
    task = _task(root, levels, site, without)
    _images(task, root / "images", keys)
    _network(task)
    places = {layer: _layout(number, samples) for number, layer in enumerate(LAYERS)}
    image = _images_of_samples(places[LAYERS[-1]], len(keys))
    prediction = _predictions(keys)
    predicted = prediction[image] if not {"attributions", "predictions"} & set(without) else None
    second = np.flatnonzero(places[LAYERS[-1]][:, 1] < 0.5)[: samples // 12]  # from the upper half of the map
    second_image = RANDOM(11).integers(0, SECOND_IMAGES, len(second))
    position: dict[str, NDArray[np.int64]] = {}
    found: dict[tuple[str, int], Level] = {}
    others: dict[tuple[str, str, int], Level] = {}
    for number, layer in enumerate(LAYERS):
        side = (15, 7)[number]
        position[layer] = RANDOM(number).integers(0, side, (samples, 2))
        everything = np.arange(samples)
        xy = places[layer]
        attributed = "attributions" not in without
        attribution = _attribution(number, xy, RANDOM([number, 8]))
        _activations(task, layer, image, position[layer], attribution, attributed, predicted)
        whole = [_level(number, size, xy, everything, partial(_attribution, number)) for size in levels]
        found |= {(layer, level.size): level for level in whole}
        _atlas(task, number, "all", whole, xy, everything, styles)
        _second_set(task, layer, whole, xy[second], second_image)
        for atlas, chosen, points, attributed_by in _part_atlases(layer, number, samples):
            if atlas not in task.params.atlases:
                continue
            few = [_level(number, size, points, chosen, attributed_by) for size in CLASS_LEVELS]
            others |= {(layer, atlas, level.size): level for level in few}
            _atlas(task, number, atlas, few, points, chosen, styles[:1] if atlas == COMPARE_ATLAS else styles)
    return Planted(task, found, others, image, position, places, second, second_image, keys, prediction, styles)


def _predictions(keys: tuple[str, ...]) -> NDArray[np.int64]:
    """[image] class that the network predicts: of every four fireboats three are recognized."""
    return np.array(
        [0 if key.startswith("fireboat") and row % 4 else 1 + row % (len(CLASSES) - 2) for row, key in enumerate(keys)]
    )


def _images_of_samples(xy: NDArray[np.float32], images: int) -> NDArray[np.int64]:
    """Any image, but half of the samples of every third of the map come from images of one label."""
    random = RANDOM(1)
    third = np.digitize(xy[:, 0], np.quantile(xy[:, 0], [1 / 3, 2 / 3]))
    own = third * (images // 3) + random.integers(0, images // 3, len(xy))  # the images are ordered by their labels
    return np.where(random.random(len(xy)) < 0.5, own, random.integers(0, images, len(xy)))


def _second_set(task: Task, layer: str, levels: list[Level], xy: NDArray[np.float32], image: NDArray[np.int64]) -> None:
    """Output of the stage ``place`` for a second image set whose samples lie there and come from these images."""
    parts: dict[str, dict[str, Any]] = {
        "place": {
            "title": SECOND,
            "images": SECOND_IMAGES,
            "samples": len(xy),
            "members_per_block": SECOND_BLOCK,
            "images_per_folder": 1000,
            "levels": {f"{level.size}": {"count": pack_array(count_at(level, xy))} for level in levels},
        },
        "images/0": {f"{row}": second_about(row) for row in range(SECOND_IMAGES)},
    }
    ordered = image[np.argsort(cell_at(levels[-1], xy), kind="stable")]
    for block in range(-(-len(xy) // SECOND_BLOCK)):
        rows = ordered[block * SECOND_BLOCK : (block + 1) * SECOND_BLOCK]
        parts[f"members-{block}"] = {"image": pack_array(rows)}
    folder = task.path(PLACE, layer)
    (folder / "images/0").mkdir(parents=True)
    for row in range(SECOND_IMAGES):
        if second_about(row)[2]:
            _scene(100 + row).resize((40, 30)).save(folder / f"images/0/{row}.webp")
    for name, content in parts.items():
        (folder / f"{name}.js").write_text(data_script(f"place/{layer}/{name}", content), encoding="ascii")


def second_about(row: int) -> tuple[str, str | None, int]:
    """Key and label of an image of the second set, and whether it has a thumbnail; key and label are markup."""
    return f"<u>beach</u> {row:02d}.jpg", "sea<b>side</b>" if row % 3 else None, row % 2


def count_at(level: Level, xy: NDArray[np.float32]) -> NDArray[np.int64]:
    """Number of these positions in each cell of a level."""
    return np.bincount(cell_at(level, xy), minlength=len(level.cell))


def cell_at(level: Level, xy: NDArray[np.float32]) -> NDArray[np.int64]:
    """The cell of a level at each of these positions."""
    place = np.minimum((xy * level.size).astype(np.int64), level.size - 1)
    flat = level.cell[:, 0] * level.size + level.cell[:, 1]
    return np.searchsorted(flat, place[:, 1] * level.size + place[:, 0])


def _part_atlases(
    layer: str, number: int, samples: int
) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float32], Attribution]]:
    """The class atlas and the comparison: name, samples, their positions and the attributions at a position."""
    chosen = np.arange(0, samples, 6)
    yield CLASS_ATLAS, chosen, _layout(number + 20, len(chosen)), partial(_attribution, number)
    chosen = np.arange(0, samples, 4)
    yield COMPARE_ATLAS, chosen, _opposed(number, len(chosen)), partial(_compared, COMPARE_SCALE[layer])


def _atlas(
    task: Task,
    number: int,
    atlas: str,
    levels: list[Level],
    xy: NDArray[np.float32],
    chosen: NDArray[np.int64],
    styles: tuple[IconStyle, ...],
) -> None:
    """Write everything that one atlas of a layer consists of."""
    layer = LAYERS[number]
    with create(LAYOUT, task.path(LAYOUT, layer, atlas), {}, {}) as group:
        if atlas == COMPARE_ATLAS:
            left, right = (int(name) for name in atlas.split("-")[1:])
            group.attrs["axis"] = {
                "left": left,
                "right": right,
                "scale": COMPARE_SCALE[layer],
                "clipped": COMPARE_CLIPPED,
            }
        write_array(group, LAYOUT, "sample", chosen)
        write_array(group, LAYOUT, "xy", xy)
    _grid(task, layer, atlas, levels, "attribution" in open_artifact(ACTIVATIONS, task.path(ACTIVATIONS, layer)))
    _icons_and_tiles(task, number, atlas, levels, styles)


def _task(root: Path, levels: tuple[int, ...], site: dict[str, Any], without: Collection[str]) -> Task:
    atlases = ["all", CLASS_ATLAS, COMPARE_ATLAS]
    if "attributions" in without:
        atlases = ["all"]
    elif "comparisons" in without:
        atlases.remove(COMPARE_ATLAS)
    empty: dict[str, dict[str, Any]] = {name: {} for name in ("prepare", "sample", "reduce", "render", "tile")}
    params = parse_params(
        {
            "seed": 0,
            "layers": list(LAYERS),
            "atlases": atlases,
            "compared": [name for name in atlases if name == COMPARE_ATLAS],
            "placed": [] if "second" in without else list(LAYERS),
            "place": {"title": SECOND},
            "images": {"_target_": "pipeline.images.image_folder.ImageFolder", "root": str(root / "images")},
            "model": {"name": "SqueezeNet", "architecture": {"_target_": "torch.nn.Identity"}, "weights": "random"},
            "grid": {"levels": list(levels), "class_levels": list(CLASS_LEVELS), "min_count": 5},
            "site": {"title": "A planted atlas", **site},
            **empty,
        }
    )
    return Task(STAGES["site"], params, root / "outputs")


def _photographs(folder: Path, count: int = 72, labeled: bool = True) -> tuple[str, ...]:
    """Draw images in folders named after classes, or in one folder; some names are markup."""
    keys = []
    for row in range(count):
        name = ("street<b>car", "fireboat", "light&house")[row % 3]
        key = f"{name}/photo {row:02d}.png" if row % 5 else f"{name}/<img src=x onerror=alert({row})>.png"
        key = key if labeled else key.partition("/")[2]
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        _scene(row).save(path)
        keys.append(key)
    return tuple(sorted(keys))


def _scene(row: int) -> Image.Image:
    random = RANDOM([9, row])
    y, x = np.mgrid[0:96, 0:128] / 96
    sky, ground = random.uniform(90, 240, 3), random.uniform(20, 150, 3)
    horizon = 1 / (1 + np.exp(-(y - random.uniform(0.4, 0.7) - 0.05 * np.sin(9 * x)) * 30))
    pixels = sky + (ground - sky) * horizon[..., None] + random.normal(0, 6, (96, 128, 3))
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(5):
        left, top, size = random.integers(0, 100), random.integers(10, 70), random.integers(10, 36)
        red, green, blue = (int(value) for value in random.integers(30, 255, 3))
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((int(left), int(top), int(left + size), int(top + size)), fill=(red, green, blue))
    return image


def _images(task: Task, folder: Path, keys: tuple[str, ...]) -> None:
    found = ImageFolder(str(folder))
    entries = found.entries()
    assert tuple(entry.key for entry in entries) == keys
    count = len(keys)
    class_ = np.array([0 if key.startswith("fireboat/") else -1 for key in keys])
    manifest = Manifest(
        image=np.arange(count),
        key=keys,
        label=np.array([-1 if entry.label is None else entry.label for entry in entries], np.int64),
        class_=class_,
        width=np.full(count, 128),
        height=np.full(count, 96),
        digest=tuple(f"{row:064x}" for row in range(count)),
    )
    write_manifest(task.path(IMAGES), manifest, {}, {})


def _network(task: Task) -> None:
    layers = {
        "features.3": LayerShape("map", 16, 15, 15, 0, 4.0, 14),
        "features.7": LayerShape("map", 24, 7, 7, 0, 8.0, 44),
    }
    network = Network("SqueezeNet", nn.Linear(1, 1), CLASSES, PreprocessingSettings(resize=64, crop=CROP), layers)
    save_network(task.path(MODEL), network, {"_target_": "torch.nn.Identity"}, {})


def _activations(
    task: Task,
    layer: str,
    image: NDArray[np.int64],
    position: NDArray[np.int64],
    attribution: NDArray[np.float32],
    recorded: bool,
    prediction: NDArray[np.int64] | None,
) -> None:
    with create(ACTIVATIONS, task.path(ACTIVATIONS, layer), {}, {}) as group:
        counted = 1000 if recorded else 0
        group.attrs["tally"] = {"attributions": counted, "zero_attributions": (12, 840)[LAYERS.index(layer)]}
        write_array(group, ACTIVATIONS, "activation", activation_of(layer, attribution))
        if recorded:
            write_array(group, ACTIVATIONS, "attribution", attribution)
        if prediction is not None:
            write_array(group, ACTIVATIONS, "prediction", prediction)
        write_array(group, ACTIVATIONS, "image", image)
        write_array(group, ACTIVATIONS, "position", position)


def activation_of(layer: str, attribution: NDArray[np.float32]) -> NDArray[np.float32]:
    """Activations of a layer [row, channel] with these attributions."""
    channels = (16, 24)[LAYERS.index(layer)]
    speaks = RANDOM([3, channels]).uniform(0, 1, (len(CLASSES), channels))
    found: NDArray[np.float32] = (np.abs(attribution) @ speaks).astype(np.float32)
    return found


def mean_activation(layer: str, level: Level) -> NDArray[np.float32]:
    """The mean over all samples of an atlas [channel]."""
    return np.average(activation_of(layer, level.attribution), axis=0, weights=level.count).astype(np.float32)


def _layout(number: int, samples: int) -> NDArray[np.float32]:
    """Points of a few overlapping clusters, with bays and islands."""
    random = RANDOM([5, number])
    centers, widths = random.uniform(0.18, 0.82, (11, 2)), random.uniform(0.03, 0.085, (11, 2))
    cloud = random.integers(0, 11, samples)
    points = centers[cloud] + widths[cloud] * random.normal(size=(samples, 2))
    wave = 0.05 * np.sin(7 * points[:, ::-1] + number)
    return np.clip(points + wave, 0.02, 0.98).astype(np.float32)


def _opposed(number: int, samples: int) -> NDArray[np.float32]:
    """Points of a comparison: much at both ends, a bridge between them."""
    random = RANDOM([6, number])
    middle, width = np.array([0.14, 0.26, 0.5, 0.7, 0.86]), np.array([0.06, 0.1, 0.13, 0.1, 0.06])
    cloud = random.choice(5, samples, p=[0.24, 0.2, 0.16, 0.2, 0.2])
    x = middle[cloud] + width[cloud] * random.normal(size=samples)
    y = 0.5 + 0.17 * random.normal(size=samples) + 0.12 * np.sin(8 * x)
    return np.clip(np.stack([x, y], axis=1), 0.005, 0.995).astype(np.float32)


def _compared(scale: float, center: NDArray[Any], random: np.random.Generator) -> NDArray[np.float32]:
    """As everywhere, but the right class's attribution minus the left one's is the position's value on the axis."""
    values = _attribution(1, center, random) * (scale / COMPARE_SCALE["features.7"])
    across = (2 * center[:, 0] - 1) * scale / 2
    common = 0.3 * scale * center[:, 1]
    values[:, 1], values[:, 0] = common - across, common + across
    return values.astype(np.float32)


def _level(
    number: int, size: int, xy: NDArray[np.float32], chosen: NDArray[np.int64], attribution: Attribution
) -> Level:
    random = RANDOM([number, size])
    place = np.minimum((xy * size).astype(np.int64), size - 1)
    flat, inverse, count = np.unique(place[:, 1] * size + place[:, 0], return_inverse=True, return_counts=True)
    cell = np.stack([flat // size, flat % size], axis=1)
    center = (cell[:, ::-1] + 0.5) / size
    drawn = count >= 5
    exemplar = np.full((len(flat), 9), -1)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)])
    for row in range(len(flat)):
        members = order[starts[row] : starts[row] + min(9, count[row])]
        exemplar[row, : len(members)] = chosen[members]
    away = np.hypot(*(center - 0.5).T)
    drawn_random = random.uniform(-0.1, 0.1, int(drawn.sum()))
    return Level(
        size=size,
        cell=cell,
        count=count,
        drawn=drawn,
        attribution=attribution(center, random),
        spread=(0.2 + 1.2 * away + random.uniform(0, 0.1, len(flat))).astype(np.float32),
        reliability=np.where(count > 2, 0.95 - 1.1 * away, np.nan).astype(np.float32),
        exemplar=exemplar,
        fidelity=(0.8 + drawn_random).astype(np.float32),
        fidelity_centred=(0.62 + drawn_random).astype(np.float32),
    )


def _attribution(number: int, center: NDArray[Any], random: np.random.Generator) -> NDArray[np.float32]:
    """Every class has a region of positive and one of negative attribution; those of the first layer are small."""
    places = RANDOM([7, number]).uniform(0.2, 0.8, (len(CLASSES), 2, 2))
    near = np.exp(-((center[:, None, None] - places) ** 2).sum(-1) / (2 * 0.12**2))
    values = 6 * near[..., 0] - 2.5 * near[..., 1] + random.normal(0, 0.05, near.shape[:2])
    scaled: NDArray[np.float32] = (values * (0.04, 1.0)[number]).astype(np.float32)
    return scaled


def _grid(task: Task, layer: str, atlas: str, levels: list[Level], attributed: bool) -> None:
    names = ["cell", "count", "drawn", "spread", "reliability", "exemplar", *(["attribution"] * attributed)]
    with create(GRID, task.path(GRID, layer, atlas), {}, {}) as group:
        write_array(group, GRID, "mean", mean_activation(layer, levels[-1]))
        for level in levels:
            inner = group.create_group(str(level.size))
            write_array(inner, GRID, "activation", activation_of(layer, level.attribution))
            for name in names:
                write_array(inner, GRID, name, getattr(level, name))


def _icons_and_tiles(task: Task, number: int, atlas: str, levels: list[Level], styles: tuple[IconStyle, ...]) -> None:
    layer = LAYERS[number]
    folder = task.path(TILES, layer, atlas)
    sizes = {str(level.size): {"width": level.size * ICON, "height": level.size * ICON} for level in levels}
    with create(ICONS, task.path(ICONS, layer, atlas), {}, {}) as stored:
        for style in styles:
            target = folder if style == styles[0] else folder / style
            target.mkdir(parents=True, exist_ok=True)
            _icons_of_style(add_style(stored, style), target, number, levels, style)
    form = {"format": "webp", "tile_size": 510, "overlap": 1, "levels": sizes, "digests": tile_digests(folder)}
    (folder / "tiles.json").write_text(json.dumps(form))


def tile_digests(folder: Path) -> dict[str, str]:
    """The digests of all pyramids in a folder of tiles, as the stage `tile` lists them."""
    found = {path.relative_to(folder).as_posix().removesuffix("_files"): path for path in folder.rglob("*_files")}
    return {name: folder_digest(path) for name, path in sorted(found.items())}


def _icons_of_style(group: zarr.Group, folder: Path, number: int, levels: list[Level], style: IconStyle) -> None:
    """Drawn icons with the planted fidelities; accentuated ones are darker, more faithful and start from patches."""
    accentuated = style == "accentuated"
    names = icon_keys(levels)
    for level in levels:
        at = np.flatnonzero(level.drawn)
        icons = _icons(number, (level.cell[at, ::-1] + 0.5) / level.size)
        icons = icons // 2 if accentuated else icons
        key, parent = names[level.size]
        inner = group.create_group(str(level.size))
        write_array(inner, ICONS, "cell", at)
        write_array(inner, ICONS, "icon", icons)
        write_array(inner, ICONS, "fidelity", level.fidelity + FIDELITY_GAIN * accentuated)
        write_array(inner, ICONS, "fidelity_centred", level.fidelity_centred + FIDELITY_GAIN * accentuated)
        write_array(inner, ICONS, "key", key[:, ::-1] if accentuated else key)
        write_array(inner, ICONS, "parent", np.full_like(parent, 7) if accentuated else parent)
        write_tiles(folder / str(level.size), level, level.cell[at], icons)


def icon_keys(levels: list[Level]) -> dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """By cells a side: keys of the drawn icons and of their parents.

    Of every three icons the first comes from noise, the second from the icon of the cell around it, where that is
    drawn, and the third is that icon.
    """
    found: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}
    above: dict[tuple[int, int], NDArray[np.uint8]] = {}
    coarse = 0
    for level in levels:
        key = RANDOM([12, level.size]).integers(1, 256, (int(level.drawn.sum()), 32)).astype(np.uint8)
        parent = np.zeros_like(key)
        places = level.cell[level.drawn]
        for row, (y, x) in enumerate(places):
            around = above.get((y * coarse // level.size, x * coarse // level.size))
            if around is not None and row % 3 == 1:
                parent[row] = around
            elif around is not None and row % 3 == 2:
                key[row] = around
        found[level.size] = key, parent
        above, coarse = {(y, x): key[row] for row, (y, x) in enumerate(places)}, level.size
    return found


def _icons(number: int, center: NDArray[Any]) -> NDArray[np.uint8]:
    """Stripes, rings and spots whose colors and forms change slowly over the map."""
    y, x = (np.mgrid[0:ICON, 0:ICON] / ICON - 0.5)[:, None]
    u, v = center[:, 0, None, None], center[:, 1, None, None]
    wander = [np.sin(5.1 * u + 3.3 * v + k + number) + np.cos(4.2 * v - 2.7 * u + 2 * k) for k in range(6)]
    turn, pace = 1.6 * wander[0], 3.2 + 1.2 * wander[1]
    bend = 0.12 * np.sin(9 * (x * np.sin(turn) - y * np.cos(turn)) + wander[2])
    stripes = np.sin(2 * np.pi * pace * (x * np.cos(turn) + y * np.sin(turn) + bend))
    rings = np.sin(2 * np.pi * (1.2 * pace * np.hypot(x + 0.1 * wander[3], y - 0.1 * wander[4]) + bend))
    spots = np.sin(2 * np.pi * pace * (x + bend)) * np.sin(2 * np.pi * pace * (y - bend)) * 1.4
    weight = np.exp(1.5 * np.stack([wander[3], wander[4], wander[5]]))
    value = (weight * np.stack([stripes, rings, spots])).sum(0) / weight.sum(0)
    colors = []
    for channel in range(3):
        shift = 0.16 * wander[channel] + 0.21 * channel + 0.3 * u - 0.2 * v
        colors.append(0.52 + 0.3 * np.cos(2 * np.pi * (0.33 * value + shift)) + 0.16 * value)
    return np.asarray(np.clip(np.stack(colors, axis=-1), 0, 1) * 255).astype(np.uint8)


def write_tiles(stem: Path, level: Level, cell: NDArray[np.int64], icons: NDArray[np.uint8]) -> None:
    """The pyramid ``<stem>_files`` of a level, from the icons [icon, y, x, 3] of these cells."""
    pixels = icons.shape[1]
    side = level.size * pixels
    canvas = np.zeros((level.size, pixels, level.size, pixels, 4), np.uint8)
    canvas[cell[:, 0], :, cell[:, 1], :, :3] = icons
    canvas[cell[:, 0], :, cell[:, 1], :, 3] = 255
    image = pyvips.Image.new_from_memory(canvas.tobytes(), side, side, 4, "uchar").copy(interpretation="srgb")
    image.dzsave(str(stem), suffix=".webp[Q=82]", tile_size=510, overlap=1)
