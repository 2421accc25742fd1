"""Search by region finds what was planted."""

import numpy as np

from pipeline.explain.region_search import Query, best_matches, best_positions, box_mean, unit_rows

CHANNELS = 6


def maps(count: int = 5) -> np.ndarray:
    """Maps of noise, [image, channel, y, x]."""
    return np.random.default_rng(0).normal(size=(count, CHANNELS, 4, 5)).astype(np.float32)


def test_a_box_is_the_mean_of_the_positions_in_it() -> None:
    """The positions whose centers lie in the box count; a box between centers has the nearest one."""
    (grid,) = maps(1)
    np.testing.assert_allclose(box_mean(grid, (0.0, 0.0, 1.0, 1.0)), grid.mean((1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        box_mean(grid, (0.2, 0.5, 0.6, 1.0)), grid[:, 2:, 1:3].mean((1, 2)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(box_mean(grid, (0.41, 0.01, 0.42, 0.02)), grid[:, 0, 2], rtol=1e-6)


def test_a_planted_position_is_found_in_every_image_that_has_it() -> None:
    """Images in which the direction is planted come first, at the place where it is; others are below."""
    grids, center = maps(), np.full(CHANNELS, 0.5, np.float32)
    direction = np.eye(CHANNELS, dtype=np.float32)[2:3]
    grids[1, :, 3, 4] = center + 7 * direction
    grids[4, :, 0, 1] = center + 2 * direction
    found = [best_positions(grid, direction, center) for grid in grids]
    similarity, position = (np.stack([one[part][0] for one in found]) for part in (0, 1))
    query = Query(1, (0, 0, 1, 1), direction[0])
    matches = best_matches(query, range(5), similarity, position, 2)
    assert matches[0].image == 4  # its own image is left out
    assert matches[0].position == (0, 1)
    assert abs(matches[0].similarity - 1) < 1e-5
    assert matches[1].similarity < 0.99
    everything = best_matches(Query(0, (0, 0, 1, 1), direction[0]), range(5), similarity, position, 9)
    assert [one.image for one in everything][:2] == [1, 4]
    assert len(everything) == 4


def test_rows_of_zeros_resemble_nothing() -> None:
    """A position that equals the layer's mean has the similarity 0."""
    assert (unit_rows(np.zeros((2, 3))) == 0).all()
    grid = np.ones((CHANNELS, 2, 2), np.float32)
    similarity, _ = best_positions(grid, np.eye(CHANNELS, dtype=np.float32)[:1], np.ones(CHANNELS, np.float32))
    assert similarity.tolist() == [0.0]
