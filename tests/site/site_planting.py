"""A small run whose every number is known: a landscape of cells, two layers, invented icons and drawn photographs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import nn

from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, IMAGES, LAYOUT, MODEL, SITE, TILES
from pipeline.core.store import create, write_array
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.model.config import PreprocessingSettings
from pipeline.model.layers import LayerShape
from pipeline.model.network import Network
from pipeline.model.saved import save
from pipeline.params import parse_params
from pipeline.stages import STAGES, Task

LAYERS = ("features.3", "features.7")
LEVELS = (10, 20, 40)
SAMPLES = 24_000
ICON = 48
CROP = 64
CLASSES = (
    *("fireboat", "streetcar", "lighthouse", "<script>alert('class')</script>", "sailboat", "goldfish"),
    *("steam train", "sunflower", "hummingbird", "farmhouse", "oak tree", "tea kettle"),
)
RANDOM = np.random.default_rng


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
    """The task to run and the truth behind it: levels by (layer, size), the samples' images and positions by layer."""

    task: Task
    levels: dict[tuple[str, int], Level]
    image: NDArray[np.int64]
    position: dict[str, NDArray[np.int64]]
    keys: tuple[str, ...]

    @property
    def site(self) -> Path:
        """The folder that people browse."""
        return self.task.path(SITE)


def plant(root: Path, samples: int = SAMPLES, levels: tuple[int, ...] = LEVELS, **site: Any) -> Planted:
    """Write every artifact that the stage ``site`` reads below ``root``."""
    keys = _photographs(root / "images")
    task = _task(root, levels, site)
    _images(task, root / "images", keys)
    _network(task)
    image = RANDOM(1).integers(0, len(keys), samples)
    position, found = {}, {}
    for number, layer in enumerate(LAYERS):
        side = (15, 7)[number]
        position[layer] = RANDOM(number).integers(0, side, (samples, 2))
        _activations(task, layer, image, position[layer])
        xy = _layout(number, samples)
        with create(LAYOUT, task.path(LAYOUT, layer, "all"), {}, {}) as group:
            write_array(group, LAYOUT, "sample", np.arange(samples))
            write_array(group, LAYOUT, "xy", xy)
        for size in levels:
            found[layer, size] = _level(number, size, xy)
        _grid(task, layer, [found[layer, size] for size in levels])
        _icons_and_tiles(task, number, layer, [found[layer, size] for size in levels])
    (root / "outputs/metrics").mkdir(parents=True, exist_ok=True)
    shares = {layer: {"zero_attributions": share} for layer, share in zip(LAYERS, (0.012, 0.84), strict=True)}
    (root / "outputs/metrics/sample.json").write_text(json.dumps(shares))
    return Planted(task, found, image, position, keys)


def _task(root: Path, levels: tuple[int, ...], site: dict[str, Any]) -> Task:
    empty: dict[str, dict[str, Any]] = {name: {} for name in ("prepare", "sample", "reduce", "render", "tile")}
    params = parse_params(
        {
            "seed": 0,
            "layers": list(LAYERS),
            "atlases": ["all"],
            "images": {"_target_": "pipeline.images.image_folder.ImageFolder", "root": str(root / "images")},
            "model": {"name": "SqueezeNet", "architecture": {"_target_": "torch.nn.Identity"}, "weights": "random"},
            "grid": {"levels": list(levels), "min_count": 5},
            "site": {"title": "A planted atlas", **site},
            **empty,
        }
    )
    return Task(STAGES["site"], params, root / "outputs")


def _photographs(folder: Path, count: int = 72) -> tuple[str, ...]:
    """Draw images in folders named after classes; some names are markup."""
    keys = []
    for row in range(count):
        name = ("street<b>car", "fireboat", "light&house")[row % 3]
        key = f"{name}/photo {row:02d}.png" if row % 5 else f"{name}/<img src=x onerror=alert({row})>.png"
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
    class_ = np.array([0 if key.startswith("fireboat") else -1 for key in keys])
    manifest = Manifest(
        image=np.arange(count),
        key=keys,
        label=np.array([entry.label for entry in entries], np.int64),
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
    save(task.path(MODEL), network, {"_target_": "torch.nn.Identity"}, {})


def _activations(task: Task, layer: str, image: NDArray[np.int64], position: NDArray[np.int64]) -> None:
    with create(ACTIVATIONS, task.path(ACTIVATIONS, layer), {}, {}) as group:
        write_array(group, ACTIVATIONS, "image", image)
        write_array(group, ACTIVATIONS, "position", position)


def _layout(number: int, samples: int) -> NDArray[np.float32]:
    """Points of a few overlapping clouds: continents with bays and islands."""
    random = RANDOM([5, number])
    centres, widths = random.uniform(0.18, 0.82, (11, 2)), random.uniform(0.03, 0.085, (11, 2))
    cloud = random.integers(0, 11, samples)
    points = centres[cloud] + widths[cloud] * random.normal(size=(samples, 2))
    wave = 0.05 * np.sin(7 * points[:, ::-1] + number)
    return np.clip(points + wave, 0.02, 0.98).astype(np.float32)


def _level(number: int, size: int, xy: NDArray[np.float32]) -> Level:
    random = RANDOM([number, size])
    place = np.minimum((xy * size).astype(np.int64), size - 1)
    flat, inverse, count = np.unique(place[:, 1] * size + place[:, 0], return_inverse=True, return_counts=True)
    cell = np.stack([flat // size, flat % size], axis=1)
    centre = (cell[:, ::-1] + 0.5) / size
    drawn = count >= 5
    exemplar = np.full((len(flat), 9), -1)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)])
    for row in range(len(flat)):
        members = order[starts[row] : starts[row] + min(9, count[row])]
        exemplar[row, : len(members)] = members
    away = np.hypot(*(centre - 0.5).T)
    drawn_random = random.uniform(-0.1, 0.1, int(drawn.sum()))
    return Level(
        size=size,
        cell=cell,
        count=count,
        drawn=drawn,
        attribution=_attribution(number, centre, random),
        spread=(0.2 + 0.6 * away + random.uniform(0, 0.1, len(flat))).astype(np.float32),
        reliability=np.where(count > 2, 0.9 - 0.5 * away, np.nan).astype(np.float32),
        exemplar=exemplar,
        fidelity=(0.8 + drawn_random).astype(np.float32),
        fidelity_centred=(0.62 + drawn_random).astype(np.float32),
    )


