"""Style transfer in one pass: a small network that is trained once for one style and then applied to any photograph.

After Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", with instance
normalization (Ulyanov et al. 2016, "Instance Normalization") and nearest-neighbor upsampling before a convolution,
which leaves no checkerboards (Odena et al. 2016). It learns from the losses that
:mod:`pipeline.synthesize.style_transfer` minimizes for each photograph anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.optim.adam import adam

from pipeline.core.errors import ArtifactError
from pipeline.featurevis.parameterization import DARKEST
from pipeline.featurevis.regularizers import total_variation
from pipeline.model.network import Network
from pipeline.synthesize.style_transfer import StyleLayers, TransferLosses
from pipeline.synthesize.texture import Grams, as_seen

SPREAD = 2.0  # about the standard deviation of a photograph's values before the sigmoid
EPSILON = 1e-8  # of Adam, as in torch.optim.Adam


@dataclass(frozen=True)
class FeedForwardConfig:
    """The network of one style and its training.

    Attributes:
        width: channels of the finest map; the next ones have twice and four times as many.
        blocks: residual blocks at the coarsest map.
        steps: of Adam.
        batch_size: crops in a step.
        side: of the crops, pixels.
        learning_rate: its peak, see :meth:`learning_rate_at`.
        total_variation: weight of the total variation, beside a style loss of weight 1.
    """

    width: int = 16
    blocks: int = 3
    steps: int = 500
    batch_size: int = 4
    side: int = 96
    learning_rate: float = 4e-3
    total_variation: float = 0.02

    def learning_rate_at(self, step: int) -> float:
        """The learning rate at a step: it rises over the first tenth of them and falls to 0 along half a cosine."""
        share = step / self.steps
        return self.learning_rate * min(1.0, (step + 1) / (0.1 * self.steps)) * (1 + cos(pi * share)) / 2


class StyleNetwork(nn.Module):
    """From photographs to images of one style, of the same size.

    The last convolution also sees the photograph. The untrained network is the identity, as the optimization starts
    from the photograph.
    """

    def __init__(self, width: int, blocks: int) -> None:
        """With random weights, but for those of the last convolution.

        Args:
            width: channels of the finest map.
            blocks: residual blocks at the coarsest map.
        """
        super().__init__()
        self.down = nn.Sequential(
            *_convolved(3, width, 5), *_convolved(width, 2 * width, 3, 2), *_convolved(2 * width, 4 * width, 3, 2)
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*_convolved(4 * width, 4 * width, 3), *_convolved(4 * width, 4 * width, 3)[:2])
            for _ in range(blocks)
        )
        self.up1 = nn.Sequential(*_convolved(4 * width, 2 * width, 3))
        self.up2 = nn.Sequential(*_convolved(2 * width, width, 3))
        self.to_image = nn.Conv2d(width + 3, 3, 5, padding=2, padding_mode="reflect")
        nn.init.zeros_(self.to_image.weight)
        with torch.no_grad():
            self.to_image.weight[:, width:, 2, 2] = SPREAD * torch.eye(3)
        nn.init.zeros_(self.to_image.bias)  # type: ignore[arg-type]  # torch: a bias may be None

    def forward(self, images: Tensor) -> Tensor:
        """RGB images [image, 3, y, x] in 0..1 in the network's style, of at least 16 × 16 pixels."""
        values = torch.logit(images.clamp(DARKEST, 1 - DARKEST))
        values = values / SPREAD
        maps = self.down(values)
        for block in self.blocks:
            maps = maps + block(maps)
        height, width = images.shape[-2:]
        maps = self.up1(interpolate(maps, ((height + 1) // 2, (width + 1) // 2), mode="nearest"))
        maps = self.up2(interpolate(maps, (height, width), mode="nearest"))
        return torch.sigmoid(self.to_image(torch.cat([maps, values], dim=1)))


def train_style_network(
    network: Network,
    layers: StyleLayers,
    photographs: Tensor,
    grams: Grams,
    content_weight: float,
    config: FeedForwardConfig,
    seed: int,
    dtype: Literal["float32", "bfloat16"] = "float32",
    progress: Callable[[int], None] = lambda _: None,
) -> StyleNetwork:
    """Train a network of one style on random crops of photographs.

    Args:
        network: whose features tell content and style, on the device where it shall run.
        layers: of it.
        photographs: RGB in 0..1, [image, 3, y, x]; crops of the configured side, or less where they are smaller.
        grams: of the style, [1, channel, channel] by layer.
        content_weight: of the content loss, beside a style loss of weight 1.
        config: of the network and its training.
        seed: of the weights and the crops.
        dtype: number type of the pass through ``network``.
        progress: called with the steps that were done, after each.

    Returns:
        The trained network, frozen, on the photographs' device.
    """
    side = min(config.side, *photographs.shape[-2:])
    losses = TransferLosses(network, layers, (side, side), dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trained = StyleNetwork(config.width, config.blocks).to(photographs.device)
    style = losses.style(grams, config.batch_size)
    parameters = list(trained.parameters())
    state = _AdamState(parameters)
    for step in range(config.steps):
        crops = _random_crops(photographs, config.batch_size, side, generator)
        content = losses.content(crops)
        images = trained(crops)
        features = losses.extractor(as_seen(images, losses.extractor))
        loss = -(style(features, 1.0) + content_weight * content(features, 1.0)).mean()
        if config.total_variation:
            loss = loss + config.total_variation * total_variation(images).mean()
        state.step(torch.autograd.grad(loss, parameters), config.learning_rate_at(step))
        progress(1)
    return trained.requires_grad_(False).eval()


def apply_style_network(trained: StyleNetwork, photographs: Tensor) -> Tensor:
    """Photographs [image, 3, y, x] in 0..1 in the network's style, of the same shape, without gradient."""
    with torch.no_grad():
        images: Tensor = trained(photographs)
    return images


def style_network_bytes(weights: Mapping[str, NDArray[np.float32]], config: FeedForwardConfig) -> bytes:
    """A safetensors file of weights, with what builds the network again as metadata.

    Args:
        weights: arrays by the names of the network's ``state_dict``.
        config: that it was trained with.
    """
    return save(dict(weights), {"width": f"{config.width}", "blocks": f"{config.blocks}"})


def load_style_network(path: Path, device: str = "cpu") -> StyleNetwork:
    """The network of a file that :func:`style_network_bytes` made, frozen, on a device.

    Raises:
        ArtifactError: there is no such file, or it holds something else.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        trained = StyleNetwork(int(metadata["width"]), int(metadata["blocks"]))
        trained.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        found = " ".join(str(error).split())
        raise ArtifactError(
            f"{path}: expected the weights of a style network, found: {found}; run the stage synthesize again"
        ) from None
    return trained.to(device).requires_grad_(False).eval()


class _AdamState:
    """Steps of Adam for all parameters of a network.

    torch.optim.Adam itself would import torch's compiler first, which takes longer than all other imports of a stage.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = list(parameters)
        self._average = [torch.zeros_like(one) for one in parameters]
        self._average_square = [torch.zeros_like(one) for one in parameters]
        self._steps = [torch.tensor(0.0) for _ in parameters]

    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """One step along minus the gradients."""
        with torch.no_grad():
            adam(
                self._parameters,
                list(gradients),
                self._average,
                self._average_square,
                [],
                self._steps,
                foreach=True,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=learning_rate,
                weight_decay=0.0,
                eps=EPSILON,
                maximize=False,
            )


def _convolved(channels_in: int, channels_out: int, size: int, stride: int = 1) -> list[nn.Module]:
    """Convolution, instance normalization, ReLU."""
    return [
        # zeros beyond the edges would give an image a frame
        nn.Conv2d(channels_in, channels_out, size, stride, size // 2, bias=False, padding_mode="reflect"),
        nn.InstanceNorm2d(channels_out, affine=True),
        nn.ReLU(),
    ]


def _random_crops(photographs: Tensor, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Crops [count, 3, side, side] of random photographs at random places, half of them mirrored."""
    rows = torch.randint(len(photographs), (count,), generator=generator).tolist()
    crops = []
    for row in rows:
        top, left = (
            int(torch.randint(length - side + 1, (), generator=generator)) for length in photographs.shape[-2:]
        )
        crop = photographs[row, :, top : top + side, left : left + side]
        crops.append(crop.flip(-1) if torch.rand((), generator=generator) < 0.5 else crop)
    return torch.stack(crops)
