"""Stage ``render``: an icon for the direction of each grid cell, by feature visualization."""
