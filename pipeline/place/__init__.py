"""Stage ``place``: place a second image set's samples on an existing layout, without changing it."""
