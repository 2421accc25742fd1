"""The network of a run: built, and checked against its class names and the labels of the image set."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.core.atlas_names import comparable
from pipeline.core.errors import ConfigError, ModelError
from pipeline.model.convention import noise
from pipeline.model.network_errors import describe_error


def check_names(module: nn.Module, names: Sequence[str] | None, crop: int) -> tuple[str, ...]:
    """One name for each logit of the network; numbered where none are given.

    Raises:
        ConfigError: there are fewer or more names than logits.
        ModelError: the network's code fails, or returns no logits.
    """
    logits = _count_logits(module, crop)
    if names is None:
        return tuple(f"class {index}" for index in range(logits))
    if len(names) != logits:
        raise ConfigError(
            f"model.classes: expected {logits} names, one for each logit of the network, found {len(names)}; "
            "set model.classes, or num_classes in model.architecture"
        )
    return tuple(names)


def check_labels(labels: Sequence[str], names: Sequence[str] | None) -> None:
    """Make sure that a network can be trained on the labels of an image set.

    Raises:
        ConfigError: the set has no labels, only one class, or other classes than the network.
    """
    remedy = "give model.weights a path or published weights, or use an image set with one sub-folder for each class"
    if not labels:
        raise ConfigError(f"model.weights: expected labels to train on, found an image set without any; {remedy}")
    if len(labels) == 1:
        raise ConfigError(
            f"model.weights: expected two classes or more to train on, found only {labels[0]!r}; {remedy}"
        )
    if names is not None and len(names) != len(labels):
        raise ConfigError(
            f"model.classes: expected {len(labels)} names, as many as the image set has classes, found {len(names)}; "
            "leave model.classes null to train on the image set's own"
        )


def match_classes(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.int64]:
    """The network's class for each class of the image set.

    Equal lists match in order. Otherwise classes match by name, see :func:`comparable`; names that the network has
    twice are ambiguous and match nothing. Where no name matches at all, lists of equal length match in order: folders
    are often named by codes.

    Args:
        labels: names of the image set's classes.
        classes: names of the network's classes.

    Returns:
        [label] int64 index into ``classes``, -1 where there is none.
    """
    own, known = list(map(comparable, labels)), list(map(comparable, classes))
    if own == known:
        return np.arange(len(own), dtype=np.int64)
    counts = Counter(known)
    index_of = {name: index for index, name in enumerate(known) if counts[name] == 1}
    found = np.array([index_of.get(label, -1) for label in own], dtype=np.int64)
    if len(own) == len(known) and (found < 0).all():
        return np.arange(len(own), dtype=np.int64)
    return found


def head_note(module: nn.Module, crop: int) -> str | None:
    """A line about a head that does not tell classes apart by logits; None for the usual one.

    The operation that the network ends with tells a head with a sigmoid or softmax. A multi-label head that ends with a
    linear layer looks like any other.

    Args:
        module: a frozen network.
        crop: side of its input, pixels.
    """
    images = noise(crop, 1).requires_grad_()
    try:
        with torch.enable_grad():
            found = module(images)
    except Exception:  # noqa: BLE001  # a network's code may raise any exception; it does not follow gradients then
        return None
    last = type(found.grad_fn).__name__.removesuffix("Backward0")
    if last == "Sigmoid":
        return (
            "the network ends with a sigmoid, as one with several labels for an image: attributions explain its shares "
            "of 0..1 one by one, and flatten where they are close to 0 or 1; leave it out for logits"
        )
    if last in ("Softmax", "LogSoftmax"):
        kind = "softmax" if last == "Softmax" else "log-softmax"
        return (
            f"the network ends with a {kind}: attributions explain its probabilities, of "
            "which one rises where others fall; leave it out for logits"
        )
    if found.shape[1] == 1:
        return (
            "the network has a single output, as for regression or a yes-or-no question: positive attributions raise "
            "it, negative ones lower it, and there are no classes to compare"
        )
    return None


def _count_logits(module: nn.Module, crop: int) -> int:
    training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            logits = module(torch.zeros(1, 3, crop, crop))
    except Exception as error:  # noqa: BLE001  # a network's code may raise any exception
        reason = describe_error(error, module)
        raise ModelError(
            f"model.architecture: expected a network that takes an image of {crop} pixels, found {reason}"
        ) from None
    module.train(training)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ModelError(
            f"model.architecture: expected logits [image, class] from the network, found {found}; wrap it in a module "
            "that returns them"
        )
    return int(logits.shape[1])
