"""Memory of a batch."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch import Tensor, nn

from pipeline.config.cluster import Address, Inline, Local
from pipeline.config.render import RenderSettings
from pipeline.core.errors import ConfigError
from pipeline.featurevis import memory
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.memory import _left_in_groups, bytes_per_image, check_memory, free_bytes, proposed_batch
from pipeline.featurevis.renderer import RendererSpec
from pipeline.render.specification import renderer_spec

GB = 10**9


def network(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """A loss of one number for each image."""
    return lambda images: module(images).flatten(1).sum(1)


def deep(width: int) -> nn.Module:
    """Six convolutions at full size, whose maps outweigh all else."""
    layers: list[nn.Module] = []
    for depth in range(6):
        layers += [nn.Conv2d(width if depth else 3, width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers)


def peak(loss: Callable[[Tensor], Tensor], images: Tensor) -> int:
    """The most memory that a step holds at once, from torch's own record of what it takes and gives back."""
    images.requires_grad_(True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        torch.autograd.grad(loss(images).sum(), images)
    held = most = 0
    assert profile.profiler is not None
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


@pytest.mark.parametrize("width", [16, 32])
def test_the_estimate_is_what_torch_takes(width: int) -> None:
    """It lies between what one more image adds to torch's peak and 1.6 times that."""
    loss = network(deep(width))
    step = (peak(loss, torch.rand(12, 3, 64, 64)) - peak(loss, torch.rand(4, 3, 64, 64))) / 8
    assert step <= bytes_per_image(loss, (3, 64, 64), "cpu") <= 1.6 * step


def test_the_estimate_of_a_known_network() -> None:
    """Squaring saves one array; two more pass, and six belong to the parameters."""
    pixels = 3 * 32 * 32 * 4
    squares = bytes_per_image(lambda x: ((2 * x) ** 2).flatten(1).sum(1), (3, 32, 32), "cpu")
    assert squares == pixels * (1 + 2 + 6)


def test_twice_the_size_takes_four_times_the_memory() -> None:
    """Maps grow with the area, whatever the weights take."""
    loss = network(deep(8))
    small, large = (bytes_per_image(loss, (3, size, size), "cpu") for size in (32, 64))
    assert large == pytest.approx(4 * small, rel=0.01)


def test_weights_are_no_icons() -> None:
    """A large matrix of weights is shared by all icons; a wide map is not."""
    narrow = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10), nn.ReLU(), nn.Linear(10, 10))
    wide = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2000), nn.ReLU(), nn.Linear(2000, 10))
    few, many = (bytes_per_image(network(module), (3, 16, 16), "cpu") for module in (narrow, wide))
    assert few <= (1 + 2 + 6 + 0.1) * 3 * 16 * 16 * 4
    assert 2000 * 4 <= many - few <= 4 * 2000 * 4


def test_the_batch_is_a_power_of_two_in_half_of_the_memory() -> None:
    """It grows with memory and shrinks with icons, and never takes more than half or more than is of use."""
    batches = [proposed_batch(10**7, free, "cuda", "render") for free in range(2 * 10**7, 20 * GB, 10**7)]
    assert batches == sorted(batches)
    assert set(batches) == {2**power for power in range(10)}
    for size in (10**5, 10**6, 10**7, 10**8):
        batch = proposed_batch(size, GB, "cuda:1", "render")
        assert batch * size <= GB / 2
        assert batch == 512 or 2 * batch * size > GB / 2
    assert proposed_batch(1, GB, "cpu", "render") == 32


def test_no_room_for_one_icon_is_one_line() -> None:
    """Icons that are too large for the memory are refused before anything runs, with both numbers."""
    with pytest.raises(ConfigError, match=r"expected 4\.00 GB .* found 3\.90 GB"):
        proposed_batch(2 * GB, int(3.9 * GB), "cpu", "render")
    assert proposed_batch(2 * GB, 4 * GB, "cpu", "render") == 1


