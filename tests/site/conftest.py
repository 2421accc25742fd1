"""The planted run and a real browser, shared by the tests of the site."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from site_planting import Planted, plant

from pipeline.browse import site_server
from pipeline.site.stage import run

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A small run with its site written by the real stage."""
    made = plant(tmp_path_factory.mktemp("planted"))
    run(made.task)
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        assert not os.environ.get("CI"), "Chromium is needed where CI is set; install Debian's chromium"
        pytest.skip("no Chromium on this machine; install Debian's chromium")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["http", "file"])
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
