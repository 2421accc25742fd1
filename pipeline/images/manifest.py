"""The manifest: one row for each usable image of a set, stored as Parquet, and how it is made.

An image set is listed by decoding every image once; each image that cannot be used is listed with the reason. Row i of
the manifest is image i everywhere else. Keys may be any file name that the system allows: they are stored as strings
where all of them are UTF-8, as bytes otherwise.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.artifacts import IMAGES, REJECTED, Artifact
from pipeline.core.errors import ArtifactError, ImageError, escape_control_chars
from pipeline.core.files import atomic, identity
from pipeline.core.progress import tracked
from pipeline.core.secrets import has_secret_form, redact
from pipeline.images.decode import load
from pipeline.images.image_set import Entry, ImageSet

Item = TypeVar("Item")
Read = TypeVar("Read")
MAX_PIXELS = 100_000_000  # of an image, where no setting limits it
CHECKSUM = "checksum"  # of all rows, among the attributes
# the key is binary where a name is no UTF-8
COLUMNS = {
    **dict.fromkeys(("image", "label", "class", "width", "height"), pa.int64()),
    **dict.fromkeys(("key", "digest"), pa.string()),
}


@dataclass(frozen=True)
class Manifest:
    """The usable images of a set; all columns are equally long, row i is image i.

    Attributes:
        image: [image] int64, 0..N-1.
        key: names the image within its set.
        label: [image] int64, index into the image set's classes; -1 where there is none.
        class_: [image] int64, the network's class index for that label; -1 where there is none.
        width, height: [image] int64, pixels of the upright image.
        digest: SHA-256 (hex) of each image's file, or of its pixels where there is no file.
    """

    image: NDArray[np.int64]
    key: tuple[str, ...]
    label: NDArray[np.int64]
    class_: NDArray[np.int64]
    width: NDArray[np.int64]
    height: NDArray[np.int64]
    digest: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"expected columns of equal length, found {lengths}")

    def __len__(self) -> int:
        return len(self.key)

    @property
    def identity(self) -> str:
        """Digest of the images' content, order and classes."""
        classes = hashlib.sha256(np.stack([self.label, self.class_]).astype("<i8").tobytes()).hexdigest()
        return identity({"digests": list(self.digest), "classes": classes})

    @property
    def checksum(self) -> str:
        """SHA-256 (hex) of all columns."""
        digest = hashlib.sha256()
        for field in fields(self):
            column = getattr(self, field.name)
            names = isinstance(column, tuple)
            content = "\0".join(column).encode("utf-8", "surrogateescape") if names else column.astype("<i8").tobytes()
            digest.update(f"{field.name} {len(content)} ".encode() + content)
        return digest.hexdigest()


def write_manifest(path: Path, manifest: Manifest, settings: Mapping[str, Any], made_from: Mapping[str, str]) -> None:
    """Store the manifest.

    Args:
        path: of ``images.parquet``.
        manifest: what is stored.
        settings: the settings it was made with.
        made_from: identities of what it was made from, by name.
    """
    columns = {
        "image": pa.array(manifest.image, pa.int64()),
        "key": _names(manifest.key),
        "label": _nullable(manifest.label),
        "class": _nullable(manifest.class_),
        "width": pa.array(manifest.width, pa.int64()),
        "height": pa.array(manifest.height, pa.int64()),
        "digest": pa.array(manifest.digest, pa.string()),
    }
    _write(path, IMAGES, columns, settings, made_from, {CHECKSUM: manifest.checksum})


def write_rejected(
    path: Path,
    keys: Sequence[str],
    reasons: Sequence[str],
    settings: Mapping[str, Any] | None = None,
    made_from: Mapping[str, str] | None = None,
) -> None:
    """Store the images that cannot be used, each with its reason."""
    columns = {"key": _names(keys), "reason": _names(reasons)}
    _write(path, REJECTED, columns, settings or {}, made_from or {})


def read_manifest(path: Path) -> Manifest:
    """Read the stored manifest.

    Raises:
        ArtifactError: it is missing, unreadable or from another version.
    """
    return _opened(path, partial(_read, path))


