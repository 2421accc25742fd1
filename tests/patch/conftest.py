"""The planted shortcut, shared by the tests of the patch test."""

import pytest

from pipeline.patch.stage import run
from tests.patch.planted import Planted, plant


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A small run with the shortcut, tested by the real stage."""
    made = plant(tmp_path_factory.mktemp("shortcut"))
    run(made.task)
    return made
