"""Matching the image set's labels to the network's classes."""

import pytest
from torch import nn

from pipeline.model.build import freeze
from pipeline.prepare.network import head_note, match_classes

CASES = {
    "equal lists": (["a", "b"], ["a", "b"], [0, 1]),
    "other order": (["a", "b"], ["b", "c", "a"], [2, 0]),
    "letters' case": (["Tench", "Cock"], ["cock", "tench"], [1, 0]),
    "some unknown": (["a", "x"], ["b", "a"], [1, -1]),
    "codes of equal number": (["n01", "n02"], ["tench", "cock"], [0, 1]),
    "codes of other number": (["n01", "n02"], ["tench", "cock", "hen"], [-1, -1]),
    "a name twice in equal lists": (["crane", "crane"], ["crane", "crane"], [0, 1]),
    "an ambiguous name": (["crane"], ["crane", "hen", "crane"], [-1]),
    "accents as one character and as two": (["caf\u00e9", "na\u0308h"], ["n\u00e4h", "CAFE\u0301", "o"], [1, 0]),
    "accents of a name": (["nu\u0308r"], ["x", "N\u00fcr"], [1]),
    "no labels": ([], ["a", "b"], []),
}


@pytest.mark.parametrize("case", CASES)
def test_labels_find_their_classes(case: str) -> None:
    """Names decide, order only where no name matches, and what is ambiguous or unknown matches nothing."""
    labels, classes, expected = CASES[case]
    assert match_classes(labels, classes).tolist() == expected


HEADS: dict[str, tuple[list[nn.Module], str | None]] = {
    "multi-label": ([nn.Linear(3, 4), nn.Sigmoid()], "ends with a sigmoid, as one with several labels"),
    "probabilities": ([nn.Linear(3, 4), nn.Softmax(dim=1)], "ends with a softmax"),
    "their logarithms": ([nn.Linear(3, 4), nn.LogSoftmax(dim=1)], "ends with a log-softmax"),
    "regression": ([nn.Linear(3, 1)], "a single output, as for regression"),
    "logits": ([nn.Linear(3, 4)], None),
    "two logits": ([nn.Sigmoid(), nn.Linear(3, 2)], None),
}


@pytest.mark.parametrize("head", HEADS)
def test_unusual_heads_are_said_to_be_so(head: str) -> None:
    """A head with a sigmoid, a softmax or a single output is told; logits are not, whatever comes before them."""
    layers, expected = HEADS[head]
    note = head_note(freeze(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *layers)), 8)
    assert note is None if expected is None else expected in str(note)
