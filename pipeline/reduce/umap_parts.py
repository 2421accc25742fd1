"""The parts of umap-learn that are used here, imported without its advertisement."""

import warnings

with warnings.catch_warnings():
    # it tells everyone that its optional Keras model is missing
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap.umap_ import find_ab_params

__all__ = ["find_ab_params"]
