"""From the site of a run to a folder that any static host can publish."""
