import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipeline import notebook
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.site_data import data_script
from pipeline.notebook import show, stop

TITLE = '</iframe><script>alert("title")</script> & more'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """The least that is a site, with a title full of markup; no server outlives it."""
    folder = tmp_path / "site"
    (folder / "data").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>the page</title><h1>the page</h1>")
    (folder / "data/manifest.js").write_text(data_script("manifest", {"title": TITLE}))
    yield folder
    stop()


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_frame_holds_the_page_and_the_server_answers(site: Path) -> None:
    """The HTML is one frame of the requested height with the link's view, and its address serves the page."""
    tags = dict(_Tags(show(site, height=432, at="#layer=a.b&level=20")._repr_html_()).tags)
    frame = tags["iframe"]
    assert frame["height"] == "432"
    address, _, link = (frame["src"] or "").partition("#")
    assert link == "layer=a.b&level=20"
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  # a server of this test
        assert "the page" in answer.read().decode()


def test_markup_in_title_and_link_is_text(site: Path) -> None:
    """A title or a link full of markup adds no tag, and both come out as they went in."""
    link = '"><img src=x onerror=alert(1)>'
    found = _Tags(show(site, at=link)._repr_html_())
    assert [tag for tag, _ in found.tags] == ["iframe", "p", "a"]
    assert found.tags[0][1]["title"] == TITLE
    assert TITLE in found.text
    assert (found.tags[0][1]["src"] or "").endswith(f"#{link}")
    assert "onerror" not in found.tags[0][1]


def test_each_site_has_one_server(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folder is served once, however it is named, another one by another server; stop ends them."""
    other = tmp_path / "other"
    other.symlink_to(site)
    monkeypatch.chdir(tmp_path)
    first = show(site).address
    assert {show("site").address, show("site/../other").address} == {first}
    (tmp_path / "second/data").mkdir(parents=True)
    for name in ("index.html", "data/manifest.js"):
        (tmp_path / "second" / name).write_bytes((site / name).read_bytes())
    assert show("second").address != first
    stop()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(first, timeout=5)  # noqa: S310  # a server of this test
    assert not notebook._servers


def test_what_cannot_be_shown_is_told(site: Path, tmp_path: Path) -> None:
    """A folder without a site, a page that does not exist and a height of nothing are errors that say so."""
    with pytest.raises(ArtifactError, match="expected the site"):
        show(tmp_path)
    with pytest.raises(ConfigError, match=r"index\.html.*found '\.\./secret'"):
        show(site, page="../secret")
    with pytest.raises(ConfigError, match="height"):
        show(site, height=0)


def test_the_server_ends_with_python(site: Path) -> None:
    """A program that showed a site ends by itself, at once and without a warning, and its server is stopped."""
    code = f"""
        from pipeline.notebook import show
        print(show({str(site)!r}).address)
    """
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert ended.stderr == ""
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(ended.stdout.strip(), timeout=5)  # noqa: S310  # a server of this test


@pytest.mark.browser
def test_a_notebook_draws_the_page(chromium: Browser, site: Path, tmp_path: Path) -> None:
    """A document that holds the HTML shows the page in its frame."""
    (tmp_path / "notebook.html").write_text(f"<!doctype html>{show(site)._repr_html_()}")
    page = chromium.new_page()
    page.goto((tmp_path / "notebook.html").as_uri())
    page.frame_locator("iframe").get_by_role("heading", name="the page").wait_for(timeout=10_000)
    page.close()
