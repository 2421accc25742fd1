"""AdamW on a one-cycle schedule moves weights exactly as torch's own classes do."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.prepare.adamw import AdamW, OneCycle


def network() -> nn.Module:
    """A layer with decay to see, one in channels-last memory, and one that gets no gradient."""
    torch.manual_seed(0)
    module = nn.ModuleDict({"conv": nn.Conv2d(3, 4, 3), "linear": nn.Linear(4, 2), "unused": nn.Linear(2, 2)})
    return module.to(memory_format=torch.channels_last)


def loss_of(module: nn.ModuleDict, step: int) -> Tensor:
    """A loss whose gradient differs from step to step."""
    images = torch.randn(5, 3, 6, 6, generator=torch.Generator().manual_seed(step))
    logits: Tensor = module["linear"](module["conv"](images).relu().mean((2, 3)))
    return logits.square().sum() + logits[:, 0].sum()


def trained(steps: int, peak: float, decay: float, by_torch: bool) -> dict[str, Tensor]:
    """The weights after all steps of a schedule."""
    module = network()
    assert isinstance(module, nn.ModuleDict)
    if by_torch:
        theirs = torch.optim.AdamW(module.parameters(), weight_decay=decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(theirs, peak, total_steps=steps)
    else:
        ours = AdamW(module.parameters(), OneCycle(peak, steps), decay)
    for step in range(steps):
        if by_torch:
            theirs.zero_grad()
        loss_of(module, step).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if by_torch:
            theirs.step()
            schedule.step()
        else:
            ours.step()
    return module.state_dict()


@pytest.mark.parametrize(("steps", "peak", "decay"), [(1, 0.1, 0.0), (2, 0.01, 0.1), (3, 0.004, 0.02), (40, 0.05, 0.2)])
def test_weights_are_those_of_torch(steps: int, peak: float, decay: float) -> None:
    """To the last bit, for trainings of one, few and many steps; another decay or peak gives others."""
    ours, theirs = trained(steps, peak, decay, by_torch=False), trained(steps, peak, decay, by_torch=True)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    for others in (trained(steps, peak, decay + 0.5, by_torch=False), trained(steps, 2 * peak, decay, by_torch=False)):
        assert not torch.equal(others["conv.weight"], theirs["conv.weight"])
    assert torch.equal(ours["unused.weight"], network().state_dict()["unused.weight"])
