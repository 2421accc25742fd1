"""Stage ``tile``: cut each drawn grid into a Deep Zoom picture."""
