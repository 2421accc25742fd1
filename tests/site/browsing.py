"""Helpers of the browser tests: wait for the page, locate cells, read the overlay."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from site_planting import Level

MASK_OPACITY = 0.93
Opener = Callable[..., Page]


def ready(page: Page, name: str) -> None:
    """Wait until layer/atlas/level and class are the shown ones."""
    page.wait_for_selector(f'html[data-ready="{name}"]', state="attached")


def link_has(page: Page, text: str) -> None:
    """Wait until the page's address has this text; the page writes its link after the change that it tells of."""
    expect(page).to_have_url(re.compile(re.escape(text)))


def link_lacks(page: Page, text: str) -> None:
    """Wait until the page's address lacks this text."""
    expect(page).not_to_have_url(re.compile(re.escape(text)))


def place(page: Page, level: Level, cell: int) -> tuple[float, float]:
    """Center of a planted cell on the screen."""
    row, column = (int(number) for number in level.cell[cell])
    found = page.evaluate("([row, column]) => atlas.cellToPoint(row, column)", [row, column])
    return found["x"], found["y"]


def wait_for_place(page: Page, level: Level, cell: int, wanted: tuple[float, float]) -> None:
    """Wait until the center of a planted cell is at this position on the screen, within a pixel."""
    row, column = (int(number) for number in level.cell[cell])
    arrived = """([row, column, x, y]) => {
        const found = atlas.cellToPoint(row, column);
        return Math.hypot(found.x - x, found.y - y) < 1;
    }"""
    page.wait_for_function(arrived, arg=[row, column, *wanted])


def opacity(page: Page, level: Level, cell: int) -> int:
    """Opacity of the overlay at the center of a planted cell, 0..255."""
    x, y = place(page, level, cell)
    read = """([x, y]) => {
        const canvas = document.querySelector("canvas.overlay");
        const { left, top } = canvas.getBoundingClientRect();
        return canvas.getContext("2d").getImageData(x - left, y - top, 1, 1).data[3];
    }"""
    return int(page.evaluate(read, [x, y]))


def busiest(level: Level) -> int:
    """The planted cell with the most samples."""
    return int(level.count.argmax())


def signed(value: float) -> str:
    """An attribution as the page formats it."""
    return f"{'−' if value < 0 else '+'}{abs(value):.2f}"
