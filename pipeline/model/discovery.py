"""Which modules are layers with a map or token grid, and their shapes, strides and receptive fields.

All of it is found by running the network.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.errors import AtlasError, ModelError
from pipeline.model.convention import noise
from pipeline.model.description import LayerShape
from pipeline.model.interventions import record_outputs
from pipeline.model.layers import call_name, named_parts, on_calls, several_calls, split_call
from pipeline.model.network_errors import describe_error
from pipeline.model.output_format import (
    MEASURED,
    GivenFormat,
    Moved,
    OutputFormat,
    Unverified,
    banded_images,
    find_formats,
    measure_places,
)

MAPS = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)  # [batch, channel, y, x]
PROBES = 16  # inputs in one forward pass of the search, to bound its memory


@dataclass(frozen=True)
class FoundLayers:
    """The calls of modules that a forward pass makes.

    Attributes:
        calls: names of all of them, in the order of the modules.
        formats: of the layers, likewise.
        refused: why the other calls are no layers.
        unverified: those of them whose format is not known.
    """

    calls: tuple[str, ...]
    formats: Mapping[str, OutputFormat]
    refused: Mapping[str, str]
    unverified: Mapping[str, Unverified]

    def require(self, name: str, *, trained: bool = True) -> OutputFormat:
        """The format of layer ``name``.

        Args:
            name: of the layer.
            trained: whether the weights are those of the run. With other weights no format can be verified for certain:
                one that is not is then guessed from its sizes.

        Raises:
            ModelError: it is no layer; says what was found, and lists its calls or the nearest names.
        """
        if name in self.formats:
            return self.formats[name]
        guess = self.unverified[name].guess if name in self.unverified else None
        if guess is not None and not trained:
            return guess
        path, _ = split_call(name)
        calls = [one for one in self.calls if split_call(one)[0] == path]
        if calls == [path] and name != path:
            raise ModelError(f"layers: the network calls {path!r} once, found {name!r}; give {path!r}")
        if calls and name not in calls:
            raise ModelError(several_calls(name, calls))
        if name not in self.refused:
            raise ModelError(f"layers: {name!r} is never run by the network's forward pass; choose another layer")
        near = difflib.get_close_matches(name, self.formats, n=4, cutoff=0.3) or list(self.formats)[-8:]
        raise ModelError(
            f"layers: expected a layer with a map or token grid, found {name!r}, {self.refused[name]}; near names: "
            f"{', '.join(near) or 'none'}"
        )


def discover_layers(module: nn.Module, crop: int, given: GivenFormat = MEASURED) -> dict[str, LayerShape]:
    """Every layer of a frozen network whose output has spatial positions, in the order of its modules.

    Args:
        module: the network.
        crop: side of its input, pixels.
        given: what the settings say about the formats of outputs.

    Raises:
        ModelError: the network does not accept inputs of this size.
    """
    formats = find_layers(module, crop, given).formats
    image = noise(crop, 1)
    rows = {offset: _input_rows(module, formats, image, offset) for offset in (0, 1)}
    return {name: _shape(found, crop, rows[0][name], rows[1][name]) for name, found in formats.items()}


def find_layers(module: nn.Module, crop: int, given: GivenFormat = MEASURED) -> FoundLayers:
    """The layers with spatial positions, from three forward passes; see :func:`discover_layers`.

    A layer follows the batch: entry i of its output depends on image i only.
    """
    first, second, third = noise(crop, 3)
    names = _calls(module, first.repeat(2, 1, 1, 1))
    with record_outputs(module, names) as recorded:
        _run(module, (), torch.stack([first, second]), lambda _name, _output: None)
    outputs = dict(recorded)
    refused: dict[str, str] = {}
    still: dict[str, str] = {}

    def compare(name: str, output: Any) -> None:
        one = outputs.pop(name, None)
        reason = _why_no_layer(one, output)
        if reason is not None:
            refused[name] = reason
        elif torch.equal(one[1], output[1]) and one.any():  # zeros are told where they are sampled
            still[name] = f"{_sizes(one)}, whose second entry does not change with the second image"

    _run(module, names, torch.stack([first, third]), compare)
    moved: dict[str, Moved] = {}
    probes = banded_images(first, second)

    def measure(name: str, output: Tensor) -> None:
        if len(output) == len(probes):
            moved[name] = measure_places(output)
        else:
            refused[name] = f"{_sizes(output, len(probes))}, whose first dimension is not the batch"

    _run(module, [name for name in names if name not in refused], probes, measure)
    parts = named_parts(module)
    maps = [name for name in moved if isinstance(parts[split_call(name)[0]], MAPS) and len(moved[name].sizes) == 3]
    formats, unverified = find_formats({name: moved[name] for name in names if name in moved}, given, maps)
    for name, of in unverified.items():
        refused[name] = f"an output {of.seen}; if you know its layout, set model.layout and model.prefix_tokens"
    refused.update(still)
    return FoundLayers(
        tuple(names),
        {name: formats[name] for name in names if name in formats and name not in still},
        refused,
        unverified,
    )


def _calls(module: nn.Module, images: Tensor) -> list[str]:
    """The names of all calls that a forward pass makes, in the order of the modules."""
    made: Counter[str] = Counter()

    def count(path: str) -> Callable[..., None]:
        return lambda *_: made.update([path])

    parts = named_parts(module)
    handles = [part.register_forward_hook(count(path)) for path, part in parts.items()]
    try:
        _run(module, (), images, lambda _name, _output: None)
    finally:
        for handle in handles:
            handle.remove()
    return [path if made[path] == 1 else call_name(path, number) for path in parts for number in range(made[path])]


def _run(module: nn.Module, names: Collection[str], images: Tensor, act: Callable[[str, Any], None]) -> None:
    """A forward pass; ``act`` is called with the name and the output of each of the layers ``names``."""
    try:
        # a network that draws random numbers draws the same in every pass
        with torch.no_grad(), torch.random.fork_rng(devices=[]), on_calls(module, names, act):
            torch.manual_seed(0)
            module(images)
    except AtlasError:
        raise
    except Exception as error:  # noqa: BLE001  # a network's code may raise any exception
        raise ModelError(
            f"model.architecture: expected a network that runs on {len(images)} images of {images.shape[-1]} pixels, "
            f"found {describe_error(error, module)}"
        ) from None


def _why_no_layer(one: Any, other: Any) -> str | None:
    """Why a module is no layer with positions, None if it may be one.

    Args:
        one: its output for two images.
        other: its output after the second image was replaced.
    """
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return f"an output of type {type(one).__name__}"
    if not one.is_floating_point():
        return f"{_sizes(one)}, of type {one.dtype}"
    if one.shape != other.shape or one.ndim == 0 or len(one) != 2:
        return f"{_sizes(one)}, whose first dimension is not the batch"
    tolerance = 1e-5 * float(one.abs().max().nan_to_num(0.0, posinf=0.0))
    if not torch.allclose(one[0], other[0], rtol=1e-4, atol=tolerance, equal_nan=True):
        return f"{_sizes(one)}, whose first entry changes with the second image"
    if one.ndim not in (3, 4):
        return f"{_sizes(one)}, without places"
    return None


def _sizes(output: Tensor, images: int = 2) -> str:
    return f"an output [{', '.join(map(str, output.shape))}] for {images} images"


def _input_rows(
    module: nn.Module, formats: Mapping[str, OutputFormat], image: Tensor, offset: int
) -> dict[str, tuple[int, int]]:
    """First and last input row that each layer's position ``offset`` rows above its center depends on.

    Rows of NaN propagate through every operation to exactly the outputs that depend on them. How many rows from the
    top (or the bottom) are needed to reach the position is found by bisection, for all layers in the same passes.
    """
    size = image.shape[-1]
    found = {}
    for edge in ("top", "bottom"):
        low, high = dict.fromkeys(formats, 1), dict.fromkeys(formats, size)
        while any(low[name] < high[name] for name in formats):
            middle = {name: (low[name] + high[name]) // 2 for name in formats if low[name] < high[name]}
            reached = _reaches(module, formats, image, middle, edge, offset)
            for name, rows in middle.items():
                if reached[name]:
                    high[name] = rows
                else:
                    low[name] = rows + 1
        found[edge] = low
    return {name: (found["top"][name] - 1, size - found["bottom"][name]) for name in formats}


def _reaches(
    module: nn.Module,
    formats: Mapping[str, OutputFormat],
    image: Tensor,
    rows: Mapping[str, int],
    edge: str,
    offset: int,
) -> dict[str, bool]:
    """Whether NaN in the first or last ``rows`` input rows reaches each layer's position."""
    counts = sorted(set(rows.values()))
    reached: dict[str, bool] = {}
    for start in range(0, len(counts), PROBES):
        part = counts[start : start + PROBES]
        probes = image.repeat(len(part), 1, 1, 1)
        for probe, count in zip(probes, part, strict=True):
            probe[:, slice(0, count) if edge == "top" else slice(probe.shape[1] - count, None)] = torch.nan
        names = [name for name, count in rows.items() if count in part]
        _run(module, names, probes, _reach(formats, rows, part, offset, reached))
    return reached


def _reach(
    formats: Mapping[str, OutputFormat],
    rows: Mapping[str, int],
    part: Sequence[int],
    offset: int,
    reached: dict[str, bool],
) -> Callable[[str, Tensor], None]:
    def look(name: str, output: Tensor) -> None:
        found = formats[name]
        grid = found.to_map(output)
        row = max(found.height // 2 - offset, 0)
        reached[name] = bool(grid[part.index(rows[name]), :, row, found.width // 2].isnan().any())

    return look


def _shape(found: OutputFormat, crop: int, center: tuple[int, int], above: tuple[int, int]) -> LayerShape:
    step = max(center[0] - above[0], center[1] - above[1])
    stride = float(step) if step > 0 else crop / found.height
    return found.shape(stride, receptive_field=max(1, center[1] - center[0] + 1))
