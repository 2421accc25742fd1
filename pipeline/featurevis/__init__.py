"""Feature visualization: images that maximize an objective over a network's layers and logits, by gradient ascent.

The engine that the stages share. An image is a point of a parameterization
(:mod:`~pipeline.featurevis.parameterization`); a feature extractor runs the network on randomly transformed copies of
it; an objective turns features into one number for each image; :func:`pipeline.featurevis.optimize.optimize` climbs. A
renderer does this for batches, in worker processes, and keeps finished images in a cache.
"""
