"""Stage ``sample``: record activations and class attributions at sampled places of every image."""
