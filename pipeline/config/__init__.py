"""Settings: the schema of every group in ``conf/``, and the whole of ``params.yaml``."""
