"""Penalties that keep pictures smooth, unsaturated and whole; each gives one number for each picture."""

from collections.abc import Callable, Mapping

from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from pipeline.config.render import RenderSettings
from pipeline.render.total_variation import total_variation

Penalty = Callable[[Tensor], Tensor]

FRAME = 0.12  # width of the frame that the boundary penalty watches, as a share of the side


def l2(pictures: Tensor) -> Tensor:
    """Mean squared distance of pictures [icon, 3, y, x] from middle grey: saturated colours cost."""
    return (pictures - 0.5).square().mean((1, 2, 3))


def blur(pictures: Tensor) -> Tensor:
    """Mean squared distance of pictures [icon, 3, y, x] from their own blurred selves: fine detail costs."""
    return (pictures - _blurred(pictures).detach()).square().mean((1, 2, 3))


def boundary(pictures: Tensor) -> Tensor:
    """Detail in the frame of pictures [icon, 3, y, x]: it costs at the edge, not in the middle."""
    size = pictures.shape[-1]
    width = max(1, round(FRAME * size))
    mask = pictures.new_ones(size, size)
    mask[width:-width, width:-width] = 0
    mean = pictures.mean((2, 3), keepdim=True).detach()
    distance = (pictures - mean).square() + (pictures - _blurred(pictures).detach()).square()
    return (distance * mask).sum((1, 2, 3)) / (3 * mask.sum())


def penalties(settings: RenderSettings) -> Mapping[Penalty, float]:
    """The penalties that the settings ask for, with their weights."""
    weights = {
        total_variation: settings.total_variation,
        l2: settings.l2,
        blur: settings.blur,
        boundary: settings.boundary,
    }
    return {penalty: weight for penalty, weight in weights.items() if weight}


def total(pictures: Tensor, weights: Mapping[Penalty, float]) -> Tensor:
    """The weighted sum of the penalties of each picture, [icon]."""
    cost = pictures.new_zeros(len(pictures))
    for penalty, weight in weights.items():
        cost = cost + weight * penalty(pictures)
    return cost


def _blurred(pictures: Tensor) -> Tensor:
    return avg_pool2d(pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
