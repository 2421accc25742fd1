"""The local server of a project: beside its site, one address that takes an image and answers where it falls.

``POST /try-image?layer=…&atlas=…&level=…`` with an image file as body is answered with the JSON of
:meth:`pipeline.locate.locator.Locator.locate`, or with ``{"error": "<one line>"}`` and a status of 400 or more. Only
the page that this server has sent may ask: the request has to name this machine as its host and this server as its
origin, and to have a content type that a foreign page may not send without asking first, which is never allowed. The
image is held in memory, and nothing is written.

The page is told in its own head that there is such an address, and its content policy then allows it to ask this
server; the files of the site do neither.
"""

import gzip
import json
import re
import sys
import threading
import traceback
from contextlib import suppress
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

from pipeline.browse import SiteHandler
from pipeline.config.params import load_params
from pipeline.core.artifacts import MODEL
from pipeline.core.errors import AtlasError, BusyError, ConfigError, ImageError, escape_control_chars
from pipeline.core.progress import log_line
from pipeline.core.secrets import redact
from pipeline.model.description import read_description

if TYPE_CHECKING:
    from pipeline.locate.locator import Locator

ADDRESS = "/try-image"
PAGES = {"/", "/index.html"}
LIMIT = 20 * 2**20  # bytes of an image file
DRAINED = 4 * LIMIT  # bytes of a refused one that are still read: a browser reports no answer before it has sent all
PIECE = 2**16
IMAGE_TYPE = re.compile(r"(image/[a-z0-9.+-]+|application/octet-stream)(\s*;.*)?", re.IGNORECASE)
LEVEL = re.compile(r"[0-9]{1,6}")
HEAD = b"<head>"
MARK = b'<head>\n<meta name="atlas-try-image" content="%d">' % LIMIT  # its name is the address, its content the limit
POLICY, POLICY_WITH_SERVER = b"default-src 'none';", b"default-src 'none'; connect-src 'self';"


class _RefusedError(Exception):
    """A request that is not answered: the status, and the line that says why."""

    def __init__(self, status: HTTPStatus, reason: AtlasError) -> None:
        super().__init__(str(reason))
        self.status = status


class LazyLocator:
    """The locator of a run, made with the first image: torch takes seconds to import."""

    def __init__(self, params: Path, outputs: Path) -> None:
        """Of the run with this configuration and this folder of artifacts."""
        self._params, self._outputs = params, outputs
        self._guard = threading.Lock()
        self._made: Locator | None = None

    def locate(self, content: bytes, layer: str, atlas: str, level: int) -> dict[str, Any]:
        """See :meth:`pipeline.locate.locator.Locator.locate`."""
        from pipeline.locate.locator import Locator, View  # noqa: PLC0415  # loads torch

        with self._guard:
            self._made = self._made or Locator(self._params, self._outputs)
        return self._made.locate(content, View(layer, atlas, level))


def project_handler(params: Path, outputs: Path) -> type[SiteHandler]:
    """The handler for the site of a project: with the address for images where the run can place them.

    Args:
        params: the run's ``params.yaml``.
        outputs: folder of its artifacts.
    """
    try:
        load_params(params)
        read_description(MODEL.path(outputs))
    except AtlasError as error:
        log_line(f"browse: images cannot be tried: {redact(str(error))}")
        return SiteHandler
    return type("ProjectHandler", (ImageHandler,), {"locator": LazyLocator(params, outputs)})