def manifest_attributes(path: Path) -> dict[str, Any]:
    """The stored manifest's attributes: versions, settings, identities of what it was made from.

    Raises:
        ArtifactError: as :func:`read_manifest`.
    """
    return _opened(path, lambda file: _attributes(path, pq.read_schema(file)))


class ManifestImages:
    """The images of a manifest by row, each loaded on demand."""

    def __init__(self, manifest: Manifest, image_set: ImageSet, max_pixels: int | None = None) -> None:
        """No image is opened yet.

        Args:
            manifest: lists the images.
            image_set: holds them.
            max_pixels: of an image; None for :data:`MAX_PIXELS`, or those of the largest listed image if it has more.
        """
        self.manifest = manifest
        self._set = image_set
        listed = int((manifest.width * manifest.height).max(initial=MAX_PIXELS))
        self._max_pixels = listed if max_pixels is None else max_pixels

    def __len__(self) -> int:
        return len(self.manifest)

    def load(self, row: int) -> Image.Image:
        """The image of this row: upright, RGB, 8 bits.

        Raises:
            ImageError: it cannot be read any more, or its size differs from the manifest's.
        """
        key = self.manifest.key[row]
        try:
            image = load(lambda: self._set.open(key), self._max_pixels)
        except ImageError as error:
            raise ImageError(f"{escape_control_chars(key)}: {error}; run the stage prepare again") from None
        expected = (int(self.manifest.width[row]), int(self.manifest.height[row]))
        if image.size != expected:
            raise ImageError(
                f"{escape_control_chars(key)}: expected {expected[0]} x {expected[1]} pixels as listed, found "
                f"{image.width} x {image.height}; the image has changed, run the stage prepare again"
            )
        return image


def _read(path: Path, file: Path) -> Manifest:
    table = pq.read_table(file, page_checksum_verification=True)
    attributes = _attributes(path, table.schema)
    found = dict(zip(table.schema.names, table.schema.types, strict=True))
    if found.get("key") not in (pa.string(), pa.binary()) or found | {"key": pa.string()} != COLUMNS:
        raise ValueError(f"columns {', '.join(f'{name}: {kind}' for name, kind in found.items())}")
    manifest = Manifest(
        image=_numbers(table["image"]),
        key=tuple(_text(name) for name in table["key"].cast(pa.binary()).to_pylist()),
        label=_numbers(table["label"]),
        class_=_numbers(table["class"]),
        width=_numbers(table["width"]),
        height=_numbers(table["height"]),
        digest=tuple(table["digest"].to_pylist()),
    )
    # the pages' checksums do not cover how they are to be read; a file of an earlier version of the project has none
    if attributes.get(CHECKSUM, manifest.checksum) != manifest.checksum:
        raise ValueError("other rows than were written")
    return manifest


def _opened(path: Path, reader: Callable[[Path], Read]) -> Read:
    try:
        return reader(path)
    except FileNotFoundError:
        raise ArtifactError(f"{path}: expected the list of images, found nothing; run the stage prepare") from None
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError, MemoryError) as error:
        reason = " ".join(str(error).split())
        raise ArtifactError(f"{path}: expected a Parquet file, found: {reason}; run the stage prepare again") from None


def _attributes(path: Path, schema: pa.Schema) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((schema.metadata or {}).get(b"atlas", b"{}"))
    if (found.get("artifact"), found.get("artifact_version")) != (IMAGES.name, IMAGES.version):
        raise ArtifactError(
            f"{path}: expected {IMAGES.name} version {IMAGES.version}, found {found.get('artifact')} version "
            f"{found.get('artifact_version')}; run the stage prepare again"
        )
    return found


def _write(
    path: Path,
    artifact: Artifact,
    columns: Mapping[str, pa.Array],
    settings: Mapping[str, Any],
    made_from: Mapping[str, str],
    more: Mapping[str, str] | None = None,
) -> None:
    attributes = artifact.attributes(settings, made_from) | dict(more or {})
    table = pa.table(dict(columns)).replace_schema_metadata({"atlas": json.dumps(attributes, sort_keys=True)})
    with atomic(path) as unfinished:
        pq.write_table(table, unfinished, compression="zstd", write_page_checksum=True)


