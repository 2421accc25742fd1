"""The objective: how well an activation points along a direction."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from pipeline.render.directions import Space

FLOOR = 0.1  # smallest cosine that the power is taken of: an icon that points away still gets a gradient


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
        dot, cosine = self._parts(activations)
        return dot * cosine**power

    def pulls(self, activations: Tensor, power: float) -> Tensor:
        """The objective of each icon divided by what its cosine's power is now, [icon].

        Its gradient points where the objective's does. But it is as long for an icon that points nowhere yet as for
        one that is nearly there, where the power alone spans ten orders of magnitude: a regulariser keeps its say.
        """
        dot, cosine = self._parts(activations)
        return dot * (cosine / cosine.detach()) ** power

    def _parts(self, activations: Tensor) -> tuple[Tensor, Tensor]:
        mapped = self.mapped(activations)
        dot = (mapped * self.targets).sum(1) / self.targets.square().sum(1).clamp(min=1e-12)
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
