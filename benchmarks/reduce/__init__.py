"""The benchmark of the stage ``reduce``: beside umap-learn, on real activations, and on a million samples."""
