"""Whether one layer of a network is read, sampled and rendered right, judged by means of its own.

Activations are indexed from what a plain hook sees, attributions are compared with finite differences in double
precision, and places with the gradient of an activation with respect to the input.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.config.render import RenderSettings
from pipeline.config.sample import SampleSettings
from pipeline.core.errors import AtlasError
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.renderer import BatchRenderer, RenderRequest
from pipeline.model.discovery import FoundLayers
from pipeline.model.layers import get_layer, split_call
from pipeline.model.network import Network
from pipeline.model.output_format import OutputFormat
from pipeline.model.positions import activations_at_places
from pipeline.render.specification import renderer_spec
from pipeline.sample.attribution import attributions
from pipeline.sample.attribution_method import attribution_method
from pipeline.sample.forward import record_forward

STEP = 1e-7  # of a finite difference, in units of the activation: small, since few ReLUs may change sign
EVERYWHERE = 0.6  # share of the image that a gradient covers, from which on it has no center
STEPS = 32  # of an icon


@dataclass(frozen=True)
class Row:
    """What was found of one layer.

    Attributes:
        network: its name.
        layer: its name.
        found: how many of the network's calls are layers.
        layout: the format of its output; empty where it is refused.
        activation: largest error relative to the largest activation.
        attribution: largest error relative to the largest attribution, or to 0.1 % of the largest logit where all are
            smaller: a layer norm behind the layer leaves next to none.
        place: correlation of the center of an activation's gradient with the sample's place, the smaller of y and x;
            NaN for a single position and where the gradient covers the image evenly.
        fidelity: of an icon after :data:`STEPS` steps, centered.
        refused: the line that refuses it.
        expected: whether that is right.
    """

    network: str
    layer: str
    found: str
    layout: str = ""
    activation: float = np.nan
    attribution: float = np.nan
    place: float = np.nan
    fidelity: float = np.nan
    refused: str = ""
    expected: bool = True

    @property
    def holds(self) -> bool:
        """Whether it is right, or refused where it has to be."""
        if not self.layout:
            return self.expected
        return self.expected and self.activation < 1e-5 and self.attribution < 1e-2 and not self.place < 0.5


def check_layer(name: str, module: nn.Module, crop: int, layer: str, found: FoundLayers, *, icon: bool = True) -> Row:
    """The row of one layer.

    Args:
        name: of the network.
        module: frozen.
        crop: side of its input, pixels.
        layer: its name.
        found: of the network.
        icon: whether one is rendered.
    """
    row = Row(name, layer, f"{len(found.formats)} of {len(found.calls)}")
    try:
        form = found.require(layer)
    except AtlasError as refusal:
        return replace(row, refused=str(refusal))
    row = replace(row, layout=in_words(form))
    shape = form.shape(crop / form.height, crop)
    images = torch.rand(2, 3, crop, crop, generator=torch.Generator().manual_seed(1)) - 0.5
    generator = np.random.default_rng(0)
    places = generator.random((2, 2, 2))
    with torch.no_grad():
        recorded = record_forward(module, [layer], images)[layer]
        activation, positions = activations_at_places(layer, shape, recorded.output, places, 0)
        index = torch.from_numpy(positions).long()
        expected = torch.cat([entries(output_of(module, layer, images), form, image, index[image]) for image in (0, 1)])
        method, _ = attribution_method(module, layer, shape, crop, SampleSettings())
        values, _ = attributions(module, layer, shape, images, recorded, index, method=method)
        logits = module(images)
    differences = finite_differences(module, layer, form, images, index)
    row = replace(
        row,
        activation=largest_error(torch.from_numpy(activation), expected),
        attribution=largest_error(values, differences, least=1e-3 * float(logits.abs().max())),
        place=place_of_gradient(module, layer, form, crop),
    )
    network = Network(
        name, module, tuple(map(str, range(values.shape[2]))), PreprocessingSettings(crop=crop), {layer: shape}
    )
    return replace(row, fidelity=fidelity_of_icon(network, layer)) if icon else row


def in_words(form: OutputFormat) -> str:
    """A format as the table shows it."""
    special = "".join(
        f" + {number} {where}" for number, where in ((form.prefix, "first"), (form.suffix, "last")) if number
    )
    return f"{form.kind} {form.height} × {form.width}{special}"


def largest_error(found: Tensor, expected: Tensor, least: float = 1e-12) -> float:
    """The largest error relative to the largest value, or to ``least`` where all values are smaller."""
    return float((found.double() - expected.double()).abs().max() / expected.abs().max().clamp(min=least))


@contextmanager
def plain_hook(module: nn.Module, layer: str, change: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """While the block lasts, for one forward pass: ``change`` sees and may replace the output of the layer."""
    calls = count()
    _, number = split_call(layer)

    def after(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
        return change(output) if next(calls) == number else None

    handle = get_layer(module, layer).register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


def output_of(module: nn.Module, layer: str, images: Tensor) -> Tensor:
    """The output of a layer in a whole forward pass."""
    outputs: list[Tensor] = []

    def keep(output: Tensor) -> None:
        outputs.append(output.clone())

    with plain_hook(module, layer, keep):
        module(images)
    return outputs[0]


def entries(output: Tensor, form: OutputFormat, image: int, positions: Tensor) -> Tensor:
    """The activations [position, channel] at positions (y, x), by the meaning of the format's name alone."""
    y, x = positions.T
    token = form.prefix + y * form.width + x
    if form.kind == "map":
        return output[image, :, y, x].T
    if form.kind == "map_last":
        return output[image, y, x]
    return output[image, token] if form.kind == "tokens" else output[image, :, token].T


