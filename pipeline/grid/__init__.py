"""Stage ``grid``: average activations and attributions in the cells of nested grids."""
