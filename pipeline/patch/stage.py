"""Stage ``patch``: do the exemplars of a comparison atlas, pasted as patches, turn one class into the other?

For both directions it cuts candidates from the atlas's exemplars and, as controls under the same search, noise, random
natural patches and natural patches that are ranked by their logit (Carter et al. 2019 had noise only).
"""

from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.core import artifacts as a
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import ConfigError
from pipeline.core.files import atomic
from pipeline.core.grid_levels import grid_levels
from pipeline.core.progress import log_line
from pipeline.core.site_data import data_script
from pipeline.core.zarr_store import array, open_artifact
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.layers import require_layer
from pipeline.model.network import load_network
from pipeline.patch.experiment import PairTest
from pipeline.patch.paste import Pixels
from pipeline.patch.report import ImageWriter, Resamples, candidates_content, results_content, summary_content
from pipeline.patch.setup import Setup
from pipeline.stages import Task

Content = dict[str, Any]
CACHE_BYTES = 2**28  # of images that both directions may cut patches from


def run(task: Task) -> None:
    """Test both directions, and write the numbers and images that the page shows.

    Raises:
        ConfigError: the atlas is no comparison.
    """
    setup = _setup(task)
    images = {class_: setup.class_images(class_) for class_ in setup.pair}
    directions, metrics = [], {}
    with atomic(task.path(a.PATCH)) as folder:
        folder.mkdir()
        writer = ImageWriter(folder, enabled=bool(task.params.patch.examples))
        for source, target in (setup.pair, setup.pair[::-1]):
            test = setup.pair_test(images[source], target)
            content, metrics[test.name] = _run_test(task, setup, test, writer)
            directions.append(content)
        content = {"layer": task.layer, "atlas": task.atlas, **setup.settings_content(), "directions": directions}
        name = f"patch/{task.layer}/{task.atlas}"
        (folder / "result.js").write_text(data_script(name, content), encoding="ascii")
    task.write_metrics(metrics)


def _setup(task: Task) -> Setup:
    pair = _pair(task)
    manifest = read_manifest(task.path(a.IMAGES))
    image_set = open_image_set(task.params.images)
    images = ManifestImages(manifest, image_set)
    network = load_network(task.path(a.MODEL), task.params.patch.device)
    activations = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))

    @lru_cache(maxsize=max(1, CACHE_BYTES // (3 * network.preprocessing.crop**2)))
    def crop(row: int) -> Pixels:
        return np.asarray(network_crop(images.load(row), network.preprocessing))

    return Setup(
        network=network,
        shape=require_layer(task.layer, network.layers),
        manifest=manifest,
        load=crop,
        labels=image_set.classes,
        image=np.asarray(array(activations, "image")[...]),
        position=np.asarray(array(activations, "position")[...]),
        levels=grid_levels(open_artifact(a.GRID, task.path(a.GRID))),
        pair=pair,
        settings=task.params.patch,
        seed=task.params.seed,
    )


def _pair(task: Task) -> tuple[int, int]:
    """The left and the right class."""
    classes = parse_atlas(task.atlas).classes
    if len(classes) != 2:
        raise ConfigError(f"atlas: expected a comparison of two classes, found {task.atlas}; name a compare-<id>-<id>")
    return classes[0], classes[1]


def _run_test(task: Task, setup: Setup, test: PairTest, writer: ImageWriter) -> tuple[Content, Content]:
    """The content of the page for one direction, and its metrics."""
    names = (setup.network.classes[test.images.class_], setup.network.classes[test.target])
    description = f"patch {task.layer}/{task.atlas} {names[0]} → {names[1]}"
    skip_reason = test.skip_reason(*names)
    content = summary_content(test, skip_reason)
    if skip_reason:
        log_line(f"{description}: {skip_reason}")
        metrics = {"tested": False, "images_correct": len(test.images.correct)}
        return {**content, "candidate_patches": candidates_content(test, setup.image_content, writer)}, metrics
    results = test.run(description)
    resamples = Resamples(test.random(3), len(test.halves[1]), setup.settings.resamples)
    found, rates = results_content(test, results, resamples, setup.image_content, writer)
    for group in found["groups"]:
        log_line(f"{description}: {_summary(group)}")
    return {**content, **found}, {"tested": True, "images_measured": len(test.halves[1]), **rates}


def _summary(group: Content) -> str:
    def rate(choice: str, name: str) -> str:
        found = group[choice][name]
        return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%})"

    return (
        f"{group['name']}: becomes the other class {rate('static', 'targeted')} static, "
        f"{rate('dynamic', 'targeted')} dynamic; leaves its own {rate('static', 'untargeted')} static"
    )
