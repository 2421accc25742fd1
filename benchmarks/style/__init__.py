"""Style transfer in one pass beside the optimization."""
