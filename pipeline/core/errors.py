"""Mistakes that the user can mend, each told in one line: where, what was expected, what was found, what to do."""


class AtlasError(Exception):
    """Base of every error that ends in one line and exit code 2 instead of a traceback."""


class ConfigError(AtlasError):
    """A setting is unknown, out of range or contradicts another one."""


class ImageError(AtlasError):
    """An image, or a whole image set, cannot be read."""


class ModelError(AtlasError):
    """A network, its weights or one of its layers is not what the configuration says."""


class ArtifactError(AtlasError):
    """A stored artifact is missing, incomplete or from another version."""


class DataError(AtlasError):
    """The numbers themselves cannot give an atlas: too few points, all zero, not finite."""


class BusyError(AtlasError):
    """Another process is at work on the same outputs."""
