"""What each stage costs: one function for each, which gives its disk, memory and time with the sums that explain them.

Sums that a reader can check are written with the numbers that went into them; see docs/plan.md. The functions at the
end write numbers and tables as text.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pipeline.core.moments import BLOCK_BYTES
from pipeline.plan import disk
from pipeline.plan.disk import FLOAT_BYTES
from pipeline.plan.inputs import (
    LevelCount,
    Rates,
    Sizes,
    cell_count,
    filled_cells,
    fitted_count,
    icon_count,
    large_count,
    level_counts,
    point_count,
    step_count,
)
from pipeline.sample import baseline
from pipeline.sample.attribution import TANGENTS
from pipeline.sample.forward import parallel_batches
from pipeline.sample.shards import shard_images

TRAINING_PASSES = 3  # forward passes that a training step costs: one forward, and a backward pass of twice the time
# points per second of a layout, on two cores; they depend on the points and are no more than a first guess
LAYOUT_RATES = {"umap": 5000.0, "tsne": 200.0, "pca": 50_000.0}
PLACEMENT_RATE = 10_000.0  # points per second that are placed among those of the layout
PYRAMID = 4 / 3  # pixels of all sizes of a tiled picture, for one of the full size
GRID_PASSES = 2  # passes of the stage grid over the activations; attributions are read once

SUM_BYTES = 8  # sums are float64
ENTRY_BYTES = 600  # memory of an image's entry and of its line in the list, while the list is made
POINT_BYTES = 64  # memory of a point besides its activation: row, image, label, position before and after scaling
LIVE_OUTPUTS = 4  # outputs as large as a pass's largest that it holds at once: values and tangents, before and after
EDGE_BYTES = 100  # memory of one neighbor of a point: found, weighted, made symmetric, and optimized
GAP = "  "  # between the columns of a table


@dataclass(frozen=True)
class StageCost:
    """What one execution of a stage costs.

    Attributes:
        stage: its name.
        layer, atlas: of this execution; empty where the stage runs once for all of them.
        count: how many things it makes.
        unit: what they are.
        disk: bytes that it writes, before compression.
        memory: bytes that its process takes at most.
        seconds: for each number of GPUs; empty in a row that only adds bytes.
        explanation: how the numbers are computed, line by line.
    """

    stage: str
    layer: str
    atlas: str
    count: int
    unit: str
    disk: int
    memory: int
    seconds: tuple[float, ...]
    explanation: tuple[str, ...]

    @property
    def name(self) -> str:
        """Stage, layer and atlas."""
        return " ".join(part for part in (self.stage, self.layer, self.atlas) if part)


def stage_costs(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> list[StageCost]:
    """The costs of all stages, in the order in which they run.

    Args:
        sizes: of the run.
        rates: of the machine.
        gpus: numbers of GPUs to compute the time for.
    """
    each = [(layer, atlas) for layer in sizes.channels for atlas in sizes.params.atlases]
    return [
        prepare_cost(sizes, rates, gpus),
        *sample_costs(sizes, rates, gpus),
        *(reduce_cost(sizes, rates, gpus, layer, atlas) for layer, atlas in each),
        *(grid_cost(sizes, rates, gpus, layer, atlas) for layer, atlas in each),
        *(render_cost(sizes, rates, gpus, layer, atlas) for layer, atlas in each),
        *(tile_cost(sizes, rates, gpus, layer, atlas) for layer, atlas in each),
        site_cost(sizes, rates, gpus),
    ]


def totals(costs: Sequence[StageCost]) -> tuple[int, int, tuple[float, ...]]:
    """Bytes on disk of all stages, the largest memory of one, and the time of all for each number of GPUs."""
    seconds = zip(*(cost.seconds for cost in costs if cost.seconds), strict=True)
    return sum(cost.disk for cost in costs), max(cost.memory for cost in costs), tuple(map(sum, seconds))


def explain_counts(sizes: Sizes) -> Iterator[str]:
    """How many samples, cells and icons there are, level by level; the same at every layer."""
    places, least = sizes.params.sample.positions_per_image, sizes.params.grid.min_count
    yield f"samples = {count(sizes.images)} images × {places} places = {count(sizes.samples)}"
    for atlas in sizes.params.atlases:
        points, levels = point_count(sizes, atlas), level_counts(sizes, atlas)
        yield f"{atlas}: {count(points)} points"
        for level in levels:
            yield (
                f"{atlas}: level {level.size}: {level.size}² × {sizes.fill:g} = "
                f"{count(filled_cells(level.size, sizes.fill))} cells, at most {count(points)} ÷ {least} of them "
                f"drawn: {count(level.drawn)} icons"
            )
        yield f"{atlas}: {count(cell_count(levels))} cells, {count(icon_count(levels))} icons"


def prepare_cost(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> StageCost:
    """Every image is decoded once; the network is trained on all images, or evaluated on them once if configured.

    Memory holds the list of images, and for training the images themselves, twice.
    """
    model, passes, pixels = sizes.params.model, 0, 0
    if model.weights == "train":
        passes = model.training.epochs * TRAINING_PASSES * (2 if model.training.robust else 1)
        pixels = 3 * sizes.crop**2 * sizes.images * 2
    elif model.weights != "random":
        passes = int(sizes.params.prepare.evaluate)
    seconds = sizes.images / rates.digest + passes * sizes.images / rates.forward
    decoding = f"{count(sizes.images)} images ÷ {rate(rates.digest)} a second decoded"
    network = f" + {passes} passes × {count(sizes.images)} ÷ {rate(rates.forward)} a second" if passes else ""
    memory = rates.memory + ENTRY_BYTES * sizes.images + pixels
    lines = (f"{decoding}{network} = {time(seconds)}",)
    written = disk.image_list_bytes(sizes)
    return StageCost("prepare", "", "", sizes.images, "images", written, memory, (seconds,) * len(gpus), lines)


def _baseline_images(sizes: Sizes) -> int:
    """Images of the pass before the sampling, whose mean attributions compare with."""
    settings = sizes.params.sample
    return min(sizes.images, baseline.LARGEST) if settings.attribution and settings.baseline == "mean" else 0


def sample_costs(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> Iterator[StageCost]:
    """One row for the pass over the images, and one for the bytes of each layer.

    Images are decoded while the network works on others, so the slower of the two counts. Memory holds batches on their
    way through the network, and the rows of one task twice, as they are written.
    """
    speed = rates.given.images or min(rates.decode, rates.sample)
    before = _baseline_images(sizes)
    first = before / min(rates.decode, rates.forward)
    seconds = tuple(sizes.images / (speed * number) + first for number in gpus)
    added = f" + {count(before)} images for the baseline" if before else ""
    lines = [f"{count(sizes.images)} images ÷ ({rate(speed)} a second × GPUs){added} = {_on_gpus(gpus, seconds)}"]
    if rates.given.images:
        needed = ", ".join(f"{count(-(-speed * number // rates.decode))} for {number}" for number in gpus)
        lines.append(f"decoding at {rate(rates.decode)} images a second, as here, takes so many processes: {needed}")
    else:
        lines.append(f"decoding: {rate(rates.decode)} a second, network: {rate(rates.sample)}; the slower counts")
    settings, row = sizes.params.sample, sum(disk.activation_row(sizes, layer) for layer in sizes.channels)
    shards = shard_images(sizes.images, settings.batch_size, settings.positions_per_image, row)
    batches = parallel_batches(settings.device, settings.attribution) * rates.batch_bytes
    memory = rates.memory + batches + 2 * min(shards.shard_rows, sizes.samples) * row
    yield StageCost("sample", "", "", sizes.images, "images", 0, memory, seconds, tuple(lines))
    for layer, channels in sizes.channels.items():
        written = disk.activations_bytes(sizes, layer)
        numbers = f"({channels} channels + {sizes.attributions} classes) × {sizes.number_bytes} bytes"
        rest = disk.activation_row(sizes, layer) - (channels + sizes.attributions) * sizes.number_bytes
        line = f"{count(sizes.samples)} samples × ({numbers} + {rest}) = {size(written)}"
        yield StageCost("sample", layer, "", sizes.samples, "samples", written, 0, (), (line,))


def reduce_cost(sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str) -> StageCost:
    """One layout. Memory holds its points three times, and the neighbors of those that the layout is computed from."""
    settings, points, fitted = sizes.params.reduce, point_count(sizes, atlas), fitted_count(sizes, atlas)
    speed = rates.given.points or LAYOUT_RATES[settings.method]
    seconds = fitted / speed + (points - fitted) / PLACEMENT_RATE
    width = min(sizes.channels[layer], settings.components or sizes.channels[layer])
    neighbors = int(3 * settings.perplexity) if settings.method == "tsne" else settings.neighbors
    graph = 0 if settings.method == "pca" else neighbors * EDGE_BYTES * fitted
    memory = rates.memory + graph + points * (3 * FLOAT_BYTES * width + POINT_BYTES)
    placed = f" + {count(points - fitted)} ÷ {rate(PLACEMENT_RATE)}" if points > fitted else ""
    lines = (
        f"{count(points)} points × {disk.layout_row()} bytes",
        f"{count(fitted)} points ÷ {rate(speed)} a second{placed} = {time(seconds)}",
    )
    written = disk.layout_bytes(sizes, atlas)
    return StageCost("reduce", layer, atlas, points, "points", written, memory, (seconds,) * len(gpus), lines)


def grid_cost(sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str) -> StageCost:
    """One grid with all its levels.

    Memory holds, for all levels, sums of activations of both halves of the images and of attributions; blocks of rows;
    and the cell of each point.
    """
    channels, levels, points = sizes.channels[layer], level_counts(sizes, atlas), point_count(sizes, atlas)
    seconds = points * (GRID_PASSES * channels + sizes.attributions) / rates.sum
    sums = cell_count(levels) * (2 * channels + sizes.attributions) * SUM_BYTES
    memory = rates.memory + 2 * BLOCK_BYTES + sums + points * (POINT_BYTES + SUM_BYTES * len(levels))
    numbers = f"({channels} channels + {sizes.attributions} classes) × {FLOAT_BYTES} bytes"
    rest = disk.grid_row(sizes, layer) - (channels + sizes.attributions) * FLOAT_BYTES
    read = f"({GRID_PASSES} × {channels} + {sizes.attributions}) numbers"
    lines = (
        f"{count(cell_count(levels))} cells × ({numbers} + {rest})",
        f"{count(points)} points × {read} ÷ {rate(rates.sum)} a second = {time(seconds)}",
    )
    written = disk.grid_bytes(sizes, layer, levels)
    return StageCost("grid", layer, atlas, cell_count(levels), "cells", written, memory, (seconds,) * len(gpus), lines)


def render_cost(sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str) -> StageCost:
    """The icons of an atlas, of all styles, large ones included.

    Memory holds one batch, and all finished icons of one style with three means of each cell.
    """
    levels, settings, icon = level_counts(sizes, atlas), sizes.params.render.for_layer(layer), rates.icons[layer]
    icons, channels = len(settings.styles) * icon_count(levels), sizes.channels[layer]
    stored, cached = disk.icon_row(settings.size), disk.cached_icon(settings.size, channels)
    lines = [
        f"{count(icons)} icons × ({count(stored)} bytes + {count(cached)} in the cache), of 3 × {settings.size}² pixels"
    ]
    if len(settings.styles) > 1:
        lines.append(f"{count(icons)} icons: {count(icon_count(levels))} each, {' and '.join(settings.styles)}")
    if rates.given.icons:
        seconds = _shared(icons / rates.given.icons, gpus)
        lines.append(f"{count(icons)} icons ÷ ({rate(rates.given.icons)} a second × GPUs) = {_on_gpus(gpus, seconds)}")
    else:
        steps = step_count(levels, settings.steps, settings.warm_steps, settings.styles)
        seconds = _shared(icons * icon.other + steps * icon.step, gpus)
        work = f"{count(steps)} steps × {1e3 * icon.step:.3g} ms + {count(icons)} icons × {1e3 * icon.other:.3g} ms"
        lines.append(f"steps: {settings.steps} from noise, {settings.warm_steps or settings.steps} from an image")
        lines.append(f"({work}) ÷ GPUs = {_on_gpus(gpus, seconds)}")
    finished = 2 * 3 * settings.size**2 + 3 * FLOAT_BYTES * channels
    batch, kept = settings.batch_size * icon.bytes, icon_count(levels) * finished
    if large_count(sizes, levels):
        larger = _large_icons_cost(sizes, rates, gpus, layer, levels)
        seconds = tuple(map(sum, zip(seconds, larger.seconds, strict=True)))
        lines += larger.explanation
        batch, kept = max(batch, larger.batch), kept + larger.kept
        icons += larger.count
    written = disk.icons_bytes(sizes, layer, levels)
    memory = rates.memory + batch + kept
    return StageCost("render", layer, atlas, icons, "icons", written, memory, seconds, tuple(lines))


@dataclass(frozen=True)
class _LargeIconsCost:
    """What the large icons of an atlas cost.

    Attributes:
        count: of all styles.
        batch: bytes of one batch.
        kept: bytes of those of one style.
        seconds: for each number of GPUs.
        explanation: line by line.
    """

    count: int
    batch: int
    kept: int
    seconds: tuple[float, ...]
    explanation: tuple[str, ...]


def _large_icons_cost(
    sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, levels: list[LevelCount]
) -> _LargeIconsCost:
    """Large icons all start from an image. At a given rate of icons their pixels count, those of both views."""
    settings, one = sizes.params.render.for_layer(layer), rates.large_icons[layer]
    scale, side, each = settings.large_scale, settings.large_side, large_count(sizes, levels)
    icons, steps = len(settings.styles) * each, settings.warm_steps or settings.steps
    stored, cached = disk.large_icon_row(side), disk.cached_icon(side, sizes.channels[layer])
    bytes_each = f"({count(stored)} bytes + {count(cached)} in the cache), of 3 × {side}² pixels"
    if rates.given.icons:
        seconds = _shared(icons * (scale**2 + 1) / rates.given.icons, gpus)
        work = f"{count(icons)} large icons × ({scale}² + 1) ÷ ({rate(rates.given.icons)} a second × GPUs)"
    else:
        seconds = _shared(icons * (one.other + steps * one.step), gpus)
        work = (
            f"{count(icons)} large icons × ({steps} steps × {1e3 * one.step:.3g} ms + {1e3 * one.other:.3g} ms) ÷ GPUs"
        )
    return _LargeIconsCost(
        count=icons,
        batch=settings.large_batch_size * one.bytes,
        kept=each * 3 * 3 * side**2,  # of each its start, the cached image and the row that is stored
        seconds=seconds,
        explanation=(f"{count(icons)} large icons × {bytes_each}", f"{work} = {_on_gpus(gpus, seconds)}"),
    )


def tile_cost(sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str) -> StageCost:
    """The tiles of an atlas; they are encoded one after the other and take no memory worth counting."""
    levels = level_counts(sizes, atlas)
    pixels, written = disk.tile_pixels(sizes, layer, levels), disk.tiles_bytes(sizes, layer, levels)
    side, large_icon = disk.tile_icon_sides(sizes, layer)
    styles = len(sizes.params.render.styles)
    icons, large = styles * icon_count(levels), styles * large_count(sizes, levels)
    seconds = PYRAMID * pixels / rates.encode
    per_pixel, speed = disk.TILE_BYTES[sizes.params.tile.format], f"{rate(rates.encode / 1e6)} million a second"
    shown = f"{count(icons)} icons × {side}² pixels"
    if large:
        shown = f"({count(icons - large)} icons × {side}² + {count(large)} large icons × {large_icon}²) pixels"
    line = f"{shown} × {per_pixel:g} bytes = {size(written)}; pixels × 4/3 ÷ {speed} = {time(seconds)}"
    return StageCost("tile", layer, atlas, icons, "icons", written, rates.memory, (seconds,) * len(gpus), (line,))


def site_cost(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> StageCost:
    """The exemplars' images; the time of the rest is not worth counting.

    Memory holds image, label and cell of each sample of all layers, and twice the attributions of the largest level.
    """
    images, each, written = disk.exemplar_images(sizes), disk.exemplar_bytes(sizes), disk.site_bytes(sizes)
    seconds = images / rates.digest
    cells = max(level.occupied for atlas in sizes.params.atlases for level in level_counts(sizes, atlas))
    members = len(sizes.channels) * sizes.samples * (POINT_BYTES + SUM_BYTES)
    memory = rates.memory + members + cells * sizes.attributions * FLOAT_BYTES * 2
    shown, rest = f"{count(images)} pictures of exemplars × {count(each)} bytes", size(written - images * each)
    lines = (
        f"{shown} + {rest} of cells, samples, attributions and channels = {size(written)}",
        f"{count(images)} pictures ÷ {rate(rates.digest)} a second = {time(seconds)}",
    )
    return StageCost("site", "", "", images, "pictures", written, memory, (seconds,) * len(gpus), lines)


def sample_batch_bytes(outputs: Sequence[int], first: int, batch: int, attribution: bool) -> int:
    """Memory of a batch of the stage ``sample`` on its way through the network.

    Args:
        outputs: numbers in each layer's output for one image, in the order of the layers.
        first: index of the first layer that is recorded.
        batch: images in it.
        attribution: tangents of many positions are carried through the layers after ``first``.
    """
    tangents = max(outputs[first:]) * max(batch, TANGENTS) if attribution else 0
    return LIVE_OUTPUTS * FLOAT_BYTES * max(max(outputs) * batch, tangents)


def _shared(seconds: float, gpus: Sequence[int]) -> tuple[float, ...]:
    return tuple(seconds / number for number in gpus)


def _on_gpus(gpus: Sequence[int], seconds: Sequence[float]) -> str:
    return ", ".join(f"{time(one)} on {number}" for number, one in zip(gpus, seconds, strict=True))


def count(value: float) -> str:
    """A whole number with separators between its thousands."""
    return f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes in MB (10⁶) or GB (10⁹)."""
    if value >= 1e9:
        return f"{value / 1e9:,.2f} GB"
    return f"{value / 1e6:,.1f} MB"


def time(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds >= 5400:
        return f"{seconds / 3600:,.1f} h"
    if seconds >= 90:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def rate(value: float) -> str:
    """Things per second, with three significant digits below 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], last: Sequence[str], left: Collection[int]) -> list[str]:
    """Lines of a table with rules below its head and above its last row.

    Args:
        head: names of the columns.
        rows: cells as text.
        last: the row of totals.
        left: columns that are aligned on the left; numbers are aligned on the right.
    """
    everything = [head, *rows, last]
    widths = [max(len(row[column]) for row in everything) for column in range(len(head))]
    lines = [
        GAP.join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in everything
    ]
    rule = "-" * max(map(len, lines))
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]
