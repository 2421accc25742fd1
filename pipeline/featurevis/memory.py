"""Memory: what one image of a batch takes while it is rendered, what is free, and the batch size that follows."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from pipeline.config.cluster import Address, Inline, Local
from pipeline.core.errors import ConfigError
from pipeline.core.progress import log_line
from pipeline.core.zarr_store import power_of_two
from pipeline.featurevis.regularizers import weighted_sum
from pipeline.featurevis.renderer import RendererSpec
from pipeline.featurevis.transforms import resample
from pipeline.model.network import load_network
from pipeline.parallel.pool import Pool

FEW, MORE = 2, 4  # batch sizes that are measured; the difference leaves out what all images share, such as weights
PASSING = 2  # tensors as large as the largest saved one in the backward pass: a gradient in, one out
# arrays of the parameters' size that a step holds: the parameters, their gradient and its unit vector, Adam's two
# moments, and the new parameters
COPIES = 6
SHARE = 0.5  # of the free memory that a batch may take; the rest is for workspaces and other processes
LARGEST = {"cpu": 32, "cuda": 512, "mps": 512}  # larger batches are no faster
GB = 1e9

CGROUPS = Path("/sys/fs/cgroup")
GROUP = Path("/proc/self/cgroup")

Loss = Callable[[Tensor], Tensor]


def check_memory(
    pool: Pool,
    spec: RendererSpec,
    example: NDArray[Any],
    cluster: Inline | Local | Address,
    group: str,
    what: str = "icons",
    *,
    per_image: int = 1,
) -> None:
    """Log what a batch takes of the memory that is free on a worker; local workers share that of the machine.

    Args:
        pool: the workers.
        spec: of their renderers.
        example: a target, e.g. a direction [channel].
        cluster: where the workers are.
        group: of the settings, for the error line.
        what: the images are called.
        per_image: what ``batch_size`` of the group counts for one of these images.

    Raises:
        ConfigError: a batch does not fit; proposes a size that does.
    """
    task = (spec, example)
    ((_, (each, free)),) = pool.map_unordered(_needed_and_free, [task], _no_setup)
    if isinstance(cluster, Local) and spec.device == "cpu":
        free //= cluster.count()
    needed = spec.batch_size * each
    if needed > free:
        raise ConfigError(
            f"{group}.batch_size: expected {needed / GB:.2f} GB of free memory on {spec.device} for a batch of "
            f"{spec.batch_size} {what}, found {free / GB:.2f} GB; "
            f"use {group}.batch_size={per_image * proposed_batch(each, free, spec.device, group)}"
        )
    log_line(f"  a batch of {spec.batch_size} {what} takes {needed / GB:.2f} GB of {free / GB:.1f} GB free")


def bytes_per_image(loss: Loss, shape: Sequence[int], device: str) -> int:
    """What one more image in the batch adds to the memory that a gradient step needs.

    Runs two small steps and counts what they save for their backward pass.

    Args:
        loss: of parameters [image, *shape], one number for each image; not compiled.
        shape: of one image's parameters; (3, height, width) to measure the network alone.
        device: where to run.
    """
    few, more = (_saved_bytes(loss, torch.full((count, *shape), 0.01, device=device)) for count in (FEW, MORE))
    saved = (sum(more) - sum(few)) / (MORE - FEW)
    largest = max((after - before for before, after in zip(few, more, strict=False)), default=0) / (MORE - FEW)
    parameters = torch.Size(shape).numel() * torch.finfo(torch.float32).bits // 8
    return round(saved + PASSING * largest + COPIES * parameters)


def proposed_batch(bytes_per_image: int, free_bytes: int, device: str, group: str) -> int:
    """Images to render together: a power of two that takes at most half of the free memory.

    Args:
        bytes_per_image: see :func:`bytes_per_image`.
        free_bytes: see :func:`free_bytes`.
        device: whose largest useful batch is the limit.
        group: of the settings, for the error line.

    Raises:
        ConfigError: there is no room for a single image.
    """
    room = int(SHARE * free_bytes) // max(bytes_per_image, 1)
    if room < 1:
        raise ConfigError(
            f"{group}.size: expected {bytes_per_image / SHARE / 1e9:.2f} GB of free memory on {device} for one icon, "
            f"found {free_bytes / 1e9:.2f} GB; make icons smaller, choose an earlier layer or free some memory"
        )
    return power_of_two(min(room, LARGEST[torch.device(device).type]))


def free_bytes(device: str) -> int:
    """Memory that is free on a device; on a CPU no more than its control group allows."""
    if torch.device(device).type == "cuda":
        free: int = torch.cuda.mem_get_info(torch.device(device))[0]
        return free
    groups = GROUP.read_text() if GROUP.exists() else ""
    available: int = psutil.virtual_memory().available
    return max(0, min([available, *_left_in_groups(CGROUPS, groups)]))


def _no_setup() -> None:
    """Memory is measured once; a worker keeps nothing of it."""


def _needed_and_free(_none: None, task: tuple[RendererSpec, NDArray[Any]]) -> tuple[int, int]:
    """Bytes that one image of a batch takes, and those that are free, in a worker."""
    spec, example = task
    free = free_bytes(spec.device)
    extractor = spec.extractor(load_network(spec.model, spec.device))
    transform, parameterization = spec.centered_transform(extractor), spec.parameterization

    def loss(parameters: Tensor) -> Tensor:
        count = len(parameters)
        images = parameterization.decode(parameters)
        uniforms = torch.full((count, transform.n_uniforms), 0.5, device=parameters.device)
        matrices = transform.matrices(uniforms, parameterization.size)
        targets = torch.from_numpy(np.stack([example] * count)).to(parameters.device)
        features = extractor(resample(images, matrices, extractor.size))
        return weighted_sum(images, spec.regularizers) - spec.purpose.objective(targets)(features, 1.0)

    return bytes_per_image(loss, parameterization.shape, spec.device), free


def _saved_bytes(loss: Loss, parameters: Tensor) -> list[int]:
    """Bytes of each storage that a step on ``parameters`` saves for its backward pass; each counts once."""
    kept: dict[int, Tensor] = {}  # by address; kept alive, so that no address is used twice

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    parameters.requires_grad_(True)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        total = loss(parameters).sum()
    torch.autograd.grad(total, parameters)
    return [tensor.untyped_storage().nbytes() for tensor in kept.values()]


def _left_in_groups(root: Path, groups: str) -> Iterator[int]:
    """Bytes left in each memory control group that this process is in, version 1 or 2, and in the groups above.

    Args:
        root: where control groups are mounted.
        groups: lines of ``/proc/self/cgroup``: number, controllers and path between colons.
    """
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        own = path.strip("/").split("/")
        above = ["/".join(own[:depth]) for depth in range(len(own) + 1)]
        if not controllers:
            yield from _left(root, above, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(root / "memory", above, *names)


def _left(root: Path, groups: Sequence[str], limit: str, used: str, reclaimable: str) -> Iterator[int]:
    for group in groups:
        try:
            most = int((root / group / limit).read_text())
            now = int((root / group / used).read_text())
            lines = (root / group / "memory.stat").read_text().splitlines()
        except (OSError, ValueError):  # not there, or "max": no limit
            continue
        cached = sum(int(line.split()[1]) for line in lines if line.split()[0] == reclaimable)
        yield most - now + cached  # cached files are dropped when memory is needed
