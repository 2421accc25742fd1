"""The objective: how well an activation points along a direction."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from pipeline.render.directions import Space

FLOOR = 0.1  # smallest cosine that the power is taken of: an icon that points away still gets a gradient
TINY = 1e-12


@dataclass(frozen=True)
class Objective:
    """dot · max(cosine, floor) ** power for each icon (Carter et al. 2019, with a true cosine).

    Dot product and cosine are taken in the same space. The dot product counts in lengths of the target: an icon that
    reaches its target has the value 1 at any layer, so that weights of regularisers mean the same everywhere.

    Attributes:
        origin: [channel], see :class:`Space`.
        root: [channel, channel] or None.
        targets: [icon, channel], the directions in that space.
    """

    origin: Tensor
    root: Tensor | None
    targets: Tensor

    def mapped(self, activations: Tensor) -> Tensor:
        """Activations [icon, channel] in the objective's space."""
        centred = activations - self.origin
        return centred if self.root is None else centred @ self.root

    def values(self, activations: Tensor, power: float) -> Tensor:
        """The objective of each icon, [icon], for activations [icon, channel] at the centre of the map."""
        dot, cosine = self._compared(self.mapped(activations))
        return dot * cosine**power

    def pull(self, activations: Tensor, power: float) -> Tensor:
        """The gradient of :meth:`values`, divided by what each cosine's power is now, [icon, channel].

        It points where the objective rises. But it is as long for an icon that points nowhere yet as for one that is
        nearly there, where the power alone spans ten orders of magnitude: a regulariser keeps its say.
        """
        mapped = self.mapped(activations.detach())
        dot, cosine = self._compared(mapped)
        # of dot · cosine ** p: (1 + p) target / |target|² - p · dot · mapped / |mapped|², while the cosine counts
        counts = torch.where(cosine > FLOOR, power, 0.0)
        towards = ((1 + counts) / self.targets.square().sum(1).clamp(min=TINY))[:, None] * self.targets
        along = (counts * dot / mapped.square().sum(1).clamp(min=TINY))[:, None] * mapped
        pull: Tensor = towards - along if self.root is None else (towards - along) @ self.root.T
        return pull

    def _compared(self, mapped: Tensor) -> tuple[Tensor, Tensor]:
        dot = (mapped * self.targets).sum(1) / self.targets.square().sum(1).clamp(min=TINY)
        return dot, cosine_similarity(mapped, self.targets, dim=1).clamp(min=FLOOR)


def objective(space: Space, cell_means: Tensor) -> Objective:
    """The objective of a batch of icons.

    Args:
        space: raw, centred or whitened.
        cell_means: float32 [icon, channel], mean raw activations of their cells.
    """
    origin = torch.from_numpy(space.origin).to(cell_means)
    root = None if space.root is None else torch.from_numpy(space.root).to(cell_means)
    blank = Objective(origin, root, cell_means)
    return Objective(origin, root, blank.mapped(cell_means))
