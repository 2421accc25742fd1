"""The check before a run: whatever can fail for a reason that is known before anything runs.

torch takes seconds to import. It is loaded only for a GPU, and to try out a network and a judge that no earlier run has
used in the same way.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.cluster import Address, Inline, Local
from pipeline.config.params import Params
from pipeline.core.artifacts import ACTIVATIONS, ICONS, MODEL, Artifact
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import ArtifactError, ConfigError, DataError, ImageError
from pipeline.core.progress import log_line
from pipeline.core.zarr_store import open_artifact
from pipeline.fitting_levels import FILL, levels_note
from pipeline.images.choice import require_keys
from pipeline.images.image_set import Entry, ImageSet, open_image_set
from pipeline.model.description import NetworkDescription, read_description, unit_counts
from pipeline.model.metadata import resolve_class_names
from pipeline.plan.disk import total_bytes
from pipeline.plan.inputs import Sizes, point_count
from pipeline.reduce.external_engines import check_engine
from pipeline.site.bookmarks import configured_bookmarks, link_targets
from pipeline.site.initial_layer import check_initial_layer
from pipeline.stages import STAGES, Task


def check_run(params: Params, outputs: Path) -> None:
    """Refuse a run that cannot succeed.

    Raises:
        AtlasError: names what cannot work: images, network, weights, layers, device, disk.
    """
    for section in ("sample", "reduce", "render", "predict", "patch", "units", "explain", "synthesize"):
        check_device(section, getattr(params, section).device)
    check_engine(params.reduce)
    images = open_image_set(params.images)
    if params.place.images is not None:
        check_second_set(open_image_set(params.place.images, "place.images"))
    tried = tried_network(params, outputs)
    names = tried.classes if tried else resolve_class_names(params.model, images.classes)
    check_classes(params, names)
    check_bookmarks(params, names)
    check_initial_layer(params)
    if "accentuated" in params.render.styles and not params.site.exemplars:
        raise ConfigError(
            "render.styles: expected drawn alone where site.exemplars=0 keeps your images out of the site, found "
            "accentuated, whose icons show parts of them; use render.styles=[drawn]"
        )
    if params.judge is not None and tried is None:  # with which the icons of an earlier run were judged otherwise
        from pipeline.model.configured_network import load_configured_network  # noqa: PLC0415  # loads torch

        load_configured_network(params.judge, "judge")
    check_explained(params, images)
    check_synthesized(params, images)
    count = check_images(params, images)
    if tried is None:
        from pipeline.plan.trial import check_network  # noqa: PLC0415  # loads torch

        sizes = check_network(params, names, count)
    else:
        params.units.check(unit_counts(tried.layers, len(tried.classes)))
        params.explain.check(unit_counts(tried.layers, len(tried.classes)), tried.classes)
        params.synthesize.check(unit_counts(tried.layers, len(tried.classes)), tried.classes, params.layers)
        if params.synthesize.methods:
            from pipeline.model.network import load_network  # noqa: PLC0415  # loads torch
            from pipeline.synthesize.memory import check_memory  # noqa: PLC0415  # likewise

            network = load_network(MODEL.path(outputs), params.synthesize.device)
            check_memory(network, params.synthesize, params.layers)
        channels = {layer: tried.layers[layer].channels for layer in params.layers}
        sizes = Sizes(params, count, len(tried.classes), channels, FILL, tried.preprocessing.crop)
    check_points(params, count)
    check_disk(total_bytes(sizes), outputs, free_disk(outputs))
    if line := grid_note(sizes):
        log_line(line)


def check_cluster(settings: Inline | Local | Address) -> None:
    """Raise ConfigError if a running scheduler is to be used, and none answers."""
    if isinstance(settings, Address):
        from pipeline.parallel.pool import open_pool  # noqa: PLC0415  # loads torch

        with open_pool(settings):
            pass


def check_device(section: str, device: str) -> None:
    """Raise ConfigError unless torch can use ``device``."""
    kind, _, index = device.partition(":")
    if int(index or 0) >= usable_devices(kind):
        raise ConfigError(
            f"{section}.device: expected a device of this machine, found {device!r}; use {section}.device=cpu"
        )


def usable_devices(kind: str) -> int:
    """How many devices of a kind (cpu, cuda or mps) torch can use."""
    if kind == "cpu":
        return 1
    import torch  # noqa: PLC0415  # takes seconds to load

    return torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())


def tried_network(params: Params, outputs: Path) -> NetworkDescription | None:
    """The network of an earlier run that has done with it whatever a trial would try; None where there is none.

    ``prepare`` has built the network, and trained it where it is trained; at every layer of this run, ``sample`` has
    recorded activations and attributions, and ``render`` has followed the gradient to the image; all with the settings
    of this run. Anything else that the artifacts could say, such as that there is no such layer, is left to
    :func:`pipeline.plan.trial.check_network`: its lines name what is wrong.
    """
    folder = MODEL.path(outputs)
    try:
        found = read_description(folder)
        network = NetworkDescription.of(found)
        if not _made_with(MODEL, found, Task(STAGES["prepare"], params, outputs).settings()):
            return None
        for stage, artifact in (("sample", ACTIVATIONS), ("render", ICONS)):
            settings = Task(STAGES[stage], params, outputs).settings()
            for layer in params.layers:
                made: dict[str, Any] = dict(open_artifact(artifact, artifact.path(outputs, layer, "all")).attrs)
                if not _made_with(artifact, made, settings) or made["made_from"].get(MODEL.name) != found["identity"]:
                    return None
    except ArtifactError:
        return None
    return network if set(params.layers) <= set(network.layers) else None


def _made_with(artifact: Artifact, found: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether a stored artifact's attributes are those of this version of the project and of these settings."""
    expected = artifact.attributes(settings, found.get("made_from", {}))
    return all(found.get(key) == value for key, value in expected.items())


