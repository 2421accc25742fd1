import pytest
import torch
from torch import Tensor

from pipeline.featurevis import regularizers

NAMES = ["total_variation", "l2", "blur", "boundary"]


def images() -> Tensor:
    """Gray, noise, a smooth ramp, noise in the middle only, noise in the frame only: [5, 3, 24, 24]."""
    noise = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0))
    gray = torch.full((3, 24, 24), 0.5)
    ramp = torch.linspace(0.2, 0.8, 24).expand(3, 24, 24)
    middle, frame = gray.clone(), noise.clone()
    middle[:, 6:-6, 6:-6], frame[:, 6:-6, 6:-6] = noise[:, 6:-6, 6:-6], 0.5
    return torch.stack([gray, noise, ramp, middle, frame])


@pytest.mark.parametrize("name", NAMES)
def test_grey_is_free_and_noise_costs(name: str) -> None:
    """No penalty asks anything of plain gray; each asks more of noise than of a smooth ramp."""
    gray, noise, ramp, *_ = getattr(regularizers, name)(images()).tolist()
    assert gray == pytest.approx(0, abs=1e-9)
    assert noise > 1.5 * ramp > 0


def test_the_boundary_penalty_sees_the_frame_only() -> None:
    """Detail in the middle is free, the same detail in the frame is not."""
    *_, middle, frame = regularizers.boundary(images()).tolist()
    assert middle < 0.01 * frame
