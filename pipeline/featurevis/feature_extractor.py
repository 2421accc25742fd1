"""The network as far as the layers that an objective looks at."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.core.errors import ConfigError
from pipeline.core.layer_names import LOGITS
from pipeline.core.malloc import keep_memory
from pipeline.featurevis.redirected_relu import redirect_relus
from pipeline.featurevis.space_to_depth import fold_first_convolutions
from pipeline.model.inputs import normalize
from pipeline.model.layers import changed_in_place, require_layer, run_to_all, split_call
from pipeline.model.network import Network

Features = Mapping[str, Tensor]  # layer → [image, channel, y, x]; "logits" → [image, class]


class FeatureExtractor:
    """One forward pass through a copy of the network, no further than the deepest layer asked for.

    Attributes:
        layers: whose outputs are extracted; :data:`LOGITS` may be among them.
        size: (height, width) of the images that it takes, pixels.
    """

    def __init__(
        self,
        network: Network,
        layers: Sequence[str],
        size: tuple[int, int],
        dtype: Literal["float32", "bfloat16"],
        *,
        size_setting: str = "size",
    ) -> None:
        """Prepare the network for many passes.

        Args:
            network: on the device where it shall run; it stays as it is.
            layers: dotted module paths, and :data:`LOGITS` for the network's output; at least one.
            size: (height, width) of the images, pixels. Layers of tokens need the network's own input size, whatever is
                given here.
            dtype: number type of convolutions and matrix products; all else stays float32.
            size_setting: name of the setting that gives the size, for the error line.

        Raises:
            ConfigError: the images are too small for the network, or not of the size that its logits need.
            ModelError: there is no such layer, or it is never run.
        """
        self.layers = tuple(layers)
        self._shapes = {name: require_layer(name, network.layers) for name in layers if name != LOGITS}
        self._preprocessing = network.preprocessing
        self._bfloat16 = dtype == "bfloat16"
        keep_memory()
        self._module = network.copy().to(memory_format=network.convention.memory_format)
        # a folded convolution hands out maps with contiguous channels
        self._folded = network.convention.channels_last and fold_first_convolutions(
            self._module, keep={split_call(name)[0] for name in self._shapes}
        )
        if self._bfloat16:
            _round_weights(self._module)
        # one module around the network, so that its output is recorded like any layer's
        self._root, self._paths = (
            (nn.Sequential(self._module), {name: "0" if name == LOGITS else f"0.{name}" for name in layers})
            if LOGITS in layers
            else (self._module, {name: name for name in layers})
        )
        tokens = any(shape.is_tokens for shape in self._shapes.values())
        self.size = (network.preprocessing.crop, network.preprocessing.crop) if tokens else size
        self._copied: frozenset[str] | None = None
        self._map_sizes = self._measured_map_sizes(size_setting)

    def __call__(self, images: Tensor, redirect: float = 0.0, redirected: Collection[str] | None = None) -> Features:
        """The features of images.

        Args:
            images: [image, 3, *size] in 0..1.
            redirect: share of the gradient that inactive units at the end of a layer pass, 0..1; see
                :mod:`pipeline.featurevis.redirected_relu`.
            redirected: layers where they do; None for all.

        Returns:
            Maps [image, channel, y, x], of tokens the patch grid; logits [image, class]. In the extractor's number
            type.
        """
        features = self._forward(images)
        if redirect:
            for name in self._shapes:
                if redirected is None or name in redirected:
                    redirect_relus(features[name], redirect)
        return features

    def channels(self, layer: str) -> int:
        """Length of the layer's activations."""
        return self._shapes[layer].channels

    def center(self, layer: str) -> tuple[float, float]:
        """The point (x, y) in -1..1 of an image that the central position of a layer's map looks at.

        A map with an even number of positions has no middle one; the one that is taken, ``height // 2, width // 2``,
        looks half a position further. For the logits it is the middle.
        """
        if layer == LOGITS:
            return (0.0, 0.0)
        height, width = self._map_sizes[layer]
        return (0.0 if width % 2 else 1 / width, 0.0 if height % 2 else 1 / height)

    def _autocast(self, device: str) -> torch.autocast:
        return torch.autocast(device, torch.bfloat16, enabled=self._bfloat16)

    def _inputs(self, images: Tensor) -> Tensor:
        inputs = normalize(images, self._preprocessing)
        return inputs if self._folded else inputs.contiguous(memory_format=torch.channels_last)

    def _forward(self, images: Tensor) -> Features:
        inputs = self._inputs(images)
        with self._autocast(images.device.type):
            outputs = run_to_all(self._root, list(self._paths.values()), inputs, self._copied)
            return {
                name: self._shapes[name].to_map(outputs[path]) if name in self._shapes else outputs[path]
                for name, path in self._paths.items()
            }

    def _measured_map_sizes(self, size_setting: str) -> Mapping[str, tuple[int, int]]:
        device = next(self._module.parameters()).device
        blank = torch.zeros(1, 3, *self.size, device=device)
        try:
            with torch.no_grad():
                features = self._forward(blank)
                with self._autocast(device.type):
                    self._copied = changed_in_place(self._root, list(self._paths.values()), self._inputs(blank))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ConfigError(
                f"{size_setting}: expected images that the network takes as far as {', '.join(self.layers)}, found "
                f"{self.size[0]} × {self.size[1]} pixels: {' '.join(str(error).split())}; take a larger one"
            ) from None
        return {name: (features[name].shape[2], features[name].shape[3]) for name in self._shapes}


def _round_weights(module: nn.Module) -> None:
    """Round the large weights to bfloat16 once, so that autocast need not do it at every pass."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.to(torch.bfloat16)
