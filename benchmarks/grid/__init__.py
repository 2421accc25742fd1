"""The stage ``grid`` at scale, compared with reading the activations once and with a loop over cells."""
