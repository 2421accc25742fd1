"""Stage ``site``: the static page around the tiles."""