def _names(names: Sequence[str]) -> pa.Array:
    stored = pa.array([name.encode("utf-8", "surrogateescape") for name in names], pa.binary())
    try:
        return stored.cast(pa.string())
    except pa.ArrowInvalid:
        return stored


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _nullable(indices: NDArray[np.int64]) -> pa.Array:
    return pa.array(indices, pa.int64(), mask=indices < 0)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(column.fill_null(-1).to_numpy(), np.int64)


@dataclass(frozen=True)
class UsableImage:
    """A usable image: its entry, the digest of its file, the size of the upright image in pixels."""

    entry: Entry
    digest: str
    width: int
    height: int


@dataclass(frozen=True)
class Listing:
    """Result of listing an image set.

    Attributes:
        manifest: the usable images.
        keys, reasons: of the rejected images.
    """

    manifest: Manifest
    keys: tuple[str, ...]
    reasons: tuple[str, ...]


def list_images(
    image_set: ImageSet,
    class_of_label: NDArray[np.int64],
    limit: int | None,
    max_pixels: int,
    min_side: int,
    keep: Callable[[Image.Image], None],
) -> Listing:
    """Decode every image once and list the usable ones.

    Args:
        image_set: where they come from.
        class_of_label: [label] the network's class for each class of the set, -1 where there is none.
        limit: images decoded at most, spread evenly over the set; None decodes all.
        max_pixels: images with more are rejected before they are decoded.
        min_side: images with a shorter side are rejected, pixels.
        keep: called with each usable image in order, upright and RGB.

    Raises:
        ImageError: a key holds a secret; keys are stored and published.
    """
    entries = spread_evenly(image_set.entries(), limit)
    _check_keys(entries)
    rejected: list[tuple[str, str]] = []
    used: list[UsableImage] = []
    for entry in tracked(entries, "checking", len(entries), "images"):
        try:
            image = _usable(image_set, entry.key, max_pixels, min_side)
            digest = image_set.digest(entry.key)
        except (ImageError, OSError) as error:
            rejected.append((entry.key, redact(" ".join(str(error).split()))))
            continue
        used.append(UsableImage(entry, digest, image.width, image.height))
        keep(image)
    return Listing(
        _manifest(used, class_of_label),
        tuple(key for key, _ in rejected),
        tuple(reason for _, reason in rejected),
    )


def _check_keys(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if "://" in entry.key and has_secret_form(entry.key):  # a folder may well be called key=3
            raise ImageError(
                f"images: expected keys that can be published, found one with a secret, {redact(entry.key)}; let the "
                "image set add the secret when it opens an image"
            )


def spread_evenly(items: Sequence[Item], limit: int | None) -> Sequence[Item]:
    """At most ``limit`` of the items, evenly spaced, in order."""
    if limit is None or len(items) <= limit:
        return items
    return [items[step * len(items) // limit] for step in range(limit)]


def _usable(image_set: ImageSet, key: str, max_pixels: int, min_side: int) -> Image.Image:
    image = load(lambda: image_set.open(key), max_pixels)
    if min(image.size) < min_side:
        raise ImageError(f"expected sides of at least {min_side} pixels, found {image.width} x {image.height}")
    return image


def _manifest(used: Sequence[UsableImage], class_of_label: NDArray[np.int64]) -> Manifest:
    labels = np.array([-1 if image.entry.label is None else image.entry.label for image in used], dtype=np.int64)
    extended = np.append(class_of_label, -1)  # label -1 picks the last
    return Manifest(
        image=np.arange(len(used), dtype=np.int64),
        key=tuple(image.entry.key for image in used),
        label=labels,
        class_=extended[labels],
        width=np.array([image.width for image in used], dtype=np.int64),
        height=np.array([image.height for image in used], dtype=np.int64),
        digest=tuple(image.digest for image in used),
    )
