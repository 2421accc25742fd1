"""Escapes for text from outside, so that a line stays one line and a terminal prints it instead of obeying it."""

import unicodedata

JOINERS = "\u200c\u200d"  # hold letters and emoji together and change nothing else
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (which can turn the reading direction), surrogate, new lines
FIRST_BYTE, LAST_BYTE = "\udc80", "\udcff"  # how Python holds the bytes of a file name that are not UTF-8


def escape_control_chars(text: str) -> str:
    r"""The text with every character that is neither visible nor a blank escaped: ``\n``, ``\x1b``, ``\xff``."""
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    if character in JOINERS or unicodedata.category(character) not in HIDDEN:
        return character
    if FIRST_BYTE <= character <= LAST_BYTE:
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
