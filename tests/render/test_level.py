from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from pipeline.render.artist import Artist, Batch, Done, Floats
from pipeline.render.config import RenderSettings
from pipeline.render.directions import space
from pipeline.render.level import BLANK, Icons, draw_level
from pipeline.render.noise import Place
from tests.render.drawing import places
from tests.render.scene import Scene

Quick = Callable[..., RenderSettings]


def artist_of(scene: Scene, settings: RenderSettings) -> Artist:
    """An artist for the scene's layer."""
    return Artist(scene.network, scene.layer, space("centred", scene.mean), scene.mean, settings, 0)


class Clumsy(Artist):
    """An artist whose first attempts at some rows fail."""

    bad_attempts: dict[int, int]  # row of the place: how many attempts fail

    def draw(self, places: Sequence[Place], means: Floats, attempt: int, done: Done) -> Batch:
        """Draw as always, then spoil what is to be spoiled."""
        batch = super().draw(places, means, attempt, done)
        spoilt = np.array([attempt < self.bad_attempts.get(place.row, 0) for place in places])
        return replace(batch, sound=batch.sound & ~spoilt)


def clumsy_icons(scene: Scene, settings: RenderSettings, bad: dict[int, int]) -> Icons:
    """The scene's icons, where attempts at some rows fail."""
    artist = Clumsy(scene.network, scene.layer, space("centred", scene.mean), scene.mean, settings, 0)
    artist.bad_attempts = bad
    return draw_level(artist, places(scene), scene.means, settings.batch_size, settings.attempts, lambda _: None)


@pytest.mark.parametrize("batch_size", [4, 8])
def test_every_cell_gets_its_icon_in_order(cnn_scene: Scene, quick: Quick, batch_size: int) -> None:
    """Whatever the batches, row by row the icons are those of the cells, and each is told once."""
    settings = quick(batch_size=batch_size)
    told: list[int] = []
    artist = artist_of(cnn_scene, settings)
    icons = draw_level(artist, places(cnn_scene), cnn_scene.means, batch_size, 2, told.append)
    whole = draw_level(artist_of(cnn_scene, quick()), places(cnn_scene), cnn_scene.means, 6, 2, lambda _: None)
    np.testing.assert_allclose(icons.fidelity_centred, whole.fidelity_centred, atol=0.02)
    assert np.abs(icons.icon.astype(int) - whole.icon).mean() < 2
    assert sum(told) == 6
    assert (icons.fidelity_centred > 0.3).all()


def test_a_failed_icon_gets_another_start(cnn_scene: Scene, quick: Quick) -> None:
    """It is drawn again from other noise; the others are not touched."""
    plain, retried = clumsy_icons(cnn_scene, quick(), {}), clumsy_icons(cnn_scene, quick(), {2: 1})
    assert (plain.retried, retried.retried) == (0, 1)
    assert np.isfinite(retried.fidelity).all()
    others = [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(retried.icon[others], plain.icon[others])
    assert np.abs(retried.icon[2].astype(int) - plain.icon[2]).max() > 0


def test_an_icon_that_cannot_be_drawn_is_blank_and_told(cnn_scene: Scene, quick: Quick) -> None:
    """After the last attempt it is white, and its fidelity is no number."""
    icons = clumsy_icons(cnn_scene, quick(attempts=2), {1: 2, 3: 1})
    assert np.isnan(icons.fidelity).tolist() == [False, True, False, False, False, False]
    assert np.isnan(icons.fidelity_centred[1])
    assert np.isnan(icons.activation[1]).all()
    assert (icons.icon[1] == BLANK).all()
    assert (icons.icon[3] != BLANK).any()
    assert icons.retried == 2


def test_a_direction_that_is_not_a_number_is_told(cnn_scene: Scene, quick: Quick) -> None:
    """No start can mend it: it comes out blank, the others as they should."""
    cnn_scene.means[4] = np.nan
    icons = clumsy_icons(cnn_scene, quick(steps=4), {})
    assert np.isnan(icons.fidelity).tolist() == [False] * 4 + [True, False]
