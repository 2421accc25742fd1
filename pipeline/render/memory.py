"""Memory: what one icon of a batch takes while it is drawn, what is free, and the batch that follows from both."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from pipeline.core.errors import ConfigError
from pipeline.core.zarr_store import power_of_two

FEW, MORE = 2, 4  # batches that are measured; the difference leaves out what all icons share, such as weights
PASSING = 2  # tensors as large as the largest saved one that the backward pass holds at once: a gradient in, one out
# arrays of the canvas's own size that a step holds: the parameters, their gradient and its unit, Adam's two moments,
# and the parameters to come
COPIES = 6
SHARE = 0.5  # of the free memory that a batch may take; the rest is for workspaces and for others
LARGEST = {"cpu": 32, "cuda": 512, "mps": 512}  # larger batches gain nothing there

CGROUPS = Path("/sys/fs/cgroup")
GROUP = Path("/proc/self/cgroup")

Loss = Callable[[Tensor], Tensor]


def bytes_per_icon(loss: Loss, canvas: Sequence[int], device: str) -> int:
    """What one more icon in the batch adds to the memory that a gradient step needs.

    Runs two small steps and counts what they save for their backward pass.

    Args:
        loss: of parameters [icon, *canvas], one number for each icon; not compiled.
        canvas: shape of one icon's parameters; (3, size, size) to measure the network alone.
        device: where to run.
    """
    few, more = (_saved(loss, torch.full((count, *canvas), 0.01, device=device)) for count in (FEW, MORE))
    saved = (sum(more) - sum(few)) / (MORE - FEW)
    largest = max((after - before for before, after in zip(few, more, strict=False)), default=0) / (MORE - FEW)
    parameters = torch.Size(canvas).numel() * torch.finfo(torch.float32).bits // 8
    return round(saved + PASSING * largest + COPIES * parameters)


def proposed_batch(bytes_per_icon: int, free_bytes: int, device: str) -> int:
    """Icons to draw together: a power of two that takes at most half of the free memory.

    Args:
        bytes_per_icon: see :func:`bytes_per_icon`.
        free_bytes: see :func:`free_bytes`.
        device: whose largest useful batch is the limit.

    Raises:
        ConfigError: there is no room for a single icon.
    """
    room = int(SHARE * free_bytes) // max(bytes_per_icon, 1)
    if room < 1:
        raise ConfigError(
            f"render.size: expected {bytes_per_icon / SHARE / 1e9:.2f} GB of free memory on {device} for one icon, "
            f"found {free_bytes / 1e9:.2f} GB; make icons smaller, look at an earlier layer or free some memory"
        )
    return power_of_two(min(room, LARGEST[torch.device(device).type]))


def free_bytes(device: str) -> int:
    """Memory that is free on a device; on a processor no more than its control group allows."""
    if torch.device(device).type == "cuda":
        free: int = torch.cuda.mem_get_info(torch.device(device))[0]
        return free
    groups = GROUP.read_text() if GROUP.exists() else ""
    available: int = psutil.virtual_memory().available
    return max(0, min([available, *_left_in_groups(CGROUPS, groups)]))


def _saved(loss: Loss, parameters: Tensor) -> list[int]:
    """Bytes of each piece of memory that a step on ``parameters`` saves for its backward pass; each counts once."""
    kept: dict[int, Tensor] = {}  # by address, and held, so that no address is used twice

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
        files = sum(int(line.split()[1]) for line in lines if line.split()[0] == reclaimable)
        yield most - now + files  # files that were read are dropped when room is needed
