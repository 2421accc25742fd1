"""The settings of the stage ``render`` as the engine takes them: parameterization, regularizers, optimizer."""

from collections.abc import Mapping

from pipeline.config.render import RenderSettings
from pipeline.featurevis.optimize import OptimizerConfig
from pipeline.featurevis.parameterization import ImageParameterization, image_parameterization
from pipeline.featurevis.transforms import RandomAffine


def parameterization(settings: RenderSettings) -> ImageParameterization:
    """Of square images of the settings' size."""
    return image_parameterization(
        settings.parameterization,
        (settings.size, settings.size),
        decay_power=settings.decay_power,
        chroma_decay=settings.chroma_decay,
        decorrelate=settings.decorrelate,
        chroma=settings.chroma,
        contrast=settings.contrast,
    )


def random_transform(settings: RenderSettings) -> RandomAffine:
    """Applied to images at every step."""
    return RandomAffine(settings.jitter, settings.scale, settings.rotation)


def regularizers(settings: RenderSettings) -> Mapping[str, float]:
    """The weights that are not 0, by name."""
    weights = {
        "total_variation": settings.total_variation,
        "l2": settings.l2,
        "blur": settings.blur,
        "boundary": settings.boundary,
    }
    return {name: weight for name, weight in weights.items() if weight}


def cold_config(settings: RenderSettings) -> OptimizerConfig:
    """The optimizer of an image that starts from noise."""
    return OptimizerConfig(
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        betas=settings.betas,
        cooldown=settings.cooldown,
        warmup=settings.warmup,
        redirected_relu=settings.redirected_relu,
    )


def warm_config(settings: RenderSettings) -> OptimizerConfig:
    """The optimizer of an image that starts from another one: fewer steps, no warm-up."""
    return OptimizerConfig(
        steps=settings.warm_steps or settings.steps,
        learning_rate=settings.warm_learning_rate,
        betas=settings.betas,
        cooldown=settings.cooldown,
        warmup=0.0,
        redirected_relu=settings.redirected_relu,
    )
