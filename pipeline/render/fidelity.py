"""Fidelity: how well finished icons point along their cells' directions, under transforms held out from rendering.

The transforms are centered: the icon's center lies where the central position of the map looks, which is half a
position off the image's middle for a map with an even number of positions.
"""

from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, cosine_similarity

from pipeline.core.progress import counted
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import center_activations
from pipeline.featurevis.renderer import Measured
from pipeline.featurevis.transforms import held_out_matrices, resample
from pipeline.model.network import Network
from pipeline.render.icons import IconArrays

BLOCK = 4096  # icons compared at once, to bound memory
BINS = np.linspace(-0.2, 1.0, 61)  # edges of the histogram of fidelities

Floats = NDArray[np.float32]


class FidelityMeasure:
    """Measures icons by their cells' mean activations; what does not change from batch to batch is prepared once."""

    def __init__(
        self, network: Network, layer: str, size: tuple[int, int], layer_mean: Tensor, reduction: int = 1
    ) -> None:
        """Prepare the network, in float32.

        Args:
            network: on the device where icons are measured.
            layer: dotted module path.
            size: (height, width) that icons are measured at, pixels.
            layer_mean: [channel], on the same device.
            reduction: the icons are this factor larger, and reduced by it first: at their own size the layer's center
                would see only their middle.
        """
        self._layer, self._layer_mean, self._reduction = layer, layer_mean, reduction
        self._extractor = FeatureExtractor(network, [layer], size, "float32")
        self._center = self._extractor.center(layer)

    def __call__(self, images: Tensor, targets: Tensor) -> Measured:
        """Measure stored icons.

        Args:
            images: uint8 [icon, y, x, 3], of that size times the reduction.
            targets: that begin with the raw mean activation of each icon's cell, [icon, channel + more].

        Returns:
            Scores ``fidelity``, the mean cosine to the cell's mean activation, and ``fidelity_centred``, the same after
            subtracting the layer's mean from both; the mean raw activation over the transforms.
        """
        means, pixels = targets[:, : len(self._layer_mean)], images.movedim(-1, 1).float() / 255
        pixels = avg_pool2d(pixels, self._reduction) if self._reduction > 1 else pixels
        raw, centered, activations = [], [], []
        with torch.no_grad():
            for matrix in held_out_matrices((pixels.shape[2], pixels.shape[3]), self._center).to(pixels):
                transformed = resample(pixels, matrix.expand(len(pixels), 2, 3), self._extractor.size)
                activation = center_activations(self._extractor(transformed)[self._layer])
                raw.append(cosine_similarity(activation, means))
                centered.append(cosine_similarity(activation - self._layer_mean, means - self._layer_mean))
                activations.append(activation)
        # added one by one: a sum over all of them at once rounds differently at different places of the batch
        fidelity, fidelity_centered, mean_activation = (
            (sum(values[1:], values[0]) / len(values)).cpu().numpy() for values in (raw, centered, activations)
        )
        return Measured({"fidelity": fidelity, "fidelity_centred": fidelity_centered}, mean_activation)


def fidelity_floor(cell_means: Floats, layer_mean: Floats) -> Floats:
    """Raw fidelity, [cell], if every icon's activation were the layer's mean: what a raw cosine cannot tell apart."""
    norms = np.linalg.norm(cell_means, axis=1) * np.linalg.norm(layer_mean)
    return np.asarray(cell_means @ layer_mean / np.maximum(norms, 1e-12), np.float32)


@dataclass(frozen=True)
class Retrieval:
    """Shares of icons, 0..1; NaN of no icons.

    Attributes:
        exact: the nearest rendered cell is the icon's own.
        near: it lies within the 3 × 3 cells around it.
    """

    exact: float
    near: float


