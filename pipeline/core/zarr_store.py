"""Zarr artifacts on disk: written whole or not at all, opened only when complete and of the right version.

Readers get a :class:`StoredArray`: damage is reported in one line, and half precision stays on the disk.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.core.array_spec import ArrayConfigParams
from zarr.storage import LocalStore

from pipeline.core.artifacts import Artifact
from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic, file_checksum, identity

CHUNK_BYTES = 2**20
SHARD_BYTES = 2**27

# Level of Zstandard, without a shuffle of bytes or bits; measured on a real SqueezeNet's activations and attributions.
# What is left of half precision at features.7 and features.12, in percent: level 1 58 and 21 of the activations, 94 and
# 41 of the attributions; levels 3 and 6 at most 1 less, at a half and a seventh of the speed. After a shuffle of bytes
# 58 and 26, 94 and 45, of bits 77 and 39, 93 and 58: the zeros of a ReLU lie in runs, which a shuffle tears apart.
COMPRESSION = 1

# chunks of zeros are written like any other: a shard that is not there is then one that was lost
KEEP_EMPTY: ArrayConfigParams = {"write_empty_chunks": True}

MANY_NUMBERS = 2**22  # of half precision, from which on torch's faster conversion is worth loading torch for
READ_ERRORS = (ValueError, RuntimeError, OSError)  # what checksums, decompression and the system raise


@contextmanager
def create(
    artifact: Artifact, path: Path, settings: Mapping[str, Any], made_from: Mapping[str, str]
) -> Iterator[zarr.Group]:
    """A new artifact, to be filled in the ``with`` block; it appears at ``path`` only when the block ends well.

    Args:
        artifact: its kind.
        path: where it is stored.
        settings: the settings it is made with.
        made_from: the identities of what it is made from, by artifact name.
    """
    attributes = artifact.attributes(settings, made_from)
    attributes["identity"] = identity(attributes)
    with atomic(path) as partial:
        yield zarr.create_group(store=partial, zarr_format=3, attributes=attributes)


def add_array(
    group: zarr.Group,
    artifact: Artifact,
    name: str,
    shape: Sequence[int],
    shard_rows: int | None = None,
    dtype: str | None = None,
) -> zarr.Array[Any]:
    """An empty array of ``artifact`` inside ``group``, split along its first dimension into chunks and shards.

    Args:
        group: the artifact, or one of its levels.
        artifact: the data model that names the array's dimensions, number type and unit.
        name: of the array in the data model.
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


def write_shards(folder: Path, arrays: Mapping[str, NDArray[Any]], start: int) -> dict[str, str]:
    """Write rows of one or several existing arrays, whole shards at a time.

    A shard that is there already, in whatever state, is replaced; no other process may write to it at the same time.

    Args:
        folder: of the artifact.
        arrays: by name (or path within the artifact), [row, ...]; whole shards, the array's last one may be shorter.
        start: index of the first row in the arrays; the beginning of a shard in each.

    Returns:
        The checksum of each shard, by its file's name below ``folder``.

    Raises:
        ValueError: the rows begin or end within a shard.
    """
    return {
        name: file_checksum(folder / name)
        for array, rows in arrays.items()
        for name in _write_shards(folder, array, rows, start)
    }


