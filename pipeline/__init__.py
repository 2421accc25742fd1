"""Activation atlas: a zoomable map of the visual concepts that a network has learned.

Data flows one way, from stage to stage:

    images → activations → layout → grid → icons → tiles → site

- ``prepare``  lists the images and saves the network
- ``sample``   records activations and class attributions at sampled positions of the images
- ``reduce``   projects the activations to two dimensions
- ``grid``     averages activations and attributions per grid cell
- ``render``   renders an icon for each cell by feature visualization
- ``tile``     cuts the rendered grids into Deep Zoom images
- ``predict``  tests whether attributions predict ablation and steering
- ``patch``    tests whether patches from a comparison of two classes change predictions
- ``place``    places a second image set on the layout
- ``site``     writes the pages and their data

Each stage is a package here, a group in ``conf/``, a section of ``params.yaml`` and a stage of ``dvc.yaml``, all of the
same name. Imports run one way, see ``tests/test_imports.py``:

- ``core``         artifacts, files, checksums, resumable work, the lock, errors
- ``config``       settings: the schema of every group in ``conf/``
- ``parallel``     pools of tasks and threads
- ``images``       image sets and the manifest of a run
- ``model``        networks, their layers and interventions on them
- ``featurevis``   feature visualization: objectives, parameterizations, transforms, the optimization, the image cache
- the stages, each of which imports the packages above and no other stage
- the command ``atlas``: ``compose`` with ``class_names``, ``fitting_levels`` and ``number_type``; ``plan``; ``project``
  with ``init``; ``reproduce`` with ``interruptible``; ``provenance``; ``export`` with ``site_files`` and
  ``site_metrics``; ``browse``; ``commands``; ``notebook`` for use without it
"""

from importlib.metadata import version

__version__ = version("activation-atlas")
