"""Stage ``explain``: why a class, or a unit, for an image."""
