"""A page of the site inside a notebook.

from pipeline.notebook import show

show("outputs/site", height=700, at="layer=mixed4a&level=20&pin=20.3.7")
"""

import atexit
import threading
from dataclasses import dataclass
from html import escape
from http.server import ThreadingHTTPServer
from pathlib import Path

from pipeline.browse import HOST, site_server
from pipeline.core.errors import ConfigError
from pipeline.core.site_data import read_data_script
from pipeline.site.pages import PAGES

_guard = threading.Lock()
_servers: dict[Path, ThreadingHTTPServer] = {}


@dataclass(frozen=True)
class SiteFrame:
    """A page in an iframe; a notebook displays it where it is a cell's last value.

    Attributes:
        address: URL of the page on the local server.
        title: of the site.
        height: pixels.
    """

    address: str
    title: str
    height: int

    def _repr_html_(self) -> str:
        address, title = escape(self.address), escape(self.title)
        return (
            f'<iframe src="{address}" title="{title}" width="100%" height="{self.height}" style="border: 0" '
            f'allow="fullscreen; clipboard-write"></iframe><p><a href="{address}" target="_blank" rel="noopener">'
            f"{title} in a new window</a></p>"
        )


def show(
    site: str | Path = "outputs/site", height: int = 700, at: str = "", page: str = "index.html", port: int = 0
) -> SiteFrame:
    """A page of a site as an object that a notebook displays.

    The site is served on 127.0.0.1 by one server per folder, which runs until :func:`stop` or Python's end. Where the
    notebook's server is another machine than the browser's, forward the port.

    Args:
        site: its folder.
        height: of the frame, pixels.
        at: the part of the page's URL after ``#``: a layer, a level, a cell, a style of icons.
        page: which page of the site.
        port: to serve it on, unless it is served already; 0 takes any free one.

    Raises:
        ArtifactError: there is no site in the folder.
        ConfigError: the port is taken, the height is not positive, or the site has no such page.
    """
    if height < 1:
        raise ConfigError(f"height: expected pixels, found {height}; choose at least 1")
    if page not in PAGES:
        raise ConfigError(f"page: expected one of {', '.join(PAGES)}, found {page!r}")
    folder = Path(site).resolve()
    link = f"#{at.removeprefix('#')}" if at else ""
    bound = _serve(folder, port).server_address[1]
    title = str(read_data_script(folder / "data" / "manifest.js")["title"])
    return SiteFrame(f"http://{HOST}:{bound}/{page}{link}", title, height)


def stop() -> None:
    """Stop the servers of all sites; their frames stay blank when reloaded. Called at Python's end as well."""
    with _guard:
        while _servers:
            _, server = _servers.popitem()
            server.shutdown()
            server.server_close()


def _serve(folder: Path, port: int) -> ThreadingHTTPServer:
    with _guard:
        if folder not in _servers:
            if not _servers:
                atexit.register(stop)
            server = site_server(folder, port)
            threading.Thread(target=server.serve_forever, name=f"site {folder.name}", daemon=True).start()
            _servers[folder] = server
        return _servers[folder]
