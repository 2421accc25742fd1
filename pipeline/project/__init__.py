"""Projects: the folder that a run belongs to, the files that `atlas init` writes, and their upgrade."""
