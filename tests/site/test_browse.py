import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.browse import browse, site_server
from pipeline.core.errors import ArtifactError, ConfigError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a secret beside it, and links that lead to the secret."""
    (tmp_path / "secret.txt").write_text("secret")
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
        thread = threading.Thread(target=server.serve_forever, daemon=True)
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
    """The folder's page answers at its root, and scripts have a script's type."""
    assert get(port, "/")[:2] == (200, "the page")
    status, _, headers = get(port, "/data/manifest.js")
    assert status == 200
    assert headers["Content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/up/secret.txt", "/..%2fsecret.txt", "//secret.txt"]
)
def test_nothing_outside_the_folder_is_served(port: int, path: str) -> None:
    """Neither dots, nor their codes, nor links lead out of the folder."""
    status, body, _ = get(port, path)
    assert status == 404
    assert "secret" not in body.replace("secret.txt", "")


def test_folders_are_not_listed(port: int) -> None:
    """A folder without a page tells nothing of what is in it."""
    status, body, _ = get(port, "/data/")
    assert status == 404
    assert "manifest" not in body


def test_other_hosts_names_are_refused(port: int) -> None:
    """A page elsewhere that points its own name at this machine gets no answer; localhost does."""
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
