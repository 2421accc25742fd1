"""Projects: the folder that a run belongs to, and its files that an upgrade of the package changes."""
