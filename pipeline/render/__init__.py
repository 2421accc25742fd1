"""Stage ``render``: draw each cell's direction by feature visualization."""
