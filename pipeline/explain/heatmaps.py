"""Heat maps: where in an image a class or a unit gets its score from, by each method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.config.explain import CLASSES_ALONE, METHODS, OF_LAYERS, OF_RELUS, ExplainSettings, MethodName
from pipeline.core.errors import ConfigError, ModelError
from pipeline.explain.class_activation import CamHead, LayerGradient, layer_gradient
from pipeline.explain.fill import filled, to_pixels
from pipeline.explain.gradients import input_gradient, integrated_gradients
from pipeline.explain.occlusion import occlude
from pipeline.explain.relu_rules import Rule, ruled_gradient
from pipeline.explain.scores import Scores
from pipeline.explain.segmentation import grab_cut, is_installed

SIGNED: frozenset[MethodName] = frozenset(
    {"integrated_gradients", "occlusion", "occlusion_probability", "cam", "activation_gradient"}
)
CONSTANT = 1e-6  # of the largest absolute value of a map: a smaller range is that of rounding errors


@dataclass(frozen=True)
class Column:
    """A method, with the layer whose map it uses.

    Attributes:
        method: its name.
        layer: dotted module path; empty for methods that use none.
    """

    method: MethodName
    layer: str = ""

    @property
    def name(self) -> str:
        """``method``, or ``method@layer``."""
        return f"{self.method}@{self.layer}" if self.layer else self.method

    @property
    def signed(self) -> bool:
        """Whether negative values mean that the place lowers the score; other maps are not negative."""
        return self.method in SIGNED


def columns(settings: ExplainSettings, layers: Sequence[str], *, of_classes: bool, relus: bool) -> list[Column]:
    """The columns that are asked for, in the order of the methods.

    Args:
        settings: of the stage.
        layers: whose maps are used.
        of_classes: classes are explained; some methods are for them alone.
        relus: the network has ReLUs.

    Raises:
        ModelError: a method is named that needs ReLUs, and there are none.
        ConfigError: a method is named that needs OpenCV, which is not installed.
    """
    named = METHODS if settings.methods == "all" else tuple(dict.fromkeys(settings.methods))
    if not relus and settings.methods != "all" and (without := sorted(OF_RELUS & set(named))):
        raise ModelError(
            f"explain.methods: expected a network with ReLUs for {', '.join(without)}, found none; leave these out"
        )
    if "saliency_mask" in named and not is_installed():
        if settings.methods != "all":
            raise ConfigError(
                "explain.methods: expected OpenCV for saliency_mask, found none; install "
                "activation-atlas[segmentation], or leave it out"
            )
        named = tuple(one for one in named if one != "saliency_mask")
    methods = [one for one in named if (of_classes or one not in CLASSES_ALONE) and (relus or one not in OF_RELUS)]
    return [Column(one, layer) for one in methods for layer in (layers if one in OF_LAYERS else ("",))]


class Explainer:
    """Makes heat maps.

    Attributes:
        scores: what is explained.
        settings: of the stage.
    """

    def __init__(self, scores: Scores, settings: ExplainSettings, head: CamHead | None = None) -> None:
        """Prepare.

        Args:
            scores: what is explained.
            settings: of the stage.
            head: for ``cam``; None where that is not asked for.
        """
        self.scores, self.settings, self._head = scores, settings, head

    def heatmaps(self, wanted: Sequence[Column], inputs: Tensor, units: Tensor) -> dict[Column, Tensor]:
        """The heat maps of a batch, each [image, y, x] in float32, in the resolution that its method has.

        Args:
            wanted: the columns.
            inputs: of the network, normalized, [image, 3, y, x].
            units: index of each image's unit, [image], int64.

        Raises:
            ModelError: the scores do not depend on a layer.
        """
        batch = _Batch(self.scores, self.settings, self._head, inputs, units)
        return {column: batch.heatmap(column).float() for column in wanted}


class _Batch:
    """A batch of inputs, with what several methods share."""

    def __init__(
        self, scores: Scores, settings: ExplainSettings, head: CamHead | None, inputs: Tensor, units: Tensor
    ) -> None:
        self._scores, self._settings, self._head = scores, settings, head
        self._inputs, self._units = inputs, units
        self._layers: dict[str, LayerGradient] = {}

    def heatmap(self, column: Column) -> Tensor:
        if column.method in OF_LAYERS:
            return self._of_layer(column)
        make: dict[MethodName, Callable[[], Tensor]] = {
            "saliency": lambda: self._saliency,
            "saliency_mask": self._saliency_mask,
            "guided_backpropagation": lambda: _largest(self._guided),
            "deconvolution": lambda: _largest(self._ruled("deconvolution")),
            "integrated_gradients": self._integrated,
            "occlusion": lambda: self._occluded[0],
            "occlusion_probability": lambda: self._occluded[1],
            "cam": self._cam,
        }
        return make[column.method]()

    def _score(self, inputs: Tensor) -> Tensor:
        return self._scores(inputs, self._units)

    def _of_layer(self, column: Column) -> Tensor:
        if column.layer not in self._layers:
            self._layers[column.layer] = layer_gradient(self._scores, column.layer, self._inputs, self._units)
        found = self._layers[column.layer]
        if column.method == "activation_gradient":
            return found.product()
        cam = found.grad_cam().clamp(min=0)
        return cam if column.method == "grad_cam" else _largest(self._guided) * enlarge(cam, self._inputs.shape[-1])

    @cached_property
    def _saliency(self) -> Tensor:
        return _largest(input_gradient(self._score, self._inputs))

    def _saliency_mask(self) -> Tensor:
        pixels = to_pixels(self._inputs, self._scores.network.preprocessing).movedim(1, -1).cpu().numpy()
        saliency = self._saliency.float().cpu().numpy()
        masks = [grab_cut(one, heat) for one, heat in zip(pixels, saliency, strict=True)]
        return torch.from_numpy(np.stack(masks)).to(self._inputs)

    @cached_property
    def _guided(self) -> Tensor:
        return self._ruled("guided")

    def _ruled(self, rule: Rule) -> Tensor:
        return ruled_gradient(self._score, self._inputs, rule)

    def _integrated(self) -> Tensor:
        baseline = filled(self._inputs, self._settings.baseline, self._scores.network.preprocessing)
        return integrated_gradients(self._score, self._inputs, baseline, self._settings.integration_steps).sum(1)

    @cached_property
    def _occluded(self) -> tuple[Tensor, Tensor]:
        settings = self._settings
        fill = filled(self._inputs, settings.fill, self._scores.network.preprocessing)
        return occlude(
            self._scores,
            self._inputs,
            self._units,
            fill,
            settings.occlusion_size,
            settings.occlusion_stride,
            settings.batch_size,
        )

    def _cam(self) -> Tensor:
        if self._head is None:
            raise ModelError("explain.methods: expected a linear head for cam, found none; leave this method out")
        return self._head.heatmap(self._scores.network, self._inputs, self._units)


def enlarge(heat: Tensor, side: int) -> Tensor:
    """Heat maps [image, y, x] in the resolution of the input, by bilinear interpolation.

    Args:
        heat: in any resolution.
        side: of the input, pixels.
    """
    if heat.shape[-2:] == (side, side):
        return heat
    return interpolate(heat[:, None], (side, side), mode="bilinear", align_corners=False)[:, 0]


def is_constant(heat: Tensor) -> Tensor:
    """Whether each heat map [image, y, x] has the same value everywhere, but for rounding errors, [image]."""
    flat = heat.flatten(1)
    return (flat.amax(1) - flat.amin(1)) <= CONSTANT * flat.abs().amax(1)


def _largest(gradient: Tensor) -> Tensor:
    """The largest absolute value over the colors, as in Simonyan et al. 2014 (section 3.1)."""
    return gradient.abs().amax(1)
