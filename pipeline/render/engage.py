"""What workers need of the stage: an artist, and what a batch of theirs takes of the memory that they have."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.cluster import Address, Inline, Local
from pipeline.config.render import RenderSettings
from pipeline.core.errors import ConfigError
from pipeline.core.progress import log_line
from pipeline.model.network import load_network
from pipeline.parallel.pool import Pool
from pipeline.render.artist import Artist
from pipeline.render.directions import Space
from pipeline.render.memory import bytes_per_icon, free_bytes, proposed_batch
from pipeline.render.objective import objective
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe
from pipeline.render.regularizers import penalties, total
from pipeline.render.views import DRAWS, Views, aimed, look

GB = 1e9


@dataclass(frozen=True, eq=False)
class Engagement:
    """Everything that an artist works from; small enough to travel to a worker.

    Attributes:
        model: folder of the saved network, at the same path for all workers.
        layer: whose activations are drawn.
        space: where directions and activations are compared.
        layer_mean: [channel].
        settings: of the stage, for this layer.
        seed: of the run.
    """

    model: Path
    layer: str
    space: Space
    layer_mean: NDArray[np.float32]
    settings: RenderSettings
    seed: int

    def __call__(self) -> Artist:
        """An artist, in a worker."""
        network = load_network(self.model, self.settings.device)
        return Artist(network, self.layer, self.space, self.layer_mean, self.settings, self.seed)


def threads_of(cluster: Inline | Local | Address) -> int:
    """How many threads torch has in one task."""
    return cluster.threads or torch.get_num_threads()


def check_memory(pool: Pool, engagement: Engagement, cluster: Inline | Local | Address) -> None:
    """Say what a batch takes of the memory that is free where it is drawn; local workers share that of the machine.

    Raises:
        ConfigError: it cannot fit; proposes one that does.
    """
    settings = engagement.settings
    ((_, (each, free)),) = pool.map_unordered(_memory, [engagement], _nothing)
    if isinstance(cluster, Local) and settings.device == "cpu":
        free //= cluster.count()
    needed = settings.batch_size * each
    if needed > free:
        raise ConfigError(
            f"render.batch_size: expected {needed / GB:.2f} GB of free memory on {settings.device} for a batch of "
            f"{settings.batch_size} icons, found {free / GB:.2f} GB; "
            f"use render.batch_size={proposed_batch(each, free, settings.device)}"
        )
    log_line(f"  a batch of {settings.batch_size} icons takes {needed / GB:.2f} GB of {free / GB:.1f} GB free")


def _nothing() -> None:
    """The memory is measured once; nothing of it stays in the worker."""


def _memory(_none: None, engagement: Engagement) -> tuple[int, int]:
    """Bytes that one icon of a batch takes, and those that are free, in a worker."""
    settings, paper = engagement.settings, canvas(engagement.settings)
    free = free_bytes(settings.device)
    network = load_network(engagement.model, settings.device)
    probe = Probe(network, engagement.layer, settings.size, settings.dtype)
    views, weights = Views(settings.jitter, settings.scale, settings.rotation), penalties(settings)

    def loss(parameters: Tensor) -> Tensor:
        count = len(parameters)
        pictures = paper.picture(parameters)
        matrices = aimed(views.matrices(torch.full((count, DRAWS), 0.5, device=parameters.device)), probe.target)
        means = torch.from_numpy(engagement.layer_mean).to(parameters.device).expand(count, -1) + 1
        seen = probe(look(pictures, matrices, probe.size))
        return total(pictures, weights) - (seen * objective(engagement.space, means).pull(seen, settings.power)).sum(1)

    return bytes_per_icon(loss, paper.shape, settings.device), free
