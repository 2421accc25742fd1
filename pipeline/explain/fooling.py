"""Small changes of an image that the network takes for another class (Szegedy et al. 2014), and images from noise.

Images are RGB values in 0..1; the network's normalization is part of what is attacked. Every pass of the network has a
single image: in a batch the rounding of an image's logits depends on the others, and a search that compares them would
end elsewhere. A search that finds nothing says so; that no change exists does not follow.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy

from pipeline.config.model import PreprocessingSettings
from pipeline.model.inputs import normalize
from pipeline.model.network import Network

LEVELS = 255  # of 8 bits, between 0 and 1
FRACTION = 4  # of a level: the resolution of the search for the smallest bound
LIMIT = 64  # levels: the largest bound that is tried
STEPS = 20  # of projected gradient descent
STEP_SHARE = 2.5  # of the bound, that all steps together can move: enough to reach its far side and to turn
LINEARIZATIONS = 50
OVERSHOOT = 0.02
HALVINGS = 10
MIN_ADVANCE = 1e-3  # of the first margin: the least that a step of DeepFool makes up for
TRIES, GROWTH = 32, 1.1  # of a change that rounding to 8 bits makes too small
NOISE = 0.02  # standard deviation of the noise around gray that an image starts from
ASCENT_STEPS, ASCENT_STEP = 200, 0.01
CONFIDENT = 0.99  # probability at which an image from noise is finished
PATH = np.linspace(0, 1.5, 16)  # multiples of a change along which probabilities are given
JPEG_QUALITY = 90

FileFormat = Literal["PNG", "JPEG"]
Pixels = NDArray[np.uint8]
Doubles = NDArray[np.float64]


def pixels_of(inputs: Tensor, preprocessing: PreprocessingSettings) -> Tensor:
    """Images [..., 3, y, x] in 0..1 from the network's inputs, exactly those with 8 bits that these were made of.

    Args:
        inputs: normalized, of images with 8 bits.
        preprocessing: of the network.
    """
    mean = inputs.new_tensor(preprocessing.mean)[:, None, None]
    std = inputs.new_tensor(preprocessing.std)[:, None, None]
    return _from_levels(_levels(inputs * std + mean))


def fgsm(network: Network, pixels: Tensor, targets: Tensor, epsilon: float) -> Tensor:
    """The fast gradient sign method toward a class: one step of ``epsilon`` in every value, [image, 3, y, x] in 0..1.

    Goodfellow et al. 2015, with the cross entropy to the target as the loss that falls (Kurakin et al. 2017).

    Args:
        network: frozen.
        pixels: in 0..1, [image, 3, y, x].
        targets: class of each image, [image], int64.
        epsilon: bound of the change of a value, of values in 0..1.
    """
    return pgd_linf(network, pixels, targets, epsilon, steps=1, step_size=epsilon)


def pgd_linf(
    network: Network,
    pixels: Tensor,
    targets: Tensor,
    epsilon: float,
    steps: int = STEPS,
    step_size: float | None = None,
) -> Tensor:
    """Projected gradient descent on the cross entropy to a class, [image, 3, y, x] in 0..1 (Madry et al. 2018).

    It starts at the image itself. Each step moves every value by ``step_size`` along the sign of its gradient; the
    result is projected to the values that differ by at most ``epsilon`` from the image, and to 0..1.

    Args:
        network: frozen.
        pixels: in 0..1, [image, 3, y, x].
        targets: class of each image, [image], int64.
        epsilon: bound of the change of a value (L∞), of values in 0..1.
        steps: number of steps.
        step_size: of values in 0..1; None for 2.5 · epsilon / steps.
    """
    size = STEP_SHARE * epsilon / steps if step_size is None else step_size
    return _each(pixels, targets, lambda one, target: _descend(network, one, target, epsilon, steps, size))


@dataclass(frozen=True, eq=False)
class Smallest:
    """The smallest changes that a search found.

    Attributes:
        pixels: the changed images, [image, 3, y, x] in 0..1; the image itself where no change was found.
        size: bound or norm of the change, of values in 0..1, [image]; 0 for an image of the target already, NaN where
            no change was found.
    """

    pixels: Tensor
    size: Doubles

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Whether the network takes the changed image for the target, [image]."""
        return ~np.isnan(self.size)


