"""Where tasks run: in this process, in threads, or on Dask workers."""
