"""Speed of sampling compared with the network's own forward passes, and the size of its artifacts on the disk."""
