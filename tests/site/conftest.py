"""The planted run and a real browser, shared by the tests of the site."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Opener
from site_planting import Planted, plant

from pipeline.browse import site_server
from pipeline.locate.endpoint import project_handler
from pipeline.site.stage import run
from tests.tried_run import try_run


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A small run with its site written by the real stage."""
    made = plant(tmp_path_factory.mktemp("planted"))
    run(made.task)
    return made


@pytest.fixture(scope="module", params=["http", pytest.param("file", marks=pytest.mark.long)])
def address(request: pytest.FixtureRequest, planted: Planted) -> Iterator[str]:
    """Where the site is: on the local server, and opened from disk."""
    if request.param == "file":
        yield (planted.site / "index.html").as_uri()
        return
    with site_server(planted.site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def opened(chromium: Browser, address: str) -> Iterator[Opener]:
    """Opens the page; afterwards no page may have had an error, a refused action or a request to another place."""
    troubles: list[str] = []
    contexts = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: note(f"error: {error}"))
        page.on("console", lambda said: note(said.text) if is_trouble(said) else None)
        page.on("dialog", lambda dialog: note(f"dialog: {dialog.message}"))
        page.on("requestfailed", lambda request: note(f"failed: {request.url}") if is_failure(request) else None)
        page.on("request", lambda request: None if is_local(request.url) else note(f"elsewhere: {request.url}"))

    def is_trouble(said: ConsoleMessage) -> bool:
        # only these tests read the overlay back
        return said.type in ("error", "warning") and "willReadFrequently" not in said.text

    def is_failure(request: Request) -> bool:
        # what is no longer wanted after a change of view, or of the page, is broken off
        return request.failure != "net::ERR_ABORTED"

    def note(trouble: str) -> None:
        troubles.append(trouble)

    def is_local(url: str) -> bool:
        return url.startswith((address.removesuffix("index.html"), "data:", "blob:"))

    def open_page(link: str = "", width: int = 1280, height: int = 860, **context: Any) -> Page:
        made = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **context)
        contexts.append(made)
        made.set_default_timeout(10_000)
        page = made.new_page()
        watch(page)
        page.goto(link if "://" in link else address + link)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for made in contexts:
        made.close()
    assert troubles == []


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the pipeline has run on photographs of known kinds, with its site."""
    folder = tmp_path_factory.mktemp("tried")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return try_run(folder)


@pytest.fixture(scope="module")
def project(tried: Path) -> Iterator[int]:
    """The port of that project's server."""
    handler = project_handler(tried / "params.yaml", tried / "outputs")
    with site_server(tried / "outputs/site", 0, handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
