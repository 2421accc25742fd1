"""Entry of the stage ``prepare``: list the usable images, train or load the network and its checkpoints, save them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core import artifacts as a
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import ConfigError, ImageError, ModelError, escape_control_chars
from pipeline.core.progress import counted, log_line
from pipeline.images.crops import network_crop
from pipeline.images.image_set import ImageSet, open_image_set
from pipeline.images.manifest import Listing, Manifest, list_images, write_manifest, write_rejected
from pipeline.model.build import freeze
from pipeline.model.checkpoints import write_checkpoints
from pipeline.model.configured_network import make_module
from pipeline.model.discovery import discover_layers
from pipeline.model.metadata import resolve_class_names, resolve_preprocessing
from pipeline.model.network import Network, save_network
from pipeline.model.output_format import GivenFormat
from pipeline.prepare.network import check_labels, check_names, head_note, match_classes
from pipeline.prepare.train import TopPredictions, top_accuracy, train
from pipeline.stages import Task

NAMED = 5  # classes in a line
Metrics = dict[str, float | int | None]
Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Inputs:
    """What the configuration specifies, loaded and checked.

    Attributes:
        images: the image set.
        module: the network, frozen unless it is to be trained.
        classes: names of its logits.
        preprocessing: of images for the network.
        class_of_label: [label] its class for each class of the image set, -1 where there is none.
    """

    images: ImageSet
    module: nn.Module
    classes: tuple[str, ...]
    preprocessing: PreprocessingSettings
    class_of_label: NDArray[np.int64]


def run(task: Task) -> None:
    """List the usable images, train or load the network and its checkpoints, save them."""
    inputs = _load_inputs(task)
    kept: dict[str, Weights] = {}
    if task.params.model.weights == "train":
        inputs, listing, metrics = _train(task, inputs, kept)
    else:
        listing, metrics = _evaluate(task, inputs)
    module = freeze(inputs.module)
    if note := head_note(module, inputs.preprocessing.crop):
        log_line(f"prepare: {note}")
    network = Network(
        name=task.params.model.name,
        module=module,
        classes=inputs.classes,
        preprocessing=inputs.preprocessing,
        layers=discover_layers(module, inputs.preprocessing.crop, GivenFormat.of(task.params.model)),
    )
    settings = task.settings()
    write_manifest(task.path(a.IMAGES), listing.manifest, settings, {})
    write_rejected(task.path(a.REJECTED), listing.keys, listing.reasons, settings, {})
    save_network(task.path(a.MODEL), network, task.params.as_written.model.architecture, settings)
    _save_checkpoints(task, network, kept)
    _report(task, listing, network, metrics)


def _load_inputs(task: Task) -> Inputs:
    settings = task.params.model
    images = open_image_set(task.params.images)
    preprocessing = resolve_preprocessing(settings)
    names = resolve_class_names(settings, images.classes)
    if settings.weights == "train":
        check_labels(images.classes, names)
    module = make_module(settings, names, task.params.seed, preprocessing.crop)
    classes = check_names(module, names, preprocessing.crop)
    for file in task.params.prepare.checkpoints:  # before anything is trained
        _with_weights(task, file, classes, preprocessing.crop)
    class_of_label = match_classes(images.classes, classes)
    if names is not None:
        _report_unmatched(
            [label for label, found in zip(images.classes, class_of_label, strict=True) if found < 0], classes
        )
    return Inputs(images, module, classes, preprocessing, class_of_label)


def _report_unmatched(labels: Sequence[str], classes: Sequence[str]) -> None:
    """Name the classes of the image set that the network does not have; images of these count as without a label."""
    if labels:
        more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        log_line(
            f"prepare: the network has no class called {', '.join(map(repr, labels[:NAMED]))}{more}; images of these "
            f"have no label; its first class is {classes[0]!r}, and images.classes gives folders other names"
        )


def _train(task: Task, inputs: Inputs, kept: dict[str, Weights]) -> tuple[Inputs, Listing, Metrics]:
    """List the images and train the network on them, without classes that have no usable image.

    Args:
        task: of the stage.
        inputs: of the stage.
        kept: gets the weights of checkpoints, by their names.
    """
    crops: list[NDArray[np.uint8]] = []
    listing = _list_images(task, inputs, crops.append)
    classes = listing.manifest.class_
    chosen = np.flatnonzero(classes >= 0)
    found = np.unique(classes[chosen])
    if len(found) < 2:
        only = repr(inputs.classes[found[0]]) if len(found) else "no label"
        raise ImageError(
            f"images: expected usable images of two classes or more to train on, found {only} only; add images, or "
            "give model.weights a path or published weights"
        )
    if len(found) < len(inputs.classes):
        inputs, listing = _without_empty_classes(task, inputs, listing)
        classes = listing.manifest.class_
    pixels = np.stack([crops[row] for row in chosen])
    training = task.params.model.training
    every, module = task.params.prepare.checkpoint_every, inputs.module

    def keep(epochs: int) -> None:
        if every is not None and epochs % every == 0 and epochs < training.epochs:
            weights = {name: value.detach().clone() for name, value in module.state_dict().items()}
            kept[counted(epochs, "epoch")] = weights

    trained = train(module, pixels, classes[chosen], training, inputs.preprocessing, task.params.seed, keep)
    return (
        inputs,
        listing,
        {
            "test_accuracy": trained.test_accuracy,
            "train_images": trained.train_images,
            "test_images": trained.test_images,
        },
    )


def _save_checkpoints(task: Task, network: Network, kept: Mapping[str, Weights]) -> None:
    """Save the network with the weights that were kept while it was trained, and with those of the given files."""
    settings = task.settings()
    architecture = task.params.as_written.model.architecture
    files = task.params.prepare.checkpoints
    names = [*kept, *distinct_ends(files)]

    def save(number: int, folder: Path) -> None:
        chosen = "random" if number < len(kept) else files[number - len(kept)]
        module = _with_weights(task, chosen, network.classes, network.preprocessing.crop)
        if number < len(kept):
            module.load_state_dict(kept[names[number]])
        save_network(folder, replace(network, module=freeze(module)), architecture, settings)

    write_checkpoints(task.path(a.CHECKPOINTS), names, save)
    if names:
        log_line(f"prepare: {counted(len(names), 'checkpoint')}: {', '.join(names)} ({task.path(a.CHECKPOINTS)})")


def _with_weights(task: Task, weights: str, classes: Sequence[str], crop: int) -> nn.Module:
    """The run's network with initial weights, or those of a file."""
    settings = task.params.model.model_copy(update={"weights": weights})
    try:
        return make_module(settings, classes, task.params.seed, crop)
    except ModelError as error:
        raise type(error)(str(error).replace("model.weights:", "prepare.checkpoints:")) from None


