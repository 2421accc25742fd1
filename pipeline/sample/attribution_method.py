"""Which method a layer's attributions are computed by, found by trying it on two small images, as it will run."""

from collections.abc import Sequence
from typing import get_args

import torch
from torch import Tensor, nn

from pipeline.config.sample import SampleSettings
from pipeline.core.errors import AtlasError, ModelError
from pipeline.model.convention import noise
from pipeline.model.description import LayerShape
from pipeline.model.gradient_break import find_gradient_break
from pipeline.model.interventions import replace_output
from pipeline.model.layers import number_type
from pipeline.model.network_errors import describe_error
from pipeline.sample.attribution import Method, attributions
from pipeline.sample.forward import PartialForward, record_forward
from pipeline.sample.max_pool import relaxed_max_pool

METHODS: Sequence[Method] = get_args(Method)


def attribution_method(
    module: nn.Module, layer: str, shape: LayerShape, crop: int, settings: SampleSettings
) -> tuple[Method, str | None]:
    """The first method that works for a layer.

    Args:
        module: a frozen network, on ``settings.device``.
        layer: dotted path of the layer.
        shape: of the layer.
        crop: side of the network's input, pixels.
        settings: of the stage: an operation may have a derivative on one device, or for one number type, and none on
            another.

    Returns:
        The method, and a line that tells what it costs and why, where it is not the usual one.

    Raises:
        ModelError: no method works; names the layer, the operation and what to do.
    """
    device, max_pool, steps = settings.device, settings.max_pool, min(settings.integration_steps, 2)
    images = noise(crop).to(device, memory_format=torch.channels_last)
    # two of them: an operation in place that fails for several tangents at once may work for a single one
    positions = torch.tensor([[shape.height // 2, shape.width // 2], [0, 0]], device=device).expand(2, 2, 2)
    failures: list[Exception] = []
    # the relaxed rules have forward-mode derivatives alone
    for method in METHODS if max_pool == "none" else METHODS[:-1]:
        with torch.no_grad(), number_type(device, settings.dtype):
            recorded = record_forward(module, [layer], images)[layer]
            try:
                with relaxed_max_pool(module, max_pool):
                    found, _ = attributions(
                        module, layer, shape, images, recorded, positions, steps=steps, method=method
                    )
            except AtlasError:
                raise
            except Exception as error:  # noqa: BLE001  # a network's code may raise any exception
                failures.append(error)
                continue
        _require_derivative(module, layer, images, recorded, found, settings)
        return method, _note(layer, method, describe_error(failures[0], module)) if failures else None
    remedy = "" if max_pool == "none" else "sample.max_pool=none, "
    raise ModelError(
        f"layers: expected a derivative of the logits with respect to {layer!r}, found "
        f"{describe_error(failures[-1], module)}; use {remedy}an operation of torch that has one, or "
        "sample.attribution=false"
    )


def _note(layer: str, method: Method, reason: str) -> str | None:
    if method == "tangents_of_copies":
        return None  # costs next to nothing
    return (
        f"sample: {layer}: attributions by one backward pass for each class instead of one forward-mode pass for each "
        f"place, which takes longer for many classes, since {reason}"
    )


def _require_derivative(
    module: nn.Module, layer: str, images: Tensor, recorded: PartialForward, found: Tensor, settings: SampleSettings
) -> None:
    """Raise ModelError if attributions are zero although the logits depend on the layer."""
    if found.any():
        return
    with torch.no_grad(), number_type(settings.device, settings.dtype), recorded.replay(Tensor.clone):
        plain = module(images)
        with replace_output(module, layer, lambda output: 2 * output):
            changed = module(images)
    if torch.equal(plain, changed):
        return  # the layer is no part of what follows, or silent
    place = find_gradient_break(module, images, after=layer)
    raise ModelError(
        f"layers: expected a derivative of the logits with respect to {layer!r}, found none although they depend on "
        f"it{place and ': '}{place}; let gradients pass there, or use sample.attribution=false"
    )
