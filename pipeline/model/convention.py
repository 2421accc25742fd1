"""How a network takes images and returns logits: memory order, channels, the key of a mapping; found by running it.

Stages hand every network the same input, RGB images [image, 3, y, x] whose channels are contiguous in memory, and
expect logits [image, class]. A network with another convention gets hooks at its root that convert both.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pipeline.core.errors import ModelError
from pipeline.model.network_errors import describe_error

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in gray (ITU-R BT.601), as Pillow and torchvision convert
SIZES = (224, 32, 28, 64, 96, 128, 256, 299, 384)  # sides that are tried where the configured one fails
SMALL_SHARE = 0.05  # of what distinguishes two images: a difference that changes nothing that is shown
ROUNDING = 2e-5  # of the largest logit, after many layers in float32


@dataclass(frozen=True)
class Convention:
    """What a network takes as images.

    Attributes:
        channels_last: images and weights may have contiguous channels in memory; else they are in the order of their
            dimensions.
        channels: 3, or 1 for gray: the luma of the normalized colors.
        key: of the images in a mapping; None where the network takes a tensor.
    """

    channels_last: bool = True
    channels: Literal[1, 3] = 3
    key: str | None = None

    @property
    def memory_format(self) -> torch.memory_format:
        """Memory order of images and weights that the network takes."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def inputs(self, images: Tensor) -> Any:
        """What the network takes for RGB images [image, 3, y, x]."""
        if self.channels == 1:
            images = (images * images.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
        if not self.channels_last:
            images = images.contiguous()
        return images if self.key is None else {self.key: images}


RGB = Convention()  # of most networks


@dataclass(frozen=True)
class _ConvertInputs:
    """The hook that converts what the network is given."""

    convention: Convention

    def __call__(self, _module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.convention.inputs(inputs[0]), *inputs[1:])


def _convert_output(_module: nn.Module, _inputs: Any, output: Any) -> Any:
    return logits_of(output)


def adapt(module: nn.Module, convention: Convention) -> nn.Module:
    """Make a network of the given convention take RGB images and return logits, in place; see :func:`logits_of`."""
    if convention != RGB:
        module.register_forward_pre_hook(_ConvertInputs(convention))
    module.register_forward_hook(_convert_output)
    return module


def convention_of(module: nn.Module) -> Convention:
    """The convention that a network was adapted to."""
    hooks = module._forward_pre_hooks.values()  # noqa: SLF001  # torch has no public name
    return next((hook.convention for hook in hooks if isinstance(hook, _ConvertInputs)), RGB)


def logits_of(output: Any) -> Any:
    """The logits in a network's output: of several tensors the one named ``logits``, else the only one [image, class].

    Several tensors are returned by networks with auxiliary heads while they are trained (GoogLeNet), and by those of
    other libraries. An output without recognizable logits is returned as it is.
    """
    if isinstance(output, Tensor):
        return output
    is_mapping = isinstance(output, Mapping)
    named = output.get("logits") if is_mapping else getattr(output, "logits", None)
    if isinstance(named, Tensor):
        return named
    parts = tuple(output.values()) if is_mapping else output if isinstance(output, tuple | list) else ()
    rows = [part for part in parts if isinstance(part, Tensor) and part.ndim == 2]
    return rows[0] if len(rows) == 1 else output


def same_answer(found: Tensor, expected: Tensor) -> bool:
    """Whether a network's answers are the same but for rounding.

    Args:
        found: [image, ...].
        expected: of the same images, whose distance is the measure of what is small.
    """
    found, expected = found.double(), expected.double()
    if not expected.isfinite().all():
        return True  # nothing can be compared
    distance = (expected - expected.flip(0)).abs().max()
    tolerance = SMALL_SHARE * distance + ROUNDING * expected.abs().max()
    return found.shape == expected.shape and bool((found - expected).abs().max() <= tolerance)


def find_convention(module: nn.Module, crop: int, seed: int = 0) -> Convention:
    """Find what a network takes by running it on two small noise images; lazy modules get their parameters.

    Args:
        module: the network as it was built; its mode is kept.
        crop: side of its input, pixels.
        seed: of the parameters of lazy modules.

    Raises:
        ModelError: its code fails; tells the exception, the module and the line, and blames the size of the images only
            where another size works.
    """
    with _evaluation(module, seed):
        attempts = [Convention(channels_last=False), Convention(channels_last=False, channels=1)]
        for convention in attempts:
            if _failure(module, convention, crop) is None:
                return _with_memory_order(module, convention, crop)
        keys = _asked_keys(module, crop)
        if len(keys) == 1:
            attempts.append(Convention(channels_last=False, key=keys[0]))
            if _failure(module, attempts[-1], crop) is None:
                return _with_memory_order(module, attempts[-1], crop)
        if len(keys) > 1:
            raise ModelError(
                f"model.architecture: expected a network that takes images alone, found one that takes a mapping with "
                f"{', '.join(keys)}; wrap it in a module whose forward takes images [image, 3, y, x]"
            )
        raise ModelError(_describe_failure(module, attempts, crop))


def initialize_lazy(module: nn.Module, convention: Convention, crop: int) -> None:
    """Give lazy modules their parameters, by running the network once; others need nothing."""
    if any(is_lazy(parameter) for parameter in module.parameters()):
        with _evaluation(module, 0):
            module(convention.inputs(noise(crop)))


def noise(crop: int, count: int = 2) -> Tensor:
    """Seeded noise images [image, 3, crop, crop] in -0.5..0.5."""
    return torch.rand(count, 3, crop, crop, generator=torch.Generator().manual_seed(0)) - 0.5


@contextmanager
def _evaluation(module: nn.Module, seed: int) -> Iterator[None]:
    """Run a network in evaluation mode with seeded random numbers, and leave everything as it was."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            yield
    finally:
        for part in training:
            part.training = True


def _answer(module: nn.Module, inputs: Any) -> Any:
    torch.manual_seed(0)  # a network that draws random numbers draws the same ones each time
    return logits_of(module(inputs))


def _failure(module: nn.Module, convention: Convention, crop: int) -> Exception | None:
    """The exception that the network raises for such images, if any."""
    try:
        with warnings.catch_warnings():  # an attempt that fails may warn of it too
            warnings.simplefilter("ignore")
            module(convention.inputs(noise(crop)))
    except Exception as error:  # noqa: BLE001  # a network's code may raise any exception
        return error
    return None


def _with_memory_order(module: nn.Module, convention: Convention, crop: int) -> Convention:
    """The convention, channels last if the network answers the same and has a gradient, as far as it has one at all.

    Code that looks at the memory itself (``view`` after a map) fails or is wrong for one of the orders.
    """
    if convention.channels == 1:
        return convention  # gray images are the same in both orders; torch then guesses that of the maps
    images = noise(crop)
    expected = _answer(module, convention.inputs(images))
    last = replace(convention, channels_last=True)
    try:
        found = _answer(module, last.inputs(images.contiguous(memory_format=torch.channels_last)))
    except Exception:  # noqa: BLE001  # a network's code may raise any exception
        return convention
    if isinstance(expected, Tensor) and isinstance(found, Tensor) and not same_answer(found, expected):
        return convention
    works = _has_gradient(module, last, crop) or not _has_gradient(module, convention, crop)
    return last if works else convention


def _has_gradient(module: nn.Module, convention: Convention, crop: int) -> bool:
    images = noise(crop).contiguous(memory_format=convention.memory_format).requires_grad_()
    try:
        with torch.enable_grad():
            torch.autograd.grad(_answer(module, convention.inputs(images)).sum(), images)
    except Exception:  # noqa: BLE001  # a network's code may raise any exception
        return False
    return True


class _AnyKey(dict[str, Tensor]):
    """A mapping that has the images under every key, and remembers the keys that it was asked for."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self._images = images
        self.asked: list[str] = []

    def __missing__(self, key: str) -> Tensor:
        if key not in self.asked:
            self.asked.append(key)
        return self._images


def _asked_keys(module: nn.Module, crop: int) -> list[str]:
    """The keys that the network asks for where it is given a mapping; none where it takes no mapping."""
    mapping = _AnyKey(noise(crop))
    # a network's code may raise any exception, and torch warns of a mapping's keys
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module(mapping)
    return [key for key in mapping.asked if isinstance(key, str)]


def _describe_failure(module: nn.Module, attempts: Sequence[Convention], crop: int) -> str:
    """Why a network does not take images of ``crop`` pixels in any of the attempts."""
    reason = describe_error(_furthest_failure(module, attempts, crop), module)
    for size in SIZES:
        if any(_failure(module, convention, size) is None for convention in attempts):
            return (
                f"model.preprocessing.crop: expected a size that the network takes, such as {size}, found {crop} "
                f"pixels: {reason}"
            )
    return (
        f"model.architecture: expected a network that takes images [image, 3, {crop}, {crop}] and returns logits, "
        f"found {reason}; correct the code there, or wrap the network in a module that takes such images"
    )


def _furthest_failure(module: nn.Module, attempts: Sequence[Convention], crop: int) -> Exception:
    """The failure of the attempt in which most modules ran, of equals the first."""
    found: list[tuple[int, Exception]] = []
    for convention in attempts:
        called: list[nn.Module] = []
        hooks = [part.register_forward_hook(lambda part, *_, to=called: to.append(part)) for part in module.modules()]
        error = _failure(module, convention, crop)
        for hook in hooks:
            hook.remove()
        if error is not None:
            found.append((len(called), error))
    return max(found, key=lambda one: one[0])[1]