def distinct_ends(paths: Sequence[str]) -> list[str]:
    """The names of files, each with as many of its folders as tell it from the others.

    Args:
        paths: of the files.
    """
    parts = [Path(path).parts for path in paths]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        ends = ["/".join(one[-depth:]) for one in parts]
        if len(set(ends)) == len(set(parts)):
            return ends
    return list(paths)


def _without_empty_classes(task: Task, inputs: Inputs, listing: Listing) -> tuple[Inputs, Listing]:
    """The same without the classes that have no usable image, where the network takes any number of classes.

    Raises:
        ConfigError: an atlas is that of a class which is left out, or which gets another index.
    """
    own, settings = listing.manifest.class_, task.params.model
    found = np.unique(own[own >= 0])
    names = [inputs.classes[index] for index in found]
    module = make_module(settings, names, task.params.seed, inputs.preprocessing.crop)
    try:
        check_names(module, names, inputs.preprocessing.crop)
    except ConfigError:  # it has a number of logits of its own
        return inputs, listing
    empty = [name for index, name in enumerate(inputs.classes) if index not in found]
    named = f"{', '.join(map(repr, empty[:NAMED]))}{f' and {len(empty) - NAMED} more' if len(empty) > NAMED else ''}"
    new = np.full(len(inputs.classes) + 1, -1)  # class -1 picks the last
    new[found] = np.arange(len(found))
    wanted = {class_ for atlas in task.params.atlases for class_ in parse_atlas(atlas).classes}
    if any(new[class_] != class_ for class_ in wanted):
        raise ConfigError(
            f"classes: expected usable images of every class to train on, found none of {named}, without which other "
            "classes have other numbers than the atlases name; leave these folders out of the image set"
        )
    log_line(f"prepare: no usable image of {named}: the network is trained without")
    manifest = replace(listing.manifest, class_=new[own])
    changed = replace(inputs, module=module, classes=tuple(names), class_of_label=new[inputs.class_of_label])
    return changed, replace(listing, manifest=manifest)


