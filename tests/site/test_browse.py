import gzip
import http.client
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.browse import SiteHandler, browse, site_server
from pipeline.core.errors import ArtifactError, ConfigError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a secret file outside of it, and links that lead to the secret."""
    (tmp_path / "secret.txt").write_text("the secret text")
    folder = tmp_path / "site"
    (folder / "data").mkdir(parents=True)
    (folder / "index.html").write_text("the page")
    (folder / "data/manifest.js").write_text("1")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    return folder


@pytest.fixture
def port(site: Path) -> Iterator[int]:
    """The port of a server of that site."""
    with site_server(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def get(port: int, path: str, host: str | None = None) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of a request whose path is sent exactly as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, dict(answer.headers)


def test_the_page_and_its_files_are_served(port: int) -> None:
    """The root serves the folder's page, and scripts have a script's type."""
    assert get(port, "/")[:2] == (200, "the page")
    status, _, headers = get(port, "/data/manifest.js")
    assert status == 200
    assert headers["Content-type"].startswith("text/javascript")


def test_text_travels_compressed_to_those_who_take_it(port: int, site: Path) -> None:
    """A script comes as gzip where that is accepted, whole and with its type; pictures do not; a known one is known."""
    (site / "data/long.js").write_text("let cells = [1, 2, 3];\n" * 1000)
    (site / "tile.webp").write_bytes(b"RIFF" * 1000)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)

    def asked(path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()

    answer, body = asked("/data/long.js", Accept_Encoding="gzip, br")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert gzip.decompress(body) == (site / "data/long.js").read_bytes()
    assert len(body) < 1000
    latest = answer.headers["Last-Modified"]
    assert asked("/data/long.js", Accept_Encoding="gzip", If_Modified_Since=latest)[0].status == 304
    os.utime(site / "data/long.js", (4e9, 4e9))  # a rerun changes the file
    answer, body = asked("/data/long.js", Accept_Encoding="gzip", If_Modified_Since=latest)
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert asked("/data/long.js", Accept_Encoding="gzip", If_Modified_Since="once")[0].status == 200
    assert asked("/index.html/", Accept_Encoding="gzip")[0].status == 404, "a file is no folder"
    answer, body = asked("/data/long.js")
    assert body == (site / "data/long.js").read_bytes()
    assert "Content-Encoding" not in asked("/tile.webp", Accept_Encoding="gzip")[0].headers
    assert asked("/up/secret.js", Accept_Encoding="gzip")[0].status == 404
    connection.close()


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/up/secret.txt", "/..%2fsecret.txt", "//secret.txt"]
)
def test_nothing_outside_the_folder_is_served(port: int, path: str) -> None:
    """Neither dots, nor their escapes, nor links lead out of the folder."""
    status, body, _ = get(port, path)
    assert status == 404
    assert "secret" not in body.replace("secret.txt", "")


def raw(port: int, request: bytes) -> bytes:
    """The whole response to bytes that are sent exactly as they are."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while found := connection.recv(65536):
            answer += found
    return answer


OUTSIDE = [
    b"/../secret.txt",
    b"/data/../../secret.txt",
    b"/./.././secret.txt",
    b"/..%2fsecret.txt",
    b"/..%2Fsecret.txt",
    b"/%2e%2e%2fsecret.txt",
    b"/data/%2e%2e/%2e%2e/secret.txt",
    b"/%252e%252e%252fsecret.txt",
    b"/..%5csecret.txt",
    b"/..\\secret.txt",
    b"/..%c0%afsecret.txt",
    b"/\xff/../../secret.txt",
    b"/link.txt",
    b"/up/secret.txt",
    b"/up/site/../secret.txt",
    b"/circle/secret.txt",
    b"/%00secret.txt",
    b"/link.txt%00.js",
    b"../secret.txt",
    b"http://127.0.0.1/../secret.txt",
    b"//127.0.0.1/../secret.txt",
    b"file://SECRET",
    b"SECRET",
    b"//SECRET",
    b"/%2fSECRET",
    b"/link.txt?x=/index.html",
    b"/link.txt#/index.html",
]


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("target", OUTSIDE)
def test_no_bytes_lead_out_of_the_folder(port: int, site: Path, target: bytes, method: bytes) -> None:
    """Whatever the request line contains, no file outside the folder is served and the server goes on."""
    (site / "circle").symlink_to(site / "circle")
    there = target.replace(b"SECRET", bytes(site.parent / "secret.txt"))
    answer = raw(port, method + b" " + there + b" HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ", 2)[1] == b"404"
    assert b"the secret text" not in answer
    assert get(port, "/")[0] == 200


