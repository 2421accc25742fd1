"""What a worker does: it opens the images and the network once, and explains one part of the work after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pipeline.config.explain import ExplainSettings
from pipeline.config.images import ImagesSettings
from pipeline.core.errors import DataError
from pipeline.explain.class_activation import CamHead, own_head
from pipeline.explain.deletion import center_blob, deletion_insertion, random_maps
from pipeline.explain.fill import filled
from pipeline.explain.fooling import PATH, Change, fool, pixels_of
from pipeline.explain.heatmaps import Column, Explainer, enlarge, is_constant
from pipeline.explain.neighbors import LastLayer, last_layer, pixel_vector
from pipeline.explain.pointing import (
    Pointing,
    build_mosaics,
    object_masks,
    point,
    point_at_random,
    point_to_center,
    quarter_shares,
)
from pipeline.explain.randomization import cascade, rank_correlation
from pipeline.explain.region_search import best_positions
from pipeline.explain.scores import Scores
from pipeline.explain.verdict import CONTROLS
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.inputs import input_batches, normalize, to_tensor
from pipeline.model.layers import run_to, run_to_all
from pipeline.model.network import Network, load_network

Arrays = dict[str, NDArray[Any]]
Rows = Sequence[tuple[int, int]]  # row of the image in the list of images, and the unit that is explained


@dataclass(frozen=True, eq=False)
class WorkerSpec:
    """Everything that :class:`Worker` is built from; small enough to travel to a worker.

    Attributes:
        model: folder of the saved network, at the same path for all workers.
        manifest: path of the list of images.
        images: settings of the image set as written: a worker resolves references to environment variables.
        layer: whose units are explained; ``logits`` for classes.
        columns: heat maps that are made.
        settings: of the stage.
        seed: of the run.
        head: for ``cam``; None where it is not asked for.
        mean_layer: whose mean the compared images have, for a head that is fitted; empty for none.
        full_size: mosaics have twice the side of the network's input.
    """

    model: Path
    manifest: Path
    images: ImagesSettings
    layer: str
    columns: Sequence[Column]
    settings: ExplainSettings
    seed: int
    head: CamHead | None = None
    mean_layer: str = ""
    full_size: bool = False

    def __call__(self) -> "Worker":
        """The worker itself, in its process."""
        return Worker(self)


class Worker:
    """Explains parts of the work."""

    def __init__(self, spec: WorkerSpec) -> None:
        """Open the images and the network.

        Args:
            spec: what is needed.
        """
        self.spec = spec
        self.manifest = read_manifest(spec.manifest)
        self._image_set = open_image_set(spec.images)
        self._images = ManifestImages(self.manifest, self._image_set)
        self.network = load_network(spec.model, spec.settings.device)
        self._explainer = self._make_explainer(self.network)
        self._mask_of = object_masks(self._image_set, self.manifest, self.network.preprocessing)
        self._compared: tuple[Rows, dict[Column, Tensor]] | None = None  # the network's own maps, for each step

    @cached_property
    def last_layer(self) -> LastLayer:
        """Whose features tell how alike images are."""
        return last_layer(self.network)

    @property
    def has_masks(self) -> bool:
        """Whether the image set has masks."""
        return self._mask_of is not None

    def crop(self, row: int) -> Image.Image:
        """The part of the image in a row that the network sees."""
        return network_crop(self._images.load(row), self.network.preprocessing)

    def inputs(self, rows: Sequence[int]) -> Tensor:
        """The network's inputs [image, 3, y, x] for the images in these rows."""
        images = torch.stack([to_tensor(self.crop(row), self.network.preprocessing).movedim(0, -1) for row in rows])
        return images.movedim(-1, 1).to(self.spec.settings.device)

    def scan(self, rows: Sequence[int]) -> Arrays:
        """Logits, features, pixels and means of the images in these rows, see :class:`pipeline.explain.scan.Scan`."""
        settings, network = self.spec.settings, self.network
        found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in ("logits", "features", "means")}
        pixels: dict[int, NDArray[np.float32]] = {}

        def load(number: int) -> Tensor:
            crop = self.crop(rows[number])
            pixels[number] = pixel_vector(crop)
            return to_tensor(crop, network.preprocessing)

        with torch.no_grad():
            for _, batch in input_batches(load, len(rows), settings.batch_size, settings.device):
                inputs = batch.to(settings.device)
                means = inputs.new_zeros(len(inputs), 1)
                if layer := self.spec.mean_layer:
                    means = network.layers[layer].to_map(run_to(network.module, layer, inputs)).mean((2, 3))
                features, logits = self.last_layer.features_and_logits(inputs)
                values = {"logits": logits, "features": features, "means": means}
                for name, value in values.items():
                    found[name].append(value.float().cpu().numpy())
        joined = {name: np.concatenate(values) for name, values in found.items()}
        return {**joined, "pixels": np.stack([pixels[number] for number in range(len(rows))])}

    def maps(self, layers_and_rows: tuple[Sequence[str], Sequence[int]]) -> Arrays:
        """Maps of layers, ``<n>`` of layer n, [image, channel, y, x] in float32.

        Args:
            layers_and_rows: names of the layers, and rows of the images.
        """
        layers, rows = layers_and_rows
        return self._maps(layers, self.inputs(rows))

    def maps_of_pixels(self, layers_and_levels: tuple[Sequence[str], NDArray[np.uint8]]) -> Arrays:
        """As :meth:`maps`, of images that are given.

        Args:
            layers_and_levels: names of the layers, and the images, uint8 [image, 3, y, x].
        """
        layers, levels = layers_and_levels
        pixels = torch.from_numpy(levels).to(self.spec.settings.device).float() / 255
        inputs = normalize(pixels, self.network.preprocessing).contiguous(memory_format=torch.channels_last)
        return self._maps(layers, inputs)

    def search(self, item: tuple[str, NDArray[np.float32], NDArray[np.float32], Sequence[int]]) -> Arrays:
        """The position of each image that is most like each query: ``similarity`` and ``position`` [image, query].

        Args:
            item: the layer; directions of the queries [query, channel] and the layer's mean [channel], see
                :func:`pipeline.explain.region_search.best_positions`; rows of the images.
        """
        layer, directions, center, rows = item
        found = [
            best_positions(grid, directions, center)
            for start in range(0, len(rows), self.spec.settings.batch_size)
            for grid in self.maps(([layer], rows[start : start + self.spec.settings.batch_size]))["0"]
        ]
        return {"similarity": np.stack([one for one, _ in found]), "position": np.stack([one for _, one in found])}

    def explain(self, rows: Rows) -> Arrays:
        """Heat maps, curves and pointing of some rows.

        Returns:
            ``heat-<n>`` of column n [row, y, x]; ``score`` and ``share`` [row]; ``baseline`` [row], the score of the
            baseline of integrated gradients; ``deletion-<name>``, ``insertion-<name>`` [row, step + 1], with masks
            ``hit-<name>``, ``iou-<name>`` [row], where the name is a column's number or a control.

        Raises:
            DataError: a heat map is not finite.
        """
        settings, scores = self.spec.settings, self._explainer.scores
        images = [image for image, _ in rows]
        inputs, units = self.inputs(images), self._units(rows)
        with torch.no_grad():
            baseline = filled(inputs, settings.baseline, self.network.preprocessing)
            found: Arrays = {
                "score": _numbers(scores(inputs, units)),
                "share": _numbers(scores.shares(inputs, units)),
                "baseline": _numbers(scores(baseline, units)),
            }
        maps = self._explainer.heatmaps(self.spec.columns, inputs, units)
        removed = filled(inputs, settings.fill, self.network.preprocessing)
        side = inputs.shape[-1]
        masks = None if self._mask_of is None else np.stack([self._mask_of(image) for image in images])
        orders = {f"{number}": enlarge(maps[column], side) for number, column in enumerate(self.spec.columns)}
        random, center = CONTROLS
        orders[random] = random_maps(images, side, self.spec.seed)
        orders[center] = center_blob(side).expand(len(rows), side, side)
        for name, order in orders.items():
            curves = deletion_insertion(
                scores.shares,
                inputs,
                removed,
                units,
                order,
                rows=images,
                seed=self.spec.seed,
                steps=settings.curve_steps,
                batch_size=settings.batch_size,
            )
            found |= {f"deletion-{name}": curves.deletion, f"insertion-{name}": curves.insertion}
            if masks is not None:
                pointing = self._point(name, order, masks, images)
                found |= {f"hit-{name}": pointing.hit, f"iou-{name}": pointing.iou}
        for number, (column, heat) in enumerate(maps.items()):
            found[f"heat-{number}"] = _numbers(heat)
            found[f"constant-{number}"] = is_constant(heat).cpu().numpy()
            if not np.isfinite(found[f"heat-{number}"]).all():
                raise DataError(
                    f"explain {self.spec.layer}: expected finite heat maps by {column.name}, found some that are not; "
                    "check the weights, or leave the method out"
                )
        return found

    def point_in_mosaics(self, mosaics: Sequence[Rows]) -> Arrays:
        """Share of the heat in the right quarter, ``<n>`` of column n, [mosaic, quarter].

        Args:
            mosaics: the four rows of each.
        """
        quarters = torch.stack([self.inputs([image for image, _ in rows]) for rows in mosaics])
        inputs = build_mosaics(quarters, full_size=self.spec.full_size)
        found: dict[Column, list[Tensor]] = {column: [] for column in self.spec.columns}
        for quarter in range(quarters.shape[1]):
            units = self._units([rows[quarter] for rows in mosaics])
            for column, heat in self._explainer.heatmaps(self.spec.columns, inputs, units).items():
                found[column].append(heat.masked_fill(is_constant(heat)[:, None, None], 0))
        return {
            f"{number}": quarter_shares(torch.stack(maps, 1), inputs.shape[-1])
            for number, maps in enumerate(found.values())
        }

    def randomize(self, step_and_rows: tuple[int, Rows]) -> Arrays:
        """Similarity of the heat maps of a randomized network to those of the network, ``<n>`` of column n, [row].

        Args:
            step_and_rows: step of the cascade, and the rows whose maps are compared.
        """
        step, rows = step_and_rows
        inputs, units = self.inputs([image for image, _ in rows]), self._units(rows)
        if self._compared is None or self._compared[0] != rows:
            self._compared = (rows, self._explainer.heatmaps(self.spec.columns, inputs, units))
        own = self._compared[1]
        steps = cascade(self.network, self.spec.settings.randomized_steps, self.spec.seed, self.spec.layer)
        network = next(islice(steps, step, None)).network
        other = self._make_explainer(network).heatmaps(self.spec.columns, inputs, units)
        return {
            f"{number}": rank_correlation(own[column], other[column]) for number, column in enumerate(self.spec.columns)
        }

    def fool(self, rows_and_targets: tuple[Rows, Sequence[int]]) -> Arrays:
        """Small changes of some images to other classes, see :mod:`pipeline.explain.fooling`.

        Args:
            rows_and_targets: the images, with the class that each is taken for; and the class that each is changed to.

        Returns:
            of the search by L∞ and by L2, ``linf-<field>`` and ``l2-<field>`` for the fields of
            :class:`pipeline.explain.fooling.Change`; ``noise`` and ``noise_probability``; ``pixels``: the images
            themselves, uint8 [row, 3, y, x].
        """
        rows, targets = rows_and_targets
        images = [image for image, _ in rows]
        pixels = pixels_of(self.inputs(images), self.network.preprocessing)
        wanted = torch.tensor(list(targets), dtype=torch.int64, device=pixels.device)
        fooled = fool(self.network, pixels, self._units(rows), wanted, images, self.spec.seed)
        found: Arrays = {
            "pixels": (pixels * 255).round().byte().cpu().numpy(),
            "noise": np.stack([one.noise for one in fooled]),
            "noise_probability": np.array([one.noise_probability for one in fooled]),
        }
        for kind in ("linf", "l2"):
            changes: list[Change] = [getattr(one, kind) for one in fooled]
            for name in ("size", "linf", "l2", "probability", "png", "jpeg"):
                found[f"{kind}-{name}"] = np.array([getattr(one, name) for one in changes])
            unchanged = found["pixels"]
            found[f"{kind}-levels"] = np.stack(
                [unchanged[n] if one.levels is None else one.levels for n, one in enumerate(changes)]
            )
            found[f"{kind}-path"] = np.stack(
                [np.full((2, len(PATH)), np.nan) if one.levels is None else one.path for one in changes]
            )
        return found

    def _maps(self, layers: Sequence[str], inputs: Tensor) -> Arrays:
        with torch.no_grad():
            outputs = run_to_all(self.network.module, list(layers), inputs)
        shapes = self.network.layers
        return {f"{number}": _numbers(shapes[layer].to_map(outputs[layer])) for number, layer in enumerate(layers)}

    def _make_explainer(self, network: Network) -> Explainer:
        head = self.spec.head
        if head is not None and head.kind == "linear" and network is not self.network:
            head = own_head(network)  # whose weights may be randomized
        return Explainer(Scores(network, self.spec.layer), self.spec.settings, head)

    def _units(self, rows: Rows) -> Tensor:
        return torch.tensor([unit for _, unit in rows], dtype=torch.int64, device=self.spec.settings.device)

    def _point(self, name: str, order: Tensor, masks: NDArray[np.bool_], images: Sequence[int]) -> Pointing:
        if name == "random":
            return point_at_random(masks)
        return (
            point_to_center(masks, images, self.spec.seed)
            if name == "center"
            else point(order, masks, images, self.spec.seed)
        )


def _numbers(values: Tensor) -> NDArray[np.float32]:
    return np.asarray(values.detach().float().cpu().numpy(), np.float32)