def _write_shards(folder: Path, name: str, values: NDArray[Any], start: int) -> list[str]:
    array = zarr.open_array(folder / name, mode="r+", zarr_format=3).with_config(KEEP_EMPTY)
    shard = (array.shards or array.chunks)[0]
    stop = start + len(values)
    if start % shard or (stop % shard and stop != array.shape[0]):
        raise ValueError(f"{folder}/{name}: expected whole shards of {shard} rows, found rows {start} to {stop}")
    if not values.size:
        return []
    files = [f"{name}/{shard_key(array, index)}" for index in range(start // shard, -(-stop // shard))]
    for file in files:
        (folder / file).unlink(missing_ok=True)  # else Zarr may want to read it first
    array[start:stop] = values
    return files


def shard_key(array: zarr.Array[Any], index: int) -> str:
    """The file of the shard ``index`` along the first dimension, below the array's folder."""
    return str(array.metadata.encode_chunk_key((index, *(0 for _ in array.shape[1:]))))


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


class StoredArray(zarr.Array[Any]):
    """An array of a finished artifact.

    Whichever way it is read, bytes that differ from those written raise ArtifactError, and 16-bit floats are returned
    as float32: they are for the disk alone, since sums in half precision lose what they add up.
    """

    def __getitem__(self, selection: Any) -> Any:
        """``array[...]``, by one of the ways below."""
        return super().__getitem__(selection)

    def get_basic_selection(self, *arguments: Any, **options: Any) -> Any:
        """``array[...]``, ``array[3:5]``."""
        return self._read(super().get_basic_selection, *arguments, **options)

    def get_orthogonal_selection(self, *arguments: Any, **options: Any) -> Any:
        """``array.oindex[...]``, and ``array[[3, 5]]``."""
        return self._read(super().get_orthogonal_selection, *arguments, **options)

    def get_coordinate_selection(self, *arguments: Any, **options: Any) -> Any:
        """``array.vindex[...]``."""
        return self._read(super().get_coordinate_selection, *arguments, **options)

    def get_mask_selection(self, *arguments: Any, **options: Any) -> Any:
        """``array.vindex[mask]``."""
        return self._read(super().get_mask_selection, *arguments, **options)

    def as_stored(self, selection: Any) -> Any:
        """``array[selection]`` in the number type on the disk, for callers that convert to float32 piece by piece."""
        return self._checked(super().get_basic_selection, selection)

    def _read(self, read: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        found = self._checked(read, *arguments, **options)
        return _to_float32(found) if getattr(found, "dtype", None) == np.float16 else found

    def _checked(self, read: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return read(*arguments, **options)
        except READ_ERRORS as error:
            raise _damaged(self, error) from error


def array(group: zarr.Group, name: str) -> StoredArray:
    """The array ``name`` of an opened artifact or of one of its levels.

    Half-precision numbers are returned as float32.

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


def stored(array: zarr.Array[Any]) -> StoredArray:
    """The array, for readers.

    Raises:
        ArtifactError: one of its shards is missing or empty; Zarr would read zeros.
    """
    if isinstance(array.store_path.store, LocalStore) and array.size:
        folder = array.store_path.store.root / array.path
        for index in range(-(-array.shape[0] // (array.shards or array.chunks)[0])):
            file = folder / shard_key(array, index)
            if not file.is_file() or not file.stat().st_size:
                raise ArtifactError(f"{file}: expected a part of the stored array, found none; run its stage again")
    return StoredArray(array.async_array)


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
        levels = ", ".join(sorted(filter(str.isdecimal, group.group_keys()), key=int))
        raise ArtifactError(f"{group.store_path}: expected level {size}, found levels {levels}; run its stage again")
    return found


def artifact_identity(group: zarr.Group) -> str:
    """The artifact's identity: a digest of its settings and of everything that it was made from."""
    return str(group.attrs["identity"])


def _to_float32(found: Any) -> Any:
    """Half precision as float32, which holds every such number."""
    if np.ndim(found) == 0 or ("torch" not in sys.modules and found.size < MANY_NUMBERS):
        return found.astype(np.float32)
    import torch  # noqa: PLC0415  # see MANY_NUMBERS

    return torch.from_numpy(found).float().numpy()  # several times faster than NumPy


def _damaged(array: zarr.Array[Any], error: Exception) -> ArtifactError:
    place = str(array.store_path).removeprefix("file://")
    reason = " ".join(str(error).split()).split(". ")[0] or type(error).__name__
    return ArtifactError(
        f"{place}: expected the bytes that were written, found a damaged file ({reason}); remove "
        f"{place.rpartition('.zarr/')[0]}.zarr and run its stage again"
    )
