"""Side-by-side benchmarks: each measures ratios in one run and keeps them as JSON. Start with ``make bench``."""
