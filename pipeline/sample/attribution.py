"""Activations and class attributions of every layer's samples, for one batch of images.

A class attribution is how much a sampled activation adds to a logit relative to a baseline, to first order:
attribution[class] = (activation - baseline) · ∂logit[class]/∂activation, before softmax. One forward-mode tangent
through the rest of the network gives it for all classes of one position at once: the tangent is activation - baseline
at that position and zero elsewhere. With the baseline zero this is the attribution of Carter et al. (2019,
"Attribution").

The derivative is that at the activation. With several integration steps it is the mean over as many points of the
straight line from the baseline to the activation, at the midpoints of equal pieces (Integrated Gradients, Sundararajan
et al. 2017), while the other positions keep their activations. The attributions of a position then approach the change
of the logits when its activation takes the place of the baseline.

Not every network allows forward mode; see :data:`Method` for what is done instead.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipeline.config.sample import SampleSettings
from pipeline.core.errors import ModelError
from pipeline.model.description import LayerShape
from pipeline.model.interventions import replace_output
from pipeline.model.layers import call_name, number_type, run_to_all
from pipeline.model.network import Network
from pipeline.model.positions import activations_at_places, at_positions
from pipeline.sample.forward import PartialForward, record_forward
from pipeline.sample.max_pool import relaxed_max_pool

Block = dict[str, NDArray[Any]]
# how attributions are computed: by tangents; by tangents, where operations after the layer work in place on what came
# before it, and so get copies; by one backward pass for each class, where an operation has no forward-mode derivative
Method = Literal["tangents", "tangents_of_copies", "backward"]

TANGENTS = 64  # images × positions that run through the network together, to bound memory


def sample_batch(
    network: Network,
    shapes: Mapping[str, LayerShape],
    images: Tensor,
    places: NDArray[np.float64],
    settings: SampleSettings,
    baselines: Mapping[str, NDArray[np.float32]],
    methods: Mapping[str, Method] | None = None,
) -> dict[str, Block]:
    """Activations, positions and (where configured) attributions of one batch, at every layer.

    Args:
        network: on ``settings.device``.
        shapes: of the layers that are sampled.
        images: network input [image, 3, y, x].
        places: relative places [image, place, 2] in 0..1, the same for every layer.
        settings: of the stage.
        baselines: of each layer, [channel] raw activation; not used without attributions.
        methods: of the layers' attributions; tangents where a layer is not among them.

    Returns:
        for each layer ``activation`` [row, channel], ``position`` [row, 2] and, with attributions, ``attribution``
        [row, class] and ``prediction`` [row], the class that the network predicts for the row's image; rows in the
        order image, place.

    Raises:
        DataError: an activation is not finite.
    """
    images = images.to(settings.device, memory_format=torch.channels_last)
    with torch.no_grad(), number_type(settings.device, settings.dtype):
        if not settings.attribution:
            outputs = run_to_all(network.module, list(shapes), images)
            return {layer: _activations(layer, shapes[layer], outputs[layer], places, settings) for layer in shapes}
        recorded = record_forward(network.module, list(shapes), images)
        chosen = {layer: (methods or {}).get(layer, "tangents") for layer in shapes}
        found = {
            layer: _with_attributions(
                network,
                layer,
                shapes[layer],
                images,
                recorded[layer],
                places,
                settings,
                baselines[layer],
                chosen[layer],
            )
            for layer in shapes
        }
        deepest = list(shapes)[-1]
        logits = found[deepest][1]
        if logits is None:
            logits = _logits_from(network.module, images, recorded[deepest])
        predicted = np.repeat(logits.argmax(1).int().cpu().numpy(), places.shape[1])
        return {layer: {**block, "prediction": predicted} for layer, (block, _) in found.items()}


def _logits_from(module: nn.Module, images: Tensor, recorded: PartialForward) -> Tensor:
    """[image, class], by running the network from a layer on; the deepest one costs least."""
    with recorded.replay(Tensor.clone):
        return _logits(module, images)


def _activations(
    layer: str, shape: LayerShape, output: Tensor, places: NDArray[np.float64], settings: SampleSettings
) -> Block:
    activation, positions = activations_at_places(layer, shape, output, places, settings.border)
    return {"activation": activation, "position": positions.reshape(-1, 2)}


def _with_attributions(
    network: Network,
    layer: str,
    shape: LayerShape,
    images: Tensor,
    recorded: PartialForward,
    places: NDArray[np.float64],
    settings: SampleSettings,
    baseline: NDArray[np.float32],
    method: Method,
) -> tuple[Block, Tensor | None]:
    """The layer's block, and the logits where they are known."""
    block = _activations(layer, shape, recorded.output, places, settings)
    positions = torch.from_numpy(block["position"]).long().to(images.device).reshape(len(images), -1, 2)
    with relaxed_max_pool(network.module, settings.max_pool):
        values, logits = attributions(
            network.module,
            layer,
            shape,
            images,
            recorded,
            positions,
            torch.from_numpy(baseline).to(recorded.output),
            settings.integration_steps,
            method,
        )
    return {**block, "attribution": values.flatten(0, 1).float().cpu().numpy()}, logits


