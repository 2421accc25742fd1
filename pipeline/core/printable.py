"""Text from outside, shown so that a line stays a line and a terminal only prints it."""

import unicodedata

JOINERS = "\u200c\u200d"  # hold letters and emoji together and change nothing else
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (which can turn the reading direction), surrogate, new lines
FIRST_BYTE, LAST_BYTE = "\udc80", "\udcff"  # how Python holds the bytes of a file name that are no UTF-8


def printable(text: str) -> str:
    r"""The text with whatever is no visible character or blank written as an escape: ``\n``, ``\x1b``, ``\xff``."""
    return "".join(_shown(letter) for letter in text)


def _shown(letter: str) -> str:
    if letter in JOINERS or unicodedata.category(letter) not in HIDDEN:
        return letter
    if FIRST_BYTE <= letter <= LAST_BYTE:
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