HOSTS = [
    (b"Host: evil.example", 403),
    (b"Host: evil.example:8000", 403),
    (b"Host: 127.0.0.1.evil.example:8000", 403),
    (b"Host: evil.example\r\nX-Forwarded-Host: 127.0.0.1:8000", 403),
    (b"Host: 0.0.0.0:8000", 403),
    (b"Host: [::1]:8000", 403),
    (b"Host: ", 403),
    (b"X: y", 403),
    (b"Host: 127.0.0.1:8000", 200),
    (b"Host: LOCALHOST:8000", 200),
    (b"Host: localhost", 200),
    (b"Host: 127.0.0.1", 200),
    (b"Host: localhost:", 200),
    (b"Host: localhost.evil.example", 403),
    (b"Host: localhost:80:80", 403),
    (b"Host: :8000", 403),
]


@pytest.mark.parametrize(("header", "status"), HOSTS)
def test_a_rebound_name_gets_nothing(port: int, header: bytes, status: int) -> None:
    """Only the names of this machine are answered, so that no page elsewhere can read the site through its own."""
    answer = raw(port, b"GET /index.html HTTP/1.1\r\n" + header + b"\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ", 2)[1] == str(status).encode()
    assert (b"the page" in answer) is (status == 200)


def test_requests_of_other_kinds_are_refused(port: int) -> None:
    """There is nothing to write to, and a line that is no request ends in an error of the protocol."""
    assert raw(port, b"PUT /index.html HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\nx").split(b" ", 2)[1] == b"501"
    assert b"400" in raw(port, b"\x16\x03\x01 garbage here too\r\n\r\n")
    assert b"the page" not in raw(port, b"GET /index.html\r\n")  # HTTP/0.9 names no host


def test_folders_are_not_listed(port: int) -> None:
    """A folder without a page has no listing."""
    status, body, _ = get(port, "/data/")
    assert status == 404
    assert "manifest" not in body


def test_other_hosts_names_are_refused(port: int) -> None:
    """A page elsewhere that resolves its own name to this machine is refused; localhost is served."""
    assert get(port, "/", host=f"evil.example:{port}")[0] == 403
    assert get(port, "/", host=f"localhost:{port}")[0] == 200


