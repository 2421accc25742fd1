"""Stage ``prepare``: list the images that can be used, and save the network that looks at them."""
