"""The sheet of style transfer: images in each style at several weights, by optimization and in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.synthesize import StyleTransferSettings
from pipeline.core.progress import counted
from pipeline.featurevis.renderer import to_uint8
from pipeline.images.choice import chosen_images, spread_over_classes
from pipeline.model.description import LayerShape
from pipeline.parallel.tasks import Arrays
from pipeline.synthesize.context import Context
from pipeline.synthesize.feed_forward import (
    FeedForwardConfig,
    apply_style_network,
    style_network_bytes,
    train_style_network,
)
from pipeline.synthesize.layer_choice import spread_layers
from pipeline.synthesize.sheet import Column, Measure, Picture, Row, Sheet
from pipeline.synthesize.style_transfer import (
    StyleLayers,
    TransferConfig,
    TransferLosses,
    Transferred,
    blended_grams,
    style_grams,
    sweep_content_weight,
)
from pipeline.synthesize.texture import Grams, distance_of_quarters
from pipeline.synthesize.worker import Worker

SOURCE = "Gatys et al. 2016"
STYLE_FILE = "style.safetensors"
WEIGHT = "weight-"  # before the names of the weights among the arrays of a task
CANDIDATES = 48  # images among which styles are chosen
TRAINED_ON = 256  # images, at most
MEASURES = (
    Measure(
        "style",
        "style",
        "Squared distance of the Gram matrices from those of the style, relative to them, as a mean over the layers.",
    ),
    Measure(
        "content", "content", "Squared distance of the content layer's features from the image's, relative to them."
    ),
)


@dataclass(frozen=True)
class Layers:
    """Where content and style are read.

    Attributes:
        content: layer.
        style: layers.
    """

    content: str
    style: tuple[str, ...]

    def weighted(self) -> StyleLayers:
        """With equal weights."""
        return StyleLayers(self.content, dict.fromkeys(self.style, 1.0))


@dataclass(frozen=True)
class CandidateTask:
    """An image that may give a style.

    Attributes:
        row: of the image.
        layers: of the network.
    """

    row: int
    layers: Layers


@dataclass(frozen=True)
class TransferTask:
    """One image in one style, or in equal parts of several, at all weights.

    Attributes:
        row: of the image.
        styles: rows of the styles.
        layers: of the network.
    """

    row: int
    styles: tuple[int, ...]
    layers: Layers


@dataclass(frozen=True)
class PassTask:
    """A network that is trained for one style, and its pictures of some images.

    Attributes:
        rows: of the images that it is applied to.
        style: row of the style.
        trained_on: rows of other images.
        layers: of the network that tells the losses.
    """

    rows: tuple[int, ...]
    style: int
    trained_on: tuple[int, ...]
    layers: Layers


def make(context: Context) -> Sheet:
    """Transfer each style, and an equal blend of the first two, to each image.

    Raises:
        ConfigError: there is no image of a key.
    """
    settings, images = context.settings.style_transfer, context.images
    layers = content_and_style(settings, context.network.layers)
    styles = _styles(context, layers)
    mixtures = [*((style,) for style in styles), *([tuple(styles[:2])] if len(styles) > 1 else [])]
    tasks = [TransferTask(row, mixture, layers) for row in images for mixture in mixtures]
    done = context.run("transfers", transfer_task, tasks)
    passes, weights_of_pass = _passes(context, styles, layers)
    shown = dict(zip([*images, *styles], context.run("photographs", photograph, [*images, *styles]), strict=True))
    rows = []
    for task, found in zip(tasks, done, strict=True):
        one_pass = passes.get(task.row) if task.styles == (styles[0],) else None
        names = " and ".join(context.image_name(style) for style in task.styles)
        pictures: list[Picture | None] = [
            Picture(shown[task.row]["image"]),
            Picture(np.concatenate([shown[style]["image"] for style in task.styles], axis=1)),
            *(_picture(found, number) for number in range(len(settings.weights))),
        ]
        if passes:
            pictures.append(None if one_pass is None else _picture(one_pass, 0))
        rows.append(Row(context.image_name(task.row), f"in the style of {names}", pictures))
    ratio = _ratio(settings.weights, [done[number * len(mixtures)] for number in range(len(images))], passes, images)
    weights = [
        Column(f"Weight {weight:g}", "Optimized with this weight of the style against the content.", SOURCE)
        for weight in settings.weights
    ]
    one_pass_column = Column("One pass", "By a network that was trained for the first style.", "Johnson et al. 2016")
    return Sheet(
        method="style_transfer",
        columns=[Column("Image"), Column("Style"), *weights, *([one_pass_column] if passes else [])],
        rows=rows,
        measures=MEASURES,
        notes=_notes(layers, settings.training_steps if passes else 0, ratio, middle(settings.weights)),
        files=(
            {STYLE_FILE: style_network_bytes(weights_of_pass, _one_pass_config(settings.training_steps))}
            if passes
            else {}
        ),
        metrics={} if ratio is None else {"one_pass_ratio": ratio},
    )


def photograph(worker: Worker, row: int) -> Arrays:
    """``image``: an image at the size of the pictures, uint8 [y, x, 3]."""
    return {"image": to_uint8(_crop(worker, row)[None])[0].cpu().numpy()}


def quarters_apart(worker: Worker, task: CandidateTask) -> Arrays:
    """``distance``: mean distance of the Gram matrices of an image's quarters from those of the image."""
    return {"distance": np.array(distance_of_quarters(worker.network, task.layers.style, _crop(worker, task.row)))}