def test_the_server_listens_on_this_machine_only(site: Path) -> None:
    """The address it is bound to is 127.0.0.1."""
    with site_server(site, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_taken_port_is_named(site: Path) -> None:
    """A port that is in use is an error when asked for, and passed over otherwise."""
    with site_server(site, None) as first:
        taken = first.server_address[1]
        with pytest.raises(ConfigError, match=f"{taken} in use"):
            site_server(site, taken)
        with site_server(site, None) as second:
            assert second.server_address[1] != taken


def test_a_folder_without_a_page_is_named(tmp_path: Path) -> None:
    """Without index.html the error says which stage writes it."""
    with pytest.raises(ArtifactError, match="run the stage site"):
        site_server(tmp_path, 0)


def test_ctrl_c_ends_it(site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends the server without a traceback, after it has said where it is."""

    def interrupt(_server: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("http.server.ThreadingHTTPServer.serve_forever", interrupt)
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    browse(site, 0, open_browser=True)
    said = capsys.readouterr().err
    assert opened[0] in said
    assert opened[0].startswith("http://127.0.0.1:")


TEN = b"0123456789"
RANGES = {
    "bytes=0-3": (206, b"0123", "bytes 0-3/10"),
    "bytes=7-": (206, b"789", "bytes 7-9/10"),
    "bytes=-2": (206, b"89", "bytes 8-9/10"),
    "bytes=-50": (206, TEN, "bytes 0-9/10"),
    "bytes=8-100": (206, b"89", "bytes 8-9/10"),
    "bytes=9-9": (206, b"9", "bytes 9-9/10"),
    "bytes=10-": (416, b"", "bytes */10"),
    "bytes=99-100": (416, b"", "bytes */10"),
    "bytes=-0": (416, b"", "bytes */10"),
    "bytes=3-1": (200, TEN, None),
    "bytes=-": (200, TEN, None),
    "bytes=0-1,4-5": (200, TEN, None),
    "lines=0-1": (200, TEN, None),
    "nothing": (200, TEN, None),
    f"bytes={'9' * 5000}-": (200, TEN, None),
}


@pytest.mark.parametrize("wanted", RANGES)
def test_a_part_of_a_file_can_be_requested(port: int, site: Path, wanted: str) -> None:
    """One range is answered with its bytes, one beyond the end with 416, and what is no single range with the file."""
    (site / "film.bin").write_bytes(TEN)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for method in ("GET", "HEAD"):
        connection.request(method, "/film.bin", headers={"Range": wanted})
        answer = connection.getresponse()
        status, content, described = RANGES[wanted]
        assert (answer.status, answer.headers["Content-Range"]) == (status, described)
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.read() == (content if method == "GET" else b"")
    connection.close()


def test_a_part_of_a_changed_or_foreign_file_is_not_sent(port: int, site: Path) -> None:
    """A range of an older version of a file gives the whole new one; links that lead outside give nothing."""
    (site / "film.bin").write_bytes(TEN)

    def asked(path: str, **headers: str) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        found = answer.status, answer.read(), answer.headers["Last-Modified"] or ""
        connection.close()
        return found

    latest = asked("/film.bin")[2]
    assert asked("/film.bin", Range="bytes=0-0", If_Range=latest)[:2] == (206, b"0")
    assert asked("/film.bin", Range="bytes=0-0", If_Range="Sun, 01 Jan 2023 00:00:00 GMT")[:2] == (200, TEN)
    assert asked("/film.bin", Range="bytes=0-0", If_Modified_Since=latest)[0] == 304
    assert asked("/link.txt", Range="bytes=0-3")[0] == 404
    assert asked("/film.bin/", Range="bytes=0-3")[0] == 404
    assert asked("/data/", Range="bytes=0-3")[0] == 404


@pytest.mark.parametrize("sent", [b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /lar", b""])
def test_a_client_that_goes_away_leaves_no_trace(
    port: int, site: Path, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """A connection that is reset, in the middle of a file or of a request, prints nothing, and the server goes on."""
    (site / "large.bin").write_bytes(bytes(2**24))
    for _ in range(3):
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset when closed
        connection.close()
    for _ in range(50):
        if all(thread.name.find("process_request_thread") < 0 for thread in threading.enumerate()):
            break
        time.sleep(0.02)
    assert get(port, "/")[:2] == (200, "the page")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("error", "said"), [(RuntimeError("broken"), "127.0.0.1"), (BrokenPipeError(), "")])
def test_other_errors_are_printed(
    site: Path, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is not the client's doing is not hidden; what is, is."""
    monkeypatch.setattr(sys, "exception", lambda: error)
    with site_server(site, 0) as server:
        server.handle_error(None, ("127.0.0.1", 1))  # type: ignore[arg-type]  # no request is needed
    printed = capfd.readouterr().err
    assert (said in printed) if said else printed == ""


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: local", b"stuck"])
def test_an_idle_connection_is_closed(
    port: int, site: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One that sends no whole request, or takes no bytes of the answer, ends after a while; nothing is printed."""
    monkeypatch.setattr(SiteHandler, "timeout", 0.2)
    (site / "large.bin").write_bytes(bytes(2**25))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" if sent == b"stuck" else sent)
        time.sleep(0.8 if sent == b"stuck" else 0)
        taken = 0
        while found := connection.recv(2**20):
            taken += len(found)
        assert taken < 2**25
    assert get(port, "/")[0] == 200
    assert capfd.readouterr().err == ""
