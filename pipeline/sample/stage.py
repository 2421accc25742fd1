"""Entry of the stage ``sample``: images and network in, one activations artifact for each layer out."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
from torch import Tensor

from pipeline.core.artifacts import ACTIVATIONS, IMAGES, MODEL
from pipeline.core.errors import DataError
from pipeline.core.progress import progress, say
from pipeline.core.store import create
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.images.open_set import open_image_set
from pipeline.images.places import relative_places
from pipeline.model.batches import batches
from pipeline.model.layers import LayerShape, known_layer
from pipeline.model.network import Network
from pipeline.model.preprocessing import network_crop, to_tensor
from pipeline.model.saved import describe, load
from pipeline.sample.passes import sample_batch
from pipeline.sample.shards import ShardWriter
from pipeline.sample.tally import Tally
from pipeline.stages import Task


def run(task: Task) -> None:
    """Sample every image of the manifest at every layer, in one pass over the images."""
    settings = task.params.sample
    manifest = read_manifest(task.path(IMAGES))
    images = ManifestImages(manifest, open_image_set(task.params.images), task.params.prepare.max_pixels)
    network = load(task.path(MODEL), settings.device)
    shapes = {layer: known_layer(layer, network.layers) for layer in task.params.layers}
    tallies = {layer: Tally() for layer in shapes}

    def load_input(row: int) -> Tensor:
        return to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing)

    with _writers(task, network, shapes, len(images), manifest.identity) as writers:
        with progress("sample", len(images), "image") as bar:
            for span, inputs in batches(load_input, len(images), settings.batch_size):
                places = relative_places(
                    task.params.seed, manifest.digest[span.start : span.stop], settings.positions_per_image
                )
                blocks = sample_batch(network, shapes, inputs, places, settings)
                rows = np.repeat(np.arange(span.start, span.stop), settings.positions_per_image)
                for layer, block in blocks.items():
                    writers[layer].append({**block, "image": rows})
                    tallies[layer].add(block)
                bar.update(len(span))
        _refuse_silence(tallies)
    task.write_metrics({layer: tally.metrics() for layer, tally in tallies.items()})
    for layer, tally in tallies.items():
        say(f"sample: {layer}: {tally.summary()}, from {len(images)} images → {task.path(ACTIVATIONS, layer)}")


@contextmanager
def _writers(
    task: Task, network: Network, shapes: dict[str, LayerShape], images: int, manifest: str
) -> Iterator[dict[str, ShardWriter]]:
    """One writer for each layer; all the artifacts appear together, when the block ends well."""
    rows = images * task.params.sample.positions_per_image
    made_from = {IMAGES.name: manifest, MODEL.name: describe(task.path(MODEL))["identity"]}
    with ExitStack() as stack:
        writers = {}
        for layer, shape in shapes.items():
            group = stack.enter_context(create(ACTIVATIONS, task.path(ACTIVATIONS, layer), task.settings(), made_from))
            arrays: dict[str, tuple[int, ...]] = {"activation": (shape.channels,), "image": (), "position": (2,)}
            if task.params.sample.attribution:
                arrays["attribution"] = (len(network.classes),)
            writers[layer] = ShardWriter(group, ACTIVATIONS, arrays, rows)
        yield writers
        for writer in writers.values():
            writer.close()


def _refuse_silence(tallies: dict[str, Tally]) -> None:
    """Raise DataError for a layer that answers nothing at all."""
    for layer, tally in tallies.items():
        if tally.all_zero:
            raise DataError(
                f"{layer}: expected activations, found zeros only; choose another layer or check the weights"
            )
