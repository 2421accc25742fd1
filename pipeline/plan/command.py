"""The command ``atlas plan``: the configuration composed, the machine measured for some seconds, the plan printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf

from pipeline.check import check_classes, check_points, count_images, free_disk
from pipeline.compose import compose_cluster, compose_config
from pipeline.featurevis.memory import free_bytes
from pipeline.images.image_set import ImageSet
from pipeline.images.open_set import open_image_set
from pipeline.params import Params, parse_params
from pipeline.plan.estimate import Estimate, estimates
from pipeline.plan.given import Sizes
from pipeline.plan.options import Options
from pipeline.plan.rates import measured
from pipeline.plan.stand_in import StandIn
from pipeline.plan.subject import subject
from pipeline.plan.table import text
from pipeline.plan.verdict import refuse
from pipeline.plan.words import count, rate

GB = 10**9
# the folder of an image set that is not here has no fingerprint
NO_FINGERPRINT = "++images.fingerprint=null"


@dataclass(frozen=True)
class Plan:
    """A finished plan.

    Attributes:
        text: what is printed.
        rows: the estimates in it.
        disk: free bytes; None where they are not known.
        memory: likewise.
    """

    text: str
    rows: list[Estimate]
    disk: float | None
    memory: float | None

    def refuse(self, outputs: Path) -> None:
        """Raise ConfigError if disk or memory cannot hold it."""
        refuse(self.rows, outputs, self.disk, self.memory)


def plan(root: Path, outputs: Path, overrides: Sequence[str], options: Options) -> Plan:
    """Plan a run; nothing is written, and no weights are read or downloaded.

    Args:
        root: the checkout.
        outputs: where the run would write.
        overrides: those of ``atlas run``.
        options: of the command.

    Raises:
        AtlasError: the configuration cannot work.
    """
    params = _params(root, overrides, options)
    images: ImageSet = open_image_set(params.images) if options.images is None else StandIn()
    if options.images is None:
        check_classes(params, images)
    entries = images.entries()
    limit = params.prepare.limit
    found = count_images(params, entries) if options.images is None else min(options.images, limit or options.images)
    check_points(params, found)
    seen = subject(params, images)
    channels = {layer: shape.channels for layer, shape in seen.network.layers.items()}
    crop, classes = seen.network.preprocessing.crop, len(seen.network.classes)
    sizes = Sizes(params, found, classes, channels, options.fill, crop)
    rates, gpus = measured(params, seen, images, entries, options.given), options.gpus or (1,)
    rows = estimates(sizes, rates, gpus)
    disk, memory = _room(outputs, options)
    head = f"{params.site.title}: {count(found)} images; layers: {len(channels)}; atlases: {', '.join(params.atlases)}"
    return Plan("\n".join([head, "", text(sizes, rows, gpus), *_notes(options)]), rows, disk, memory)


def _params(root: Path, overrides: Sequence[str], options: Options) -> Params:
    _, overrides = compose_cluster(root, overrides)
    absent = [] if options.images is None else [NO_FINGERPRINT]
    return parse_params(OmegaConf.to_container(compose_config(root, [*overrides, *absent])))


def _room(outputs: Path, options: Options) -> tuple[float | None, float | None]:
    """Bytes of disk and memory that are free; what other machines have is known only where it is said."""
    here = options.gpus is None
    disk = options.disk * GB if options.disk else (free_disk(outputs) if here else None)
    memory = options.memory * GB if options.memory else (free_bytes("cpu") if here else None)
    return disk, memory


def _notes(options: Options) -> list[str]:
    """What the numbers are worth."""
    given = {
        "images a second in sample": options.given.images,
        "icons a second in render": options.given.icons,
        "points a second in reduce": options.given.points,
    }
    said = [f"{rate(value)} {name}" for name, value in given.items() if value]
    notes = ["", "Sizes on disk are those before compression; memory is that of one process."]
    if said:
        notes.append(f"Given, not measured: {', '.join(said)}.")
    notes.append("Other rates were measured here, on one process; that of layouts is a first guess unless it is given.")
    notes.append("Left out: predict and patch, which look at some hundred images, and place.")
    if options.gpus:
        notes.append("GPUs share the work of sample and render; other stages run on processors, one after the other.")
        if not (options.disk and options.memory):
            notes.append("Not compared with what is free there: say --disk and --memory, in GB.")
    return notes
