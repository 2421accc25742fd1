"""The stage ``grid`` at scale, beside just reading the activations and beside a loop over cells."""
