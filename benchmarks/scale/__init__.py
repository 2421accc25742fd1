"""How the pipeline grows: workers beside each other, and memory with the number of samples."""
