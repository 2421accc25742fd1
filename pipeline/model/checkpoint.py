"""Finding a network's weights in a file that a training script saved: within which entry, and under which prefix.

Files are read with ``weights_only=True``. A pickle that needs more than tensors and containers is refused, with the
lines that extract its tensors.
"""

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from pipeline.core.errors import ModelError, escape_control_chars

# torch stores tensors as they are in memory; what unpacks to much more than the file's size would fill the memory
UNPACKED, FREE_BYTES = 8, 2**26
DEPTH = 3  # entries within entries that are searched
SHOWN = 12  # keys that a message lists
COUNTERS = "num_batches_tracked"  # of batch normalization; files of old versions of torch lack it, and nothing uses it
AVERAGED = ("ema", "averag", "swa")  # parts of names of weights that were averaged over the training
# what checkpoints hold besides tensors and cannot run code, and how a program names it for torch
HARMLESS = {
    "argparse.Namespace": "argparse.Namespace",
    "numpy.dtype": "numpy.dtype",
    "numpy._core.multiarray.scalar": "numpy._core.multiarray.scalar",
    "numpy.core.multiarray.scalar": "(numpy._core.multiarray.scalar, 'numpy.core.multiarray.scalar')",
}
NUMPY_TYPES = "*{type(numpy.dtype(c)) for c in 'bhilqBHILQefd?'}"  # of numbers; torch asks for each by itself


@dataclass(frozen=True)
class FoundWeights:
    """The entries of a file that were taken for a network's weights.

    Attributes:
        weights: by the network's names, as far as they fit.
        source: what was taken from where and what else the file holds, for messages.
        unusual: whether the user should know of it: a prefix was removed, or other weights fit as well.
    """

    weights: Mapping[str, Tensor]
    source: str
    unusual: bool


@dataclass(frozen=True)
class _Candidate:
    """Some entries of a file, compared with a network.

    Attributes:
        key: where in the file they are, from the outermost name to the innermost.
        prefix: of their names, which the network's names lack.
        weights: those with the prefix, without it.
        matching: how many have a name and a shape of the network.
    """

    key: tuple[str, ...]
    prefix: str
    weights: Mapping[str, Tensor]
    matching: int

    @property
    def averaged(self) -> bool:
        return any(part in name.lower() for name in self.key for part in AVERAGED)

    def save_lines(self, path: Path) -> str:
        """The two lines that save these entries by themselves."""
        place = "".join(f"[{name!r}]" for name in self.key)
        strip = f".removeprefix({self.prefix!r})" if self.prefix else ""
        return (
            f"c = torch.load({str(path)!r}, weights_only=True); "
            f"torch.save({{k{strip}: v for k, v in c{place}.items()}}, 'weights.pth')"
        )


def read_checkpoint(path: Path) -> Any:
    """The content of a file of weights, ``.safetensors`` or torch's.

    Raises:
        ModelError: it does not hold weights only; says how they are extracted. Or it unpacks to far more than its size.
    """
    _check_unpacked_size(path)
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():  # torch warns of a TorchScript archive before it refuses it
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  # a damaged or hostile file can make its reader raise any exception
        raise ModelError(
            f"model.weights: expected a file of weights only at {path}, found {_refusal(path, str(error))}"
        ) from None


