"""Activation atlas: a zoomable map of everything a vision network has learned to see.

Data flows one way, one stage after the other, and nothing flows back up:

    images → activations → layout → grid → icons → tiles → site

- ``prepare``  lists the images and saves the network
- ``sample``   records activations and class attributions at sampled places of the images
- ``reduce``   lays the activations out in two dimensions
- ``grid``     averages activations and attributions per grid cell
- ``render``   draws each cell by feature visualization
- ``tile``     cuts the drawn grids into Deep Zoom pictures
- ``predict``  tests what attributions foretell, layer by layer
- ``patch``    tests what patches from a comparison of two classes do
- ``place``    lays a second image set on an existing layout
- ``site``     puts the pages around them

Each stage is a package here, a group in ``conf/``, a section of ``params.yaml`` and a stage of ``dvc.yaml``, all under
the same name. What stages share lies in ``core`` (configuration, artifacts, progress), ``images`` (image sets) and
``model`` (networks and their layers). A stage imports these and itself, never another stage.
"""

from importlib.metadata import version

__version__ = version("activation-atlas")