def smallest_linf(
    network: Network, pixels: Tensor, targets: Tensor, limit: int = LIMIT, steps: int = STEPS
) -> Smallest:
    """The smallest L∞ bound at which :func:`pgd_linf` makes the network predict the target, to a quarter of a level.

    The bound is doubled, from a quarter of a level to ``limit``, until the target is reached, and then found by
    bisection: the bound that is returned reaches the target, and the one a quarter of a level below it does not, or is
    0. Large bounds do not come first, since their steps are as large and may jump over what small ones reach. Each
    search ends as soon as the target is reached.

    Args:
        network: frozen.
        pixels: in 0..1, [image, 3, y, x].
        targets: class of each image, [image], int64.
        limit: largest bound, levels of 1/255.
        steps: of each search.
    """

    def search(image: Tensor, target: int) -> tuple[Tensor, float] | None:
        if _is_class(network, image, target):
            return image, 0.0
        best: tuple[Tensor, float] | None = None
        low, trial, high = 0, 1, limit * FRACTION
        while best is None or high - low > 1:
            epsilon = trial / (FRACTION * LEVELS)
            found = _descend(network, image, target, epsilon, steps, STEP_SHARE * epsilon / steps, stop=True)
            if _is_class(network, found, target):
                best, high = (found, epsilon), trial
            elif trial == high:
                return None
            else:
                low = trial
            trial = min(2 * trial, high) if best is None else (low + high) // 2
        return best

    return _smallest(pixels, targets, search)


def smallest_l2(network: Network, pixels: Tensor, targets: Tensor, steps: int = LINEARIZATIONS) -> Smallest:
    """A change of small L2 norm after which the network predicts the target: DeepFool toward a class.

    Moosavi-Dezfooli et al. 2016: the margin f = logit of the target - largest other logit is taken for linear, and the
    image moves by |f| / ‖w‖² · w, where w is its gradient; values at the border of 0..1 that would leave it do not
    count. That is repeated until the change, 2 % larger, reaches the target. The change is then shortened by bisection
    as far as the target is predicted, and made 2 % larger again. Of a linear network with two classes the norm is
    1.02 · |f| / ‖w‖.

    Args:
        network: frozen.
        pixels: in 0..1, [image, 3, y, x].
        targets: class of each image, [image], int64.
        steps: linearizations at most.
    """

    def search(image: Tensor, target: int) -> tuple[Tensor, float] | None:
        if _is_class(network, image, target):
            return image, 0.0
        found = _deep_fool(network, image, target, steps)
        if found is None:
            return None
        found = _shortened(network, image, found, target)
        return found, _norms(found - image)[1]

    return _smallest(pixels, targets, search)


@dataclass(frozen=True, eq=False)
class Quantized:
    """Changed images with 8 bits.

    Attributes:
        levels: uint8 [image, 3, y, x].
        held: whether the network takes the rounded image for the target, [image].
        scale: by which the change was multiplied before rounding, [image]; 1 where nothing helped.
    """

    levels: Tensor
    held: NDArray[np.bool_]
    scale: Doubles


def quantized(network: Network, pixels: Tensor, changed: Tensor, targets: Tensor, tries: int = TRIES) -> Quantized:
    """Changed images rounded to 8 bits so that the network still predicts the target.

    Where rounding loses the class, the change is made 10 % larger, again and again: of a change below half a level
    nothing is left, and a larger one keeps its largest values first.

    Args:
        network: frozen.
        pixels: images with 8 bits, in 0..1, [image, 3, y, x].
        changed: the same, changed, in 0..1.
        targets: class of each image, [image], int64.
        tries: number of scales, the first of which is 1.
    """
    levels, held, scale = [], np.zeros(len(pixels), bool), np.ones(len(pixels))
    for number, (image, target) in enumerate(_single(pixels, targets)):
        change = changed[number : number + 1] - image
        levels.append(_levels(changed[number : number + 1]))
        for one in GROWTH ** np.arange(tries):
            rounded = _levels(image + float(one) * change)
            if _is_class(network, _from_levels(rounded), target):
                levels[-1], held[number], scale[number] = rounded, True, one
                break
    return Quantized(torch.cat(levels) if levels else pixels.byte(), held, scale)


