import pytest

from pipeline.sample.cut import HELD_BYTES, TASKS, Cut, cut


@pytest.mark.parametrize(
    ("images", "batch_size", "positions", "row_bytes"),
    [
        (1, 16, 8, 100),
        (1000, 16, 8, 5000),
        (125_000, 16, 8, 3000),
        (1_281_167, 64, 1, 30_000),
        (40, 7, 4096, 4_000_000),
    ],
)
def test_tasks_are_whole_batches_of_bounded_size(images: int, batch_size: int, positions: int, row_bytes: int) -> None:
    """Tasks go through all images once, in whole batches; their rows fit into memory, unless a batch does not."""
    found = cut(images, batch_size, positions, row_bytes)
    assert [image for task in found.tasks() for image in task] == list(range(images))
    assert all(task.start % batch_size == 0 for task in found.tasks())
    assert all(len(task) == found.per_task for task in found.tasks()[:-1])
    assert found.per_task == batch_size or found.shard_rows * row_bytes <= HELD_BYTES


def test_a_million_samples_are_tens_of_files() -> None:
    """A million samples of 512 channels and 100 classes are as many tasks as a run should have, and no more files."""
    assert len(cut(125_000, 16, 8, 2 * (512 + 100)).tasks()) == TASKS
    assert len(cut(1_000_000, 64, 1, 2 * (512 + 1000)).tasks()) <= TASKS


def test_few_images_are_few_tasks() -> None:
    """A task is worth its files, and yet several workers find something to do in a thousand images."""
    assert cut(100, 16, 8, 3000).tasks() == [range(100)]
    assert len(cut(1000, 16, 8, 3000).tasks()) == 8
    assert cut(5, 2, 3, 10) == Cut(5, 16, 3)
