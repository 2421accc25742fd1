"""Stage ``tile``: cut each grid level's image into a Deep Zoom pyramid."""