def _attribution(number: int, centre: NDArray[Any], random: np.random.Generator) -> NDArray[np.float32]:
    """Every class has a region of its own and one that speaks against it; the first layer says little."""
    places = RANDOM([7, number]).uniform(0.2, 0.8, (len(CLASSES), 2, 2))
    near = np.exp(-((centre[:, None, None] - places) ** 2).sum(-1) / (2 * 0.12**2))
    values = 6 * near[..., 0] - 2.5 * near[..., 1] + random.normal(0, 0.05, near.shape[:2])
    scaled: NDArray[np.float32] = (values * (0.04, 1.0)[number]).astype(np.float32)
    return scaled


def _grid(task: Task, layer: str, levels: list[Level]) -> None:
    names = ("cell", "count", "drawn", "attribution", "spread", "reliability", "exemplar")
    with create(GRID, task.path(GRID, layer, "all"), {}, {}) as group:
        for level in levels:
            inner = group.create_group(str(level.size))
            for name in names:
                write_array(inner, GRID, name, getattr(level, name))


def _icons_and_tiles(task: Task, number: int, layer: str, levels: list[Level]) -> None:
    folder = task.path(TILES, layer, "all")
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {}
    with create(ICONS, task.path(ICONS, layer, "all"), {}, {}) as group:
        for level in levels:
            at = np.flatnonzero(level.drawn)
            icons = _icons(number, (level.cell[at, ::-1] + 0.5) / level.size)
            inner = group.create_group(str(level.size))
            write_array(inner, ICONS, "cell", at)
            write_array(inner, ICONS, "icon", icons)
            write_array(inner, ICONS, "fidelity", level.fidelity)
            write_array(inner, ICONS, "fidelity_centred", level.fidelity_centred)
            _tiles(folder / str(level.size), level, level.cell[at], icons)
            sizes[str(level.size)] = {"width": level.size * ICON, "height": level.size * ICON}
    form = {"format": "webp", "tile_size": 510, "overlap": 1, "levels": sizes}
    (folder / "tiles.json").write_text(json.dumps(form))


def _icons(number: int, centre: NDArray[Any]) -> NDArray[np.uint8]:
    """Stripes, rings and spots whose colours and forms change slowly over the map."""
    y, x = (np.mgrid[0:ICON, 0:ICON] / ICON - 0.5)[:, None]
    u, v = centre[:, 0, None, None], centre[:, 1, None, None]
    wander = [np.sin(5.1 * u + 3.3 * v + k + number) + np.cos(4.2 * v - 2.7 * u + 2 * k) for k in range(6)]
    turn, pace = 1.6 * wander[0], 3.2 + 1.2 * wander[1]
    bend = 0.12 * np.sin(9 * (x * np.sin(turn) - y * np.cos(turn)) + wander[2])
    stripes = np.sin(2 * np.pi * pace * (x * np.cos(turn) + y * np.sin(turn) + bend))
    rings = np.sin(2 * np.pi * (1.2 * pace * np.hypot(x + 0.1 * wander[3], y - 0.1 * wander[4]) + bend))
    spots = np.sin(2 * np.pi * pace * (x + bend)) * np.sin(2 * np.pi * pace * (y - bend)) * 1.4
    weight = np.exp(1.5 * np.stack([wander[3], wander[4], wander[5]]))
    value = (weight * np.stack([stripes, rings, spots])).sum(0) / weight.sum(0)
    colours = []
    for channel in range(3):
        shift = 0.16 * wander[channel] + 0.21 * channel + 0.3 * u - 0.2 * v
        colours.append(0.52 + 0.3 * np.cos(2 * np.pi * (0.33 * value + shift)) + 0.16 * value)
    return np.asarray(np.clip(np.stack(colours, axis=-1), 0, 1) * 255).astype(np.uint8)


def _tiles(stem: Path, level: Level, cell: NDArray[np.int64], icons: NDArray[np.uint8]) -> None:
    side = level.size * ICON
    canvas = np.zeros((level.size, ICON, level.size, ICON, 4), np.uint8)
    canvas[cell[:, 0], :, cell[:, 1], :, :3] = icons
    canvas[cell[:, 0], :, cell[:, 1], :, 3] = 255
    image = pyvips.Image.new_from_memory(canvas.tobytes(), side, side, 4, "uchar").copy(interpretation="srgb")
    image.dzsave(str(stem), suffix=".webp[Q=82]", tile_size=510, overlap=1)