def check_images(params: Params, images: ImageSet) -> int:
    """The number of images that the run may use.

    Raises:
        ImageError: there are none.
        ConfigError: the network is to be trained, and the images have fewer than two classes.
    """
    entries = images.entries()
    if not entries:
        raise ImageError("images: expected at least one image, found none; check the image set's arguments")
    if params.model.weights == "train":
        labels = {entry.label for entry in entries if entry.label is not None}
        if len(labels) < 2:
            raise ConfigError(
                f"model.weights: training needs images of at least two classes, found {len(labels)}; "
                "choose a network with weights, or images with labels"
            )
    return usable_images(params, entries)


def usable_images(params: Params, entries: Sequence[Entry]) -> int:
    """How many of the images the run may use."""
    return min(len(entries), params.prepare.limit or len(entries))


def check_explained(params: Params, images: ImageSet) -> None:
    """Raise ConfigError if an image is to be explained that the image set does not have."""
    explain = params.explain
    named = {"images": explain.images, "regions": tuple(explain.regions)}
    for setting, keys in named.items():
        if isinstance(keys, tuple) and keys:
            require_keys(keys, {entry.key: None for entry in images.entries()}, f"explain.{setting}")


def check_synthesized(params: Params, images: ImageSet) -> None:
    """Raise ConfigError if an image is to be changed, or to give a style, that the image set does not have."""
    settings = params.synthesize
    if settings.methods:
        named = {"images": settings.images, "style_transfer.styles": settings.style_transfer.styles}
        for setting, keys in named.items():
            if isinstance(keys, tuple):
                require_keys(keys, {entry.key: None for entry in images.entries()}, f"synthesize.{setting}")


def check_second_set(images: ImageSet) -> None:
    """Raise ImageError if the second image set is empty."""
    if not images.entries():
        raise ImageError("place.images: expected at least one image, found none; check its arguments")


def check_classes(params: Params, names: Sequence[str] | None) -> None:
    """Raise ConfigError if an atlas names a class that the network lacks, or attributions are not recorded.

    Args:
        params: of the run.
        names: of the network's classes, None where they are not known.
    """
    wanted = [class_ for atlas in params.atlases for class_ in parse_atlas(atlas).classes]
    if not wanted:
        return
    if not params.sample.attribution:
        raise ConfigError("sample.attribution: expected true, since atlases of classes need attributions, found false")
    if names is not None and max(wanted) >= len(names):
        raise ConfigError(
            f"atlases: expected classes of the network's {len(names)}, found number {max(wanted)}; "
            "give them by name in classes and comparisons"
        )


def check_bookmarks(params: Params, names: Sequence[str] | None) -> None:
    """Raise ConfigError if a place of the page names something that the run does not have."""
    if params.site.bookmarks:
        configured_bookmarks(params.site.bookmarks, link_targets(params, names))


def check_points(params: Params, images: int) -> None:
    """Raise DataError if there are fewer samples than the layout needs for its neighborhoods."""
    samples = images * params.sample.positions_per_image
    needed = {"umap": params.reduce.neighbors, "tsne": int(3 * params.reduce.perplexity), "pca": 2}[
        params.reduce.method
    ]
    if samples <= needed:
        raise DataError(
            f"reduce: {params.reduce.method} needs more than {needed} samples, found {images} images × "
            f"{params.sample.positions_per_image} places = {samples}; add images or places, or lower its neighborhood"
        )


def grid_note(sizes: Sizes) -> str | None:
    """A line about grid levels for which there are few samples, or that were chosen because there are; else None."""
    grid, parts = sizes.params.grid, [atlas for atlas in sizes.params.atlases if atlas != "all"]
    return levels_note(grid, sizes.samples, [point_count(sizes, atlas) for atlas in parts])


def check_disk(needed: float, outputs: Path, free: float) -> None:
    """Raise ConfigError if the disk has fewer bytes ``free`` than ``needed``, which are those before compression."""
    if needed > free:
        raise ConfigError(
            f"{outputs}: expected {needed / 1e9:.1f} GB of free disk, found {free / 1e9:.1f} GB free; free some, or "
            "sample fewer places, layers or grid levels"
        )


def free_disk(outputs: Path) -> int:
    """Bytes that a run may take: free ones, and those of an earlier run, which it replaces."""
    folder = next(folder for folder in (outputs, *outputs.absolute().parents) if folder.is_dir())
    taken = sum(path.lstat().st_size for path in outputs.rglob("*") if not path.is_dir()) if outputs.is_dir() else 0
    return shutil.disk_usage(folder).free + taken
