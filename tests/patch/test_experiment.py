import numpy as np

from pipeline.patch.experiment import best_dynamic, best_static, select
from pipeline.patch.paste import Predictions


def planted_predictions() -> Predictions:
    """[patch 2, configuration 3, image 4]: the first patch is best in configuration 1, the second in 2."""
    top = np.ones((2, 3, 4), np.int64)
    target = np.full((2, 3, 4), 0.1, np.float32)
    top[0, 1, :2], target[0, 1, :2] = 2, 0.6
    top[1, 2, :3], target[1, 2, :3] = 2, 0.5
    target[1, 0, 3] = 0.4
    return Predictions(top, target, target, target)


def test_static_takes_the_largest_flip_rate_and_ranks_patches_by_it() -> None:
    """Each patch gets its best configuration for all images; the patch that flips more comes first."""
    chosen, order = best_static(planted_predictions(), 2)
    assert chosen.tolist() == [1, 2]
    assert order.tolist() == [1, 0]


def test_dynamic_takes_the_best_of_each_image_and_never_flips_less() -> None:
    """Each image has its own choice, a flip before any larger softmax."""
    found = planted_predictions()
    found.target[0, 0, 0], found.top[0, 2, 3] = 0.95, 2
    dynamic = best_dynamic(found, 2)
    assert dynamic.tolist() == [[1, 1, 0, 2], [2, 2, 2, 0]]
    static, _ = best_static(found, 2)
    flips = [(select(found.top, chosen) == 2).sum() for chosen in (static, dynamic)]
    assert flips == [5, 6]
    assert select(found.target, dynamic)[1, 3] == np.float32(0.4)
