"""What supports the name of a cell or region: planted differences between classes, and planted labels."""

import numpy as np
import pytest
from browsing import Opener, ready
from numpy.typing import NDArray
from playwright.sync_api import expect
from site_planting import CLASSES, Planted

from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.cells import assign_cells
from pipeline.core.zarr_store import array, open_artifact
from pipeline.site.names import Grouping, agreement, candidates, candidates_of_groups, over_represented

LAYER, SIZE, IMAGES, EACH = "features.7", 20, 40, 4
Values = NDArray[np.float64]


def samples(
    gap: float, per_image: float, cells: int = 60, seed: int = 0
) -> tuple[Values, NDArray[np.int64], NDArray[np.int64]]:
    """Attributions to two classes, [sample, 2], that differ by ``gap`` with a deviation over images; image and cell."""
    random = np.random.default_rng(seed)
    image = np.tile(np.repeat(np.arange(IMAGES), EACH), cells)
    cell = np.repeat(np.arange(cells), IMAGES * EACH)
    shift = np.repeat(random.normal(0, per_image, (cells, IMAGES)), EACH, axis=1).ravel()
    values = random.normal(0, 0.1, (len(image), 2))
    values[:, 0] += gap + shift
    return values, image, cell


def ranked(values: Values, cell: NDArray[np.int64], cells: int) -> Values:
    """The values with the larger mean of each cell first."""
    mean = np.stack([np.bincount(cell, column, cells) for column in values.T], axis=1)
    order = np.argsort(-mean, axis=1)
    return np.take_along_axis(values, order[cell], axis=1)


def test_a_clear_difference_is_named_and_none_is_mixed() -> None:
    """A gap of three standard errors over images is told in most cells, no gap in hardly any; a sample is no image."""
    shares = {}
    for gap in (0.0, 3.5):
        values, image, cell = samples(gap / np.sqrt(IMAGES), 1.0, cells=200)
        found = candidates(ranked(values, cell, 200), image, cell, 200)
        assert found[:, 0].all()
        shares[gap] = 1 - found[:, 1].mean()
    assert shares[0.0] < 0.12, "5 % by the interval, a little more for so few images"
    assert shares[3.5] > 0.85
    values, image, cell = samples(0.0, 1.0, cells=200)
    apart = candidates(ranked(values, cell, 200), np.arange(len(image)), cell, 200)
    assert 1 - apart[:, 1].mean() > 0.3, "samples of an image counted as independent would name noise"


def test_one_image_names_nothing() -> None:
    """With a single image there is nothing to resample, however large the difference; with two that agree there is."""
    values = np.array([[9.0, 1.0]] * 4)
    assert candidates(values, np.zeros(4, np.int64), np.zeros(4, np.int64), 1).tolist() == [[True, True]]
    assert candidates(values, np.array([0, 0, 1, 1]), np.zeros(4, np.int64), 1).tolist() == [[True, False]]


def test_candidates_follow_the_samples_wherever_they_are_stored() -> None:
    """Points in any order, in blocks of any size, with points of no group, give what all at once give."""
    random = np.random.default_rng(3)
    attribution = random.normal(0, 1, (300, 6)).astype(np.float32)
    sample, image = random.permutation(300)[:200], random.integers(0, 30, 200)
    of_point, top = random.integers(-1, 8, 200), np.argsort(random.random((8, 6)), axis=1)[:, :3]
    offset = random.normal(0, 1, 6)
    whole = candidates_of_groups([Grouping(of_point, top, offset)], [(0, attribution)], sample, image)
    blocks = [(start, attribution[start : start + 70]) for start in range(0, 300, 70)]
    other = Grouping(np.zeros(200, np.int64), np.array([[0, 1]]), np.zeros(6))
    split = candidates_of_groups([other, Grouping(of_point, top, offset)], blocks, sample, image)
    assert split[0].shape == (1, 2)
    np.testing.assert_array_equal(split[1], whole[0])
    values = (attribution - offset)[sample[:, None], top[of_point]]
    np.testing.assert_array_equal(whole[0], candidates(values, image, of_point, 8))
    assert not whole[0].all()


def test_the_over_represented_label_is_the_planted_one() -> None:
    """The label that a cell holds more of than all samples do is found with its lift; a common or a rare one is not."""
    count = np.array([[500, 60, 0], [40, 40, 0], [0, 1, 0]])  # common everywhere, planted in cell 1, a single sample
    found = over_represented(count)
    assert found.class_.tolist() == [0, 1, -1]
    assert found.lift[1] == pytest.approx((40 / 101) / (80 / 641))
    assert np.isnan(found.lift[2])


def test_agreement_counts_the_chosen_cells_with_a_label() -> None:
    """Shares are those of the cells with weight and label; without any they are not numbers."""
    top, label = np.array([[0, 1, 2], [1, 0, 2], [2, 1, 3], [0, 1, 2]]), np.array([0, 2, 0, -1])
    assert agreement(top, label, np.ones(4)) == {"first": pytest.approx(1 / 3), "first_three": pytest.approx(2 / 3)}
    assert agreement(top, label, np.array([1.0, 0, 0, 1])) == {"first": 1, "first_three": 1}
    assert np.isnan(agreement(top, label, np.zeros(4))["first"])


@pytest.mark.browser
def test_the_panel_names_a_cell_where_its_images_agree(opened: Opener, planted: Planted) -> None:
    """Where every image ranks the same class first its name is the title; where they differ the title has both."""
    level = planted.levels[LAYER, SIZE]
    (assigned,) = assign_cells(planted.xy[LAYER], [SIZE])
    stored = open_artifact(ACTIVATIONS, planted.task.path(ACTIVATIONS, LAYER))
    attribution = np.asarray(array(stored, "attribution")[...])
    named, mixed = [], []
    for cell in np.flatnonzero(level.drawn & (level.attribution.max(axis=1) > 0)):
        first, second = np.argsort(-level.attribution[cell])[:2]
        rows = np.flatnonzero(assigned.of_point == cell)
        images = np.unique(planted.image[rows])
        difference = [
            attribution[rows[planted.image[rows] == one]][:, [first]] - attribution[rows[planted.image[rows] == one]]
            for one in images
        ]
        worst = np.array([np.delete(one.mean(axis=0), first).min() for one in difference])
        runner_up = np.array([one.mean(axis=0)[second] for one in difference])
        if len(images) > 3 and worst.min() > 0.1:
            named.append((cell, first))
        if len(images) > 3 and 0.3 < (runner_up > 0).mean() < 0.7 and level.attribution[cell, second] > 0:
            mixed.append((cell, first))
    assert named
    assert mixed
    for cell, first, pattern in ((*named[0], "{}"), (*mixed[0], "{} or ")):
        row, column = level.cell[cell]
        page = opened(f"#layer={LAYER}&level={SIZE}&pin={SIZE}.{row}.{column}")
        ready(page, f"{LAYER}/all/{SIZE}/")
        title = page.locator(".panel header h2").inner_text()
        expected = pattern.format(CLASSES[first])
        assert title == expected if pattern == "{}" else title.startswith(expected)
        words = page.locator(".panel .naming").inner_text()
        assert ("do not tell the first classes apart" in words) == (pattern != "{}")
        expect(page.locator(".panel .naming")).to_contain_text("Most over-represented label: ")
        page.close()
