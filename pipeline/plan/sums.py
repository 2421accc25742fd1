"""The sums behind a plan, written out with their numbers, so that a reader can do them again."""

from collections.abc import Sequence

from pipeline.plan import counts, hours, volume
from pipeline.plan.counts import LevelCount
from pipeline.plan.given import FLOAT_BYTES, Rates, Sizes
from pipeline.plan.words import count, rate, size, time


def samples(sizes: Sizes) -> str:
    """How many samples there are."""
    places = sizes.params.sample.positions_per_image
    return f"samples = {count(sizes.images)} images × {places} places = {count(sizes.samples)}"


def cells(sizes: Sizes, atlas: str, levels: list[LevelCount]) -> tuple[str, ...]:
    """How many cells and icons an atlas has, level by level; the same at every layer."""
    found, least = counts.points(sizes, atlas), sizes.params.grid.min_count
    return (
        f"{atlas}: {count(found)} points",
        *(
            f"{atlas}: level {level.size}: {level.size}² × {sizes.fill:g} = "
            f"{count(counts.reached(level.size, sizes.fill))} cells, at most {count(found)} ÷ {least} of them drawn: "
            f"{count(level.drawn)} icons"
            for level in levels
        ),
        f"{atlas}: {count(sum(level.occupied for level in levels))} cells, {count(counts.icons(levels))} icons",
    )


def prepare(sizes: Sizes, rates: Rates, seconds: float) -> str:
    """Time of the stage."""
    decoding = f"{count(sizes.images)} images ÷ {rate(rates.listed)} a second decoded"
    passes = round((seconds - sizes.images / rates.listed) * rates.evaluated / sizes.images)
    network = f" + {passes} passes × {count(sizes.images)} ÷ {rate(rates.evaluated)} a second" if passes else ""
    return f"{decoding}{network} = {time(seconds)}"


def sample(sizes: Sizes, rates: Rates, gpus: Sequence[int], seconds: Sequence[float]) -> tuple[str, ...]:
    """Time of the stage."""
    found = hours.sample_rate(rates)
    lines = [f"{count(sizes.images)} images ÷ ({rate(found)} a second × GPUs) = {_on(gpus, seconds)}"]
    if rates.given.images:
        needed = ", ".join(f"{count(-(-found * number // rates.decoded))} for {number}" for number in gpus)
        lines.append(f"decoding at {rate(rates.decoded)} images a second, as here, takes so many processes: {needed}")
    else:
        lines.append(f"decoded are {rate(rates.decoded)} a second, passed {rate(rates.passed)}; the slower counts")
    return tuple(lines)


def rows(sizes: Sizes, layer: str, disk: int) -> str:
    """Bytes of a layer's samples."""
    numbers = f"({sizes.channels[layer]} channels + {sizes.attributed} classes) × {sizes.stored} bytes"
    rest = volume.sample_row(sizes, layer) - (sizes.channels[layer] + sizes.attributed) * sizes.stored
    return f"{count(sizes.samples)} samples × ({numbers} + {rest}) = {size(disk)}"


def reduce(sizes: Sizes, rates: Rates, atlas: str, seconds: float) -> tuple[str, ...]:
    """Bytes and time of a layout."""
    laid, found = counts.laid_out(sizes, atlas), counts.points(sizes, atlas)
    speed = rates.given.points or hours.LAID[sizes.params.reduce.method]
    later = f" + {count(found - laid)} ÷ {rate(hours.PLACED)}" if found > laid else ""
    return (
        f"{count(found)} points × {volume.layout_row()} bytes",
        f"{count(laid)} points ÷ {rate(speed)} a second{later} = {time(seconds)}",
    )


def grid(
    sizes: Sizes, rates: Rates, layer: str, atlas: str, levels: list[LevelCount], seconds: float
) -> tuple[str, ...]:
    """Bytes and time of a grid."""
    numbers = f"({sizes.channels[layer]} channels + {sizes.attributed} classes) × {FLOAT_BYTES} bytes"
    rest = volume.grid_row(sizes, layer) - (sizes.channels[layer] + sizes.attributed) * FLOAT_BYTES
    found = sum(level.occupied for level in levels)
    read = f"({hours.READS} × {sizes.channels[layer]} + {sizes.attributed}) numbers"
    return (
        f"{count(found)} cells × ({numbers} + {rest})",
        f"{count(counts.points(sizes, atlas))} points × {read} ÷ {rate(rates.summed)} a second = {time(seconds)}",
    )


def render(
    sizes: Sizes, rates: Rates, layer: str, levels: list[LevelCount], gpus: Sequence[int], seconds: Sequence[float]
) -> tuple[str, ...]:
    """Bytes and time of an atlas's icons."""
    settings, found = sizes.params.render.for_layer(layer), counts.icons(levels)
    stored, kept = volume.icon_row(settings.size), volume.cached_icon(settings.size, sizes.channels[layer])
    disk = (
        f"{count(found)} icons × ({count(stored)} bytes + {count(kept)} in the cache), of 3 × {settings.size}² pixels"
    )
    if rates.given.icons:
        return disk, f"{count(found)} icons ÷ ({rate(rates.given.icons)} a second × GPUs) = {_on(gpus, seconds)}"
    drawing = rates.drawing[layer]
    steps = counts.icon_steps(levels, settings.steps, settings.warm_steps)
    work = f"{count(steps)} steps × {1e3 * drawing.step:.3g} ms + {count(found)} icons × {1e3 * drawing.rest:.3g} ms"
    return (
        disk,
        f"steps: {settings.steps} from noise, {settings.warm_steps or settings.steps} from a parent",
        f"({work}) ÷ GPUs = {_on(gpus, seconds)}",
    )


def tile(sizes: Sizes, levels: list[LevelCount], side: int, rates: Rates, disk: int, seconds: float) -> str:
    """Bytes and time of an atlas's tiles."""
    pixels = f"{count(counts.icons(levels))} icons × {side}² pixels"
    each = volume.TILE_BYTES[sizes.params.tile.format]
    speed = f"{rate(rates.encoded / 1e6)} million a second"
    return f"{pixels} × {each:g} bytes = {size(disk)}; pixels × 4/3 ÷ {speed} = {time(seconds)}"


def site(sizes: Sizes, pictures: int, rates: Rates, disk: int, seconds: float) -> tuple[str, ...]:
    """Bytes and time of the site's data."""
    shown = f"{count(pictures)} pictures of exemplars × {count(volume.picture_bytes(sizes))} bytes"
    rest = disk - pictures * volume.picture_bytes(sizes)
    return (
        f"{shown} + {size(rest)} of cells, samples and class attributions = {size(disk)}",
        f"{count(pictures)} pictures ÷ {rate(rates.listed)} a second = {time(seconds)}",
    )


def _on(gpus: Sequence[int], seconds: Sequence[float]) -> str:
    return ", ".join(f"{time(one)} on {number}" for number, one in zip(gpus, seconds, strict=True))
