"""What changes over the steps: the power and the regularisers warm up, the learning rate cools down."""

from dataclasses import dataclass

from pipeline.config.render import RenderSettings


@dataclass(frozen=True)
class Schedule:
    """The course of one drawing.

    Attributes:
        steps: gradient steps.
        learning_rate: of the first step.
        cooldown: share of the steps at the end over which the learning rate falls to 0.
        warmup: share of the steps over which the power and the regularisers grow from 0.
        redirect: share of the steps over which gradient passes silent units, less and less.
    """

    steps: int
    learning_rate: float
    cooldown: float
    warmup: float
    redirect: float

    def warmth_at(self, step: int) -> float:
        """How much of the power and of the regularisers counts at a gradient step: from 0 to 1 over the warm-up.

        An icon that is still noise points nowhere. A high power would leave it with next to no gradient, and what a
        regulariser asks would be the stronger voice: it would stay grey.
        """
        ramp = self.warmup * self.steps
        return 1.0 if step >= ramp else step / ramp

    def rate_at(self, step: int) -> float:
        """The learning rate at a gradient step: it falls to 0 at the end, so that the last views leave no traces."""
        left = 1 - step / self.steps
        return self.learning_rate * (min(1.0, left / self.cooldown) if self.cooldown else 1.0)

    def redirect_at(self, step: int) -> float:
        """How much gradient silent units pass at a gradient step: from 1 to 0; see :mod:`pipeline.render.redirect`."""
        ramp = self.redirect * self.steps
        return 0.0 if step >= ramp else 1 - step / ramp


def cold_start(settings: RenderSettings) -> Schedule:
    """The course of an icon that starts from noise."""
    return Schedule(settings.steps, settings.learning_rate, settings.cooldown, settings.warmup, settings.redirect)


def warm_start(settings: RenderSettings) -> Schedule:
    """The course of an icon that starts from its parent cell's: shorter, and with all its power from the first step."""
    return Schedule(
        settings.warm_steps or settings.steps, settings.warm_rate, settings.cooldown, 0.0, settings.redirect
    )
