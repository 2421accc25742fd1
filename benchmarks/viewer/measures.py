"""What is measured on the page: the first view, frames while it moves, the change of a class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.viewer.browser import HEIGHT, WIDTH, Visit

HERE = Path(__file__).parent
QUIET_MS = 700  # without a new tile, after the network has fallen silent: the first view is complete
WHEEL_STEPS, WHEEL_MS = 16, 90
DRAG_STEPS, DRAG_PIXELS, DRAG_MS = 50, 9, 12
MIDDLE = (WIDTH * 0.47, HEIGHT * 0.55)  # somewhere on the atlas, away from its very middle


@dataclass(frozen=True)
class FirstView:
    """One opening of the page.

    Attributes:
        first, last: seconds from the navigation until the first and the last new part of the picture were painted.
        bytes: received until then, headers included.
    """

    first: float
    last: float
    bytes: int


def first_view(visit: Visit, link: str) -> FirstView:
    """Open the page in a fresh profile.

    Args:
        visit: the browser.
        link: what the address has after the site's.
    """
    received: list[float] = []
    with visit.page(HERE / "first_view.js") as page:
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        visit.open(page, link)
        page.wait_for_function("quiet => shown.last && performance.now() - shown.last > quiet", arg=QUIET_MS)
        first, last = page.evaluate("[shown.first, shown.last]")
    return FirstView(first / 1000, last / 1000, int(sum(received)))


def zooming(page: Page) -> None:
    """Turn the wheel from the whole atlas into the finest cells and back."""
    page.mouse.move(*MIDDLE)
    for turn in (-100, 100):
        for _ in range(WHEEL_STEPS):
            page.mouse.wheel(0, turn)
            page.wait_for_timeout(WHEEL_MS)


def panning(page: Page) -> None:
    """Drag the picture there and back, twice, from where it is."""
    for across, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        x, y = MIDDLE
        page.mouse.move(x, y)
        page.mouse.down()
        for _ in range(DRAG_STEPS):
            x, y = x + across * DRAG_PIXELS, y + down * DRAG_PIXELS / 2
            page.mouse.move(x, y)
            page.wait_for_timeout(DRAG_MS)
        page.mouse.up()


def frames(visit: Visit, link: str, move: Callable[[Page], None]) -> list[float]:
    """Milliseconds between the frames while the page moves.

    Args:
        visit: the browser.
        link: where the movement starts.
        move: the movement.
    """
    with visit.page(HERE / "frames.js") as page:
        visit.open(page, link)
        page.evaluate("watchedFrames.start()")
        move(page)
        times: list[float] = page.evaluate("watchedFrames.stop()")
    return [after - before for before, after in pairwise(times)]


def class_changes(visit: Visit, link: str, names: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds from Enter in the search until the page shows another class.

    Args:
        visit: the browser.
        link: what is shown, without a class.
        names: of the classes, each the only one of its name.

    Returns:
        The times of the first choice of each class, for which its heatmap may have to be loaded, and of the second one.
    """
    with visit.page(HERE / "change.js") as page:
        visit.open(page, link)
        first = [_choose(page, link, name) for name in names]
        again = [_choose(page, link, name) for name in names]
    return first, again


def _choose(page: Page, link: str, name: str) -> float:
    field = page.get_by_role("combobox", name="Highlight a class")
    field.fill(name)
    field.press("Enter")
    milliseconds: float = page.wait_for_function("() => changed").json_value()
    # none again, by a link as people follow it: the next choice starts from the same place
    page.evaluate("link => { location.hash = link; }", link)
    page.wait_for_selector('html[data-ready$="/"]', state="attached")
    page.wait_for_timeout(150)
    return milliseconds
