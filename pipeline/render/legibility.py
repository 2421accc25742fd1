"""Legibility: would a network that did not render the icons know which cell each of them belongs to?

Fidelity asks the network that an icon was rendered with, which also likes pictures that nobody else can read. The judge
is another network. It compares icons with real patches of the cells: with members of a cell from images that neither
its exemplars nor those of the cells around it come from, so that the renderer cannot have used them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.config.model import ModelSettings
from pipeline.core.cells import CellAssignment, parents
from pipeline.model.configured_network import load_configured_network
from pipeline.model.inputs import normalize
from pipeline.model.layers import LayerShape, run_to_all
from pipeline.model.network import Network
from pipeline.parallel.pool import Pool
from pipeline.render.sample_patches import (
    PATCHES_PER_TASK,
    Patches,
    PatchesSpec,
    Samples,
    cell_means,
    measured_in_batches,
)

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

MEMBERS = 12  # patches of a cell's prototype, at most
DEPTHS = 4  # of the judge
DEEPEST = 2  # of them count
INPUT_SHARE = 0.5  # of the judge's input, for the side that patches and icons are resized to: they are parts of images
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class JudgeSpec:
    """Everything that a :class:`Judge` is built from; small enough to travel to a worker.

    Attributes:
        judge: settings of the judge's network.
        patches: of samples.
        device: where it runs.
    """

    judge: ModelSettings
    patches: PatchesSpec
    device: str

    def __call__(self) -> "Judge":
        """The judge, in a worker."""
        patches = self.patches.open(self.patches.load_network("cpu"))
        return Judge(load_configured_network(self.judge, "judge", self.device), patches, self.device)


class Judge:
    """What another network sees in patches and icons: the mean of each channel over the map, at several depths.

    Attributes:
        channels: at each depth.
    """

    def __init__(self, network: Network, patches: Patches, device: str) -> None:
        """Prepare.

        Args:
            network: the judge's, on ``device``.
            patches: of samples.
            device: where it runs.
        """
        self._layers = judge_layers(network.layers)
        self.channels = tuple(network.layers[layer].channels for layer in self._layers)
        tokens = any(network.layers[layer].kind == "tokens" for layer in self._layers)
        crop = network.preprocessing.crop
        self._side = crop if tokens else max(1, round(INPUT_SHARE * crop))
        self._network, self._patches, self._device = network, patches, device
        self._module = network.module.to(memory_format=torch.channels_last)

    def __call__(self, samples: Samples) -> Floats:
        """Of the patches of samples, depth after depth, [sample, number]."""
        return self._features(
            len(samples), lambda number: self._patches(int(samples.image[number]), samples.position[number])
        )

    def icons(self, icons: Pixels) -> Floats:
        """Of icons uint8 [icon, y, x, 3], likewise."""
        return self._features(len(icons), lambda number: icons[number])

    def _features(self, count: int, picture: Callable[[int], Pixels]) -> Floats:
        return measured_in_batches(count, picture, self._device, self._means)

    def _means(self, images: Tensor) -> Tensor:
        """Of images [image, 3, y, x] in 0..1, [image, number]."""
        sides = (self._side, self._side)
        resized = interpolate(images, sides, mode="bilinear", align_corners=False, antialias=True)
        inputs = normalize(resized, self._network.preprocessing).contiguous(memory_format=torch.channels_last)
        outputs = run_to_all(self._module, self._layers, inputs)
        return torch.cat(
            [self._network.layers[layer].to_map(outputs[layer]).float().mean((2, 3)) for layer in self._layers], 1
        )


@dataclass(frozen=True, eq=False)
class Members:
    """Samples of cells that the renderer did not use, rows of samples; -1 for none.

    Attributes:
        prototype: [cell, MEMBERS].
        held_out: one more for each cell, [cell], for the ceiling.
    """

    prototype: NDArray[np.int64]
    held_out: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """[cell] whether the cell has both."""
        return np.asarray((self.prototype[:, 0] >= 0) & (self.held_out >= 0))


@dataclass(frozen=True, eq=False)
class Recognition:
    """How pictures are assigned to cells by a judge.

    Attributes:
        rank: at each depth, how many cells are nearer to a picture than its own, [depth, picture].
        cells: how many there are.
    """

    rank: NDArray[np.int64]
    cells: int

    @property
    def percentile(self) -> Floats:
        """Share of the other cells that are further away, [depth, picture], 0..1."""
        return np.asarray(1 - self.rank / max(1, self.cells - 1), np.float32)

    def top(self, count: int) -> Floats:
        """Whether a picture's own cell is among the nearest ``count``, [depth, picture], 0 or 1."""
        return np.asarray(self.rank < count, np.float32)


