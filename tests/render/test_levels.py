"""Levels: batches, further starts, parents and the cache, rendered with the small CNN."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.render import RenderSettings
from pipeline.render.icons import BLANK, IconArrays
from pipeline.render.levels import parent_rows
from tests.featurevis.scene import Scene
from tests.render.level_rendering import arrays, icons, level, recording_renderer

Quick = Callable[..., RenderSettings]


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[], Path]:
    """A folder for a cache, another one at each call."""
    numbers = count()
    return lambda: tmp_path / str(next(numbers))


@pytest.mark.parametrize("batch_size", [4, 8])
def test_every_cell_gets_its_icon_in_order(cnn_scene: Scene, quick: Quick, tmp_path: Path, batch_size: int) -> None:
    """Whatever the batches, row by row the icons are those of the cells, and each is counted once."""
    settings = quick(batch_size=batch_size)
    counts: list[int] = []
    found = level(
        recording_renderer(cnn_scene, settings), settings, cnn_scene.means, tmp_path / "a", progress=counts.append
    )
    whole = level(recording_renderer(cnn_scene, quick()), quick(), cnn_scene.means, tmp_path / "b")
    assert sum(counts) == len(found.icons) == 6
    for row in range(6):
        assert found.icons[row].cached.scores["fidelity_centred"] == pytest.approx(
            whole.icons[row].cached.scores["fidelity_centred"], abs=0.02
        )
        assert found.icons[row].cached.scores["fidelity_centred"] > 0.3


def test_a_failed_icon_gets_another_start(cnn_scene: Scene, quick: Quick, fresh: Callable[[], Path]) -> None:
    """It is rendered again from other noise; the others are not touched."""
    plain, retried = (_icons(cnn_scene, quick(), fresh(), bad) for bad in ({}, {2: 1}))
    assert (plain.retried, retried.retried) == (0, 1)
    assert np.isfinite(retried.fidelity).all()
    others = [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(retried.icon[others], plain.icon[others])
    assert np.abs(retried.icon[2].astype(int) - plain.icon[2]).max() > 0


def test_an_icon_that_fails_is_blank_and_counted(cnn_scene: Scene, quick: Quick, fresh: Callable[[], Path]) -> None:
    """After the last attempt it is white, and its fidelity is no number."""
    found = _icons(cnn_scene, quick(attempts=2), fresh(), {1: 2, 3: 1})
    assert np.isnan(found.fidelity).tolist() == [False, True, False, False, False, False]
    assert np.isnan(found.fidelity_centred[1])
    assert np.isnan(found.activation[1]).all()
    assert (found.icon[1] == BLANK).all()
    assert (found.icon[3] != BLANK).any()
    assert found.retried == 2


def test_a_direction_that_is_not_a_number_is_reported(cnn_scene: Scene, quick: Quick, tmp_path: Path) -> None:
    """No start can mend it: it comes out blank, the others as they should."""
    cnn_scene.means[4] = np.nan
    found = _icons(cnn_scene, quick(steps=4), tmp_path, {})
    assert np.isnan(found.fidelity).tolist() == [False] * 4 + [True, False]


def test_nothing_is_rendered_twice(cnn_scene: Scene, quick: Quick, tmp_path: Path) -> None:
    """A second time all icons come from the cache, failed attempts too, and are the same to the byte."""
    settings, bad = quick(batch_size=4), {1: 1, 2: 3}
    first, second = recording_renderer(cnn_scene, settings, bad), recording_renderer(cnn_scene, settings, bad)
    one, two = (icons(who, settings, cnn_scene.means, tmp_path) for who in (first, second))
    assert first.batches[:3] == [(4, 0, False), (2, 0, False), (2, 1, False)]
    assert second.batches == []
    for name in ("icon", "fidelity", "fidelity_centred", "activation", "retried"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_cells_with_the_same_mean_share_an_icon(cnn_scene: Scene, quick: Quick, tmp_path: Path) -> None:
    """It is rendered once, and counted for each of them."""
    settings = quick()
    counts: list[int] = []
    who, means = recording_renderer(cnn_scene, settings), cnn_scene.means[[0, 1, 0]]
    found = level(who, settings, means, tmp_path, progress=counts.append)
    assert who.batches == [(2, 0, False)]
    assert sum(counts) == 3
    np.testing.assert_array_equal(found.icons[0].cached.image, found.icons[2].cached.image)


def test_an_icon_starts_from_its_parent(cnn_scene: Scene, quick: Quick, fresh: Callable[[], Path]) -> None:
    """It looks more like its parent than one from noise does, and with a third of the steps is as faithful."""
    settings = quick(steps=96, warm_steps=32)
    means = cnn_scene.means.copy()
    means[:, :3] *= 1.1  # children point nearly where their parents do
    who = recording_renderer(cnn_scene, settings)
    parents = level(who, settings, cnn_scene.means, fresh()).icons
    warm, cold = (
        level(who, settings, means, fresh(), given).icons for given in ([parents[row] for row in range(6)], None)
    )
    assert who.batches == [(6, 0, False), (6, 0, True), (6, 0, False)]
    far = {
        name: [np.abs(kids[row].cached.image - parents[row].cached.image.astype(float)).mean() for row in range(6)]
        for name, kids in (("warm", warm), ("cold", cold))
    }
    assert np.mean(far["warm"]) < 0.7 * np.mean(far["cold"])
    score = {
        name: np.median([kids[row].cached.scores["fidelity_centred"] for row in range(6)])
        for name, kids in (("warm", warm), ("cold", cold))
    }
    assert score["warm"] > score["cold"] - 0.01


def test_cells_without_a_parent_start_from_noise(cnn_scene: Scene, quick: Quick, fresh: Callable[[], Path]) -> None:
    """They go into batches of their own; a second start is from noise for all."""
    settings = quick(warm_steps=6)
    parents = level(recording_renderer(cnn_scene, settings), settings, cnn_scene.means, fresh()).icons
    other = replace(cnn_scene, means=1.1 * cnn_scene.means)
    who = recording_renderer(other, settings, {0: 1, 5: 1})
    found = level(who, settings, other.means, fresh(), [None, None, *(parents[row] for row in range(2, 6))])
    assert who.batches == [(2, 0, False), (4, 0, True), (2, 1, False)]
    assert len(found.icons) == 6
    assert found.retried == 2


def test_a_cell_that_is_its_parent_has_its_icon(cnn_scene: Scene, quick: Quick, tmp_path: Path) -> None:
    """Nothing is rendered for it, and its own children start from the same icon."""
    settings = quick(warm_steps=6)
    counts: list[int] = []
    who = recording_renderer(cnn_scene, settings)
    parents = level(who, settings, cnn_scene.means, tmp_path).icons
    means = cnn_scene.means.copy()
    means[3] *= 1.1
    children = level(who, settings, means, tmp_path, [parents[row] for row in range(6)], counts.append).icons
    assert who.batches[1:] == [(1, 0, True)]
    assert sum(counts) == 6
    assert [row for row in range(6) if children[row].key != parents[row].key] == [3]


def test_icons_name_what_they_started_from(cnn_scene: Scene, quick: Quick, fresh: Callable[[], Path]) -> None:
    """An icon keeps its own key and its parent's; one from noise names no parent, one that failed no key."""
    settings = quick(warm_steps=6)
    parents = level(recording_renderer(cnn_scene, settings), settings, cnn_scene.means, fresh()).icons
    other = replace(cnn_scene, means=1.1 * cnn_scene.means)
    other.means[5] = cnn_scene.means[5]
    who = recording_renderer(other, settings, {2: 1, 4: 9})
    rendered = level(who, settings, other.means, fresh(), [None, *(parents[row] for row in range(1, 6))])
    found = arrays(rendered, other.means, settings.size)
    key, parent = ([bytes(name).hex() for name in names] for names in (found.key, found.parent))
    none = 64 * "0"
    assert parent == [none, parents[1].key, none, parents[3].key, none, none]
    assert key[4] == none
    assert key[5] == parents[5].key
    assert all(key[row] == rendered.icons[row].key for row in rendered.icons)


