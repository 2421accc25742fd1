"""A real browser without a screen or a GPU, and the site on the local server."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.browse import HOST, site_server
from pipeline.core.errors import ConfigError

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
WIDTH, HEIGHT = 1280, 860  # CSS pixels
PATIENCE = 60_000  # ms


@dataclass(frozen=True)
class Visit:
    """A browser and where the site is.

    Attributes:
        browser: running.
        address: of the site.
    """

    browser: Browser
    address: str

    @contextmanager
    def page(self, script: Path | None = None) -> Iterator[Page]:
        """An empty page of a fresh profile without a cache; ``script`` runs before those of the site."""
        context = self.browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="no-preference")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        if script:
            page.add_init_script(path=script)
        yield page
        context.close()

    def open(self, page: Page, link: str) -> None:
        """Go to a place of the atlas and wait until it shows and nothing more is on its way."""
        page.goto(self.address + link)
        page.wait_for_selector("html[data-ready]", state="attached")
        page.wait_for_load_state("networkidle")

    @property
    def version(self) -> str:
        """The browser, with the first part of its version."""
        return f"Chromium {self.browser.version.partition('.')[0]}"


@contextmanager
def visit(site: Path) -> Iterator[Visit]:
    """Serve the site and start the browser.

    Raises:
        ConfigError: there is no Chromium.
    """
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise ConfigError(f"PATH: expected a browser ({', '.join(CHROMIUM)}), found none; install Chromium")
    with site_server(site, 0) as server, sync_playwright() as playwright:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield Visit(browser, f"http://{HOST}:{server.server_address[1]}/")
        browser.close()
        server.shutdown()
        thread.join()
