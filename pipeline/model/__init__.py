"""Networks: how they are built, their weights, inputs, layers, and changes to a layer's output."""
