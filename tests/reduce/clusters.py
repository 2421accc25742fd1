"""Planted activations for several test files."""

import numpy as np

CLUSTERS = 6
MEMBERS = 50


def clustered(seed: int = 0, channels: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Activations [sample, channel] around well separated directions, and the cluster of each."""
    generator = np.random.default_rng(seed)
    centers = generator.gamma(0.5, 4.0, size=(CLUSTERS, channels))
    labels = np.tile(np.arange(CLUSTERS), MEMBERS)
    noise = generator.normal(scale=0.3, size=(len(labels), channels))
    return np.maximum(centers[labels] + noise, 0.001).astype(np.float32), labels
