"""Which network the run looks into, and where its weights come from."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.core.settings import Settings

Positive = Annotated[float, Field(gt=0)]
LARGEST = 2048  # side of an input that a network may have, pixels; a slip of the hand would fill the memory
Colour = tuple[float, float, float]


class PreprocessingSettings(Settings):
    """From an image to the network's input.

    Attributes:
        resize: shorter side after resizing, pixels; null leaves the size alone.
        crop: side of the centre crop that the network sees, pixels.
        mean, std: per-channel normalisation of RGB values in 0..1.
        interpolation: of the resizing.
    """

    resize: Annotated[int, Field(ge=1, le=4 * LARGEST)] | None = None
    crop: Annotated[int, Field(ge=8, le=LARGEST)]
    mean: Colour = (0.485, 0.456, 0.406)
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"


class TrainingSettings(Settings):
    """How a network is trained here, on the image set's own labels.

    Attributes:
        epochs: passes over the training images.
        batch_size: images in one step.
        learning_rate: peak of the one-cycle schedule.
        weight_decay: of AdamW.
        test_share: share of the images held out to report the accuracy.
        flip: mirror half of the images left to right while training; wrong for letters and digits.
        noise: standard deviation of the noise added while training, of values in 0..1.
        robust: how far (L2 norm, values in 0..1) each training image is moved to where the network errs most; features
            that survive this look like what people see. 0 leaves it out and halves the time.
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
    """The network.

    Attributes:
        name: what the page calls it.
        architecture: ``_target_`` (dotted path of a class or function that builds it) and its arguments.
        weights: ``train`` to train it here, ``random`` for its seeded initial weights, a path that ends in
            ``.safetensors``, ``.pth`` or ``.pt``, or the name of torchvision weights (``DEFAULT``, ``IMAGENET1K_V1``).
        classes: the network's class names in order: a list, or the path of a text file with one name a line (in a file
            with tabs, the last column). Null takes them from the weights or, when trained here, from the image set.
        preprocessing: null takes it from the weights.
        prefix_tokens: tokens before the patch grid of a token sequence; null finds it out.
        training: used when ``weights`` is ``train``.
    """

    name: str = Field(min_length=1)
    architecture: dict[str, Any]
    weights: str = Field(min_length=1)
    classes: tuple[str, ...] | str | None = None
    preprocessing: PreprocessingSettings | None = None
    prefix_tokens: Annotated[int, Field(ge=0)] | None = None
    training: TrainingSettings = TrainingSettings()
