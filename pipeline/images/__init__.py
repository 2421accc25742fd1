"""Image sets: where images come from, and the manifest that lists the usable ones."""
