"""Stage ``reduce``: lay the activations of a layer out in the unit square."""
