"""Stage ``synthesize``: pictures made from images, from cells of the atlas, or from both."""
