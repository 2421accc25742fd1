"""The error lines in ``troubleshooting.md``: each below the first section with a pattern that it begins with.

A section of the page has its patterns, regular expressions, in a comment::

    <!-- error lines:
    layers: the network
    -->
    - `layers: the network has no layer <name>; ...`
    <!-- end of error lines -->
"""

import re
from collections.abc import Mapping, Sequence

from docs.generate.error_lines import error_lines
from pipeline.__main__ import REFUSED

BLOCK = re.compile(r"(<!-- error lines:\n(.*?)-->\n).*?(<!-- end of error lines -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """The page with the lines of today's source.

    Raises:
        ValueError: a line belongs to no section.
    """
    found = grouped(all_lines(), patterns(text))
    if found[None]:
        raise ValueError(f"error lines without a section in docs/troubleshooting.md: {found[None]}")
    numbers = iter(range(len(found)))

    def block(one: re.Match[str]) -> str:
        entries = [f'- <a id="{anchor(line)}"></a>{code(line)}\n' for line in found[next(numbers)]]
        return f"{one[1]}\n{''.join(entries)}\n{one[3]}"

    return BLOCK.sub(block, text)


def all_lines() -> list[str]:
    """Every error line: those of the source, and what the system may refuse."""
    refused = [f"<file>: {expected}, found {found}; {advice}" for expected, found, advice in REFUSED.values()]
    denied = "<file>: expected permission to read and write it, found none; change its permissions or owner"
    return [*(line.text for line in error_lines()), *refused, denied]


def patterns(text: str) -> list[list[str]]:
    """The patterns of each section of the page, in order."""
    return [found[2].splitlines() for found in BLOCK.finditer(text)]


def grouped(lines: Sequence[str], sections: Sequence[Sequence[str]]) -> Mapping[int | None, list[str]]:
    """The lines of each section by its number; those that no pattern matches under None."""
    found: dict[int | None, list[str]] = {None: [], **{number: [] for number in range(len(sections))}}
    for line in lines:
        found[next((number for number, section in enumerate(sections) if matching(line, section)), None)].append(line)
    return found


def matching(line: str, section: Sequence[str]) -> str | None:
    """The first pattern of a section that a line begins with."""
    return next((pattern for pattern in section if re.match(pattern, line)), None)


def anchor(line: str) -> str:
    """The anchor of a line, from its words."""
    return "line-" + "-".join(re.findall(r"[a-z0-9]+", line.lower()))


def code(text: str) -> str:
    """A line as inline code."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"