def test_parents_are_the_cells_around() -> None:
    """A cell's parent holds it; where the parent is not rendered, or levels do not nest, there is none."""
    coarser = np.array([[0, 0], [0, 1], [1, 1]])
    places = np.array([[0, 1], [1, 2], [3, 3], [2, 0]])
    assert parent_rows(places, 4, coarser, 2).tolist() == [0, 1, 2, -1]
    assert parent_rows(places, 8, coarser, 2).tolist() == [0, 0, 0, 0]
    assert parent_rows(places, 5, coarser, 2).tolist() == [-1, -1, -1, -1]
    assert parent_rows(places[:0], 4, coarser, 2).tolist() == []


def test_only_what_is_missing_is_rendered(cnn_scene: Scene, quick: Quick, tmp_path: Path) -> None:
    """Where some icons are kept, the others are put together in batches anew, and have the bytes they always have."""
    settings = quick(batch_size=4)
    whole = level(recording_renderer(cnn_scene, settings), settings, cnn_scene.means, tmp_path / "whole").icons
    level(recording_renderer(cnn_scene, settings), settings, cnn_scene.means[[1, 4]], tmp_path / "part")
    who = recording_renderer(cnn_scene, settings)
    found = level(who, settings, cnn_scene.means, tmp_path / "part").icons
    assert who.batches == [(4, 0, False)]
    for row in range(6):
        assert found[row].cached.image.tobytes() == whole[row].cached.image.tobytes()
        assert found[row].cached.activation.tobytes() == whole[row].cached.activation.tobytes()


def _icons(scene: Scene, settings: RenderSettings, folder: Path, bad: dict[int, int]) -> IconArrays:
    """The scene's icons, where attempts at some rows fail."""
    return icons(recording_renderer(scene, settings, bad), settings, scene.means, folder)