def _evaluate(task: Task, inputs: Inputs) -> tuple[Listing, Metrics]:
    labeled = task.params.model.weights != "random" and bool((inputs.class_of_label >= 0).any())
    if not (task.params.prepare.evaluate and labeled):
        return _list_images(task, inputs, None), {}
    predictions = TopPredictions(inputs.module, inputs.preprocessing)
    listing = _list_images(task, inputs, predictions.add)
    best, classes = predictions.result(), listing.manifest.class_
    return listing, {"top1": top_accuracy(best, classes, 1), "top5": top_accuracy(best, classes, 5)}


def _list_images(task: Task, inputs: Inputs, on_crop: Callable[[NDArray[np.uint8]], None] | None) -> Listing:
    """List the image set; ``on_crop`` is called with each usable image, cropped as for the network, [y, x, 3]."""

    def keep(image: Image.Image) -> None:
        if on_crop is not None:
            on_crop(np.asarray(network_crop(image, inputs.preprocessing)))

    settings = task.params.prepare
    listing = list_images(
        inputs.images, inputs.class_of_label, settings.limit, settings.max_pixels, settings.min_side, keep
    )
    if not len(listing.manifest):
        reason = (
            f"{escape_control_chars(listing.keys[0])}: {listing.reasons[0]}" if listing.keys else "the set is empty"
        )
        raise ImageError(
            f"images: expected at least one usable image, found {len(listing.keys)} unusable ones ({reason}); point "
            "images at pictures that Pillow can read"
        )
    return listing


def _report(task: Task, listing: Listing, network: Network, metrics: Metrics) -> None:
    manifest = listing.manifest
    counts: Metrics = {
        "images": len(manifest),
        "rejected": len(listing.keys),
        "classes": len(network.classes),
        "labeled": int((manifest.class_ >= 0).sum()),
    }
    task.write_metrics(counts | metrics)
    log_line(f"prepare: {_images(manifest)}; {len(listing.keys)} rejected ({task.path(a.REJECTED)})")
    for key, reason in list(zip(listing.keys, listing.reasons, strict=True))[:3]:
        log_line(f"prepare: rejected {escape_control_chars(key)}: {reason}")
    scores = ", ".join(f"{name.replace('_', ' ')} {value:.1%}" for name, value in metrics.items() if _is_share(value))
    log_line(
        f"prepare: {network.name} with {counted(len(network.classes), 'class', 'classes')} and "
        f"{counted(len(network.layers), 'layer')} to sample"
        f"{'; ' + scores if scores else ''} ({task.path(a.MODEL)})"
    )


def _images(manifest: Manifest) -> str:
    small, large = int(manifest.width.min()), int(manifest.width.max())
    width = f"{small}" if small == large else f"{small} to {large}"
    of_class = int((manifest.class_ >= 0).sum())
    return f"{counted(len(manifest), 'image')}, {width} pixels wide, {of_class} of a class of the network"


def _is_share(value: float | None) -> bool:
    return isinstance(value, float)
