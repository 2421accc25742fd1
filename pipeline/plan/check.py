"""The check before a run: whatever can fail for a reason that is known before anything runs."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.config.cluster import Address, Inline, Local
from pipeline.config.params import Params
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import ConfigError, DataError, ImageError
from pipeline.core.progress import log_line
from pipeline.fitting_levels import FILL, levels_note
from pipeline.images.image_set import Entry, ImageSet, open_image_set
from pipeline.model.build import freeze
from pipeline.model.configured_network import load_configured_network, make_module
from pipeline.model.discovery import find_layers
from pipeline.model.layers import LayerShape, get_layer
from pipeline.model.network import Network
from pipeline.model.output_format import GivenFormat
from pipeline.model.weights import (
    is_weights_file,
    published_weights,
    resolve_class_names,
    resolve_preprocessing,
)
from pipeline.parallel.pool import open_pool
from pipeline.plan.costs import StageCost, size, totals
from pipeline.plan.disk import total_bytes
from pipeline.plan.inputs import Sizes, point_count
from pipeline.plan.trial import check_training, try_network
from pipeline.reduce.external_engines import check_engine
from pipeline.site.bookmarks import configured_bookmarks, link_targets
from pipeline.site.initial_layer import check_initial_layer

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


def check_run(params: Params, outputs: Path) -> None:
    """Refuse a run that cannot succeed.

    Raises:
        AtlasError: names what cannot work: images, network, weights, layers, device, disk.
    """
    for section in ("sample", "reduce", "render", "predict", "patch"):
        check_device(section, getattr(params, section).device)
    check_engine(params.reduce)
    images = open_image_set(params.images)
    if params.place.images is not None:
        check_second_set(open_image_set(params.place.images, "place.images"))
    check_classes(params, images)
    check_bookmarks(params, images)
    check_initial_layer(params)
    if "accentuated" in params.render.styles and not params.site.exemplars:
        raise ConfigError(
            "render.styles: expected drawn alone where site.exemplars=0 keeps photographs out of the site, found "
            "accentuated, whose icons show parts of them; use render.styles=[drawn]"
        )
    if params.judge is not None:
        load_configured_network(params.judge, "judge")
    count = check_images(params, images)
    sizes = check_network(params, images, count)
    check_points(params, count)
    check_disk(total_bytes(sizes), outputs, free_disk(outputs))
    if line := grid_note(sizes):
        log_line(line)


def check_cluster(settings: Inline | Local | Address) -> None:
    """Raise ConfigError if a running scheduler is to be used, and none answers."""
    if isinstance(settings, Address):
        with open_pool(settings):
            pass


def check_device(section: str, device: str) -> None:
    """Raise ConfigError unless torch can use ``device``."""
    kind, _, index = device.partition(":")
    usable = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[kind]
    if int(index or 0) >= usable:
        raise ConfigError(
            f"{section}.device: expected a device of this machine, found {device!r}; use {section}.device=cpu"
        )


def check_images(params: Params, images: ImageSet) -> int:
    """The number of images that the run may use.

    Raises:
        ImageError: there are none.
        ConfigError: the network is to be trained, and the images have fewer than two classes.
    """
    entries = images.entries()
    if not entries:
        raise ImageError("images: expected at least one image, found none; check the image set's arguments")
    if params.model.weights == "train":
        labels = {entry.label for entry in entries if entry.label is not None}
        if len(labels) < 2:
            raise ConfigError(
                f"model.weights: training needs images of at least two classes, found {len(labels)}; "
                "choose a network with weights, or images with labels"
            )
    return usable_images(params, entries)


def usable_images(params: Params, entries: Sequence[Entry]) -> int:
    """How many of the images the run may use."""
    return min(len(entries), params.prepare.limit or len(entries))


def check_network(params: Params, images: ImageSet, count: int) -> Sizes:
    """The sizes of a run of ``count`` images.

    Raises:
        ModelError: network, weights or layers do not fit together, or the network's code fails.
        ConfigError: likewise.
    """
    model = params.model
    names = resolve_class_names(model, images.classes)
    preprocessing = resolve_preprocessing(model)
    crop = preprocessing.crop
    if model.weights not in ("train", "random") and not is_weights_file(model.weights):
        published_weights(model.architecture, model.weights)
        model = model.model_copy(update={"weights": "random"})  # nothing is downloaded before the run
    rebuild = partial(make_module, model, names, params.seed, crop)
    module = freeze(rebuild())
    for layer in params.layers:
        get_layer(module, layer)
    found = find_layers(module, crop, GivenFormat.of(model))
    trained = is_weights_file(params.model.weights) or params.model.weights == "random"
    chosen = {layer: found.require(layer, trained=trained) for layer in params.layers}
    shapes = {layer: LayerShape(**asdict(form), stride=1.0, receptive_field=1) for layer, form in chosen.items()}
    network = Network(model.name, module, names or (), preprocessing, shapes, rebuild=rebuild)
    for note in try_network(network, params):
        log_line(note)
    if model.weights == "train":
        check_training(rebuild, crop, params.seed)
    channels = {layer: shape.channels for layer, shape in shapes.items()}
    return Sizes(params, count, len(names) if names else logit_count(module, crop), channels, FILL, crop)


def logit_count(module: nn.Module, crop: int) -> int:
    """Number of classes of a network; 0 if its output is no row of logits."""
    with torch.no_grad():
        logits = module(torch.zeros(1, 3, crop, crop))
    return int(logits.shape[1]) if isinstance(logits, Tensor) and logits.ndim == 2 else 0


def check_second_set(images: ImageSet) -> None:
    """Raise ImageError if the second image set is empty."""
    if not images.entries():
        raise ImageError("place.images: expected at least one image, found none; check its arguments")


def check_classes(params: Params, images: ImageSet) -> None:
    """Raise ConfigError if an atlas names a class that the network lacks, or attributions are not recorded."""
    wanted = [class_ for atlas in params.atlases for class_ in parse_atlas(atlas).classes]
    if not wanted:
        return
    if not params.sample.attribution:
        raise ConfigError("sample.attribution: expected true, since atlases of classes need attributions, found false")
    names = resolve_class_names(params.model, images.classes)
    if names is not None and max(wanted) >= len(names):
        raise ConfigError(
            f"atlases: expected classes of the network's {len(names)}, found number {max(wanted)}; "
            "give them by name in classes and comparisons"
        )


def check_bookmarks(params: Params, images: ImageSet) -> None:
    """Raise ConfigError if a place of the page names something that the run does not have."""
    if params.site.bookmarks:
        configured_bookmarks(
            params.site.bookmarks, link_targets(params, resolve_class_names(params.model, images.classes))
        )


def check_points(params: Params, images: int) -> None:
    """Raise DataError if there are fewer samples than the layout needs for its neighborhoods."""
    samples = images * params.sample.positions_per_image
    needed = {"umap": params.reduce.neighbors, "tsne": int(3 * params.reduce.perplexity), "pca": 2}[
        params.reduce.method
    ]
    if samples <= needed:
        raise DataError(
            f"reduce: {params.reduce.method} needs more than {needed} samples, found {images} images × "
            f"{params.sample.positions_per_image} places = {samples}; add images or places, or lower its neighborhood"
        )


def grid_note(sizes: Sizes) -> str | None:
    """A line about grid levels for which there are few samples, or that were chosen because there are; else None."""
    grid, parts = sizes.params.grid, [atlas for atlas in sizes.params.atlases if atlas != "all"]
    return levels_note(grid, sizes.samples, [point_count(sizes, atlas) for atlas in parts])


def check_disk(needed: float, outputs: Path, free: float) -> None:
    """Raise ConfigError if the disk has fewer bytes ``free`` than ``needed``, which are those before compression."""
    if needed > free:
        raise ConfigError(
            f"{outputs}: expected {needed / 1e9:.1f} GB of free disk, found {free / 1e9:.1f} GB free; free some, or "
            "sample fewer places, layers or grid levels"
        )


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


def free_disk(outputs: Path) -> int:
    """Bytes that a run may take: free ones, and those of an earlier run, which it replaces."""
    folder = next(folder for folder in (outputs, *outputs.absolute().parents) if folder.is_dir())
    taken = sum(path.lstat().st_size for path in outputs.rglob("*") if not path.is_dir()) if outputs.is_dir() else 0
    return shutil.disk_usage(folder).free + taken
