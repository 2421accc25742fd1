"""How fast sampling is beside the bare network's own passes, and what its artifacts take of the disk."""
