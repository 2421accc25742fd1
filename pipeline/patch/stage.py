"""Stage ``patch``: do the patches that a comparison atlas points to turn one class into the other?

For both directions it cuts candidates from the atlas's exemplars and, as controls under the same search, noise, random
natural patches and natural patches that the network alone ranks (Carter et al. 2019 had noise only).
"""

from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.core import artifacts as a
from pipeline.core.atlases import parse_atlas
from pipeline.core.errors import ConfigError
from pipeline.core.files import atomic
from pipeline.core.pack import part
from pipeline.core.progress import say
from pipeline.core.zarr_store import array, open_artifact
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.images.open_set import open_image_set
from pipeline.model.layers import known_layer
from pipeline.model.preprocessing import network_crop
from pipeline.model.saved import load
from pipeline.patch.bench import Bench, settings_told
from pipeline.patch.content import Resamples
from pipeline.patch.direction import Direction
from pipeline.patch.pictures import Album
from pipeline.patch.reading import read_cells
from pipeline.patch.telling import outline, proposals, told
from pipeline.patch.trials import Pixels
from pipeline.stages import Task

Content = dict[str, Any]
REMEMBERED_BYTES = 2**28  # of images that both directions may cut patches from


def run(task: Task) -> None:
    """Test both directions, and write the numbers and pictures that the page shows."""
    bench = _bench(task)
    subjects = {class_: bench.subjects(class_) for class_ in bench.pair}
    directions, metrics = [], {}
    with atomic(task.path(a.PATCH)) as folder:
        folder.mkdir()
        album = Album(folder, shut=not task.params.patch.examples)
        for source, target in (bench.pair, bench.pair[::-1]):
            direction = bench.direction(subjects[source], target)
            content, metrics[direction.name] = _tested(task, bench, direction, album)
            directions.append(content)
        content = {"layer": task.layer, "atlas": task.atlas, **settings_told(bench), "directions": directions}
        name = f"patch/{task.layer}/{task.atlas}"
        (folder / "result.js").write_text(part(name, content), encoding="ascii")
    task.write_metrics(metrics)


def _bench(task: Task) -> Bench:
    pair = _pair(task)
    manifest = read_manifest(task.path(a.IMAGES))
    image_set = open_image_set(task.params.images)
    # every listed image was small enough when it was listed
    images = ManifestImages(manifest, image_set, int((manifest.width * manifest.height).max(initial=1)))
    network = load(task.path(a.MODEL), task.params.patch.device)
    activations = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))

    @lru_cache(maxsize=max(1, REMEMBERED_BYTES // (3 * network.preprocessing.crop**2)))
    def crop(row: int) -> Pixels:
        return np.asarray(network_crop(images.load(row), network.preprocessing))

    return Bench(
        network=network,
        shape=known_layer(task.layer, network.layers),
        manifest=manifest,
        load=crop,
        labels=image_set.classes,
        image=np.asarray(array(activations, "image")[...]),
        position=np.asarray(array(activations, "position")[...]),
        levels=read_cells(open_artifact(a.GRID, task.path(a.GRID))),
        pair=pair,
        settings=task.params.patch,
        seed=task.params.seed,
    )


def _pair(task: Task) -> tuple[int, int]:
    """The left and the right class.

    Raises:
        ConfigError: the atlas is no comparison.
    """
    classes = parse_atlas(task.atlas).classes
    if len(classes) != 2:
        raise ConfigError(f"atlas: expected a comparison of two classes, found {task.atlas}; name a compare-<id>-<id>")
    return classes[0], classes[1]


def _tested(task: Task, bench: Bench, direction: Direction, album: Album) -> tuple[Content, Content]:
    """What the page shows of a direction, and its metrics."""
    names = (bench.network.classes[direction.subjects.class_], bench.network.classes[direction.target])
    what = f"patch {task.layer}/{task.atlas} {names[0]} → {names[1]}"
    hindrance = direction.hindrance(*names)
    content = outline(direction, hindrance)
    if hindrance:
        say(f"{what}: {hindrance}")
        metrics = {"tested": False, "images_right": len(direction.subjects.right)}
        return {**content, "proposed": proposals(direction, bench.about, album)}, metrics
    results = direction.measured(what)
    resamples = Resamples(direction.random(3), len(direction.split[1]), bench.settings.resamples)
    found, rates = told(direction, results, resamples, bench.about, album)
    for group in found["groups"]:
        say(f"{what}: {_summary(group)}")
    return {**content, **found}, {"tested": True, "images_measured": len(direction.split[1]), **rates}


def _summary(group: Content) -> str:
    def shown(way: str, name: str) -> str:
        rate = group[way][name]
        return f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"

    return (
        f"{group['name']}: becomes the other class {shown('static', 'becomes')} static, "
        f"{shown('dynamic', 'becomes')} dynamic; leaves its own {shown('static', 'leaves')} static"
    )
