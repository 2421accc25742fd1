"""Stand-ins for what is not on this machine: synthetic images, and the configured network with random weights."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from pipeline.config.params import Params
from pipeline.images.image_set import Entry, ImageSet
from pipeline.model.build import build, freeze
from pipeline.model.discovery import OutputFormat, output_formats
from pipeline.model.layers import LayerShape, require_layer
from pipeline.model.metadata import resolve_class_names, resolve_preprocessing
from pipeline.model.network import Network

WIDTH, HEIGHT = 500, 375  # as most photographs of ImageNet
NOISE_PIXELS = 25  # of the full size, per pixel of the noise that is enlarged
COUNT = 64


def synthetic_image(width: int, height: int, seed: int) -> Image.Image:
    """Smooth colored noise with a little grain, RGB: about as hard to encode as a photograph."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // NOISE_PIXELS + 1, width // NOISE_PIXELS + 1, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float64)
    return Image.fromarray((smooth + random.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8))


class SyntheticImages:
    """An image set of one synthetic image, a JPEG file in memory, under several keys; without labels."""

    def __init__(self) -> None:
        file = io.BytesIO()
        synthetic_image(WIDTH, HEIGHT, seed=0).save(file, "jpeg", quality=90)
        self._file = file.getvalue()
        self.classes: Sequence[str] = ()

    def entries(self) -> Sequence[Entry]:
        """As many keys as images are decoded to measure the rate."""
        return [Entry(str(number), None) for number in range(COUNT)]

    def open(self, _key: str) -> Image.Image:
        """The image, not yet decoded."""
        return Image.open(io.BytesIO(self._file))

    def digest(self, _key: str) -> str:
        """SHA-256 (hex) of the file."""
        return hashlib.sha256(self._file).hexdigest()


@dataclass(frozen=True)
class RandomNetwork:
    """The configured network with random weights, which take the same time as any others.

    Attributes:
        network: its ``layers`` are those of the run.
        forms: of all layers with a map or token grid, in the order of its modules.
    """

    network: Network
    forms: dict[str, OutputFormat]


def random_network(params: Params, images: ImageSet) -> RandomNetwork:
    """Build the network without reading or downloading weights.

    Raises:
        ModelError: it cannot be built, or has no such layer.
    """
    settings, model = resolve_preprocessing(params.model), params.model
    names = resolve_class_names(model, images.classes)
    module = freeze(build(model.architecture, len(names) if names else None, params.seed))
    forms = output_formats(module, settings.crop, model.prefix_tokens)
    # the search for strides and receptive fields takes long, and no rate depends on them
    shapes = {
        layer: LayerShape(**asdict(require_layer(layer, forms)), stride=1.0, receptive_field=settings.crop)
        for layer in params.layers
    }
    classes = tuple(str(number) for number in range(logit_count(module, settings.crop)))
    return RandomNetwork(Network(model.name, module, classes, settings, shapes), forms)


def logit_count(module: nn.Module, crop: int) -> int:
    """Number of classes of a network; 0 if its output is no row of logits."""
    with torch.no_grad():
        logits = module(torch.zeros(1, 3, crop, crop))
    return int(logits.shape[1]) if isinstance(logits, Tensor) and logits.ndim == 2 else 0
