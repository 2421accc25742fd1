"""The study behind the default settings: one change at a time, score and pictures side by side."""
