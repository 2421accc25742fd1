"""The command ``atlas plan``: composes the configuration, measures the machine for some seconds, prints the plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf

from pipeline.compose import compose_cluster, compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core.errors import ConfigError
from pipeline.featurevis.memory import free_bytes
from pipeline.images.image_set import ImageSet, open_image_set
from pipeline.model.metadata import resolve_class_names
from pipeline.plan.check import check_classes, check_disk, check_points, free_disk, grid_note, usable_images
from pipeline.plan.costs import StageCost, count, explain_counts, rate, size, stage_costs, table, time, totals
from pipeline.plan.inputs import Options, Sizes
from pipeline.plan.measure import SyntheticImages, measure_rates
from pipeline.plan.trial import untried_network

GB = 10**9
# the folder of an image set that is not here has no fingerprint
NO_FINGERPRINT = "++images.fingerprint=null"
TEXT_COLUMNS = {0, 1, 2, 4}
# what makes a stage's memory smaller
ADVICE = {
    "prepare": "train on fewer images (prepare.limit)",
    "sample": "use a smaller sample.batch_size or fewer layers",
    "reduce": "sample fewer places, or set reduce.components and reduce.fit_samples lower",
    "grid": "leave out the finest of grid.levels",
    "render": "use a smaller render.batch_size, render.size or render.large_scale",
    "tile": "leave out the finest of grid.levels",
    "site": "sample fewer places or layers",
}


@dataclass(frozen=True)
class Plan:
    """A finished plan.

    Attributes:
        text: what is printed.
        costs: of the stages.
        disk: free bytes; None if unknown.
        memory: likewise.
    """

    text: str
    costs: list[StageCost]
    disk: float | None
    memory: float | None

    def check_fits(self, outputs: Path) -> None:
        """Raise ConfigError if disk or memory cannot hold the run."""
        check_fits(self.costs, outputs, self.disk, self.memory)


def plan(root: Path, outputs: Path, overrides: Sequence[str], options: Options) -> Plan:
    """Plan a run; nothing is written, and no weights are read or downloaded.

    Args:
        root: the project.
        outputs: where the run would write.
        overrides: those of ``atlas run``.
        options: of the command.

    Raises:
        AtlasError: the configuration cannot work.
    """
    params = _compose(root, overrides, options)
    images: ImageSet = open_image_set(params.images) if options.images is None else SyntheticImages()
    if options.images is None:
        check_classes(params, resolve_class_names(params.model, images.classes))
    entries, limit = images.entries(), params.prepare.limit
    usable = usable_images(params, entries) if options.images is None else min(options.images, limit or options.images)
    check_points(params, usable)
    subject = untried_network(params, resolve_class_names(params.model, images.classes), read_weights=False)
    network = subject.network
    channels = {layer: network.layers[layer].channels for layer in params.layers}
    sizes = Sizes(params, usable, len(network.classes), channels, options.fill, network.preprocessing.crop)
    gpus = options.gpus or (1,)
    costs = stage_costs(sizes, measure_rates(params, subject, images, entries, options.given), gpus)
    lines = [
        f"{params.site.title}: {count(usable)} images; layers: {len(channels)}; atlases: {', '.join(params.atlases)}",
        "",
        *([note, ""] if (note := grid_note(sizes)) else []),
        *plan_lines(sizes, costs, gpus),
        *_notes(options),
    ]
    return Plan("\n".join(lines), costs, *_free(outputs, options))


def plan_lines(sizes: Sizes, costs: Sequence[StageCost], gpus: Sequence[int]) -> Iterator[str]:
    """The table of costs, and how its numbers are computed."""
    disk, memory, seconds = totals(costs)
    head = ["stage", "layer", "atlas", "what", "", "disk", "memory", *(f"time on {number}" for number in gpus)]
    left_out = "without predict" if sizes.params.sample.attribution else ""
    last = ["total", "", "", "", left_out, size(disk), size(memory), *map(time, seconds)]
    yield from table(head, [_row(cost, len(gpus)) for cost in costs], last, TEXT_COLUMNS)
    yield from ("", "How the numbers are computed")
    yield from (f"  {line}" for line in explain_counts(sizes))
    yield from (f"  {cost.name}: {line}" for cost in costs for line in cost.explanation)


def _row(cost: StageCost, gpus: int) -> list[str]:
    seconds = [time(one) for one in cost.seconds] or [""] * gpus
    disk, memory = (size(value) if value else "" for value in (cost.disk, cost.memory))
    return [cost.stage, cost.layer, cost.atlas, count(cost.count), cost.unit, disk, memory, *seconds]


def _compose(root: Path, overrides: Sequence[str], options: Options) -> Params:
    _, overrides = compose_cluster(root, overrides)
    absent = [] if options.images is None else [NO_FINGERPRINT]
    return parse_params(OmegaConf.to_container(compose_config(root, [*overrides, *absent])))


def _free(outputs: Path, options: Options) -> tuple[float | None, float | None]:
    """Free bytes of disk and memory; those of other machines are known only if the user gives them."""
    here = options.gpus is None
    disk = options.disk * GB if options.disk else (free_disk(outputs) if here else None)
    memory = options.memory * GB if options.memory else (free_bytes("cpu") if here else None)
    return disk, memory


def _notes(options: Options) -> Iterator[str]:
    """What the numbers include, and how far they can be trusted."""
    given = {
        "images a second in sample": options.given.images,
        "icons a second in render": options.given.icons,
        "points a second in reduce": options.given.points,
    }
    named = [f"{rate(value)} {name}" for name, value in given.items() if value]
    yield from ("", "Disk: before compression. Memory: of one process.")
    if named:
        yield f"Given, not measured: {', '.join(named)}."
    yield "Other rates were measured here, in one process; that of layouts is a first guess unless it is given."
    yield "Not included: predict and patch, which use some hundred images, place, units, explain and synthesize."
    if options.gpus:
        yield "GPUs share the work of sample and render; other stages run on processors, one after the other."
        if not (options.disk and options.memory):
            yield "Not compared with the free disk and memory there: give --disk and --memory, in GB."


def check_fits(costs: Sequence[StageCost], outputs: Path, disk: float | None, memory: float | None) -> None:
    """Check that a machine can hold what is planned.

    Args:
        costs: of the stages.
        outputs: where the run would write.
        disk: free bytes; None if unknown.
        memory: likewise.

    Raises:
        ConfigError: names what is too small, and for memory the stage that needs most of it.
    """
    needed, most, _ = totals(costs)
    if disk is not None:
        check_disk(needed, outputs, disk)
    if memory is not None and most > memory:
        cost = max(costs, key=lambda cost: cost.memory)
        raise ConfigError(
            f"{cost.name}: expected {size(most)} of free memory, found {size(memory)}; free some, or "
            f"{ADVICE[cost.stage]}"
        )
