"""What a run will take before anything runs: icons, bytes, memory and time of every stage, each with its sum."""
