"""Stage ``units``: what single channels of a layer look for."""
