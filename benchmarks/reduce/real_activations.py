"""The built-in UMAP beside umap-learn on activations of a real network: quality and time.

Three layouts of the same samples, with the settings of ``conf/reduce/umap.yaml``: the engine ``builtin``, the engine
``umap_learn`` (the same neighbors and initialization, umap-learn's graph and optimization), and umap-learn by itself
(its own neighbor search in all channels and its spectral initialization).
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.real import Run, real_run
from pipeline.config.reduce import ReduceSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, IMAGES
from pipeline.core.progress import log_line
from pipeline.images.manifest import read_manifest
from pipeline.reduce.layout import compute_layout
from pipeline.reduce.quality import LayoutSamples, measure_quality
from pipeline.reduce.rows import Rows, distinct_rows, scan_rows

Embed = Callable[[NDArray[np.float32]], NDArray[np.float64]]

BUILTIN, ENGINE, ALONE = "engine builtin", "engine umap_learn", "umap-learn by itself"
WARMUP = 3000  # samples of the calls that only compile
QUERIES = 5000
TOLERANCE = 0.02  # by which the built-in engine may be worse than the engine umap_learn
SHUFFLED = "shuffled layout"

# first and last of the 1,000 classes of ImageNet, which are in the order of their WordNet ids; there is one photograph
# per class, so that groups of classes serve as labels. What is left are artifacts, scenes, plants and people.
GROUPS = {
    "fish": ((0, 6), (389, 397)),
    "bird": ((7, 24), (80, 100), (127, 146)),
    "amphibian or reptile": ((25, 68),),
    "invertebrate": ((69, 79), (107, 126), (300, 329)),
    "dog or other canid": ((151, 275), (277, 280)),
    "other mammal": ((101, 106), (147, 150), (276, 276), (281, 299), (330, 388)),
    "food or fungus": ((923, 969), (991, 997)),
}


def real_rows() -> list[Row]:
    """Time, trustworthiness, continuity and label hit rate of each layout at each layer."""
    run = real_run()
    return [one for layer in run.params.layers for one in _layer_rows(run, layer)]


def class_groups(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The group of each class of ImageNet: its position in ``GROUPS``, or one more than the last."""
    group = np.full(len(classes), len(GROUPS))
    for index, ranges in enumerate(GROUPS.values()):
        for first, last in ranges:
            group[(classes >= first) & (classes <= last)] = index
    return group


def _layer_rows(run: Run, layer: str) -> list[Row]:
    settings = run.params.reduce
    group = zarr_store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(run.outputs, layer))
    stored = Rows(zarr_store.array(group, "activation"))
    scan = scan_rows(stored)
    nonzero = np.flatnonzero(scan.nonzero)
    used = nonzero[distinct_rows(scan.hashes[nonzero]).first]
    values = stored.take(used).to_array()
    image = np.asarray(zarr_store.array(group, "image")[...])[used]
    label = class_groups(read_manifest(IMAGES.path(run.outputs)).label)[image]
    sides = _sides(settings)
    layouts: dict[str, NDArray[np.float32]] = {}
    for embed in sides.values():
        embed(values[:WARMUP])

    def side(name: str) -> Side:
        def embed() -> None:
            log_line(f"reduce {layer}: {name}, {len(values):,} samples")
            layouts[name] = sides[name](values).astype(np.float32)

        return Side(embed)

    times = interleaved({name: side(name) for name in sides}, rounds=1)
    layouts[SHUFFLED] = np.random.default_rng(0).permutation(layouts[BUILTIN])
    what = f"{layer} of SqueezeNet, {len(values):,} samples, {settings.metric}"
    rows = [row(f"{what}: {name}", times.median(name), "s") for name in sides]
    rows += [
        row(f"{what}: time of {name} against {BUILTIN}", times.ratio(name, BUILTIN), "x") for name in (ENGINE, ALONE)
    ]
    found = {
        name: measure_quality(LayoutSamples(Rows(values), xy, image, label), settings.metric, QUERIES, 0)
        for name, xy in layouts.items()
    }
    return rows + _quality_rows(what, found)


def _sides(settings: ReduceSettings) -> Mapping[str, Embed]:
    engines = {
        name: settings.model_copy(update={"engine": engine})
        for name, engine in ((BUILTIN, "builtin"), (ENGINE, "umap_learn"))
    }

    def engine(name: str) -> Embed:
        return lambda values: compute_layout(Rows(values), engines[name], 0).coordinates

    def alone(values: NDArray[np.float32]) -> NDArray[np.float64]:
        from umap import UMAP  # noqa: PLC0415  # slow to import

        model = UMAP(
            metric=settings.metric, n_neighbors=settings.neighbors, min_dist=settings.min_dist,
            n_epochs=settings.epochs, negative_sample_rate=settings.negative_sample_rate, random_state=0, n_jobs=1,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(model.fit_transform(values), np.float64)

    return {BUILTIN: engine(BUILTIN), ENGINE: engine(ENGINE), ALONE: alone}


def _quality_rows(what: str, found: Mapping[str, Mapping[str, float | None]]) -> list[Row]:
    rows = []
    names = {
        f"{measure}_{k}": f"{measure} (k {k})" for k in (10, 50) for measure in ("trustworthiness", "continuity")
    } | {"label_hits": "label hit rate (10 nearest, 8 groups of classes)"}
    for key, title in names.items():
        scores = {name: float(one[key] or 0) for name, one in found.items()}
        rows += [row(f"{what}: {title}, {name}", score, "") for name, score in scores.items()]
        loss = scores[ENGINE] - scores[BUILTIN]
        rows.append(row(f"{what}: {title}, lost to {ENGINE}", loss, "", at_most=TOLERANCE))
    activations = float(found[BUILTIN]["label_hits_activations"] or 0)
    return [*rows, row(f"{what}: {names['label_hits']}, activations themselves", activations, "")]