def _check_unpacked_size(path: Path) -> None:
    """Refuse a compressed file before a reader unpacks it."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):  # of another format, or damaged
        return
    size = path.stat().st_size
    if unpacked > UNPACKED * size + FREE_BYTES:
        raise ModelError(
            f"model.weights: expected a file about as large as its tensors at {path}, found {size / 1e6:.1f} MB that "
            f"unpack to {unpacked / 1e6:,.0f} MB; save the weights again with torch.save, which does not compress them"
        )


def find_weights(loaded: Any, own: Mapping[str, Tensor], path: Path) -> FoundWeights:
    """Find the entries of a file that fit a network best.

    Of entries that fit equally, the first are taken that are no average over the training. A counter of batches that
    the file lacks keeps the network's own value.

    Args:
        loaded: content of the file.
        own: the network's state dict.
        path: of the file, for messages.

    Raises:
        ModelError: the file holds no tensors by name; lists what it holds.
    """
    found = [_compare(key, entries, own) for key, entries in _state_dicts(loaded)]
    top = _listed(loaded) if isinstance(loaded, Mapping) else type(loaded).__name__
    if not found:
        raise ModelError(
            f"model.weights: expected a state dict in {path}, found {top}; save the weights alone: "
            f"torch.save(network.state_dict(), 'weights.pth')"
        )
    best = max(found, key=lambda one: (one.matching, not one.averaged))  # of equals, max takes the first
    others = [one for one in found if one is not best and one.matching == best.matching > 0]
    missing = [name for name in own if name.endswith(COUNTERS) and name not in best.weights]
    text = f"{best.matching} of {len(own)} entries of the network match"
    if best.key:
        text += f" those at {'.'.join(best.key)!r}"
    if best.prefix:
        text += f" without the prefix {best.prefix!r}"
    text += f" (the file has {top})"
    if others:
        text += f"; those at {'.'.join(others[0].key)!r} match too, to take them: {others[0].save_lines(path)}"
    elif best.matching < len(own) - len(missing):
        text += f"; to save other entries: {best.save_lines(path)}"
    weights = {**best.weights, **{name: own[name] for name in missing}}
    return FoundWeights(weights, text, bool(best.prefix or others))


def _state_dicts(loaded: Any, key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Mapping[str, Tensor]]]:
    """Every mapping within the file that holds tensors by name, and where."""
    if not isinstance(loaded, Mapping):
        return
    tensors = {name: value for name, value in loaded.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if tensors:
        yield key, tensors
    if len(key) < DEPTH:
        for name, value in loaded.items():
            if isinstance(name, str):
                yield from _state_dicts(value, (*key, name))


def _compare(key: tuple[str, ...], entries: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> _Candidate:
    """The entries with the prefix under which most of them have a name of the network."""
    ends: dict[str, list[str]] = {}
    for name in own:
        ends.setdefault(name.rpartition(".")[2], []).append(name)
    prefixes = Counter(
        name.removesuffix(one)
        for name in entries
        for one in ends.get(name.rpartition(".")[2], ())
        if name == one or name.endswith(f".{one}")
    )
    prefix = max(prefixes, key=lambda one: (prefixes[one], -len(one)), default="")
    weights = {name.removeprefix(prefix): value for name, value in entries.items() if name.startswith(prefix)}
    matching = sum(1 for name, value in weights.items() if name in own and own[name].shape == value.shape)
    return _Candidate(key, prefix, weights, matching)


def _listed(loaded: Mapping[Any, Any]) -> str:
    names = [escape_control_chars(str(name)) for name in loaded]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"the keys {', '.join(names[:SHOWN])}{more}" if names else "no keys"


def _refusal(path: Path, message: str) -> str:
    """What a file holds instead of weights, and how the weights are extracted."""
    save = "in the program that wrote it: torch.save(network.state_dict(), 'weights.pth')"
    if "TorchScript" in message:
        extract = f"torch.save(torch.jit.load({str(path)!r}).state_dict(), 'weights.pth')"
        return f"a TorchScript program; save its weights alone: {extract}"
    needed = _needed_globals(path, message)
    if not needed and "weights_only" in message:  # whose first line advises to read it without that check
        return f"a pickle of something else; save the weights alone {save}"
    if not needed:
        lines = message.strip().splitlines()
        return f"{lines[0] if lines else 'none'}; save the weights again"
    listed = ", ".join(map(escape_control_chars, needed))
    if not set(needed) <= HARMLESS.keys():
        return f"a pickle that needs {listed} and could run any code; save the weights alone {save}"
    objects = [HARMLESS[name] for name in needed]
    if any(name.startswith("numpy") for name in needed):
        objects = [*dict.fromkeys([*objects, HARMLESS["numpy.dtype"]]), NUMPY_TYPES]
    modules = sorted({"torch", *(name.partition(".")[0] for name in needed)})
    return (
        f"{listed} beside the tensors; extract them: import {', '.join(modules)}; "
        f"torch.serialization.add_safe_globals([{', '.join(objects)}]); "
        f"c = torch.load({str(path)!r}, weights_only=True); torch.save(c['model'], 'weights.pth'), "
        "where print(c.keys()) names the entry to take instead of 'model'"
    )


def _needed_globals(path: Path, message: str) -> list[str]:
    """Names of the objects that a pickle needs and torch does not load."""
    try:
        found = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # noqa: BLE001  # not a file of today's format, or a damaged one
        found = []
    return sorted(found) or re.findall(r"GLOBAL ([\w.]+)", message)[:1]
