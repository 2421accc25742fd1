"""Export of a run's site to a folder that any static host can publish."""