def finite_differences(module: nn.Module, layer: str, form: OutputFormat, images: Tensor, positions: Tensor) -> Tensor:
    """Change of the logits per unit of each sampled activation, [image, position, class], in double precision."""
    module.double()
    found = []
    for number in range(positions.shape[1]):
        sides = []
        for sign in (1, -1):

            def change(output: Tensor, sign: int = sign, number: int = number) -> Tensor:
                changed = output.clone()
                for image, (y, x) in enumerate(positions[:, number].tolist()):
                    token = form.prefix + y * form.width + x
                    place = {
                        "map": (image, slice(None), y, x),
                        "map_last": (image, y, x),
                        "tokens": (image, token),
                        "tokens_last": (image, slice(None), token),
                    }[form.kind]
                    changed[place] *= 1 + sign * STEP
                return changed

            with torch.no_grad(), plain_hook(module, layer, change):
                sides.append(module(images.double()))
        found.append((sides[0] - sides[1]) / (2 * STEP))
    module.float()
    return torch.stack(found, 1)


def place_of_gradient(module: nn.Module, layer: str, form: OutputFormat, crop: int) -> float:
    """Correlation of the centers of gradients with the places of up to 16 samples, the smaller of y and x.

    NaN for a single position, and where gradients cover the image too evenly to have a center.
    """
    rows, columns = (torch.arange(side)[:: max(1, side // 4)][:4] for side in (form.height, form.width))
    positions = torch.cartesian_prod(rows, columns)
    if len(positions) < 2:
        return float("nan")
    image = torch.rand(1, 3, crop, crop, generator=torch.Generator().manual_seed(2)) - 0.5
    images = image.repeat(len(positions), 1, 1, 1).requires_grad_()
    weights = torch.randn(form.channels, generator=torch.Generator().manual_seed(3))
    kept: list[Tensor] = []

    def keep(output: Tensor) -> None:
        kept.append(sum(entries(output, form, i, positions[i : i + 1])[0] @ weights for i in range(len(positions))))  # type: ignore[arg-type]  # a sum of tensors

    with plain_hook(module, layer, keep):
        module(images)
    (gradient,) = torch.autograd.grad(kept[0], images)
    energy = nn.functional.adaptive_avg_pool2d(gradient.square().sum(1, keepdim=True), 8)[:, 0].double()
    energy = energy / energy.sum((1, 2), keepdim=True)
    excess = (energy - energy.median(0).values).clamp(min=0)  # what the other positions' gradients lack
    covered = [energy.sum(axis).square().sum(1).reciprocal().median() / 8 for axis in (1, 2)]
    if min(covered) > EVERYWHERE:
        return float("nan")
    along = torch.arange(8, dtype=torch.float64)
    total = excess.sum((1, 2)).clamp(min=1e-300)
    centers = torch.stack([(excess.sum(2) @ along) / total, (excess.sum(1) @ along) / total])
    found = [
        float(torch.corrcoef(torch.stack([centers[axis], positions[:, axis].double()]))[0, 1])
        for axis in (0, 1)
        if len((rows, columns)[axis]) > 1
    ]
    return min(found)


def fidelity_of_icon(network: Network, layer: str) -> float:
    """Fidelity of an icon that shows the mean activation of a quarter of a smooth image, centered."""
    shape, crop = network.layers[layer], network.preprocessing.crop
    coarse = torch.rand(8, 3, 6, 6, generator=torch.Generator().manual_seed(3))
    images = nn.functional.interpolate(coarse, crop, mode="bicubic", align_corners=False) - 0.5
    with torch.no_grad():
        grid = shape.to_map(output_of(network.module, layer, images))
    middle = grid[:, :, shape.height // 2, shape.width // 2].numpy()
    mean = grid.mean((0, 2, 3)).numpy()
    settings = RenderSettings(
        size=min(crop, 64), steps=STEPS, batch_size=1, styles=("drawn",), statistics=0.0, attempts=1
    )
    spec = renderer_spec(settings, layer, activation_space("centered", mean), mean, 0)
    (icon,) = BatchRenderer(network, spec).render([RenderRequest("", middle[0], 0, None)])
    return float(icon.scores["fidelity_centred"])
