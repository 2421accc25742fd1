"""Errors that the user can fix, each in one line: where, what was expected, what was found, what to do."""

import unicodedata

JOINERS = "\u200c\u200d"  # hold letters and emoji together and change nothing else
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (which can turn the reading direction), surrogate, new lines
FIRST_BYTE, LAST_BYTE = "\udc80", "\udcff"  # how Python holds the bytes of a file name that are not UTF-8


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


def escape_control_chars(text: str) -> str:
    r"""The text with every character that is neither visible nor a blank escaped: ``\n``, ``\x1b``, ``\xff``."""
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    if character in JOINERS or unicodedata.category(character) not in HIDDEN:
        return character
    if FIRST_BYTE <= character <= LAST_BYTE:
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
