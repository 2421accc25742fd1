"""The network's features of an image and of the same image at a smaller size.

A layer's center sees as much of an image as its receptive field covers. On a canvas that is several times larger it
sees only the middle; reduced to the former size the same image shows it all.
"""

from collections.abc import Collection, Sequence
from typing import Literal

from torch import Tensor
from torch.nn.functional import avg_pool2d

from pipeline.featurevis.feature_extractor import FeatureExtractor, Features
from pipeline.model.network import Network

PREFIX = "reduced:"  # no layer's name has a colon


def reduced_view(layer: str) -> str:
    """The name under which the features of ``layer`` for the reduced images are found."""
    return PREFIX + layer


class ReducedViewExtractor(FeatureExtractor):
    """Two passes through the network: of images, and of the same images reduced by a whole factor.

    Its features are those of :class:`FeatureExtractor`, and all of them again for the reduced images, see
    :func:`reduced_view`. Layers of tokens have none, since their network takes images of one size alone.
    """

    def __init__(
        self,
        network: Network,
        layers: Sequence[str],
        size: tuple[int, int],
        dtype: Literal["float32", "bfloat16"],
        factor: int,
        *,
        size_setting: str = "size",
    ) -> None:
        """Prepare the network for both sizes.

        Args:
            network: see :class:`FeatureExtractor`.
            layers: likewise.
            size: (height, width) of the images, pixels; multiples of the factor.
            dtype: see :class:`FeatureExtractor`.
            factor: by which height and width are reduced, above 1.
            size_setting: see :class:`FeatureExtractor`.

        Raises:
            ConfigError: the reduced images are too small for the network.
            ModelError: there is no such layer, or it is never run.
        """
        super().__init__(network, layers, size, dtype, size_setting=size_setting)
        smaller = (size[0] // factor, size[1] // factor)
        self._reduced = FeatureExtractor(network, layers, smaller, dtype, size_setting=size_setting)
        self._factor = factor

    def __call__(self, images: Tensor, redirect: float = 0.0, redirected: Collection[str] | None = None) -> Features:
        """The features of both; see :meth:`FeatureExtractor.__call__`."""
        below = None if redirected is None else {name.removeprefix(PREFIX) for name in redirected if _is_view(name)}
        full = super().__call__(images, redirect, redirected)
        reduced = self._reduced(avg_pool2d(images, self._factor), redirect, below)
        return {**full, **{reduced_view(layer): features for layer, features in reduced.items()}}

    def center(self, layer: str) -> tuple[float, float]:
        """See :meth:`FeatureExtractor.center`; of a layer, or of its reduced view."""
        return self._reduced.center(layer.removeprefix(PREFIX)) if _is_view(layer) else super().center(layer)


def _is_view(name: str) -> bool:
    return name.startswith(PREFIX)
