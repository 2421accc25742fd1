"""Stage ``predict``: does a layer's attribution predict what the network does when activations are changed?"""
