"""The columns of comparison sheets: ways to optimize the picture of a unit, each with its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.config.units import SheetName
from pipeline.featurevis.optimize import Method
from pipeline.featurevis.step_filters import Bilateral, CenterBias, ClipSmallest, GaussianBlur, StepFilters

Start = Literal["noise", "zero", "gray", "black", "photograph"]
Image = Literal["settings", "values", "phases", "generator"]
ImagePrior = Literal["denoiser", "patches"]

EQUAL = 1.0  # highest activation in the images, at which pictures of the sheet of preconditioning are compared


@dataclass(frozen=True)
class Column:
    """One way to optimize pictures.

    Attributes:
        name: on the page.
        text: what is done, in a sentence.
        source: where it was published; empty for none.
        change: settings of ``render`` that differ from the run's.
        image: the parameterization: that of the settings, RGB ``values``, spectra with fixed magnitudes (``phases``),
            or latent values of a trained ``generator``.
        method: of the optimizer.
        filters: of gradients and images between steps.
        image_prior: a filter of images that is learned from the run's own; every fourth step goes a share of the way.
        needs: what a run must have for the column: ``photographs`` that may be shown, or feature ``statistics``.
        start: noise, an input of value zero after normalization (the mean color), middle gray, black, or a photograph
            that activates the unit as much as the median.
        noise: number of the noise; columns with the same number start alike.
        equal: stop where the activation is the highest one in the images.
    """

    name: str
    text: str
    source: str = ""
    change: Mapping[str, Any] = field(default_factory=dict)
    image: Image = "settings"
    method: Method = "adam"
    filters: StepFilters | None = None
    image_prior: ImagePrior | None = None
    needs: Literal["photographs", "statistics"] | None = None
    start: Start = "noise"
    noise: int = 0
    equal: bool = False


UNREGULARIZED: Mapping[str, Any] = {
    "jitter": 0.0,
    "scale": (1.0, 1.0),
    "rotation": 0.0,
    "statistics": 0.0,
    "contrast": None,
    "warmup": 0.0,
    "total_variation": 0.0,
    "l2": 0.0,
    "blur": 0.0,
    "boundary": 0.0,
}
# RGB values, along the gradient
PLAIN: Mapping[str, Any] = {**UNREGULARIZED, "init_std": 0.2, "learning_rate": 0.03}
TRANSFORMS: Mapping[str, Any] = {"jitter": 0.06, "scale": (0.9, 1.1), "rotation": 10.0}
FREE_SPECTRUM: Mapping[str, Any] = {
    **UNREGULARIZED,
    "parameterization": "fourier",
    "decorrelate": True,
    "init_std": 0.05,
    "learning_rate": 0.05,
}
PHASES: Mapping[str, Any] = {**UNREGULARIZED, **TRANSFORMS, "init_std": 6.0, "learning_rate": 0.3}
# filters smooth an image away unless its steps are long
LONG_STEPS: Mapping[str, Any] = {"learning_rate": 0.6}
L2 = {"l2": 2000.0}
WEAK_L2 = {"l2": 400.0}
BLUR = StepFilters(image=(GaussianBlur(0.7),), every=4)
CLIP_PIXELS = StepFilters(image=(ClipSmallest(0.05),), every=4)
CLIP_GRADIENTS = StepFilters(gradient=(ClipSmallest(0.3, 0.0),))
CENTER = StepFilters(gradient=(CenterBias(0.3),))
TAUGHT = {**WEAK_L2, **LONG_STEPS}
AS_TAUGHT = StepFilters(
    gradient=(ClipSmallest(0.3, 0.0), CenterBias(0.3)), image=(GaussianBlur(0.7), ClipSmallest(0.05)), every=4
)


def plain(name: str, text: str, source: str = "", change: Mapping[str, Any] | None = None, **others: Any) -> Column:
    """A column of plain gradient ascent on RGB values."""
    return Column(name, text, source, {**PLAIN, **(change or {})}, image="values", method="steepest", **others)


SHEETS: Mapping[SheetName, Sequence[Column]] = {
    "ascent": (
        plain("No regularization", "Gradient ascent on RGB values.", "Erhan et al. 2009"),
        plain("L2", "A penalty on the squared distance from gray.", "Simonyan et al. 2014", L2),
        plain(
            "Blur",
            "Gaussian blur of the image at every fourth step, with weak L2 and longer steps.",
            "Yosinski et al. 2015",
            TAUGHT,
            filters=BLUR,
        ),
        plain(
            "Small pixels clipped",
            "L2, and the pixels nearest to gray become gray at every fourth step.",
            "Yosinski et al. 2015",
            L2,
            filters=CLIP_PIXELS,
        ),
        plain(
            "Small gradients clipped",
            "L2, and pixels of a small gradient do not move.",
            "after Yosinski et al. 2015",
            L2,
            filters=CLIP_GRADIENTS,
        ),
        plain(
            "Center bias",
            "L2, and the gradient is weighted by a Gaussian around the center.",
            "Nguyen et al. 2016",
            L2,
            filters=CENTER,
        ),
        plain(
            "All of them", "Weak L2, blur, clipping and center bias, with longer steps.", "", TAUGHT, filters=AS_TAUGHT
        ),
    ),
    "start": (
        plain("Noise 1", "Small random values.", "", TAUGHT, filters=AS_TAUGHT),
        plain("Noise 2", "Other small random values.", "", TAUGHT, filters=AS_TAUGHT, noise=1),
        plain(
            "Zero", "The network’s input is 0 everywhere: the mean color.", "", TAUGHT, filters=AS_TAUGHT, start="zero"
        ),
        plain("Gray", "Middle gray.", "", TAUGHT, filters=AS_TAUGHT, start="gray"),
        plain("Black", "Black.", "", TAUGHT, filters=AS_TAUGHT, start="black"),
        plain(
            "Photograph",
            "The patch of an image that activates the unit as much as the median.",
            "",
            TAUGHT,
            filters=AS_TAUGHT,
            start="photograph",
            needs="photographs",
        ),
    ),
    "regularization": (
        plain("None", "Gradient ascent on RGB values.", "Erhan et al. 2009"),
        plain("L2", "A penalty on the squared distance from gray.", "Simonyan et al. 2014", L2),
        plain(
            "Total variation",
            "A penalty on differences between neighboring pixels.",
            "Mahendran & Vedaldi 2015",
            {"total_variation": 300.0},
        ),
        plain(
            "Blurred image",
            "Gaussian blur of the image at every fourth step, with longer steps.",
            "Yosinski et al. 2015",
            LONG_STEPS,
            filters=BLUR,
        ),
        plain(
            "Blurred gradient",
            "Gaussian blur of the gradient at each step.",
            "Øygard 2015",
            filters=StepFilters(gradient=(GaussianBlur(1.5),)),
        ),
        plain(
            "Bilateral filter",
            "An edge-preserving blur of the image at every fourth step, with longer steps.",
            "Tyka 2016",
            LONG_STEPS,
            filters=StepFilters(image=(Bilateral(1.0, 0.5),), every=4),
        ),
        plain(
            "Random transforms",
            "The image is shifted, scaled and rotated at random at each step.",
            "Mordvintsev et al. 2015; Olah et al. 2017",
            TRANSFORMS,
        ),
        Column(
            "Fourier basis",
            "Spectrum and decorrelated colors instead of pixels, with random transforms.",
            "Olah et al. 2017",
            {**FREE_SPECTRUM, **TRANSFORMS},
        ),
        Column(
            "Phases only",
            "Phases of the spectrum, with the mean magnitudes of the run’s images, and random transforms.",
            "Fel et al. 2023 (MaCo)",
            PHASES,
            image="phases",
        ),
        Column(
            "Feature statistics",
            "As the other images of the page: held near the strongest patches’ statistics.",
            needs="statistics",
        ),
        plain(
            "Denoiser",
            "A network trained to take noise off the run’s images filters the image at every fourth step; with random "
            "transforms and longer steps.",
            "Nguyen et al. 2017",
            {**TRANSFORMS, **LONG_STEPS},
            image_prior="denoiser",
        ),
        Column(
            "Denoiser, Fourier",
            "The same, with the spectrum and decorrelated colors instead of pixels.",
            "",
            {**FREE_SPECTRUM, **TRANSFORMS, "learning_rate": 0.2},
            method="steepest",
            image_prior="denoiser",
        ),
        plain(
            "Patch database",
            "Small patches move towards the most alike ones of the run’s images at every fourth step; with random "
            "transforms and longer steps.",
            "Wei et al. 2015",
            {**TRANSFORMS, **LONG_STEPS},
            image_prior="patches",
            needs="photographs",  # the image ends near a mosaic of their pieces
        ),
        Column(
            "Generator",
            "Latent values of a variational autoencoder trained on the run’s images, with random transforms.",
            "Nguyen et al. 2016",
            {**UNREGULARIZED, **TRANSFORMS, "init_std": 0.5, "learning_rate": 0.05},
            image="generator",
        ),
    ),
    "preconditioning": (
        plain("Pixels, one step", "One step along the gradient.", "", {"learning_rate": 0.8, "steps": 1}),
        Column(
            "Sign, one step",
            "One step along the sign of the gradient.",
            "",
            {**PLAIN, "learning_rate": 0.8, "steps": 1},
            image="values",
            method="sign",
        ),
        Column(
            "Fourier, one step",
            "One step along the gradient with respect to the spectrum.",
            "",
            {**FREE_SPECTRUM, "learning_rate": 0.3, "steps": 1},
            method="steepest",
        ),
        *(
            column
            for equal in (True, False)
            for column in (
                plain(
                    f"Pixels, {'equal activation' if equal else 'all steps'}",
                    "Along the gradient, the steepest direction for a step of given Euclidean length.",
                    equal=equal,
                ),
                Column(
                    f"Sign, {'equal activation' if equal else 'all steps'}",
                    "Along its sign, the steepest direction for a step whose largest change is given.",
                    "",
                    PLAIN,
                    image="values",
                    method="sign",
                    equal=equal,
                ),
                Column(
                    f"Fourier, {'equal activation' if equal else 'all steps'}",
                    "Along the gradient with respect to the spectrum of decorrelated colors.",
                    "Olah et al. 2017",
                    FREE_SPECTRUM,
                    method="steepest",
                    equal=equal,
                ),
            )
        ),
    ),
}
