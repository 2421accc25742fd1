"""Any dataset of ``torchvision.datasets`` as an image set."""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from torchvision import datasets

from pipeline.core.errors import ConfigError, ImageError
from pipeline.core.files import expand_user
from pipeline.images.image_set import Entry

# attributes in which torchvision's classes keep their labels; reading them avoids decoding every image
LABELS = ("targets", "labels", "_labels")
SAMPLES = ("samples", "_samples", "imgs")


class TorchvisionSet:
    """The images and labels of a torchvision dataset; keys are its indices."""

    def __init__(
        self, dataset: str, root: str = "data", download: bool = True, arguments: Mapping[str, Any] | None = None
    ) -> None:
        """Open the dataset, downloading it first if ``download`` is set.

        Args:
            dataset: name of a class in ``torchvision.datasets``: ``Imagenette``, ``CIFAR10``, ``Flowers102`` …
            root: folder that holds the data.
            download: fetch missing data, for classes that can.
            arguments: further arguments of the class, such as ``split`` or ``train``.

        Raises:
            ConfigError: there is no such class, or it takes other arguments.
            ImageError: the data is missing or broken.
        """
        self._dataset = _open(dataset, str(expand_user(root)), download, dict(arguments or {}))
        self._labels = _labels(self._dataset)
        self.classes: Sequence[str] = _classes(self._dataset, self._labels)

    @classmethod
    def may_download(cls, *, download: bool = True, **_others: Any) -> bool:
        """Whether the set is downloaded where it is not there."""
        return download

    def entries(self) -> Sequence[Entry]:
        """Every image, in the dataset's order."""
        return [Entry(f"{index:06d}", label) for index, label in enumerate(self._labels)]

    def open(self, key: str) -> Image.Image:
        """The image; raises ImageError if the dataset returns something else."""
        image = self._dataset[int(key)][0]
        if not isinstance(image, Image.Image):
            raise ImageError(f"expected a picture, found {type(image).__name__}; the dataset holds no images")
        return image

    def digest(self, key: str) -> str:
        """SHA-256 (hex) of the image's size, mode and pixels."""
        image = self.open(key)
        head = f"{image.mode} {image.width} {image.height} ".encode()
        return hashlib.sha256(head + image.tobytes()).hexdigest()


def _open(dataset: str, root: str, download: bool, arguments: dict[str, Any]) -> Any:
    factory = getattr(datasets, dataset, None)
    if not (inspect.isclass(factory) and issubclass(factory, datasets.VisionDataset)):
        raise ConfigError(
            f"images.dataset: expected a class of torchvision.datasets such as Imagenette, found {dataset!r}"
        )
    parameters = inspect.signature(factory).parameters
    given = {"root": root, "download": download} | {
        name: value for name, value in arguments.items() if value is not None
    }
    # not every class can download, and some generate their images and need no folder
    accepted = {name: value for name, value in given.items() if name in parameters or name in arguments}
    try:
        inspect.signature(factory).bind(**accepted)
    except TypeError as error:
        known = ", ".join(parameters)
        raise ConfigError(f"images.arguments: torchvision's {dataset} takes {known}; {error}") from None
    try:
        return factory(**accepted)
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise ImageError(
            f"images: torchvision's {dataset} could not be opened in {root}: {reason}; check root, download and "
            "arguments"
        ) from None


def _labels(dataset: Any) -> list[int | None]:
    for name in LABELS:
        stored = getattr(dataset, name, None)
        if stored is not None and len(stored) == len(dataset):
            return [_label(label) for label in stored]
    for name in SAMPLES:
        stored = getattr(dataset, name, None)
        if stored is not None and len(stored) == len(dataset) and isinstance(stored[0], tuple):
            return [_label(sample[-1]) for sample in stored]
    return [_label(dataset[index][1]) for index in range(len(dataset))]


def _label(value: Any) -> int | None:
    """A class index, or None for other targets: boxes, masks, captions."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 0 else None


def _classes(dataset: Any, labels: Sequence[int | None]) -> tuple[str, ...]:
    known = [label for label in labels if label is not None]
    if not known:
        return ()
    names = getattr(dataset, "classes", None) or getattr(dataset, "categories", None)
    if isinstance(names, list | tuple) and len(names) > max(known):
        # some classes have several synonyms as their name
        return tuple(name[0] if isinstance(name, tuple | list) else str(name) for name in names)
    return tuple(str(index) for index in range(max(known) + 1))
