"""The parts of pages that are written from the code: settings, artifacts, error lines. ``python -m docs.generate``."""
