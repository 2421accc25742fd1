"""Unusual file names and class names go through the whole pipeline, and come out as harmless text."""

import csv
import json
import os
import sys
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from pipeline.__main__ import main
from pipeline.browse import site_server
from pipeline.core import artifacts as a
from pipeline.core.errors import escape_control_chars
from pipeline.core.progress import log_line
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import read_manifest
from tests.tiny_run import LAYER, checkout, photograph, run

TITLE = "</title><script>document.title='broken'; alert(1)</script><h1>x"
FOLDERS = (
    b"<script>alert(2)",
    b"bytes \xff",
    b"quo'te\" & 'more'",
    b"two\nlines \x1b[31m",
    "\u202egnp.live =1+1".encode(),
)
FILES = (
    b"plain.png",
    b"with space.png",
    b"new\nline.png",
    b"quo'te\".png",
    b"<img src=x onerror=alert(2)>.png",
    b"\x1b[2J\x07.png",
    b"not \xff\xfe utf-8.png",
    "ünï 日本 👩\u200d🚀.png".encode(),
    b"-rf --help.png",
    b"$(touch owned);`id`.png",
    b"%2e%2e%2f.png",
    "\u202egnp.exe".encode(),
)
CUT, BOMB = "bytes \udcff/cut \udcff\nshort.png", "bytes \udcff/bomb.png"
EMPTY = "two\nlines \x1b[31m/empty.png"
MOST_PIXELS = 5000
CLASSES = [escape_control_chars(name) for name in sorted(map(os.fsdecode, FOLDERS))]
ATLASES = ("all", "class-0", "compare-0-1")


def keys() -> list[str]:
    """The good images: every file name in several folders."""
    folders, files = (list(map(os.fsdecode, names)) for names in (FOLDERS, FILES))
    return sorted({f"{folders[(n + n // len(files)) % len(folders)]}/{files[n % len(files)]}" for n in range(48)})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with such names in which the pipeline has run; ``log`` holds its messages."""
    folder = checkout(tmp_path_factory.mktemp("made"))
    for number, key in enumerate(keys()):
        photograph(folder / "photographs" / key, number)
    photograph(folder / "photographs" / CUT, 1)
    (folder / "photographs" / CUT).write_bytes((folder / "photographs" / CUT).read_bytes()[:900])
    (folder / "photographs" / EMPTY).touch()
    Image.new("L", (MOST_PIXELS, 2)).save(folder / "photographs" / BOMB)
    few = ("selection.min_samples=3", "grid.class_levels=[2]", "patch.candidates=4", "patch.keep=2", "patch.pool=2")
    tiny = (*few, "patch.search_images=2", "patch.min_images=2", f"prepare.max_pixels={MOST_PIXELS}")
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("w", encoding="utf-8") as log:
        patch.chdir(folder)
        patch.setattr(sys, "stderr", log)
        trained = ("model.weights=train", "model.training.epochs=2", "model.training.robust=0")
        names = {"site.title": TITLE, "atlases": list(ATLASES), "compared": [ATLASES[2]]}
        run(folder, *tiny, *trained, changed=names)
    return folder


def invisible(text: str) -> list[str]:
    """Characters that would control a terminal or change the reading direction."""
    return [
        letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter not in "\n\u200d"
    ]


def test_every_line_of_the_log_is_a_line(made: Path) -> None:
    """Messages of stages have no control characters, and a rejected file's name with a line break stays in its line."""
    log = (made / "log").read_text(encoding="utf-8")
    assert invisible(log) == []
    (line,) = [line for line in log.splitlines() if "rejected bytes" in line and "cut" in line]
    assert "bytes \\xff/cut \\xff\\nshort.png: the file is cut short" in line


def test_images_are_listed_under_their_names(made: Path) -> None:
    """Every name, bytes that are no UTF-8 included, is in the manifest as it is on disk, and can be opened by it."""
    manifest = read_manifest(made / "outputs/images.parquet")
    assert sorted(manifest.key) == keys()
    images = ImageFolder(str(made / "photographs"))
    for key, digest in zip(manifest.key, manifest.digest, strict=True):
        assert images.digest(key) == digest


def test_cut_and_huge_images_are_rejected_with_their_reason(made: Path) -> None:
    """One image in twenty is cut short, empty or too large; rejected.parquet gives the reason, the run continued."""
    table = pq.read_table(made / "outputs/rejected.parquet").to_pydict()
    found = {os.fsdecode(key): reason for key, reason in zip(table["key"], table["reason"], strict=True)}
    assert set(found) == {CUT, BOMB, EMPTY}
    assert len(found) >= 0.05 * (len(found) + len(keys()))
    assert "empty" in found[EMPTY]
    assert "cut short" in found[CUT]
    assert "at most 5,000 pixels, found 5000 x 2 = 10,000" in found[BOMB]


