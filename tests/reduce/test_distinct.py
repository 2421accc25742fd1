import numpy as np

from pipeline.reduce.distinct import Distinct, grouped, row_hashes


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Rows drawn from 40 kinds, and which kind each is."""
    generator = np.random.default_rng(0)
    kinds = generator.normal(size=(40, 6)).astype(np.float32)
    kinds[3] = 0
    which = generator.integers(0, 40, 1000)
    return kinds[which], which


def distinct_rows(rows: np.ndarray) -> Distinct:
    """Equal rows of an array, by their hashes."""
    return grouped(row_hashes(rows))


def test_equal_rows_are_grouped() -> None:
    """Rows share a number exactly when they are equal."""
    rows, which = planted()
    found = distinct_rows(rows)
    assert len(found.first) == len(np.unique(which))
    np.testing.assert_array_equal(rows[found.first][found.inverse], rows)
    same = found.inverse[:, None] == found.inverse
    np.testing.assert_array_equal(same, which[:, None] == which)


def test_first_rows_keep_their_order() -> None:
    """Each kind is named by its first row, in order of appearance; rows without a twin come back as they were."""
    rows = np.array([[2, 0], [1, 0], [2, 0], [0, 5]], np.float32)
    found = distinct_rows(rows)
    np.testing.assert_array_equal(found.first, [0, 1, 3])
    np.testing.assert_array_equal(found.inverse, [0, 1, 0, 2])


def test_minus_zero_is_zero() -> None:
    """0 and -0 are the same activation."""
    assert len(distinct_rows(np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32)).first) == 1


def test_nearly_equal_rows_stay_apart() -> None:
    """A difference in the last bit is a difference."""
    rows = np.ones((2, 4), np.float32)
    rows[1, 2] = np.nextafter(np.float32(1), np.float32(2))
    assert len(distinct_rows(rows).first) == 2
