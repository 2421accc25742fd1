"""What the server of a project answers to images, and to those who should not send any."""

import http.client
import json
import subprocess
import sys
import threading
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.browse import SiteHandler, site_server
from pipeline.locate import endpoint
from pipeline.locate.endpoint import project_handler
from tests.tiny_run import LAYER
from tests.tried_run import KINDS, SIDE, encoded, own_cells, picture

ASKED = f"/try-image?layer={LAYER}&atlas=all&level=4"
PNG = {"Content-Type": "image/png"}


def post(
    port: int, body: bytes, path: str = ASKED, host: str = "", **headers: str | None
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, JSON and headers of an answer; None leaves out a header that the page sends."""
    host = host or f"127.0.0.1:{port}"
    sent = {"Host": host, "Origin": f"http://{host}", **PNG, "Content-Length": str(len(body))}
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
    for name, value in {**sent, **changed}.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content or b"{}"), dict(answer.headers)


def share_in(found: dict[str, Any], cells: set[tuple[int, int]]) -> float:
    """Share of the positions that fall in one of these cells."""
    return float(np.mean([tuple(cell) in cells for cell in found["cell"]]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_of_the_set_falls_where_its_own_samples_lie(project: int, tried: Path, kind: str) -> None:
    """Nearly all positions fall in cells of its own kind's samples, and few in those of any other kind alone."""
    content = (tried / "photographs" / kind / "1.png").read_bytes()
    status, found, headers = post(project, content)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (found["map"], found["inset"], len(found["cell"]), len(found["similarity"])) == ([16, 16], [1, 1], 196, 196)
    own = own_cells(tried, LAYER, kind, 4)
    assert share_in(found, own) > 0.9
    for other in KINDS:
        assert share_in(found, own_cells(tried, LAYER, other, 4) - own) < 0.1
    assert [entry["probability"] for entry in found["classes"]] == sorted(
        (entry["probability"] for entry in found["classes"]), reverse=True
    )
    assert len(found["classes"]) == 5
    assert found["picture"].startswith("data:image/webp;base64,")


def test_a_shuffled_image_resembles_less(project: int) -> None:
    """The same pixels in another order are another picture, which no cell is as similar to."""
    pixels = np.asarray(picture("bars", 500))
    shuffled = np.random.default_rng(0).permutation(pixels.reshape(-1, 3)).reshape(SIDE, SIDE, 3)
    own, other = (post(project, encoded(Image.fromarray(found)))[1] for found in (pixels, shuffled))
    assert np.median(own["similarity"]) > np.median(other["similarity"]) + 0.2


def test_halves_of_two_kinds_fall_in_the_cells_of_both(project: int, tried: Path) -> None:
    """Positions are in reading order: the left half of a picture falls in one kind's cells, the right in another's."""
    pixels = np.concatenate([np.asarray(picture(kind, 5))[:, : SIDE // 2] for kind in ("blue", "green")], axis=1)
    found = np.array(post(project, encoded(Image.fromarray(pixels)))[1]["cell"]).reshape(14, 14, 2)
    for columns, kind in ((slice(1, 4), "blue"), (slice(10, 13), "green")):
        cells = own_cells(tried, LAYER, kind, 4)
        assert np.mean([tuple(cell) in cells for cell in found[:, columns].reshape(-1, 2)]) > 0.8


FOREIGN: dict[str, tuple[int, dict[str, str | None]]] = {
    "another page": (403, {"Origin": "http://evil.example"}),
    "another port": (403, {"Origin": "http://127.0.0.1:1"}),
    "another scheme": (403, {"Origin": "https://127.0.0.1"}),
    "a sandboxed page": (403, {"Origin": "null"}),
    "no page": (403, {"Origin": None}),
    "a page of another site": (403, {"Sec_Fetch_Site": "cross-site"}),
    "a page of another port": (403, {"Sec_Fetch_Site": "same-site"}),
    "a form": (415, {"Content_Type": "multipart/form-data; boundary=x"}),
    "plain text": (415, {"Content_Type": "text/plain"}),
    "an encoded form": (415, {"Content_Type": "application/x-www-form-urlencoded"}),
    "no type": (415, {"Content_Type": None}),
    "no length": (411, {"Content_Length": None}),
    "a negative length": (411, {"Content_Length": "-1"}),
    "a word for a length": (411, {"Content_Length": "many"}),
    "chunks": (411, {"Transfer_Encoding": "chunked"}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_only_the_page_of_this_server_is_answered(project: int, name: str) -> None:
    """Pages elsewhere, forms, and requests that say too little get one line, and no header lets them read it."""
    status, headers = FOREIGN[name]
    found = post(project, b"" if "Content_Length" in headers else encoded(picture("red", 1)), ASKED, "", **headers)
    assert found[0] == status
    assert list(found[1]) == ["error"]
    assert "\n" not in found[1]["error"]
    assert not [name for name in found[2] if name.lower().startswith("access-control")]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1]"])
@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
def test_a_rebound_name_is_refused(project: int, host: str, method: str) -> None:
    """A foreign name that was made to lead here is answered 403, though its origin is its own."""
    connection = http.client.HTTPConnection("127.0.0.1", project, timeout=5)
    body = encoded(picture("red", 1)) if method == "POST" else None
    connection.request(method, ASKED, body, {"Host": host, "Origin": f"http://{host}", **PNG})
    answer = connection.getresponse()
    assert answer.status == 403
    assert b"picture" not in answer.read()
    connection.close()


def test_localhost_is_this_machine(project: int) -> None:
    """The page may have been opened as localhost."""
    assert post(project, encoded(picture("red", 1)), host=f"localhost:{project}")[0] == 200
    mixed = post(project, encoded(picture("red", 1)), Origin=f"http://localhost:{project}")
    assert mixed[0] == 403


@pytest.mark.parametrize("path", ["/", "/index.html", "/try-image/", "/data/../try-image", "/%74ry-image"])
def test_there_is_one_address(project: int, path: str) -> None:
    """Other addresses take no image, whatever they resolve to."""
    status, found, _ = post(project, encoded(picture("red", 1)), path)
    assert (status, list(found)) == (404, ["error"])


QUERIES = {
    "": 400,
    "?layer=mixed3b&atlas=all": 400,
    "?layer=mixed3b&atlas=all&level=x": 400,
    "?layer=mixed3b&atlas=all&level=-4": 400,
    "?layer=mixed3b&atlas=all&level=4444444": 400,
    "?layer=stem1&atlas=all&level=4": 400,
    "?layer=..%2Fmixed3b&atlas=all&level=4": 400,
    "?layer=mixed3b&atlas=..%2Fall&level=4": 400,
    "?layer=mixed3b&atlas=%00&level=4": 400,
    f"?{'&'.join(f'x{number}=1' for number in range(99))}": 400,
    "?layer=mixed3b&atlas=all&level=999": 500,
}


@pytest.mark.parametrize("query", QUERIES)
def test_layers_that_the_run_lacks_are_refused(project: int, query: str) -> None:
    """What the query names has to be in the run; nothing is looked for by a name that is not."""
    status, found, _ = post(project, encoded(picture("red", 1)), f"/try-image{query}")
    assert (status, list(found)) == (QUERIES[query], ["error"])
    assert "\x00" not in found["error"]


def bomb() -> bytes:
    """A PNG of a few kilobytes that claims, and would unpack to, more pixels than any memory holds."""
    small = BytesIO()
    Image.new("L", (1, 1)).save(small, "PNG")
    content = bytearray(small.getvalue())
    content[16:24] = (200_000).to_bytes(4) * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
    return bytes(content)


BROKEN = {
    "nothing": b"",
    "text": b"this is no image at all",
    "a page": b"<!doctype html><script>alert(1)</script>",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "half an image": encoded(picture("red", 1))[:400],
    "a bomb": bomb(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_image_is_refused(project: int, name: str) -> None:
    """Text, programs, broken files and files that would unpack to gigabytes get one line that says what is wrong."""
    status, found, _ = post(project, BROKEN[name])
    assert (status, list(found)) == (422, ["error"])
    assert found["error"].startswith("image: ")
    assert "<" not in found["error"]


def test_a_file_that_is_too_large_is_refused(project: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger body is not read into memory; the answer comes after it has been sent, or after waiting for it."""
    status, found, _ = post(project, bytes(21 * 2**20))
    assert (status, found["error"]) == (
        413,
        "image: expected a file of at most 20 MB, found 21 MB; make it smaller",
    )
    monkeypatch.setattr(SiteHandler, "timeout", 0.2)
    assert post(project, b"x", Content_Length=str(10**17))[0] == 413


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_address_has_no_file(project: int, method: str) -> None:
    """Reading it is answered 405 with the method that it takes."""
    connection = http.client.HTTPConnection("127.0.0.1", project, timeout=5)
    connection.request(method, ASKED)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert json.loads(answer.read() or '{"error": ""}').keys() == {"error"}
    connection.close()


def test_two_images_at_a_time_get_their_own_answers(project: int) -> None:
    """Requests of several threads do not disturb each other, the first ones included, which load the network."""
    alone = {kind: post(project, encoded(picture(kind, 1)))[1] for kind in KINDS}
    found: dict[str, Any] = {}
    threads = [
        threading.Thread(target=lambda kind=kind: found.update({kind: post(project, encoded(picture(kind, 1)))[1]}))
        for kind in KINDS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def test_an_unexpected_failure_is_told_and_the_server_goes_on(
    project: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The page gets one line, the terminal the traceback."""
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.locate.locator.network_crop", lambda *_: 1 // 0)
        status, found, _ = post(project, encoded(picture("red", 1)))
    assert (status, found) == (
        500,
        {"error": "the network could not be run: integer division or modulo by zero"},
    )
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert post(project, encoded(picture("red", 1)))[0] == 200


def test_nothing_is_written(project: int, tried: Path) -> None:
    """An image leaves no file behind in the project."""
    before = {path: path.stat().st_mtime_ns for path in tried.rglob("*")}
    assert post(project, encoded(picture("red", 1)))[0] == 200
    assert {path: path.stat().st_mtime_ns for path in tried.rglob("*")} == before


def test_the_page_is_told_of_the_server(project: int, tried: Path) -> None:
    """The page is sent with the limit in its head and a policy that lets it ask; its file has neither."""
    stored = (tried / "outputs/site/index.html").read_bytes()
    assert b"atlas-try-image" not in stored
    assert b"connect-src" not in stored
    for path in ("/", "/index.html", "/index.html?x=1"):
        connection = http.client.HTTPConnection("127.0.0.1", project, timeout=5)
        connection.request("GET", path, headers={"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"})
        answer = connection.getresponse()
        sent = answer.read()
        assert answer.status == 200
        assert b'<meta name="atlas-try-image" content="20971520">' in sent
        assert b"default-src 'none'; connect-src 'self';" in sent
        assert sent.replace(endpoint.MARK, endpoint.HEAD).replace(b" connect-src 'self';", b"") == stored
        connection.close()


def test_without_a_run_the_site_is_served_alone(tried: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where the configuration or the network is missing there is no address for images, and the terminal says why."""
    assert project_handler(tmp_path / "params.yaml", tried / "outputs") is SiteHandler
    assert "images cannot be tried" in capfd.readouterr().err
    handler = project_handler(tried / "params.yaml", tmp_path)
    assert handler is SiteHandler
    with site_server(tried / "outputs/site", 0, handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
        connection.request("POST", ASKED, b"x", PNG)
        assert connection.getresponse().status == 501
        connection.close()
        server.shutdown()
        thread.join()


def test_the_server_starts_without_torch(tried: Path) -> None:
    """Torch is imported with the first image, not when the server starts."""
    code = (
        "import sys; from pathlib import Path; from pipeline.locate.endpoint import project_handler\n"
        "project_handler(Path('params.yaml'), Path('outputs')); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tried, check=True, env={"PYTHONPATH": str(Path.cwd())})
