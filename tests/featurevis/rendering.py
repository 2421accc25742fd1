"""Rendering a few icons of a scene, as the tests need it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.config.render import RenderSettings
from pipeline.featurevis.activation_space import ActivationSpace, activation_space
from pipeline.featurevis.cache import CachedImage
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import center_activations
from pipeline.featurevis.optimize import Result
from pipeline.featurevis.renderer import BatchRenderer, RenderRequest
from pipeline.featurevis.transforms import IDENTITY, resample
from pipeline.render.specification import renderer_spec
from tests.featurevis.scene import Scene

Images = NDArray[np.uint8]


def extractor(scene: Scene, settings: RenderSettings) -> FeatureExtractor:
    """The scene's network up to its layer."""
    size = (settings.size, settings.size)
    return FeatureExtractor(scene.network, [scene.layer], size, settings.dtype)


def renderer(
    scene: Scene, settings: RenderSettings, space: ActivationSpace | None = None, seed: int = 0
) -> BatchRenderer:
    """A renderer of directions of the scene, centered ones if no space is given."""
    space = space or activation_space("centered", scene.mean)
    return BatchRenderer(scene.network, renderer_spec(settings, scene.layer, space, scene.mean, seed))


def optimized(scene: Scene, settings: RenderSettings, rows: list[int], space: ActivationSpace | None = None) -> Result:
    """The scene's icons of these rows, from noise in one batch."""
    return renderer(scene, settings, space).optimize(scene.means[rows])


def requests(means: NDArray[np.float32], parents: Images | None = None, attempt: int = 0) -> list[RenderRequest]:
    """Requests for these means, [image, channel]."""
    given: Sequence[NDArray[np.uint8] | None] = [None] * len(means) if parents is None else list(parents)
    return [RenderRequest("", mean, attempt, parent) for mean, parent in zip(means, given, strict=True)]


def stacked(images: Sequence[CachedImage]) -> Images:
    """Their pixels, [image, y, x, 3]."""
    return np.stack([image.image for image in images])


def scores(images: Sequence[CachedImage], name: str = "fidelity_centred") -> NDArray[np.float64]:
    """One of their scores, [image]."""
    return np.array([image.scores[name] for image in images])


def activations(extractor: FeatureExtractor, layer: str, images: Tensor) -> Tensor:
    """The center activations of images [image, 3, y, x] without a random transform, [image, channel]."""
    uniforms = torch.zeros(len(images), IDENTITY.n_uniforms)
    centered = replace(IDENTITY, center=extractor.center(layer))
    matrices = centered.matrices(uniforms, (images.shape[2], images.shape[3]))
    with torch.no_grad():
        return center_activations(extractor(resample(images, matrices, extractor.size))[layer])


def hooks(network: nn.Module) -> int:
    """Number of hooks on a network: on its modules, forward and backward, and on its parameters."""
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    on_modules = sum(len(getattr(part, name)) for part in network.modules() for name in names)
    return on_modules + sum(len(parameter._backward_hooks or ()) for parameter in network.parameters())
