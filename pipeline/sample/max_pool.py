"""Max-pooling with relaxed tangents, whose derivative is shared among the pooled positions (Carter et al. 2019)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-2  # of the l2 rule (lucid, smoothed max-pool gradient)


class _RelaxedMaxPool(torch.autograd.Function):
    """Max-pooling whose forward-mode derivative is shared among the pooled positions."""

    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor, pool: nn.MaxPool2d, rule: str) -> Tensor:
        del rule
        return functional.max_pool2d(
            values, pool.kernel_size, pool.stride, pool.padding, pool.dilation, ceil_mode=pool.ceil_mode
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        values, ctx.pool, ctx.rule = inputs
        ctx.save_for_forward(values)
        ctx.shape = output.shape

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _pool: None, _rule: None) -> Tensor:
        (values,) = ctx.saved_tensors
        if ctx.rule == "avg":
            return average(tangent, ctx.pool)
        above, below = average(values.square(), ctx.pool), EPSILON + average(values.abs(), ctx.pool)
        change_above = average(2 * values * tangent, ctx.pool)
        change_below = average(values.sign() * tangent, ctx.pool)
        return change_above / below - above * change_below / below.square()


def average(values: Tensor, pool: nn.MaxPool2d) -> Tensor:
    """The mean over each window of ``pool``, of the positions inside the map."""
    return functional.avg_pool2d(
        values, pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode, count_include_pad=False
    )


@contextmanager
def relaxed_max_pool(module: nn.Module, rule: str) -> Iterator[None]:
    """While the block lasts, every max-pooling module has the tangents of ``rule`` (``none``, ``avg``, ``l2``).

    The derivative is shared among the pooled positions instead of following the maximum. The pooled values stay the
    same; only attributions change. Carter et al. (2019) relaxed max-pooling this way and warn that it hides model
    behavior: a position that lost the maximum gets credit that it does not have.
    """
    pools = [part for part in module.modules() if isinstance(part, nn.MaxPool2d)] if rule != "none" else []
    for pool in pools:
        pool.forward = _relaxed_forward(pool, rule)  # type: ignore[method-assign]  # shadows the class's method for the block
    try:
        yield
    finally:
        for pool in pools:
            del pool.forward


def _relaxed_forward(pool: nn.MaxPool2d, rule: str) -> Any:
    def forward(values: Tensor) -> Any:
        return _RelaxedMaxPool.apply(values, pool, rule)

    return forward
