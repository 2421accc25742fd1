"""An icon's bytes belong to the icon: neither the others of its batch nor its place among them matter.

After a kill, or when some icons come from the cache, batches are put together anew.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.render import RenderSettings
from pipeline.render.artist import Batch
from pipeline.render.directions import space
from tests.render.scene import Scene
from tests.render.workshop import artist

Quick = Callable[..., RenderSettings]


def differing(found: Batch, wanted: Batch, rows: list[int]) -> int:
    """How many icons of ``found`` are not, in every byte, those ``rows`` of ``wanted``."""
    pairs: list[tuple[NDArray[np.generic], NDArray[np.generic]]] = [
        (found.icon, wanted.icon),
        (found.measured.activation, wanted.measured.activation),
        (found.measured.fidelity, wanted.measured.fidelity),
        (found.measured.fidelity_centred, wanted.measured.fidelity_centred),
    ]
    return sum(
        any(one[index].tobytes() != other[row].tobytes() for one, other in pairs) for index, row in enumerate(rows)
    )


@pytest.mark.parametrize("network", ["cnn_scene", "vit_scene"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("batch_size", [7, 8])
def test_an_icon_does_not_depend_on_its_batch(
    network: str, dtype: str, batch_size: int, quick: Quick, request: pytest.FixtureRequest
) -> None:
    """Other neighbours, another place, fewer icons: the same bytes, from noise and from a parent."""
    scene: Scene = request.getfixturevalue(network)
    settings = quick(steps=6, warm_steps=6, batch_size=batch_size, dtype=dtype, total_variation=1.0)
    covariance = np.cov(scene.activations.T)
    who = artist(scene, settings, at=space("whitened", scene.mean, covariance, len(scene.activations)))
    whole = who.draw(scene.means, None, 0)
    warm = who.draw(scene.means, whole.icon, 0)
    for rows in ([5, 3, 0, 1, 4, 2], [4, 1], [2]):
        assert differing(who.draw(scene.means[rows], None, 0), whole, rows) == 0
        assert differing(who.draw(scene.means[rows], whole.icon[rows], 0), warm, rows) == 0
    assert differing(warm, whole, list(range(6))) == 6
