"""Zarr artifacts on disk: created whole or not at all, opened only when complete and of the right version."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec

from pipeline.core.artifacts import Artifact
from pipeline.core.errors import ArtifactError
from pipeline.core.identity import identity
from pipeline.core.shards import KEEP_EMPTY
from pipeline.core.stored_array import StoredArray, stored

CHUNK_BYTES = 2**20
SHARD_BYTES = 2**27

# Level of Zstandard, without a shuffle of bytes or bits; measured on a real SqueezeNet's activations and attributions.
# What is left of half precision at features.7 and features.12, in percent: level 1 58 and 21 of the activations, 94 and
# 41 of the attributions; levels 3 and 6 at most 1 less, at a half and a seventh of the speed. After a shuffle of bytes
# 58 and 26, 94 and 45, of bits 77 and 39, 93 and 58: the zeros of a ReLU lie in runs, which a shuffle tears apart.
COMPRESSION = 1


@contextmanager
def create(
    artifact: Artifact, path: Path, settings: Mapping[str, Any], made_from: Mapping[str, str]
) -> Iterator[zarr.Group]:
    """A new artifact, filled by the caller inside the ``with`` block.

    It grows beside its final place and moves there only when the block ends well, so nobody ever opens half of it.

    Args:
        artifact: what is written.
        path: where it will lie.
        settings: the settings it is made with.
        made_from: the identities of what it is made from, by artifact name.
    """
    partial = path.with_name(path.name + ".partial")
    discard(partial)
    partial.parent.mkdir(parents=True, exist_ok=True)
    attributes = artifact.attributes(settings, made_from)
    attributes["identity"] = identity(attributes)
    group = zarr.create_group(store=partial, zarr_format=3, attributes=attributes)
    yield group
    discard(path)
    partial.rename(path)


def add_array(
    group: zarr.Group,
    artifact: Artifact,
    name: str,
    shape: Sequence[int],
    shard_rows: int | None = None,
    dtype: str | None = None,
) -> zarr.Array[Any]:
    """An empty array of ``artifact`` inside ``group``, cut along its first dimension into chunks and shards.

    Args:
        group: the artifact, or one of its levels.
        artifact: the data model that names the array's dimensions, number type and unit.
        name: which of its arrays.
        shape: its full shape.
        shard_rows: rows in each shard, for writers that write whole shards; by default a power of two, up to 128 MiB.
        dtype: number type on the disk, where the settings choose it.
    """
    spec = artifact.arrays[name]
    stored_as = np.dtype(dtype or spec.dtype)
    row_bytes = max(1, int(np.prod(shape[1:], dtype=np.int64))) * stored_as.itemsize
    shard = shard_rows or power_of_two(SHARD_BYTES // row_bytes)
    chunk = largest_divisor(shard, CHUNK_BYTES // row_bytes)
    return group.create_array(
        name,
        shape=tuple(shape),
        dtype=stored_as,
        chunks=(chunk, *(max(1, n) for n in shape[1:])),
        shards=(shard, *(max(1, n) for n in shape[1:])),
        # the checksum is the last, over the bytes on disk
        compressors=(ZstdCodec(level=COMPRESSION), Crc32cCodec()),
        dimension_names=spec.dims,
        attributes={"meaning": spec.meaning, "unit": spec.unit},
        fill_value=np.zeros((), stored_as).item(),
        config=KEEP_EMPTY,
    )


def power_of_two(limit: int) -> int:
    """The largest power of two that is no larger than ``limit``; at least 1."""
    return 1 << max(limit, 1).bit_length() - 1


def largest_divisor(number: int, limit: int) -> int:
    """The largest divisor of ``number`` that is no larger than ``limit``; at least 1."""
    divisors = (number // small for small in range(1, number + 1) if number % small == 0)
    return next((one for one in divisors if one <= limit), 1)


def write_array(group: zarr.Group, artifact: Artifact, name: str, values: NDArray[Any]) -> None:
    """Store ``values`` whole as array ``name`` of ``artifact`` inside ``group``."""
    array = add_array(group, artifact, name, values.shape)
    if values.size:
        array[...] = values.astype(artifact.arrays[name].dtype, copy=False)


def open_artifact(artifact: Artifact, path: Path) -> zarr.Group:
    """The stored artifact at ``path``, read-only.

    Raises:
        ArtifactError: it is missing, not this artifact, or from another version.
    """
    if not (path / "zarr.json").is_file():
        raise ArtifactError(
            f"{path}: expected the {artifact.name} artifact, found nothing; run the stage that makes it"
        )
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            f"{path}: expected the {artifact.name} artifact, found a damaged description; remove it and run its stage "
            "again"
        ) from error
    found = (group.attrs.get("artifact"), group.attrs.get("artifact_version"))
    expected = (artifact.name, artifact.version)
    if found != expected:
        raise ArtifactError(
            f"{path}: expected {expected[0]} version {expected[1]}, found {found[0]} version {found[1]}; "
            "remove it and run its stage again"
        )
    return group


def array(group: zarr.Group, name: str) -> StoredArray:
    """The array ``name`` of an opened artifact or of one of its levels.

    Numbers that are stored in half precision come back as float32.

    Raises:
        ArtifactError: there is no such array, or a part of it is missing; when it is read, a part is damaged.
    """
    try:
        found = group.get(name)
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            f"{group.store_path}/{name}: expected an array's description, found a damaged one; run its stage again"
        ) from error
    if not isinstance(found, zarr.Array):
        raise ArtifactError(f"{group.store_path}: expected an array {name!r}, found none; run its stage again")
    return stored(found)


def read_rows(found: zarr.Array[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """The rows of a stored array, ``rows`` ascending; only the chunks that hold them are read."""
    if len(rows) == found.shape[0]:
        return np.asarray(found[...])
    return np.asarray(found.oindex[rows])


def level(group: zarr.Group, size: int) -> zarr.Group:
    """The group of grid level ``size`` of an opened grid or icons artifact.

    Raises:
        ArtifactError: there is no such level.
    """
    found = group.get(str(size))
    if not isinstance(found, zarr.Group):
        levels = ", ".join(sorted(group.group_keys(), key=int))
        raise ArtifactError(f"{group.store_path}: expected level {size}, found levels {levels}; run its stage again")
    return found


def artifact_identity(group: zarr.Group) -> str:
    """What the artifact is, as a digest of its settings and of all that it was made from."""
    return str(group.attrs["identity"])


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
