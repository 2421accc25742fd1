"""Settings of the network: its architecture, weights, preprocessing and training."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.config.base import Settings

Positive = Annotated[float, Field(gt=0)]
LARGEST = 2048  # maximum side of the network's input, pixels; a typing error could otherwise fill the memory
Layout = Literal["map", "map_last", "tokens", "tokens_last"]
Color = tuple[float, float, float]


class PreprocessingSettings(Settings):
    """Preprocessing from an image to the network's input.

    Attributes:
        resize: shorter side after resizing, pixels; null keeps the size.
        crop: side of the center crop that is the network's input, pixels.
        mean, std: per-channel normalization of RGB values in 0..1.
        interpolation: method of resizing.
    """

    resize: Annotated[int, Field(ge=1, le=4 * LARGEST)] | None = None
    crop: Annotated[int, Field(ge=8, le=LARGEST)]
    mean: Color = (0.485, 0.456, 0.406)
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"


class TrainingSettings(Settings):
    """Training of the network on the labels of the image set.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per optimization step.
        learning_rate: peak of the one-cycle schedule.
        weight_decay: weight decay of AdamW.
        test_share: fraction of the images held out to measure the accuracy.
        flip: mirror half of the training images left to right; wrong for letters and digits.
        noise: standard deviation of the Gaussian noise added to training images, of values in 0..1.
        robust: L2 radius of the adversarial perturbation of each training image, of values in 0..1. Adversarial
            training gives features that people can interpret better (Engstrom et al. 2019). 0 disables it and halves
            the time.
    """

    epochs: Annotated[int, Field(ge=1)] = 12
    batch_size: Annotated[int, Field(ge=2)] = 64
    learning_rate: Positive = 0.004
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    flip: bool = True
    noise: Annotated[float, Field(ge=0, le=1)] = 0.05
    robust: Annotated[float, Field(ge=0)] = 0.0


class ModelSettings(Settings):
    """The network to visualize.

    Attributes:
        name: shown on the page.
        architecture: ``_target_`` (dotted path of the class or function that builds it) and its arguments.
        weights: ``train`` to train it here, ``random`` for its seeded initial weights, a path that ends in
            ``.safetensors``, ``.pth``, ``.pt``, ``.ckpt``, ``.bin`` or ``.pth.tar``, ``package:NAME/PATH`` for such a
            file of an installed package, or the name of torchvision weights (``DEFAULT``, ``IMAGENET1K_V1``). In a
            checkpoint the entries are found that fit the network, whatever prefix their names have.
        classes: the network's class names in order: a list, the path of a text file with one name a line (in a file
            with tabs, the last column), or ``imagenet`` for the 1,000 of ImageNet. Null takes them from the weights or,
            when trained here, from the image set.
        preprocessing: null takes it from the weights.
        layout: the order of dimensions of layers' outputs: ``map`` [batch, channel, y, x], ``map_last``
            [batch, y, x, channel], ``tokens`` [batch, token, channel] or ``tokens_last`` [batch, channel, token]. It is
            taken without a check, for all outputs with that number of dimensions. Null measures it.
        prefix_tokens: tokens before the patch grid of a token sequence; null measures them.
        suffix_tokens: tokens after the patch grid; null measures them.
        training: used when ``weights`` is ``train``.
    """

    name: str = Field(min_length=1)
    architecture: dict[str, Any]
    weights: str = Field(min_length=1)
    classes: tuple[str, ...] | str | None = None
    preprocessing: PreprocessingSettings | None = None
    layout: Layout | None = None
    prefix_tokens: Annotated[int, Field(ge=0)] | None = None
    suffix_tokens: Annotated[int, Field(ge=0)] | None = None
    training: TrainingSettings = TrainingSettings()
