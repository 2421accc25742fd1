"""``atlas browse``: a local HTTP server for one folder, on 127.0.0.1 only."""

import gzip
import http.server
import os
import re
import socket
import sys
import webbrowser
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.progress import log_line

HOST = "127.0.0.1"
FIRST_PORT = 8000
COMPRESSED = {".html", ".js", ".css"}
NAMES = {HOST, "localhost"}  # in the header Host, with or without a port
PORT = re.compile(r":[0-9]*$")
RANGE = re.compile(
    r"bytes=([0-9]{0,18})-([0-9]{0,18})"
)  # of one range; several are answered with the whole file, as is allowed
IDLE_SECONDS = 30.0  # after which a connection without a request, or that takes no more bytes, is closed


class SiteHandler(http.server.SimpleHTTPRequestHandler):
    """Serves the files of one folder: no listings, no links that lead outside, no requests for other host names."""

    timeout = IDLE_SECONDS
    extensions_map = {  # noqa: RUF012  # the base class keeps it here
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript; charset=utf-8",
        ".webp": "image/webp",
        ".avif": "image/avif",
    }

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Refuse requests for another host name and files outside the folder; else send the file's headers."""
        if not self.is_asked_by_name():
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
        if "Range" in self.headers and not requested.endswith("/") and path.is_file() and not self._has_latest(path):
            return self._part(path, self.headers["Range"])
        return super().send_head()

    def is_asked_by_name(self) -> bool:
        """Whether the request names this machine as its host; any other name was made to lead here (DNS rebinding)."""
        return PORT.sub("", self.headers.get("Host") or "").lower() in NAMES

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

    def _part(self, path: Path, wanted: str) -> BytesIO | BinaryIO | None:
        """Send a range of a file's bytes (RFC 9110, 14): 206 with them, 416 where there are none, else the whole."""
        try:
            state = path.stat()
            span = _span(wanted, state.st_size)
            if span is None or not self._is_unchanged(state.st_mtime):
                return super().send_head()
            if not span:
                self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                self.send_header("Content-Range", f"bytes */{state.st_size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            with path.open("rb") as file:
                file.seek(span.start)
                content = file.read(len(span))
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Range", f"bytes {span.start}-{span.stop - 1}/{state.st_size}")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", self.date_time_string(state.st_mtime))
        self.end_headers()
        return BytesIO(content)

    def _is_unchanged(self, modified: float) -> bool:
        """Whether the range is wanted of the file as it is now: ``If-Range``, as a date, is that of the file."""
        return self.headers.get("If-Range", self.date_time_string(modified)) == self.date_time_string(modified)

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
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Do not log single requests."""


def site_server(
    site: Path, port: int | None, handler: type[SiteHandler] = SiteHandler
) -> http.server.ThreadingHTTPServer:
    """A server of the folder ``site``, bound but not yet serving.

    Args:
        site: usually ``outputs/site``.
        port: to listen on; None takes the first free one from 8000 on, 0 any free one.
        handler: of the requests.

    Raises:
        ArtifactError: there is no page in the folder.
        ConfigError: the port is taken.
    """
    if not (site / "index.html").is_file():
        raise ArtifactError(f"{site}: expected the site with its index.html, found none; run the stage site")
    handle = partial(handler, directory=str(site))
    for candidate in [port] if port is not None else [*range(FIRST_PORT, FIRST_PORT + 20), 0]:
        try:
            return _Server((HOST, candidate), handle)
        except OSError as error:
            taken = error
    raise ConfigError(f"port: expected a free port, found {port} in use ({taken.strerror}); choose another one")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Windows would otherwise let two servers share a port
    allow_reuse_address = os.name != "nt"
    address_family = socket.AF_INET

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away or takes no more bytes; browsers do so whenever the view changes."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _span(wanted: str, size: int) -> range | None:
    """The bytes that a header ``Range`` asks for, empty where there are none; None where it is not to be followed."""
    found = RANGE.fullmatch(wanted.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def browse(site: Path, port: int | None, open_browser: bool, handler: type[SiteHandler] = SiteHandler) -> None:
    """Serve the site until Ctrl-C.

    Args:
        site: usually ``outputs/site``.
        port: to listen on; None takes the first free one from 8000 on.
        open_browser: also open it in the browser.
        handler: of the requests.

    Raises:
        ArtifactError: there is no page in the folder.
        ConfigError: the port is taken.
    """
    with site_server(site, port, handler) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        log_line(f"browse: {site} at {address} (Ctrl-C stops it)")
        if open_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            log_line("browse: stopped")