def judge_layers(layers: Mapping[str, LayerShape], depths: int = DEPTHS) -> list[str]:
    """Layers at the end of each quarter (or other part) of the judge, evenly spaced, ending with the last one.

    Blocks count, their inner modules do not; neither do maps of a single position.

    Args:
        layers: of the judge's network, in the order of the modules.
        depths: how many.
    """
    distinct: dict[object, str] = {}
    for name, shape in layers.items():
        if name.count(".") <= 1 and min(shape.height, shape.width) > 1:
            key = (shape, name) if shape.kind == "tokens" or name.count(".") else shape
            distinct[key] = name
    found = [name for name in layers if name in set(distinct.values())]
    last = np.linspace(0, len(found), depths + 1).round().astype(int)[1:] - 1
    return list(dict.fromkeys(found[max(0, index)] for index in last))


def unused_members(
    cells: CellAssignment,
    rows: NDArray[np.intp],
    sample: NDArray[np.int64],
    image: NDArray[np.int64],
    used: Sequence[NDArray[np.int64]],
    seed: int,
) -> Members:
    """Members of cells from images that the renderer did not use for them, at most one from each image.

    Args:
        cells: of the level.
        rows: of the cells that are looked at.
        sample: row of each point's sample, [point].
        image: row of each sample's image, [sample].
        used: for each of the cells, rows of samples that the renderer used; -1 for none.
        seed: of the choice.
    """
    order = np.argsort(cells.of_point, kind="stable")
    bounds = np.searchsorted(cells.of_point[order], np.arange(len(cells.cell) + 1))
    prototype = np.full((len(rows), MEMBERS), -1, np.int64)
    held_out = np.full(len(rows), -1, np.int64)
    for number, row in enumerate(rows):
        own = np.sort(sample[order[bounds[row] : bounds[row + 1]]])
        taken = used[number][used[number] >= 0]
        free = own[~np.isin(image[own], image[taken])]
        key = [seed, cells.size, *(int(place) for place in cells.cell[row])]
        mixed = np.random.default_rng(key).permutation(free)
        chosen = mixed[np.sort(np.unique(image[mixed], return_index=True)[1])][: MEMBERS + 1]
        if len(chosen) > 1:
            held_out[number] = chosen[0]
            prototype[number, : len(chosen) - 1] = chosen[1:]
    return Members(prototype, held_out)


def recognition(features: Floats, prototypes: Floats, channels: Sequence[int]) -> Recognition:
    """Assign pictures to the cell of the nearest prototype, by the cosine of their deviations from either side's mean.

    Icons differ from photographs as a whole; taking off the mean of each side leaves what tells the cells apart.

    Args:
        features: of one picture for each cell, [cell, number]; see :class:`Judge`.
        prototypes: of the cells, in the same order.
        channels: at each depth.
    """
    ranks, start = [], 0
    for count in channels:
        pictures, cells = (
            _unit(one[:, start : start + count] - one[:, start : start + count].mean(0))
            for one in (features, prototypes)
        )
        cosine = pictures @ cells.T
        ranks.append((cosine > cosine.diagonal()[:, None]).sum(1))
        start += count
    return Recognition(np.stack(ranks), len(features))


def legibility_metrics(found: Recognition, ceiling: Recognition) -> dict[str, Any]:
    """Shares over all pictures, depth by depth, and the mean over the two deepest depths; None for no pictures.

    Args:
        found: of the icons.
        ceiling: of one real patch for each cell.
    """
    return {
        "judged": found.cells,
        "top1": _by_depth(found.top(1)),
        "top5": _by_depth(found.top(5)),
        "percentile": _by_depth(found.percentile),
        "ceiling_top1": _by_depth(ceiling.top(1)),
        "recognized": recognized_share(found),
        "chance_top1": round(1 / found.cells, 4) if found.cells else None,
        "of_ceiling": of_ceiling(found, ceiling),
    }