def transfer_task(worker: Worker, task: TransferTask) -> Arrays:
    """``image``, uint8 [weight, y, x, 3]; ``style`` and ``content`` [weight]."""
    own, layers = worker.settings.style_transfer, task.layers.weighted()
    grams = _grams(worker, layers, task.styles)
    weights = [1 / weight for weight in own.weights]
    config = TransferConfig(steps=own.steps)
    return _arrays(sweep_content_weight(worker.network, layers, _crop(worker, task.row), grams, weights, config))


def pass_task(worker: Worker, task: PassTask) -> Arrays:
    """``image``, uint8 [image, y, x, 3]; ``style`` and ``content`` [image]."""
    own, layers = worker.settings.style_transfer, task.layers.weighted()
    grams = _grams(worker, layers, (task.style,))
    config = _one_pass_config(own.training_steps)
    photographs = torch.stack([_crop(worker, row) for row in task.trained_on])
    weight = 1 / middle(own.weights)
    trained = train_style_network(worker.network, layers, photographs, grams, weight, config, worker.seed)
    images = torch.stack([_crop(worker, row) for row in task.rows])
    losses = TransferLosses(worker.network, layers, (images.shape[2], images.shape[3]))
    made = apply_style_network(trained, images)
    weights = {f"{WEIGHT}{name}": value.cpu().numpy() for name, value in trained.state_dict().items()}
    return _arrays(losses.measured(made, losses.content(images), losses.style(grams, len(images)))) | weights


def middle(weights: Sequence[float]) -> float:
    """The weight that the network of one style is trained with."""
    return weights[len(weights) // 2]


def _one_pass_config(steps: int) -> FeedForwardConfig:
    return FeedForwardConfig(steps=steps)


def _passes(
    context: Context, styles: Sequence[int], layers: Layers
) -> tuple[Mapping[int, Arrays], Mapping[str, NDArray[np.float32]]]:
    """What the trained network makes of each image, by its row, and its weights; empty where none is trained."""
    images, left_out = context.images, {*context.images, *styles}
    spread = spread_over_classes(context.manifest.label, TRAINED_ON + len(left_out))
    trained_on = tuple(row for row in spread if row not in left_out)[:TRAINED_ON]
    if not context.settings.style_transfer.training_steps or not trained_on:
        return {}, {}
    (found,) = context.run("passes", pass_task, [PassTask(tuple(images), styles[0], trained_on, layers)], "network")
    weights = {name.removeprefix(WEIGHT): values for name, values in found.items() if name.startswith(WEIGHT)}
    own = {name: values for name, values in found.items() if not name.startswith(WEIGHT)}
    pictures = {
        row: {name: values[number : number + 1] for name, values in own.items()} for number, row in enumerate(images)
    }
    return pictures, weights


def _ratio(
    weights: Sequence[float], optimized: Sequence[Arrays], passes: Mapping[int, Arrays], images: Sequence[int]
) -> float | None:
    """Mean loss in one pass over that of the optimization, at the weight of the training; None without a network."""
    if not passes:
        return None
    number, content_weight = len(weights) // 2, 1 / middle(weights)
    best = [one["style"][number] + content_weight * one["content"][number] for one in optimized]
    made = [passes[row]["style"][0] + content_weight * passes[row]["content"][0] for row in images]
    return float(np.mean(made) / np.mean(best))


def _styles(context: Context, layers: Layers) -> list[int]:
    """Rows of the styles; a number of them are those most like a texture, and none of the changed images.

    A texture looks alike everywhere: the Gram matrices of its quarters are those of the whole. In an image of one
    object they mix the object with what is behind it, which are two styles.
    """
    wanted, images = context.settings.style_transfer.styles, context.images
    if not isinstance(wanted, int):
        return chosen_images(wanted, context.manifest, "synthesize.style_transfer.styles")
    spread = spread_over_classes(context.manifest.label, CANDIDATES + len(images))
    others = [row for row in spread if row not in images] or list(images)
    found = context.run("candidates", quarters_apart, [CandidateTask(row, layers) for row in others], "candidate")
    order = np.argsort([float(one["distance"]) for one in found], kind="stable")
    return [others[number] for number in order[:wanted]]


def content_and_style(settings: StyleTransferSettings, layers: Mapping[str, LayerShape]) -> Layers:
    """The layers that are named, or else ones in the middle of a network and spread over it.

    Args:
        settings: of the method.
        layers: of the network, from shallow to deep.
    """
    spread = spread_layers(layers)
    # the last block has lost most of the arrangement, which keeps neither content nor style
    return Layers(settings.content_layer or spread[len(spread) // 2], tuple(settings.style_layers or spread[:-1]))


def _grams(worker: Worker, layers: StyleLayers, styles: Sequence[int]) -> Grams:
    """Of one style, or of equal parts of several."""
    grams = style_grams(worker.network, layers, torch.stack([_crop(worker, row) for row in styles]))
    return blended_grams(grams, torch.full((1, len(styles)), 1 / len(styles)))


def _crop(worker: Worker, row: int) -> Tensor:
    return worker.crop(row, worker.settings.style_transfer.size)


def _arrays(found: Transferred) -> Arrays:
    return {
        "image": to_uint8(found.images).cpu().numpy(),
        "style": found.style_losses.cpu().numpy(),
        "content": found.content_losses.cpu().numpy(),
    }


def _picture(found: Arrays, number: int) -> Picture:
    values = {name: float(found[name][number]) for name in ("style", "content")}
    return Picture(np.asarray(found["image"][number]), values)


def _notes(layers: Layers, training_steps: int, ratio: float | None, weight: float) -> list[str]:
    found = [f"Content of {layers.content}; style of {', '.join(layers.style)}."]
    if ratio is not None:
        found.append(
            f"The network of one pass was trained for {counted(training_steps, 'step')} at the weight {weight:g}; on "
            f"the images, none of which it was trained on, its loss is {ratio:.2f} times that of the optimization."
        )
    return found