def retrieval(
    activations: NDArray[np.float32],
    cell_means: NDArray[np.float32],
    cells: NDArray[np.integer],
    layer_mean: NDArray[np.float32],
) -> Retrieval:
    """How many icons find their cell, among all rendered cells of the level, by the largest centered cosine.

    Args:
        activations: of the icons, [icon, channel]; rows that are not finite find nothing.
        cell_means: of their cells in the same order, [icon, channel].
        cells: (row, column) of the cells, [icon, 2].
        layer_mean: [channel].
    """
    means = np.nan_to_num(_normalized(cell_means - layer_mean))
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(activations).all(axis=1))
    distance = np.full(len(cells), np.iinfo(np.int64).max)
    for start in range(0, len(cells), BLOCK):
        rows = np.flatnonzero(finite[start : start + BLOCK]) + start
        nearest = np.argmax((activations[rows] - layer_mean) @ means.T, axis=1)
        distance[rows] = np.abs(cells[nearest] - cells[rows]).max(1)
    if not len(cells):
        return Retrieval(nan, nan)
    return Retrieval(exact=float((distance == 0).mean()), near=float((distance <= 1).mean()))


def level_metrics(
    icons: IconArrays, means: Floats, cells: NDArray[np.integer], reliability: Floats, layer_mean: Floats
) -> dict[str, Any]:
    """The metrics of one level; None where there is nothing to take a number from.

    Args:
        icons: of the level.
        means: raw mean activation of their cells, [icon, channel].
        cells: (row, column) of their cells, [icon, 2].
        reliability: of their cells, [icon].
        layer_mean: [channel].
    """
    found = retrieval(icons.activation, means, cells, layer_mean)
    return {
        "icons": len(cells),
        "failed": int(np.isnan(icons.fidelity).sum()),
        "retried": icons.retried,
        "fidelity": {
            "median": rounded_quantile(icons.fidelity, 0.5),
            "p10": rounded_quantile(icons.fidelity, 0.1),
            "floor": rounded_quantile(fidelity_floor(means, layer_mean), 0.5),
        },
        "fidelity_centred": {
            "median": rounded_quantile(icons.fidelity_centred, 0.5),
            "p10": rounded_quantile(icons.fidelity_centred, 0.1),
            "ceiling": rounded_quantile(reliability, 0.5),
        },
        "retrieval": {
            name: round(share, 4) if isfinite(share) else None
            for name, share in (("exact", found.exact), ("near", found.near))
        },
    }


def fidelity_histogram(level: int, style: str, icons: IconArrays) -> dict[str, list[Any]]:
    """Rows of a plot of centered fidelity: level, middle of the bin, share of the level's icons, style."""
    values = icons.fidelity_centred[np.isfinite(icons.fidelity_centred)].clip(BINS[0], BINS[-1])
    counts, _ = np.histogram(values, BINS)
    middles = (BINS[:-1] + BINS[1:]) / 2
    return {
        "level": [level] * len(middles),
        "fidelity_centred": [round(float(middle), 3) for middle in middles],
        "share": [round(float(count) / max(len(values), 1), 4) for count in counts],
        "style": [style] * len(middles),
    }


def summary_line(level: int, style: str, metrics: dict[str, Any]) -> str:
    """The metrics of a level's icons of one style in one line."""
    if not metrics["icons"]:
        return f"level {level}: no {style} icons, since no cell has grid.min_count samples"
    raw, centered, found = metrics["fidelity"], metrics["fidelity_centred"], metrics["retrieval"]
    line = (
        f"level {level}: {counted(metrics['icons'], f'{style} icon')}, centered fidelity "
        f"{_two_digits(centered['median'])} (10th percentile {_two_digits(centered['p10'])}, "
        f"ceiling {_two_digits(centered['ceiling'])}), raw {_two_digits(raw['median'])} "
        f"(floor {_two_digits(raw['floor'])}), retrieval {100 * found['exact']:.0f} %"
    )
    legible = metrics.get("legibility", {})
    if legible.get("recognized"):
        icons, real = (100 * legible[name]["value"] for name in ("recognized", "ceiling_recognized"))
        line += f", recognized by the judge {icons:.0f} % (real patches {real:.0f} %)"
    large = metrics.get("large")
    line += f", large icons' centered fidelity {_two_digits(large['fidelity_centred']['median'])}" if large else ""
    return line + (f", {metrics['failed']} COULD NOT BE RENDERED and are left white" if metrics["failed"] else "")


def _normalized(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def rounded_quantile(values: Floats, share: float) -> float | None:
    """The quantile of the finite values; None where there are none."""
    finite = values[np.isfinite(values)]
    return round(float(np.quantile(finite, share)), 4) if len(finite) else None


def _two_digits(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