def of_ceiling(found: Recognition, ceiling: Recognition) -> float | None:
    """The share of icons whose cell is found, over that of real patches: mean of top-1 at the deepest depths."""
    if not found.cells:
        return None
    real = float(ceiling.top(1)[-DEEPEST:].mean())
    return round(float(found.top(1)[-DEEPEST:].mean()) / real, 4) if real else None


def recognized_share(found: Recognition) -> float | None:
    """The share of icons whose cell is found: mean of top-1 at the deepest depths; None for no icons."""
    return round(float(found.top(1)[-DEEPEST:].mean()), 4) if found.cells else None


def icon_legibility(found: Recognition) -> Floats:
    """Of each icon: the mean percentile of its own cell at the deepest depths, [icon], 0..1; 1: the nearest."""
    return np.asarray(found.percentile[-DEEPEST:].mean(0), np.float32)


class LegibilityMeasure:
    """Measures the icons of a run's levels by a judge."""

    def __init__(
        self,
        pool: Pool,
        spec: Callable[[], Judge],
        samples: Samples,
        levels: Sequence[CellAssignment],
        points: NDArray[np.int64],
        seed: int,
    ) -> None:
        """Prepare.

        Args:
            pool: the workers.
            spec: makes the judge, in a worker.
            samples: all of the layer.
            levels: of the layout's points, from coarse to fine.
            points: row of each point's sample, [point].
            seed: of the choice of members.
        """
        self._pool, self._spec, self._samples, self._seed = pool, spec, samples, seed
        self._levels, self._points = {level.size: level for level in levels}, points
        self._used: list[tuple[CellAssignment, dict[int, NDArray[np.int64]]]] = []

    def __call__(
        self, size: int, rows: NDArray[np.intp], exemplars: NDArray[np.int64], icons: Pixels, valid: NDArray[np.bool_]
    ) -> tuple[Floats, dict[str, Any]]:
        """The legibility of each icon [icon], NaN where it is not known, and the metrics of a level.

        Levels come from coarse to fine, since an icon starts from that of a coarser cell.

        Args:
            size: cells a side.
            rows: of the icons' cells, [icon].
            exemplars: of those cells, rows of samples, [icon, rank]; -1 for none.
            icons: uint8 [icon, y, x, 3].
            valid: whether each could be rendered, [icon].
        """
        cells = self._levels[size]
        self._used.append((cells, dict(zip(rows.tolist(), exemplars, strict=True))))
        members = unused_members(cells, rows, self._points, self._samples.image, self._used_by(cells, rows), self._seed)
        chosen = np.flatnonzero(members.known & valid)
        legibility = np.full(len(rows), np.nan, np.float32)
        if len(chosen) < 2:
            return legibility, {"judged": len(chosen)}
        prototypes, real = cell_means(
            self._pool,
            self._spec,
            self._samples,
            [members.prototype[chosen], members.held_out[chosen, None]],
        )
        channels, seen = self._seen(icons[chosen])
        found, ceiling = (recognition(features, prototypes, channels) for features in (seen, real))
        legibility[chosen] = icon_legibility(found)
        return legibility, legibility_metrics(found, ceiling)

    def _used_by(self, cells: CellAssignment, rows: NDArray[np.intp]) -> list[NDArray[np.int64]]:
        """For each cell the exemplars of it and of the coarser cells around it."""
        found: list[list[NDArray[np.int64]]] = [[] for _ in rows]
        for coarser, exemplars in self._used:
            around = parents(cells, coarser)[rows] if coarser.size < cells.size else rows
            for number, row in enumerate(around.tolist()):
                if row in exemplars:
                    found[number].append(exemplars[row])
        return [np.concatenate(one) for one in found]

    def _seen(self, icons: Pixels) -> tuple[tuple[int, ...], Floats]:
        """The judge's channels at each depth, and what it sees in icons."""
        tasks = [icons[start : start + PATCHES_PER_TASK] for start in range(0, len(icons), PATCHES_PER_TASK)]
        found = dict(self._pool.map_unordered(_judge_icons, tasks, self._spec))
        return found[0][0], np.concatenate([found[index][1] for index in range(len(tasks))])


def _judge_icons(judge: Judge, icons: Pixels) -> tuple[tuple[int, ...], Floats]:
    """In a worker."""
    return judge.channels, judge.icons(icons)


def _by_depth(values: Floats) -> list[float]:
    return [round(float(row.mean()), 4) if len(row) else 0.0 for row in values]


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY))
