import numpy as np
import pytest

from pipeline.grid.exemplars import exemplars


def plain(
    cosines: np.ndarray, cell: np.ndarray, sample: np.ndarray, image: np.ndarray, cells: int, ranks: int
) -> list[list[int]]:
    """A slow search, cell by cell."""
    found = []
    for index in range(cells):
        ranked = sorted(np.flatnonzero(cell == index), key=lambda point: (-cosines[point], sample[point]))
        chosen: dict[int, int] = {}
        for point in ranked:
            chosen.setdefault(int(image[point]), int(sample[point]))
        found.append((list(chosen.values()) + [-1] * ranks)[:ranks])
    return found


@pytest.mark.parametrize("images", [5, 30, 400])
@pytest.mark.parametrize("cells", [1, 36, 300])
def test_exemplars_are_the_nearest_of_different_images(images: int, cells: int) -> None:
    """They are what a slow search finds: the best sample of each image, best first, -1 where images run out."""
    generator = np.random.default_rng(2)
    cell = generator.integers(0, cells, 800)
    cosines = generator.uniform(-1, 1, 800).astype(np.float32).round(1)  # many ties, and zeros of both signs
    sample = np.sort(generator.permutation(2000)[:800])
    image = generator.integers(0, images, 800)
    found = exemplars(cosines, cell, sample, image, cells, 8)
    assert found.tolist() == plain(cosines, cell, sample, image, cells, 8)
    assert np.signbit(cosines[cosines == 0]).any()


def test_a_cell_with_many_samples_of_one_image_is_searched_through() -> None:
    """The best hundred samples are of one image: the other exemplars are still found."""
    cosines = np.linspace(1, 0, 110).astype(np.float32)
    image = np.append(np.zeros(100, np.int64), np.arange(10))
    cell = np.zeros(110, np.int64)
    assert exemplars(cosines, cell, np.arange(110), image, 1, 4).tolist() == [[0, 101, 102, 103]]