def attributions(
    module: nn.Module,
    layer: str,
    shape: LayerShape,
    images: Tensor,
    recorded: PartialForward,
    positions: Tensor,
    baseline: Tensor | None = None,
    steps: int = 1,
    method: Method = "tangents",
) -> tuple[Tensor, Tensor | None]:
    """The attribution of every sampled activation to every class, and the logits where the same passes give them.

    With one step the network runs from the layer on once, and once more as a tangent for each position, or backward for
    each class; with several it does so for each position and step.

    Args:
        module: a frozen network.
        layer: its name.
        shape: of the layer.
        images: network input [image, 3, y, x].
        recorded: a forward pass of these images, up to the layer.
        positions: (y, x) of the samples in the layer's map, [image, position, 2].
        baseline: [channel] raw activation; None for zero.
        steps: of the integration.
        method: see :data:`Method`.

    Returns:
        Attributions [image, position, class], logit; the logits of the images [image, class]: tangents run beside the
        network's own values, which with one step are those of the images. None otherwise.

    Raises:
        ModelError: the network does not return one row of logits for each image.
    """
    if baseline is None:
        baseline = recorded.output.new_zeros(shape.channels)
    if method == "backward":
        return _backward_attributions(module, layer, shape, images, recorded, positions, baseline, steps), None
    tangents = _tangents(shape, recorded.output, positions, baseline)
    zero = torch.zeros_like(recorded.output)
    perturbed = _Perturbed(module)
    hand_out = perturbed.copy_of if method == "tangents_of_copies" else None
    with recorded.replay(hand_out) as call, perturbed.at(call_name(layer, call)), forward_mode():

        def logits_and_tangent(tangent: Tensor, back: float) -> tuple[Tensor, Tensor]:
            """The logits and their derivative along ``tangent``, at a share ``back`` of the way to the baseline."""
            at = -back * tangent if back else zero
            both = torch.func.jvp(lambda delta: _logits(perturbed(delta), images), (at,), (tangent,))
            return both[0], both[1]

        # at the activation itself, what does not depend on the tangent runs once for all of them
        together = max(1, TANGENTS // (len(images) if steps == 1 else 2 * len(images)))
        vectorized = torch.func.vmap(logits_and_tangent, in_dims=(0, None), chunk_size=together)
        total = torch.zeros(())
        for back in midpoints(steps):
            logits, derivative = vectorized(tangents, back)
            total = total + derivative
    # the logits are the same beside every tangent
    return (total / steps).movedim(0, 1), logits[0] if steps == 1 else None


def _tangents(shape: LayerShape, output: Tensor, positions: Tensor, baseline: Tensor) -> Tensor:
    """[position, image, ...]: output less baseline at one sampled position of each image, zero elsewhere."""
    grid = shape.to_map(output)
    values = at_positions(grid, positions) - baseline
    image = torch.arange(len(grid), device=grid.device)
    tangents = []
    for number in range(positions.shape[1]):
        tangent = torch.zeros_like(grid)
        tangent[image, :, positions[:, number, 0], positions[:, number, 1]] = values[:, number]
        tangents.append(shape.from_map(tangent))
    return torch.stack(tangents)


def _backward_attributions(
    module: nn.Module,
    layer: str,
    shape: LayerShape,
    images: Tensor,
    recorded: PartialForward,
    positions: Tensor,
    baseline: Tensor,
    steps: int,
) -> Tensor:
    """As :func:`attributions`: the network runs from the layer on once, and backward to the layer for each class."""
    change = at_positions(shape.to_map(recorded.output), positions) - baseline

    def products(output: Tensor, chosen: slice) -> Tensor:
        """Change times gradient at an output of the layer, at the chosen positions, [image, position, class]."""
        at = positions[:, chosen]
        gradients = _class_gradients(module, layer, images, recorded, output)
        return torch.stack([(change[:, chosen] * at_positions(shape.to_map(one), at)).sum(2) for one in gradients], 2)

    if steps == 1:
        return products(recorded.output, slice(None))
    found = []
    for number, tangent in enumerate(_tangents(shape, recorded.output, positions, baseline)):
        points = (recorded.output - back * tangent for back in midpoints(steps))
        found.append(sum((products(point, slice(number, number + 1)) for point in points), torch.zeros(())) / steps)
    return torch.cat(found, dim=1)


def _class_gradients(
    module: nn.Module, layer: str, images: Tensor, recorded: PartialForward, output: Tensor
) -> list[Tensor]:
    """The gradient of each class's logit where the layer returns ``output``."""
    start = output.detach().clone().requires_grad_()
    # cuDNN has no backward pass for recurrent layers in evaluation mode
    recurrent = any(isinstance(part, nn.RNNBase) for part in module.modules())
    with (
        torch.enable_grad(),
        torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext(),
        recorded.replay(Tensor.clone) as call,
        replace_output(module, call_name(layer, call), lambda _: start.clone()),
    ):
        logits = _logits(module, images)
        return [
            torch.autograd.grad(
                logits[:, class_].sum(), start, retain_graph=True, allow_unused=True, materialize_grads=True
            )[0]
            for class_ in range(logits.shape[1])
        ]


def midpoints(steps: int) -> list[float]:
    """Shares of the way back to the baseline at which the derivative is taken: none for one step."""
    return [0.0] if steps == 1 else [(number + 0.5) / steps for number in range(steps)]


class _Perturbed:
    """The network as a function of a tensor that is added to a layer's output."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._delta = torch.zeros(1)

    def __call__(self, delta: Tensor) -> nn.Module:
        self._delta = delta
        return self._module

    @contextmanager
    def at(self, layer: str) -> Iterator[None]:
        """While the block lasts, the tensor is added to this layer's output."""
        with replace_output(self._module, layer, lambda output: output + self._delta):
            yield

    def copy_of(self, output: Tensor) -> Tensor:
        """A copy of a recorded output that has a value for each tangent, so that a tangent can be added in place."""
        return output + 0 * self._delta.flatten()[0] if output.is_floating_point() else output.clone()


def _logits(module: nn.Module, images: Tensor) -> Tensor:
    logits = module(images)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        found = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ModelError(
            f"model.architecture: expected logits [image, class], found {found}; wrap the network in a module that "
            "returns them, or use sample.attribution=false"
        )
    return logits


@contextmanager
def forward_mode() -> Iterator[None]:
    """Use operations that have forward-mode derivatives: attention as plain matrix products, not its fused kernels."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            # torch scripts its own forward-mode formulas on first use, and warns of it
            warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
            # global pooling falls back to a loop over positions, which is next to nothing beside the convolutions
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
