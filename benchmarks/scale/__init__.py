"""Scaling of the pipeline: speed with the number of workers, memory with the number of samples."""
