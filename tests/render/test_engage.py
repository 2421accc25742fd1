from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.cluster import Address, Inline, Local
from pipeline.config.render import RenderSettings
from pipeline.core.errors import ConfigError
from pipeline.render.directions import space
from pipeline.render.engage import Engagement, check_memory

EACH, FREE = 10**8, 10**9  # bytes of an icon, and those that are free


class Weighed:
    """A pool whose workers find icons of ``EACH`` bytes and ``FREE`` bytes of free memory."""

    def map_unordered(
        self, _function: Callable[[Any, Any], Any], tasks: Iterable[Any], _setup: Callable[[], Any]
    ) -> Iterator[tuple[int, Any]]:
        """Yield that for every task."""
        for index, _ in enumerate(tasks):
            yield index, (EACH, FREE)


def engagement(batch_size: int) -> Engagement:
    """Work in batches of this size; nothing of it is drawn."""
    mean = np.zeros(3, np.float32)
    return Engagement(Path(), "layer", space("raw", mean), mean, RenderSettings(batch_size=batch_size), 0)


@pytest.mark.parametrize("cluster", [Inline(), Local(workers=1), Address(address="tcp://there:1")], ids=str)
def test_a_batch_that_fits_is_told(cluster: Inline | Local | Address, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a worker has its memory to itself, a batch may take all that is free."""
    check_memory(Weighed(), engagement(10), cluster)
    assert "a batch of 10 icons takes 1.00 GB of 1.0 GB free" in capsys.readouterr().err


@pytest.mark.parametrize("cluster", [Inline(), Local(workers=1)], ids=str)
def test_a_batch_that_cannot_fit_is_refused(cluster: Inline | Local | Address) -> None:
    """More than what is free is refused, with a size that fits."""
    with pytest.raises(ConfigError, match=r"expected 1\.10 GB .* found 1\.00 GB; use render.batch_size=4"):
        check_memory(Weighed(), engagement(11), cluster)


def test_local_workers_share_the_memory_of_the_machine() -> None:
    """Each of two workers has half of what is free."""
    check_memory(Weighed(), engagement(5), Local(workers=2))
    with pytest.raises(ConfigError, match=r"expected 0\.60 GB .* found 0\.50 GB"):
        check_memory(Weighed(), engagement(6), Local(workers=2))
