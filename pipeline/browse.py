"""``atlas browse``: a local HTTP server for one folder, on 127.0.0.1 only."""

import gzip
import http.server
import os
import socket
import webbrowser
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.progress import log_line

HOST = "127.0.0.1"
FIRST_PORT = 8000
COMPRESSED = {".html", ".js", ".css"}


class SiteHandler(http.server.SimpleHTTPRequestHandler):
    """Serves the files of one folder: no listings, no links that lead outside, no requests for other host names."""

    extensions_map = {  # noqa: RUF012  # the base class keeps it here
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript; charset=utf-8",
        ".webp": "image/webp",
        ".avif": "image/avif",
    }

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Refuse requests for another host name and files outside the folder; else send the file's headers."""
        host = (self.headers.get("Host") or "").rpartition(":")[0].lower()
        if host not in {HOST, "localhost"}:
            self.send_error(HTTPStatus.FORBIDDEN, "This server answers to 127.0.0.1 only")
            return None
        if not self._is_inside():
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None
        requested = self.translate_path(self.path)
        path = Path(requested)
        # a trailing slash requests a folder; Path drops it
        if (
            path.suffix in COMPRESSED
            and not requested.endswith("/")
            and path.is_file()
            and self._wants_compressed(path)
        ):
            return self._compressed(path)
        return super().send_head()

    def _wants_compressed(self, path: Path) -> bool:
        """Whether the browser accepts gzip and has no up-to-date copy, by the base class's rules."""
        return "gzip" in self.headers.get("Accept-Encoding", "") and not self._has_latest(path)

    def _has_latest(self, path: Path) -> bool:
        """Whether the base class would answer 304 Not Modified; it compares whole seconds."""
        if "If-Modified-Since" not in self.headers or "If-None-Match" in self.headers:
            return False
        try:
            since = parsedate_to_datetime(self.headers["If-Modified-Since"])
            modified = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(microsecond=0)
        except (TypeError, IndexError, OverflowError, ValueError, OSError):
            return False
        since = since.replace(tzinfo=UTC) if since.tzinfo is None else since
        return since.tzinfo is UTC and modified <= since

    def _compressed(self, path: Path) -> BytesIO | None:
        """Send text with gzip, a third of its bytes: sites are often viewed through a tunnel to another machine."""
        try:
            modified, content = path.stat().st_mtime, gzip.compress(path.read_bytes(), 6, mtime=0)
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", self.date_time_string(modified))
        self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        return BytesIO(content)

    def _is_inside(self) -> bool:
        """Whether the requested file lies in the folder after following all links."""
        try:
            return Path(self.translate_path(self.path)).resolve().is_relative_to(Path(self.directory).resolve())
        except (OSError, RuntimeError, ValueError):  # circles of links, or a zero character
            return False

    def list_directory(self, path: str | os.PathLike[str]) -> BytesIO | None:
        """Answer 404 instead of a listing for a folder without a page."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND, "File not found")
        return None

    def end_headers(self) -> None:
        """Keep browsers from caching an earlier run's files and from guessing content types."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Do not log single requests."""


def site_server(site: Path, port: int | None) -> http.server.ThreadingHTTPServer:
    """A server of the folder ``site``, bound but not yet serving.

    Args:
        site: usually ``outputs/site``.
        port: to listen on; None takes the first free one from 8000 on, 0 any free one.

    Raises:
        ArtifactError: there is no page in the folder.
        ConfigError: the port is taken.
    """
    if not (site / "index.html").is_file():
        raise ArtifactError(f"{site}: expected the site with its index.html, found none; run the stage site")
    handler = partial(SiteHandler, directory=str(site))
    for candidate in [port] if port is not None else [*range(FIRST_PORT, FIRST_PORT + 20), 0]:
        try:
            return _Server((HOST, candidate), handler)
        except OSError as error:
            taken = error
    raise ConfigError(f"port: expected a free port, found {port} in use ({taken.strerror}); choose another one")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Windows would otherwise let two servers share a port
    allow_reuse_address = os.name != "nt"
    address_family = socket.AF_INET


def browse(site: Path, port: int | None, open_browser: bool) -> None:
    """Serve the site until Ctrl-C.

    Args:
        site: usually ``outputs/site``.
        port: to listen on; None takes the first free one from 8000 on.
        open_browser: also open it in the browser.

    Raises:
        ArtifactError: there is no page in the folder.
        ConfigError: the port is taken.
    """
    with site_server(site, port) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        log_line(f"browse: {site} at {address} (Ctrl-C stops it)")
        if open_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            log_line("browse: stopped")