def survives(levels: Tensor, network: Network, target: int, file_format: FileFormat) -> bool:
    """Whether the network predicts the target for an image that was written to a file and read again.

    The file is given to the network as it is, without resizing: where the preprocessing resizes to more than it crops,
    a file of the input's size would be enlarged, and another image seen. PNG is lossless. JPEG has quality 90 and
    colors at half the resolution (4:2:0).

    Args:
        levels: uint8 [3, y, x].
        network: frozen.
        target: the class.
        file_format: of the file, which is kept in memory.
    """
    file = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(levels.movedim(0, -1).cpu().numpy()))
    if file_format == "JPEG":
        picture.save(file, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:0")
    else:
        picture.save(file, "PNG")
    with Image.open(file) as read:
        again = torch.from_numpy(np.array(read.convert("RGB"))).movedim(-1, 0).to(levels.device)
    return _is_class(network, _from_levels(again[None]), target)


@dataclass(frozen=True, eq=False)
class FromNoise:
    """Images that were made from noise.

    Attributes:
        levels: uint8 [image, 3, y, x].
        probability: of the target in the rounded image, [image].
        steps: that were taken, [image].
    """

    levels: Tensor
    probability: Doubles
    steps: NDArray[np.int64]


def from_noise(
    network: Network,
    targets: Tensor,
    rows: Sequence[int],
    seed: int = 0,
    steps: int = ASCENT_STEPS,
    step_size: float = ASCENT_STEP,
) -> FromNoise:
    """Images that show nothing to the eye and that the network takes for a class (Nguyen et al. 2015, section 3.3).

    Gradient ascent on the target's logit from small noise around gray, without any regularization, until the image
    that is rounded to 8 bits has a probability of 0.99.

    Args:
        network: frozen.
        targets: class of each image, [image], int64, on the network's device.
        rows: number of each image, which seeds its noise, [image].
        seed: of the run.
        steps: at most.
        step_size: root mean square of the change in a step, of values in 0..1.
    """
    side = network.preprocessing.crop
    levels, probability, taken = [], np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    for number, row in enumerate(rows):
        noise = np.random.default_rng([seed, row]).standard_normal((1, 3, side, side), np.float32)
        image = (0.5 + NOISE * torch.from_numpy(noise)).clamp(0, 1).to(targets.device)
        image, taken[number] = _ascend(network, image, int(targets[number]), steps, step_size)
        levels.append(_levels(image))
        probability[number] = _probabilities(network, _from_levels(levels[-1]))[int(targets[number])]
    empty = torch.zeros(0, 3, side, side, dtype=torch.uint8, device=targets.device)
    return FromNoise(torch.cat(levels) if levels else empty, probability, taken)


def path_probabilities(
    network: Network, pixels: Tensor, changes: Tensor, own: Tensor, targets: Tensor, path: Doubles = PATH
) -> Doubles:
    """Probabilities of the own and the target class along a change, [image, 2, point].

    Args:
        network: frozen.
        pixels: in 0..1, [image, 3, y, x].
        changes: of each image, of the same shape.
        own: class of each image before the change, [image], int64.
        targets: class after it, [image], int64.
        path: multiples of the change; the images x + t · change are clipped to 0..1.
    """
    found = np.zeros((len(pixels), 2, len(path)))
    for number, (image, target) in enumerate(_single(pixels, targets)):
        for point, multiple in enumerate(path):
            moved = (image + float(multiple) * changes[number : number + 1]).clamp(0, 1)
            found[number, :, point] = _probabilities(network, moved)[[int(own[number]), target]]
    return found


def amplified(changes: Tensor) -> tuple[Tensor, Doubles]:
    """Changes made visible: 0.5 + change / (2 · largest absolute value), in 0..1, and the factor of each, [image].

    Args:
        changes: [image, 3, y, x]; one that is zero becomes gray, with the factor 1.
    """
    largest = changes.abs().flatten(1).amax(1).double()
    factor = torch.where(largest > 0, 1 / (2 * largest), torch.ones_like(largest))
    shown = (0.5 + changes * factor.to(changes.dtype)[:, None, None, None]).clamp(0, 1)
    return shown, factor.cpu().numpy()


@dataclass(frozen=True, eq=False)
class Change:
    """A change of one image to the target.

    Attributes:
        size: that the search found before rounding: L∞ bound or L2 norm, of values in 0..1; NaN where it found none.
        levels: the changed image, uint8 [3, y, x]; None where there is none, or none with 8 bits.
        linf, l2: norms of the change after rounding, of values in 0..1; NaN where ``levels`` is None.
        probability: of the target in the rounded image, 0..1; NaN likewise.
        png, jpeg: whether the network predicts the target for a file that was written and read again.
        path: probabilities of the own and the target class at multiples :data:`PATH` of the rounded change, [2, point];
            no points where ``levels`` is None.
    """

    size: float
    levels: Pixels | None
    linf: float
    l2: float
    probability: float
    png: bool
    jpeg: bool
    path: Doubles


@dataclass(frozen=True, eq=False)
class Fooled:
    """What fools the network about one image.

    Attributes:
        own: class of the image itself.
        target: class that the changed image is taken for.
        linf: change with the smallest bound of every value, see :func:`smallest_linf`.
        l2: change with a small norm, see :func:`smallest_l2`.
        noise: image of the target from noise, uint8 [3, y, x], see :func:`from_noise`.
        noise_probability: of the target in it, 0..1.
        noise_steps: that were taken.
    """

    own: int
    target: int
    linf: Change
    l2: Change
    noise: Pixels
    noise_probability: float
    noise_steps: int


def fool(
    network: Network, pixels: Tensor, own: Tensor, targets: Tensor, rows: Sequence[int], seed: int = 0
) -> list[Fooled]:
    """All that fools the network about each image; no gradient of the network's weights is needed or taken.

    Args:
        network: frozen.
        pixels: images with 8 bits, in 0..1, [image, 3, y, x]; see :func:`pixels_of`.
        own: class that the network predicts for each image, [image], int64.
        targets: class that it is to predict, [image], int64.
        rows: number of each image, which seeds its noise, [image].
        seed: of the run.
    """
    linf = _changes(network, pixels, own, targets, smallest_linf(network, pixels, targets))
    l2 = _changes(network, pixels, own, targets, smallest_l2(network, pixels, targets))
    noise = from_noise(network, targets, rows, seed)
    pictures = noise.levels.cpu().numpy()
    return [
        Fooled(
            int(own[number]),
            int(targets[number]),
            linf[number],
            l2[number],
            pictures[number],
            float(noise.probability[number]),
            int(noise.steps[number]),
        )
        for number in range(len(pixels))
    ]


def _changes(network: Network, pixels: Tensor, own: Tensor, targets: Tensor, found: Smallest) -> list[Change]:
    """What a search found, after rounding."""
    rounded = quantized(network, pixels, found.pixels, targets)
    changes = []
    for number, (image, target) in enumerate(_single(pixels, targets)):
        size = float(found.size[number])
        if np.isnan(size) or not rounded.held[number]:
            changes.append(Change(size, None, np.nan, np.nan, np.nan, False, False, np.zeros((2, 0))))
            continue
        levels = rounded.levels[number]
        after = _from_levels(levels[None])
        one = slice(number, number + 1)
        linf, l2 = _norms(after - image)
        changes.append(
            Change(
                size,
                levels.cpu().numpy(),
                linf,
                l2,
                float(_probabilities(network, after)[target]),
                survives(levels, network, target, "PNG"),
                survives(levels, network, target, "JPEG"),
                path_probabilities(network, image, after - image, own[one], targets[one])[0],
            )
        )
    return changes


def _single(pixels: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Each image as a batch of its own, with its target."""
    for image, target in zip(pixels, targets.tolist(), strict=True):
        yield image[None], int(target)


def _each(pixels: Tensor, targets: Tensor, change: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Changed images, made one by one."""
    found = [change(image, target) for image, target in _single(pixels, targets)]
    return torch.cat(found) if found else pixels


def _smallest(
    pixels: Tensor, targets: Tensor, search: Callable[[Tensor, int], tuple[Tensor, float] | None]
) -> Smallest:
    """What a search finds for each image."""
    changed, size = pixels.clone(), np.full(len(pixels), np.nan)
    for number, (image, target) in enumerate(_single(pixels, targets)):
        found = search(image, target)
        if found is not None:
            changed[number], size[number] = found[0][0], found[1]
    return Smallest(changed, size)


def _logits(network: Network, image: Tensor) -> Tensor:
    """Logits [1, class] of an image [1, 3, y, x] in 0..1, which lies in memory as the stages give images."""
    inputs = normalize(image, network.preprocessing).contiguous(memory_format=torch.channels_last)
    logits: Tensor = network.module(inputs)
    return logits.float()


def _margin(logits: Tensor, target: int) -> Tensor:
    """The target's logit minus the largest other one; infinite where there is no other class."""
    others = logits.index_fill(1, torch.tensor([target], device=logits.device), -torch.inf)
    return logits[0, target] - others.amax()


def _is_class(network: Network, image: Tensor, target: int) -> bool:
    """Whether the network predicts the target; a tie with another class does not count, nor do logits of NaN."""
    with torch.no_grad():
        return float(_margin(_logits(network, image), target)) > 0


def _probabilities(network: Network, image: Tensor) -> Doubles:
    """Softmax of an image's logits, [class]."""
    with torch.no_grad():
        logits = _logits(network, image)[0]
    return np.asarray(torch.softmax(logits.double(), 0).cpu().numpy())


def _gradient(network: Network, image: Tensor, value: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """The logits of an image, and the gradient of a value of them with respect to the image."""
    with torch.enable_grad():
        start = image.detach().clone().requires_grad_()
        logits = _logits(network, start)
        (gradient,) = torch.autograd.grad(value(logits), start)
    return logits.detach(), gradient


def _descend(
    network: Network, start: Tensor, target: int, epsilon: float, steps: int, step_size: float, *, stop: bool = False
) -> Tensor:
    """Projected gradient descent of one image, which ends where the target is reached if ``stop``."""
    low, high = (start - epsilon).clamp(0, 1), (start + epsilon).clamp(0, 1)
    label = torch.tensor([target], device=start.device)
    image = start
    for _ in range(steps):
        logits, gradient = _gradient(network, image, lambda logits: cross_entropy(logits, label))
        if stop and float(_margin(logits, target)) > 0:
            break
        image = torch.clamp(image - step_size * gradient.sign(), low, high)
    return image


def _deep_fool(network: Network, start: Tensor, target: int, steps: int) -> Tensor | None:
    """The changed image, [1, 3, y, x]; None where the target is not reached, or nothing moves the margin."""
    image, least = start, 0.0
    for _ in range(steps):
        logits, gradient = _gradient(network, image, lambda logits: _margin(logits, target))
        missing = -float(_margin(logits, target))
        least = least or MIN_ADVANCE * abs(missing)
        leaving = ((image <= 0) & (gradient < 0)) | ((image >= 1) & (gradient > 0))
        gradient = gradient.masked_fill(leaving, 0)
        square = float(gradient.double().square().sum())
        if not (square > 0 and np.isfinite(square)):
            return None
        image = (image + max(missing, least) / square * gradient).clamp(0, 1)
        found = _overshot(start, image)
        if _is_class(network, found, target):
            return found
    return None


def _shortened(network: Network, start: Tensor, found: Tensor, target: int) -> Tensor:
    """The image nearest to ``start`` on the line to ``found`` that bisection finds, with the overshoot."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _is_class(network, start + middle * (found - start), target):
            high = middle
        else:
            low = middle
    shorter = _overshot(start, start + high * (found - start))
    return shorter if high < 1 / (1 + OVERSHOOT) and _is_class(network, shorter, target) else found


def _overshot(start: Tensor, image: Tensor) -> Tensor:
    return (start + (1 + OVERSHOOT) * (image - start)).clamp(0, 1)


def _ascend(network: Network, image: Tensor, target: int, steps: int, step_size: float) -> tuple[Tensor, int]:
    """The image whose rounded form has the probability, or that of the last step; and the number of steps taken."""
    length = step_size * image.numel() ** 0.5
    for step in range(steps):
        logits, gradient = _gradient(network, image, lambda logits: logits[0, target])
        certain = float(torch.softmax(logits.double(), 1)[0, target]) >= CONFIDENT
        if certain and _probabilities(network, _from_levels(_levels(image)))[target] >= CONFIDENT:
            return image, step
        norm = float(gradient.double().norm())
        if not (norm > 0 and np.isfinite(norm)):
            return image, step
        image = (image + length / norm * gradient).clamp(0, 1)
    return image, steps


def _levels(pixels: Tensor) -> Tensor:
    """Values in 0..1 as uint8, rounded; those outside are clipped."""
    return (pixels * LEVELS).round().clamp(0, LEVELS).byte()


def _from_levels(levels: Tensor) -> Tensor:
    """Values in 0..1 of uint8 levels, computed as :func:`pipeline.model.inputs.to_tensor` does."""
    return levels.float() / LEVELS


def _norms(change: Tensor) -> tuple[float, float]:
    """The L∞ and the L2 norm of a change."""
    values = change.double()
    return float(values.abs().max()), float(values.norm())
