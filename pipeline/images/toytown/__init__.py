"""The default image set: a toy town drawn from a seed."""