def test_free_memory_is_what_the_control_group_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is more than nothing and less than the machine has; a group that leaves less has the last word."""
    assert 0 < free_bytes("cpu") < psutil.virtual_memory().total
    (tmp_path / "groups").write_text("0::/job\n")
    monkeypatch.setattr(memory, "GROUP", tmp_path / "groups")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    (tmp_path / "job").mkdir()
    for used, free in ((700, 300), (1100, 0)):
        for name, content in (("max", "1000"), ("current", str(used)), ("stat", "inactive_file 0")):
            (tmp_path / "job" / f"memory.{name}").write_text(content)
        assert free_bytes("cpu") == free


@pytest.mark.parametrize(
    ("groups", "folder", "names"),
    [
        ("0::/job/step", "job", ("memory.max", "memory.current", "inactive_file")),
        (
            "5:cpu:/\n4:memory:/job/step",
            "memory/job",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ],
)
def test_limits_of_control_groups_are_honored(
    groups: str, folder: str, names: tuple[str, str, str], tmp_path: Path
) -> None:
    """A limit of a group above one's own counts, what files take does not, and no limit is none."""
    limit, used, files = names
    (tmp_path / folder / "step").mkdir(parents=True)
    for group, most in ((folder, "1000"), (f"{folder}/step", "max")):
        (tmp_path / group / limit).write_text(most + "\n")
        (tmp_path / group / used).write_text("700\n")
        (tmp_path / group / "memory.stat").write_text(f"anon 600\n{files} 100\n")
    assert list(_left_in_groups(tmp_path, groups)) == [400]
    assert not list(_left_in_groups(tmp_path / "nowhere", groups))


MEAN = np.zeros(3, np.float32)
EACH, FREE = 10**8, 10**9  # bytes of an icon, and those that are free


class Weighed:
    """A pool whose workers find icons of ``EACH`` bytes and ``FREE`` bytes of free memory."""

    def map_unordered(
        self, _function: Callable[[Any, Any], Any], tasks: Iterable[Any], _setup: Callable[[], Any]
    ) -> Iterator[tuple[int, Any]]:
        """Yield that for every task."""
        for index, _ in enumerate(tasks):
            yield index, (EACH, FREE)


def spec(batch_size: int) -> RendererSpec:
    """A renderer of batches of this size; nothing is rendered."""
    return renderer_spec(RenderSettings(batch_size=batch_size), "layer", activation_space("raw", MEAN), MEAN, 0)


@pytest.mark.parametrize("cluster", [Inline(), Local(workers=1), Address(address="tcp://there:1")], ids=str)
def test_a_batch_that_fits_is_reported(cluster: Inline | Local | Address, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a worker has its memory to itself, a batch may take all that is free."""
    check_memory(Weighed(), spec(10), MEAN, cluster, "render")
    assert "a batch of 10 icons takes 1.00 GB of 1.0 GB free" in capsys.readouterr().err


@pytest.mark.parametrize("cluster", [Inline(), Local(workers=1)], ids=str)
def test_a_batch_that_cannot_fit_is_refused(cluster: Inline | Local | Address) -> None:
    """More than what is free is refused, with a size that fits."""
    with pytest.raises(ConfigError, match=r"expected 1\.10 GB .* found 1\.00 GB; use render.batch_size=4"):
        check_memory(Weighed(), spec(11), MEAN, cluster, "render")


def test_local_workers_share_the_memory_of_the_machine() -> None:
    """Each of two workers has half of what is free."""
    check_memory(Weighed(), spec(5), MEAN, Local(workers=2), "render")
    with pytest.raises(ConfigError, match=r"expected 0\.60 GB .* found 0\.50 GB"):
        check_memory(Weighed(), spec(6), MEAN, Local(workers=2), "render")


@pytest.mark.parametrize("ratio", [4, 9])
def test_the_setting_that_is_proposed_gives_the_batch_that_fits(ratio: int) -> None:
    """Where the setting counts more than one of an image, as for large icons, it is proposed in its own unit."""
    with pytest.raises(ConfigError, match=rf"a batch of 11 large icons, .* use render\.batch_size={4 * ratio}$"):
        check_memory(Weighed(), spec(11), MEAN, Inline(), "render", "large icons", per_image=ratio)
