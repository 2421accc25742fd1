"""The benchmark of the stage ``reduce``: beside umap-learn, and on a million samples."""
