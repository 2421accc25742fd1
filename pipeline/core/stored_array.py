"""Stored arrays as every reader gets them: damage is named in one line, and half precision stays on the disk."""

from collections.abc import Callable
from typing import Any

import numpy as np
import zarr
from zarr.storage import LocalStore

from pipeline.core.errors import ArtifactError
from pipeline.core.shards import shard_key

READING = (ValueError, RuntimeError, OSError)  # what checksums, decompression and the system raise


class StoredArray(zarr.Array[Any]):
    """An array of a finished artifact.

    Whatever way it is read, bytes that are not what was written raise ArtifactError, and numbers of 16 bits come back
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
        """``array[selection]`` in the number type on the disk, for those who make float32 of it piece by piece."""
        return self._checked(super().get_basic_selection, selection)

    def _read(self, read: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        found = self._checked(read, *arguments, **options)
        return _single(found) if getattr(found, "dtype", None) == np.float16 else found

    def _checked(self, read: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return read(*arguments, **options)
        except READING as error:
            raise _damaged(self, error) from error


def _single(found: Any) -> Any:
    """Half precision as float32, which holds every such number."""
    if np.ndim(found) == 0:
        return found.astype(np.float32)
    import torch  # noqa: PLC0415  # takes a while to load, and many a stored array is read without it

    return torch.from_numpy(found).float().numpy()  # several times faster than NumPy


def stored(array: zarr.Array[Any]) -> StoredArray:
    """The array, for readers.

    Raises:
        ArtifactError: one of its shards is not there, or is empty; Zarr would read zeros.
    """
    if isinstance(array.store_path.store, LocalStore) and array.size:
        folder = array.store_path.store.root / array.path
        for index in range(-(-array.shape[0] // (array.shards or array.chunks)[0])):
            file = folder / shard_key(array, index)
            if not file.is_file() or not file.stat().st_size:
                raise ArtifactError(f"{file}: expected a part of the stored array, found none; run its stage again")
    return StoredArray(array.async_array)


def _damaged(array: zarr.Array[Any], error: Exception) -> ArtifactError:
    place = str(array.store_path).removeprefix("file://")
    reason = " ".join(str(error).split()).split(". ")[0] or type(error).__name__
    return ArtifactError(
        f"{place}: expected the bytes that were written, found a damaged file ({reason}); remove "
        f"{place.rpartition('.zarr/')[0]}.zarr and run its stage again"
    )
