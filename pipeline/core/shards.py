"""Whole shards of stored arrays: written by workers, flushed to the disk, and known by size and digest."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zarr
from numpy.typing import NDArray
from zarr.core.array_spec import ArrayConfigParams

from pipeline.core.identity import file_digest

# chunks of zeros are written like any other: a shard that is not there is then one that was lost
KEEP_EMPTY: ArrayConfigParams = {"write_empty_chunks": True}


def write_shards(folder: Path, arrays: Mapping[str, NDArray[Any]], start: int) -> dict[str, str]:
    """Write rows of one or several arrays of a growing artifact.

    A shard that is there already, in whatever state, is replaced, and nobody else may write to it at the same time.

    Args:
        folder: of the artifact.
        arrays: by name (or path within the artifact), [row, ...]; whole shards, the array's last one may be shorter.
        start: the first row's place in the arrays; the beginning of a shard in each.

    Returns:
        The :func:`seal` of each shard, by its file's name below ``folder``.

    Raises:
        ValueError: the rows begin or end within a shard.
    """
    return {name: seal(folder / name) for array, rows in arrays.items() for name in _write(folder, array, rows, start)}


def _write(folder: Path, name: str, values: NDArray[Any], start: int) -> list[str]:
    array = zarr.open_array(folder / name, mode="r+", zarr_format=3).with_config(KEEP_EMPTY)
    shard = (array.shards or array.chunks)[0]
    stop = start + len(values)
    if start % shard or (stop % shard and stop != array.shape[0]):
        raise ValueError(f"{folder}/{name}: expected whole shards of {shard} rows, found rows {start} to {stop}")
    files = [f"{name}/{shard_key(array, index)}" for index in range(start // shard, -(-stop // shard))]
    for file in files:
        (folder / file).unlink(missing_ok=True)  # else Zarr may want to read it first
    array[start:stop] = values
    for file in files:
        flush(folder / file)
    return files


def shard_key(array: zarr.Array[Any], index: int) -> str:
    """The file of the shard ``index`` along the first dimension, below the array's folder."""
    return str(array.metadata.encode_chunk_key((index, *(0 for _ in array.shape[1:]))))


def seal(path: Path) -> str:
    """Size and SHA-256 of a file, as text.

    Raises:
        OSError: it cannot be read.
    """
    return f"{path.stat().st_size}:{file_digest(path)}"


def flush(path: Path) -> None:
    """Have the system write a file or folder to the disk now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
