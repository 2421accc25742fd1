"""Errors that the user can fix, each in one line: where, what was expected, what was found, what to do."""


class AtlasError(Exception):
    """Base class; the command prints its message in one line and exits with code 2, without a traceback."""


class ConfigError(AtlasError):
    """A setting is unknown, out of range or contradicts another setting."""


class ImageError(AtlasError):
    """An image, or a whole image set, cannot be read."""


class ModelError(AtlasError):
    """A network, its weights or one of its layers does not match the configuration."""


class ArtifactError(AtlasError):
    """A stored artifact is missing, incomplete, damaged or from another version."""


class DataError(AtlasError):
    """The data cannot give an atlas: too few points, all zero, not finite."""


class BusyError(AtlasError):
    """Another process works on the same outputs."""
