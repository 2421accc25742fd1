"""Helpers of the selection tests: draw with the mouse, encode and decode the URL's selection."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page
from site_planting import Level

Place = tuple[float, float]  # x and y in cells of the shown level
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
HALF = 18  # of the digits: the upper ones say that more follow


def spot(page: Page, at: Place) -> tuple[float, float]:
    """Screen position of a corner of cells, or of any position between them."""
    found = page.evaluate("([row, column]) => atlas.cellToPoint(row, column)", [at[1] - 0.5, at[0] - 0.5])
    return found["x"], found["y"]


def draw(page: Page, way: Iterable[Place], release: bool = True) -> None:
    """Move the mouse along a path with its button held, and release it."""
    first, *others = [spot(page, at) for at in way]
    page.mouse.move(*first)
    page.mouse.down()
    for at in others:
        page.mouse.move(*at, steps=4)
    if release:
        page.mouse.up()


def within(level: Level, way: list[Place]) -> NDArray[np.bool_]:
    """[cell] has an icon, and its center lies inside the polygon."""
    x, y = level.cell[:, 1] + 0.5, level.cell[:, 0] + 0.5
    inside = np.zeros(len(level.cell), bool)
    for (x0, y0), (x1, y1) in zip(way, [*way[1:], way[0]], strict=True):
        if y0 != y1:
            between = (y0 <= y) != (y1 <= y)
            inside ^= between & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside & level.drawn


def encoded(size: int, places: Iterable[tuple[int, int]]) -> str:
    """The URL code of these (row, column): run lengths of skipped and taken positions in their bounding rectangle."""
    taken = np.zeros((size, size), int)
    taken[tuple(np.array(list(places)).T)] = 1
    rows, columns = np.flatnonzero(taken.any(1)), np.flatnonzero(taken.any(0))
    part = taken[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], part.ravel(), [0]])))
    lengths = np.diff(np.concatenate([[0], edges])).tolist()
    return f"{size}.{rows[0]}.{columns[0]}.{part.shape[1]}.{''.join(map(_digits, lengths))}"


def decoded(code: str) -> set[tuple[int, int]]:
    """The (row, column) of a URL code."""
    _, top, left, width, text = code.split(".")
    found, at = set(), 0
    for number, length in enumerate(_lengths(text)):
        if number % 2:
            cells = range(at, at + length)
            found |= {(int(top) + cell // int(width), int(left) + cell % int(width)) for cell in cells}
        at += length
    return found


def _digits(value: int) -> str:
    return DIGITS[value] if value < HALF else DIGITS[HALF + value % HALF] + _digits(value // HALF)


def _lengths(text: str) -> Iterator[int]:
    value, unit = 0, 1
    for letter in text:
        digit = DIGITS.index(letter)
        value, unit = value + digit % HALF * unit, unit * HALF
        if digit < HALF:
            yield value
            value, unit = 0, 1