class ImageHandler(SiteHandler):
    """Serves the site, and places images on the atlas."""

    locator: LazyLocator  # one for all requests

    def do_POST(self) -> None:  # noqa: N802  # the base class names it so
        """Answer an image with where it falls, or with the reason why not."""
        unread = self._length()
        try:
            self._check_sender()
            layer, atlas, level = self._view()
            content = self._content()
            unread = 0
            self._answer(HTTPStatus.OK, self.locator.locate(content, layer, atlas, level))
        except _RefusedError as error:
            self._drain(unread)
            self._refuse(error.status, str(error))
        except ImageError as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, f"image: {error}")
        except ConfigError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except BusyError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except AtlasError as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except (ConnectionError, TimeoutError):
            raise  # the page is gone
        except Exception as error:  # noqa: BLE001  # a network may raise anything; the page has to be told
            sys.stderr.write(redact("".join(traceback.format_exception(error))))
            reason = " ".join(str(error).split()) or type(error).__name__
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"the network could not be run: {reason}")

    def send_head(self) -> BytesIO | BinaryIO | None:
        """The files of the site; the page is told of this server, and the address for images has no file."""
        path = urlsplit(self.path).path
        if not self.is_asked_by_name() or path not in {*PAGES, ADDRESS}:
            return super().send_head()
        if path == ADDRESS:
            line = f"{ADDRESS}: expected POST with an image, found {self.command}"
            return self._begin(HTTPStatus.METHOD_NOT_ALLOWED, {"error": line}, {"Allow": "POST"})
        try:
            content = (Path(self.directory) / "index.html").read_bytes()
        except OSError:
            return super().send_head()
        content = content.replace(HEAD, MARK, 1).replace(POLICY, POLICY_WITH_SERVER, 1)
        return self._head(HTTPStatus.OK, content, {"Content-Type": "text/html; charset=utf-8"})

    def _length(self) -> int:
        """Bytes of the body; -1 where the request does not say."""
        length = self.headers.get("Content-Length") or ""
        return int(length) if re.fullmatch(r"[0-9]{1,18}", length) else -1

    def _check_sender(self) -> None:
        """Raise _RefusedError unless the page that this server sent has asked at the address for images."""
        if not self.is_asked_by_name():
            raise _RefusedError(
                HTTPStatus.FORBIDDEN, ConfigError("expected the host 127.0.0.1 or localhost, found another")
            )
        if urlsplit(self.path).path != ADDRESS:
            raise _RefusedError(HTTPStatus.NOT_FOUND, ConfigError(f"expected {ADDRESS}, found another address"))
        own = f"http://{self.headers['Host']}".lower()
        if (
            self.headers.get_all("Origin") != [own]
            or self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        ):
            raise _RefusedError(
                HTTPStatus.FORBIDDEN, ConfigError("expected a request of the page of this server, found another one")
            )
        if not IMAGE_TYPE.fullmatch(self.headers.get("Content-Type", "")):
            raise _RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                ImageError("image: expected an image file, found another type"),
            )

    def _view(self) -> tuple[str, str, int]:
        """Layer, atlas and level of the request."""
        query = urlsplit(self.path).query
        try:
            given = parse_qs(query, max_num_fields=8)
        except ValueError:
            given = {}
        layer, atlas, level = (given.get(name, [""])[-1] for name in ("layer", "atlas", "level"))
        if not (layer and atlas and LEVEL.fullmatch(level)):
            raise _RefusedError(
                HTTPStatus.BAD_REQUEST, ConfigError(f"{ADDRESS}: expected layer, atlas and level, found {query[:80]}")
            )
        return layer, atlas, int(level)

    def _content(self) -> bytes:
        """The image file."""
        length = self._length()
        if length < 0 or "Transfer-Encoding" in self.headers:
            raise _RefusedError(
                HTTPStatus.LENGTH_REQUIRED, ImageError("image: expected the number of its bytes, found none")
            )
        if length > LIMIT:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                ImageError(
                    f"image: expected a file of at most {LIMIT / 2**20:.0f} MB, found {length / 2**20:.0f} MB; "
                    "make it smaller"
                ),
            )
        content = self.rfile.read(length)
        if len(content) < length:
            raise _RefusedError(
                HTTPStatus.BAD_REQUEST,
                ImageError(f"image: expected {length} bytes, found {len(content)}; send it again"),
            )
        return content

    def _drain(self, length: int) -> None:
        """Read a refused body, up to a limit, as long as it comes."""
        left = min(length, DRAINED)
        with suppress(TimeoutError):
            while left > 0 and (piece := self.rfile.read1(min(left, PIECE))):
                left -= len(piece)

    def _refuse(self, status: HTTPStatus, line: str) -> None:
        self._answer(status, {"error": escape_control_chars(redact(" ".join(line.split())))})

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        self.wfile.write(self._begin(status, content, {}).getvalue())

    def _begin(self, status: HTTPStatus, content: dict[str, Any], headers: dict[str, str]) -> BytesIO:
        text = json.dumps(content, allow_nan=False).encode("ascii")
        return self._head(status, text, {"Content-Type": "application/json", **headers})

    def _head(self, status: HTTPStatus, content: bytes, headers: dict[str, str]) -> BytesIO:
        """Send the headers of an answer; returns its body."""
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 6, mtime=0)
            headers = {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        return BytesIO(content)
