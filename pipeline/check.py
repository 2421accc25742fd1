"""Everything about a run that can be known before it starts."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from pipeline.core.atlases import parse_atlas
from pipeline.core.errors import ConfigError, DataError, ImageError
from pipeline.images.image_set import Entry, ImageSet
from pipeline.images.open_set import open_image_set
from pipeline.model.build import build, freeze
from pipeline.model.describe import layer_forms
from pipeline.model.layers import find, known_layer
from pipeline.model.resolve import class_names, preprocessing
from pipeline.model.weights import is_file, load_weights, published, read_weights
from pipeline.params import Params
from pipeline.plan.given import FILL, Sizes
from pipeline.plan.subject import logit_count
from pipeline.plan.verdict import no_room
from pipeline.plan.volume import total
from pipeline.reduce.external_engines import check_engine
from pipeline.site.places import configured, known


def check(params: Params, outputs: Path) -> None:
    """Refuse a run that cannot succeed.

    Raises:
        AtlasError: names what cannot work: images, network, weights, layers, device, disk.
    """
    for section in ("sample", "reduce", "render", "predict", "patch"):
        check_device(section, getattr(params, section).device)
    check_engine(params.reduce)
    images = open_image_set(params.images)
    if params.place.images is not None:
        check_second(open_image_set(params.place.images))
    check_classes(params, images)
    check_places(params, images)
    count = check_images(params, images)
    sizes = check_network(params, images, count)
    check_points(params, count)
    check_disk(sizes, outputs)


def check_device(section: str, device: str) -> None:
    """Raise ConfigError unless torch can use ``device``."""
    kind, _, index = device.partition(":")
    usable = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[kind]
    if int(index or 0) >= usable:
        raise ConfigError(
            f"{section}.device: expected a device of this machine, found {device!r}; use {section}.device=cpu"
        )


def check_images(params: Params, images: ImageSet) -> int:
    """The number of images that the run may use; raises ImageError or ConfigError if they cannot serve."""
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
    return count_images(params, entries)


def count_images(params: Params, entries: Sequence[Entry]) -> int:
    """How many of the images the run may use."""
    return min(len(entries), params.prepare.limit or len(entries))


def check_network(params: Params, images: ImageSet, count: int) -> Sizes:
    """The sizes of a run; raises ModelError or ConfigError if network, weights or layers do not fit."""
    model = params.model
    names = class_names(model, images.classes)
    crop = preprocessing(model).crop
    if model.weights not in ("train", "random") and not is_file(model.weights):
        published(model.architecture, model.weights)
    module = build(model.architecture, len(names) if names else None, params.seed)
    if is_file(model.weights):
        load_weights(module, read_weights(model.architecture, model.weights), model.weights)
    module = freeze(module)
    for layer in params.layers:
        find(module, layer)
    forms = layer_forms(module, crop, model.prefix_tokens)
    channels = {layer: known_layer(layer, forms).channels for layer in params.layers}
    return Sizes(params, count, len(names) if names else logit_count(module, crop), channels, FILL, crop)


def check_second(images: ImageSet) -> None:
    """Raise ImageError if the second image set holds nothing."""
    if not images.entries():
        raise ImageError("place.images: expected at least one image, found none; check its arguments")


def check_classes(params: Params, images: ImageSet) -> None:
    """Raise ConfigError if an atlas is of a class that the network does not have, or attributions are not recorded."""
    wanted = [class_ for atlas in params.atlases for class_ in parse_atlas(atlas).classes]
    if not wanted:
        return
    if not params.sample.attribution:
        raise ConfigError("sample.attribution: expected true, since atlases of classes need attributions, found false")
    names = class_names(params.model, images.classes)
    if names is not None and max(wanted) >= len(names):
        raise ConfigError(
            f"atlases: expected classes of the network's {len(names)}, found number {max(wanted)}; "
            "give them by name in classes and comparisons"
        )


def check_places(params: Params, images: ImageSet) -> None:
    """Raise ConfigError if a place of the page names something that the run does not have."""
    if params.site.places:
        configured(params.site.places, known(params, class_names(params.model, images.classes)))


def check_points(params: Params, images: int) -> None:
    """Raise DataError if there are too few samples for the layout's neighbourhoods."""
    samples = images * params.sample.positions_per_image
    needed = {"umap": params.reduce.neighbors, "tsne": int(3 * params.reduce.perplexity), "pca": 2}[
        params.reduce.method
    ]
    if samples <= needed:
        raise DataError(
            f"reduce: {params.reduce.method} needs more than {needed} samples, found {images} images × "
            f"{params.sample.positions_per_image} places = {samples}; add images or places, or lower its neighbourhood"
        )


def check_disk(sizes: Sizes, outputs: Path) -> None:
    """Raise ConfigError if the disk cannot hold what the run writes, before compression; see ``atlas plan``."""
    needed, free = total(sizes), free_disk(outputs)
    if needed > free:
        raise no_room(outputs, needed, free)


def free_disk(outputs: Path) -> int:
    """Bytes that a run may take: those that are free, and those of an earlier run, which it replaces."""
    folder = next(folder for folder in (outputs, *outputs.absolute().parents) if folder.is_dir())
    taken = sum(path.lstat().st_size for path in outputs.rglob("*") if not path.is_dir()) if outputs.is_dir() else 0
    return shutil.disk_usage(folder).free + taken
