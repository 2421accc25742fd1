"""Stage ``place``: lay a second image set's samples on an existing layout, without moving it."""
