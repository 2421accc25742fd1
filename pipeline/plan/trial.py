"""A trial of everything that a run does with the network, on two small images, before the run.

Stages do the same later with the same functions: build the network, find its layers, answer the same twice, attribute
logits to layers, follow the gradient from a layer to the image, train.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.config.params import Params
from pipeline.core.errors import AtlasError, ModelError
from pipeline.core.progress import log_line
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.fitting_levels import FILL
from pipeline.model.configured_network import make_module
from pipeline.model.convention import noise, same_answer
from pipeline.model.description import unit_counts
from pipeline.model.discovery import find_layers
from pipeline.model.gradient_break import find_gradient_break, find_random_operation
from pipeline.model.interventions import record_outputs
from pipeline.model.layers import get_layer, named_parts
from pipeline.model.metadata import is_weights_file, published_weights, resolve_preprocessing
from pipeline.model.network import Network
from pipeline.model.network_errors import describe_error
from pipeline.model.output_format import GivenFormat, OutputFormat
from pipeline.plan.inputs import Sizes
from pipeline.sample.attribution_method import attribution_method
from pipeline.synthesize.memory import check_memory


def check_network(params: Params, names: Sequence[str] | None, count: int) -> Sizes:
    """Build the network, try it, and tell the sizes of the run.

    Args:
        params: of the run.
        names: of the network's classes, None where they are not known.
        count: number of images.

    Raises:
        ModelError: network, weights or layers do not fit together, or the network's code fails.
        ConfigError: likewise.
    """
    model = params.model
    if model.weights not in ("train", "random") and not is_weights_file(model.weights):
        published_weights(model.architecture, model.weights)
    network = untried_network(params, names, read_weights=True).network
    params.units.check(unit_counts(network.layers, len(network.classes)))
    params.explain.check(unit_counts(network.layers, len(network.classes)), network.classes)
    params.synthesize.check(unit_counts(network.layers, len(network.classes)), network.classes, params.layers)
    check_memory(network, params.synthesize, params.layers)
    crop = network.preprocessing.crop
    for note in try_network(network, params):
        log_line(note)
    if model.weights == "train":
        check_training(partial(make_module, model, names, params.seed, crop), crop, params.seed)
    channels = {layer: network.layers[layer].channels for layer in params.layers}
    return Sizes(params, count, len(network.classes), channels, FILL, crop)


@dataclass(frozen=True)
class UntriedNetwork:
    """The configured network before any stage has run; nothing was downloaded.

    Attributes:
        network: frozen, on the processor; its strides are 1, its receptive fields only tell the order of its layers.
        formats: of all layers with a map or token grid, in the order of its modules.
    """

    network: Network
    formats: dict[str, OutputFormat]


def untried_network(params: Params, names: Sequence[str] | None, *, read_weights: bool) -> UntriedNetwork:
    """Build the network and find its layers.

    Args:
        params: of the run.
        names: of its classes, None where they are not known; they are numbered then.
        read_weights: whether weights in a file are read. All others are the initial ones, which take the same time.

    Raises:
        ModelError: network, weights or layers do not fit together, or the network's code fails.
        ConfigError: likewise.
    """
    model = params.model
    preprocessing = resolve_preprocessing(model)
    known = read_weights and is_weights_file(model.weights)
    given = model if known else model.model_copy(update={"weights": "random"})
    rebuild = partial(make_module, given, names, params.seed, preprocessing.crop)
    module = rebuild()
    for layer in params.layers:
        get_layer(module, layer)
    found = find_layers(module, preprocessing.crop, GivenFormat.of(model))
    # the weights of the run are known, or will be others
    trained = known or (read_weights and model.weights == "random")
    all_formats = {**found.formats, **{layer: found.require(layer, trained=trained) for layer in params.layers}}
    formats = {name: all_formats[name] for name in found.calls if name in all_formats}
    # the search for strides and receptive fields takes long; but layers whose feature statistics are taken have a
    # smaller receptive field than the icons' own layer
    shapes = {
        layer: found_format.shape(receptive_field=number)
        for number, (layer, found_format) in enumerate(formats.items(), start=1)
    }
    classes = names or [str(number) for number in range(logit_count(module, preprocessing.crop))]
    network = Network(model.name, module, tuple(classes), preprocessing, shapes, rebuild=rebuild)
    return UntriedNetwork(network, formats)


def on_device(network: Network, device: str) -> Network:
    """The network on a device; a copy on any other than the processor."""
    return network if device == "cpu" else replace(network, module=network.copy().to(device))


def logit_count(module: nn.Module, crop: int) -> int:
    """Number of classes of a network; 0 if its output is no row of logits."""
    with torch.no_grad():
        logits = module(torch.zeros(1, 3, crop, crop))
    return int(logits.shape[1]) if isinstance(logits, Tensor) and logits.ndim == 2 else 0


def try_network(network: Network, params: Params) -> list[str]:
    """Try what a run does with the network, on the devices and in the number types of the run.

    Args:
        network: frozen, on the processor.
        params: of the run.

    Returns:
        Lines for the user: what takes longer than usual, and why.

    Raises:
        ModelError: something fails; names the layer, the operation and what to do.
    """
    crop = network.preprocessing.crop
    check_repeatable(network.module, crop)
    notes = []
    if params.sample.attribution:
        module = on_device(network, params.sample.device).module
        for layer in params.layers:
            _, note = attribution_method(module, layer, network.layers[layer], crop, params.sample)
            notes += [note] if note else []
    check_image_gradient(network, params.layers, params.render.device, params.render.dtype)
    return notes


def check_repeatable(module: nn.Module, crop: int) -> None:
    """Make sure that the network's answer to an image is the same in every pass and in every batch.

    Raises:
        ModelError: it is not; names the operation or the module.
    """
    images = noise(crop)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        first, again = module(images), module(images)
        if not isinstance(first, Tensor):
            return  # attributions will say so
        if not same_answer(again, first):
            operation = find_random_operation(module, images)
            remedy = (
                f"random numbers of {operation}; draw them in training mode only (training=self.training)"
                if operation
                else "another one without any random numbers; let no pass change what the next one computes"
            )
            raise ModelError(
                f"model.architecture: expected the same answer to the same images in every pass, found {remedy}"
            )
        alone = torch.cat([module(images[:1]), first[1:]])
        if not same_answer(alone, first):
            raise ModelError(
                "model.architecture: expected an answer to an image that does not depend on the rest of its batch, "
                f"found one that does{_batch_dependent(module, images)}; use statistics of the training there "
                "(track_running_stats=True), or the image's own"
            )


def check_image_gradient(
    network: Network, layers: tuple[str, ...], device: str = "cpu", dtype: Literal["float32", "bfloat16"] = "float32"
) -> None:
    """Make sure that icons can be rendered: a layer's gradient reaches the image.

    Args:
        network: frozen, on the processor.
        layers: whose icons are rendered.
        device: where they are.
        dtype: number type of the network's pass.

    Raises:
        ModelError: it does not, or a pass fails; names the layer and the operation.
    """
    crop = network.preprocessing.crop
    named, reason = ", ".join(layers), ""
    try:
        features = FeatureExtractor(on_device(network, device), layers, (crop, crop), dtype)
        images = (noise(crop, 1) + 0.5).to(device).requires_grad_()
        found = features(images)
        for layer in layers:
            (gradient,) = torch.autograd.grad(
                found[layer].square().sum(), images, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            if not gradient.any():
                named, reason = layer, "none"
                break
    except AtlasError:
        raise
    except Exception as error:  # noqa: BLE001  # a network's code may raise any exception
        reason = describe_error(error, network.module)
    if reason:
        place = find_gradient_break(network.module, noise(crop))
        raise ModelError(
            f"layers: expected a gradient of {named} with respect to the image, which icons are rendered by, "
            f"found {place and 'none: '}{place or reason}; let gradients pass there, or choose an earlier layer"
        )


def check_training(build: Callable[[], nn.Module], crop: int, seed: int) -> None:
    """Make one pass of the training, forward and backward.

    Args:
        build: makes the network as it is trained.
        crop: side of its input, pixels.
        seed: of its random numbers.

    Raises:
        ModelError: the pass fails, or no weight has a gradient.
    """
    module = build().train()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            logits = module(noise(crop))
            loss = functional.cross_entropy(logits, torch.arange(2) % logits.shape[1])
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    except Exception as error:  # noqa: BLE001  # a network's code may raise any exception
        raise ModelError(
            f"model.weights: expected a network that can be trained, found {describe_error(error, module)}; correct "
            "the code there, or give weights"
        ) from None
    if not any(parameter.grad is not None and parameter.grad.any() for parameter in module.parameters()):
        place = find_gradient_break(module, noise(crop))
        raise ModelError(
            f"model.weights: expected a network that can be trained, found no gradient of its weights"
            f"{place and ': '}{place}; let gradients pass there, or give weights"
        )


def _batch_dependent(module: nn.Module, images: Tensor) -> str:
    """The first module whose output for an image depends on the batch, as the end of a sentence."""
    leaves = {name: part for name, part in named_parts(module).items() if not list(part.children())}
    with record_outputs(module, leaves) as together:
        module(images)
    with record_outputs(module, leaves) as alone:
        module(images[:1])
    for name, both in together.items():  # in the order in which they ran
        one = alone.get(name)
        if isinstance(both, Tensor) and isinstance(one, Tensor) and len(both) == len(images) and len(one) == 1:
            expected = both.flatten(1)
            if not same_answer(torch.cat([one.flatten(1), expected[1:]]), expected):
                return f", first seen in the output of {name} ({type(leaves[name]).__name__})"
    return ""
