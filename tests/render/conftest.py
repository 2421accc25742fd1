"""Fixtures that the tests of the stage share with those of the engine."""

from tests.featurevis.conftest import cnn_scene, one_thread, quick, vit_scene

__all__ = ["cnn_scene", "one_thread", "quick", "vit_scene"]
