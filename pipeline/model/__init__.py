"""Networks: building them, their weights, preprocessing and layers."""
