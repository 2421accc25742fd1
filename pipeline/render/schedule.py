"""What changes over the steps: the power and the regularisers warm up, the learning rate cools down."""

from pipeline.render.config import RenderSettings


def warmth_at(step: int, settings: RenderSettings) -> float:
    """How much of the power and of the regularisers counts at a gradient step: from 0 to 1 over the warm-up.

    An icon that is still grey points nowhere. A high power would leave it with next to no gradient, and what a
    regulariser asks would be the stronger voice: it would stay grey.
    """
    ramp = settings.warmup * settings.steps
    return 1.0 if step >= ramp else step / ramp


def rate_at(step: int, settings: RenderSettings) -> float:
    """The learning rate at a gradient step: it falls to 0 at the end, so that the last views leave no traces."""
    left = 1 - step / settings.steps
    return settings.learning_rate * (min(1.0, left / settings.cooldown) if settings.cooldown else 1.0)
