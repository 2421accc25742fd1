"""Large icons: the icons of one level on a larger canvas, with finer detail, for the deepest zoom.

A large icon starts from the finished icon, enlarged. Reduced to the icon's size it shall point along the cell's
direction as the icon does, so that it shows the same thing. At its own size it shall do so in the mean over the layer's
map, and have the feature statistics of the cell's exemplars over the whole canvas, which brings the detail. A direction
at the center of the large canvas would reach no further than the layer's receptive field; one at each position of the
map would repeat the same motif all over it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ICONS, KEY_BYTES
from pipeline.core.icon_styles import IconStyle
from pipeline.featurevis.cache import image_key
from pipeline.featurevis.composition import Objective
from pipeline.featurevis.engine_settings import parameterization
from pipeline.featurevis.objectives import direction
from pipeline.featurevis.reduced_view import reduced_view
from pipeline.featurevis.renderer import CachedRenderer, Progress, RendererSpec, RenderRequest
from pipeline.model.description import LayerShape
from pipeline.model.network import Network
from pipeline.render.fidelity import FidelityMeasure, rounded_quantile
from pipeline.render.icons import BLANK, Icon, key_bytes
from pipeline.render.specification import CellDirections

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LargeCellDirections(CellDirections):
    """Large icons for the directions of grid cells; see :class:`pipeline.featurevis.renderer.Purpose`.

    Attributes:
        scale: side of a large icon in sides of an icon.
        has_view: the network also sees them reduced to the icon's size. One of tokens sees images of any size resized
            to its own input, so that the layer's center sees all of a large icon as it is.
    """

    scale: int = 2
    has_view: bool = True

    @property
    def center_layer(self) -> str | None:
        """The cells' layer, as it sees the whole icon."""
        return reduced_view(self.layer) if self.has_view else self.layer

    def direction(self, means: Tensor) -> Objective:
        """Of the whole icon, and of the mean over its own map."""
        if not self.has_view:
            return super().direction(means)
        whole = direction(reduced_view(self.layer), means, self.space, self.cosine_power)
        return whole + direction(self.layer, means, self.space, self.cosine_power, "mean")

    def measure(self, network: Network, size: tuple[int, int]) -> FidelityMeasure:
        """Fidelity at the icon's size, where it can be compared with that of the icon."""
        layer_mean = torch.from_numpy(self.layer_mean).to(next(network.module.parameters()).device)
        reduced = (size[0] // self.scale, size[1] // self.scale)
        return FidelityMeasure(network, self.layer, reduced, layer_mean, self.scale)


def large_renderer_spec(spec: RendererSpec, settings: RenderSettings, layers: Mapping[str, LayerShape]) -> RendererSpec:
    """The renderer of one layer's large icons, in batches that have about as many pixels as those of its icons.

    Args:
        spec: the renderer of its icons.
        settings: of the stage, with the size of this layer's icons.
        layers: of the network.

    Raises:
        TypeError: the renderer is one of other images.
    """
    cells, scale = spec.purpose, settings.large_scale
    if not isinstance(cells, CellDirections):
        raise TypeError(f"expected a renderer of icons, found one of {type(cells).__name__}")
    has_view = all(not layers[name].is_tokens for name in cells.layers)
    return replace(
        spec,
        purpose=LargeCellDirections(
            cells.layer, cells.space, cells.layer_mean, cells.cosine_power, cells.prior, scale, has_view
        ),
        parameterization=parameterization(settings.model_copy(update={"size": settings.large_side})),
        batch_size=settings.large_batch_size,
        reduction=scale if has_view else 1,
    )


@dataclass(frozen=True)
class LargeIcons:
    """The large icons of a grid level, as they are stored and measured.

    Attributes:
        icon: uint8 [icon, y, x, 3]; the icon enlarged where the large one failed.
        fidelity_centred: [icon], at the icon's size; NaN where the icon or the large one failed.
        key: uint8 [icon, 32], key in the image cache; zeros likewise.
    """

    icon: NDArray[np.uint8]
    fidelity_centred: Floats
    key: NDArray[np.uint8]

    def write(self, level: zarr.Group) -> None:
        """Write them beside the icons of the level."""
        zarr_store.write_array(level, ICONS, "large", self.icon)
        zarr_store.write_array(level, ICONS, "large_fidelity_centred", self.fidelity_centred)
        zarr_store.write_array(level, ICONS, "large_key", self.key)

    def metrics(self) -> dict[str, Any]:
        """Their metrics; None where there is nothing to take a number from."""
        return {
            "pixels": self.icon.shape[1],
            "failed": int(np.isnan(self.fidelity_centred).sum()),
            "fidelity_centred": {
                "median": rounded_quantile(self.fidelity_centred, 0.5),
                "p10": rounded_quantile(self.fidelity_centred, 0.1),
            },
        }


class LargeIconRenderer:
    """Renders the large icons of levels."""

    def __init__(self, renderer: CachedRenderer, side: int, base: Callable[[IconStyle], bytes]) -> None:
        """Prepare.

        Args:
            renderer: of single large icons.
            side: of one, pixels.
            base: of the keys of all of a style, see :func:`pipeline.featurevis.cache.base_digest`.
        """
        self._renderer, self._side, self._base = renderer, side, base

    def render(self, style: IconStyle, icons: Mapping[int, Icon], count: int, progress: Progress) -> LargeIcons:
        """The large icons of a level.

        Args:
            style: of the icons.
            icons: the valid ones of the level, by row.
            count: of all of them.
            progress: called with the number of newly completed large icons.
        """
        side, base = self._side, self._base(style)
        found = LargeIcons(
            np.full((count, side, side, 3), BLANK, np.uint8),
            np.full(count, np.nan, np.float32),
            np.zeros((count, KEY_BYTES), np.uint8),
        )
        starts = {row: enlarged(icon.cached.image, side) for row, icon in icons.items()}
        requests = {
            row: RenderRequest(image_key(base, icon.target, 0, icon.key), icon.target, parent=starts[row])
            for row, icon in icons.items()
        }
        progress(count - len(icons))
        images = self._renderer.render(list(requests.values()), progress)
        for row, request in requests.items():
            image = images[request.key]
            found.icon[row] = image.image if image.valid else starts[row]
            if image.valid:
                found.fidelity_centred[row] = image.scores["fidelity_centred"]
                found.key[row] = key_bytes(request.key)
        return found


def enlarged(icon: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An icon [y, x, 3] as a square of ``side`` pixels, by bicubic interpolation."""
    return np.array(Image.fromarray(icon).resize((side, side), Image.Resampling.BICUBIC))
