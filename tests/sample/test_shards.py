import pytest

from pipeline.sample.shards import BUFFER_BYTES, MAX_TASKS, Sharding, shard_images


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
    found = shard_images(images, batch_size, positions, row_bytes)
    assert [image for task in found.tasks() for image in task] == list(range(images))
    assert all(task.start % batch_size == 0 for task in found.tasks())
    assert all(len(task) == found.images_per_task for task in found.tasks()[:-1])
    assert found.images_per_task == batch_size or found.shard_rows * row_bytes <= BUFFER_BYTES


def test_a_million_samples_are_tens_of_files() -> None:
    """A million samples of 512 channels and 100 classes are as many tasks as a run should have, and no more files."""
    assert len(shard_images(125_000, 16, 8, 2 * (512 + 100)).tasks()) == MAX_TASKS
    assert len(shard_images(1_000_000, 64, 1, 2 * (512 + 1000)).tasks()) <= MAX_TASKS


def test_few_images_are_few_tasks() -> None:
    """A task is large enough for its files, and a thousand images still make several tasks."""
    assert shard_images(100, 16, 8, 3000).tasks() == [range(100)]
    assert len(shard_images(1000, 16, 8, 3000).tasks()) == 8
    assert shard_images(5, 2, 3, 10) == Sharding(5, 16, 3)