def test_everything_written_can_be_read(made: Path) -> None:
    """Every JSON file is UTF-8 without lone surrogates, every table has its columns, and nothing was left half done."""
    outputs = made / "outputs"
    texts = [path.read_text(encoding="utf-8") for path in outputs.rglob("*.json")]
    assert len(texts) > 20
    for text in texts:
        assert "\\ud8" not in text.lower()
        json.loads(text)
    for path in outputs.rglob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        assert all(len(row) == len(head) for row in rows)
    network = json.loads((outputs / "model/model.json").read_text(encoding="utf-8"))
    assert network["classes"] == CLASSES
    assert not list(outputs.rglob("*.partial"))
    assert not list(made.rglob("owned"))


def place(made: Path) -> tuple[int, int]:
    """A drawn cell of the finest level."""
    cells = level(open_artifact(a.GRID, a.GRID.path(made / "outputs", LAYER, "all")), 4)
    row, column = np.asarray(array(cells, "cell")[...])[np.asarray(array(cells, "count")[...]).argmax()]
    return int(row), int(column)


def test_provenance_prints_names_as_text(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The provenance of a cell has one line for each image; as JSON it holds no lone surrogates."""
    monkeypatch.chdir(made)
    row, column = place(made)
    command = ["provenance", f"layer={LAYER}", "level=4", f"cell={row},{column}"]
    assert main(command) == 0
    assert invisible(capsys.readouterr().out) == []
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    json.dumps(found, ensure_ascii=False).encode("utf-8")
    known = {escape_control_chars(key) for key in keys()}
    assert {image["key"] for image in found["images"]} <= known
    assert {image["file"] for image in found["exemplars"]} == {"unchanged"}


@pytest.fixture(params=["http", "file"])
def address(request: pytest.FixtureRequest, made: Path) -> Iterator[str]:
    """Where the site is: on the local server, and opened from disk."""
    site = made / "outputs/site"
    if request.param == "file":
        yield f"{site.as_uri()}/"
        return
    with site_server(site, 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page on which nothing may go wrong and no script of a name may run."""
    troubles: list[str] = []

    def refuse(dialog: Any) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    made = chromium.new_page()
    made.on("dialog", refuse)
    made.on("pageerror", lambda error: troubles.append(str(error)))
    made.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    yield made
    made.close()
    assert troubles == []


def assert_no_markup(page: Page) -> None:
    """The page consists of its own elements alone."""
    assert page.title().split(" · ", 1)[-1] == TITLE  # after the name of a page other than the atlas
    assert page.locator("script:not([src])").count() == 0
    assert page.locator("img[src=x], b, h1 ~ h1").count() == 0


@pytest.mark.browser
def test_the_page_shows_names_as_text(made: Path, page: Page, address: str) -> None:
    """Class names and file names are read on the page letter by letter, and nothing in them is an element or runs."""
    row, column = place(made)
    page.goto(f"{address}index.html#layer={LAYER}&level=4&pin=4.{row}.{column}")
    expect(page.locator(".panel .uses-image, .panel li").first).to_be_visible()
    assert_no_markup(page)
    assert page.locator("h1").inner_text() == TITLE
    page.get_by_placeholder("Search").fill("<script")
    expect(page.get_by_role("option").first).to_have_text(CLASSES[0])
    known = {escape_control_chars(key) for key in keys()}
    expect(page.locator(".panel .key").first).not_to_be_empty()  # names come in a file of their own
    shown = {text for text in page.locator(".panel .key").all_inner_texts() if text}
    assert shown
    assert shown <= known
    page.goto(f"{address}index.html#layer={LAYER}&atlas=class-0")
    page.reload()
    expect(page.locator(".caption .atlas-description")).to_have_text(f"Samples of {CLASSES[0]}")
    assert_no_markup(page)


@pytest.mark.browser
@pytest.mark.parametrize("file", ["evidence.html", f"patch.html#{LAYER}/compare-0-1"])
def test_the_other_pages_show_names_as_text(page: Page, address: str, file: str) -> None:
    """The evidence and the patch test name classes as text too."""
    page.goto(f"{address}{file}")
    expect(page.locator("body")).to_contain_text(CLASSES[0])
    assert_no_markup(page)


def test_text_that_can_be_seen_stays_as_it_is() -> None:
    """Letters of every script, signs, blanks and joined emoji are printed as they are; all else becomes an escape."""
    for plain in ("a b/c.png", "ünï 日本", "👩\u200d🚀", "नमस्ते", "\u3000 \u00a0", "a\\b"):
        assert escape_control_chars(plain) == plain
    assert escape_control_chars("a\nb\t\x1b[0m\x00\u2028\u202e\ufeff\udcff\ud800\x9b") == (
        "a\\nb\\t\\x1b[0m\\x00\\u2028\\u202e\\ufeff\\xff\\ud800\\x9b"
    )


def test_a_message_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A message with a name that has a line break and terminal commands is one harmless line."""
    log_line("prepare: a\nb\x1b[2J")
    assert capsys.readouterr().err == "prepare: a\\nb\\x1b[2J\n"
