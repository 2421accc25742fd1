import numpy as np

from pipeline.patch.report import spread_examples


def test_examples_hold_the_best_and_the_worst() -> None:
    """Images are paired with patches in turn; the pairs with the largest and the smallest softmax are shown."""
    target = np.zeros((3, 10), np.float32)
    image = np.arange(10)
    target[image % 3, image] = [0.5, 0.1, 0.9, 0.2, 0.3, 0.4, 0.6, 0.7, 0.05, 0.8]
    shown = spread_examples(target, 4)
    assert shown[0] == (2, 2)
    assert shown[-1] == (2, 8)
    assert len(set(shown)) == 4
