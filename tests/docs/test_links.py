"""The documentation's links, pages and names of functions, checked without Sphinx."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from docs.generate.annotated_picture import PLACES
from tests.docs.markdown import PAGES, ROOT, anchors, blocks, broken

DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each link to a file or an anchor of this repository finds it."""
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    """A missing file, a missing anchor and a missing picture are named; good links, code and other hosts are not."""
    (tmp_path / "other.md").write_text('# Here\n\n<a id="set"></a>\n')
    page = tmp_path / "page.md"
    page.write_text(
        "## CLIP's `image` tower\n[a](other.md#here) [b](other.md#set) [c](#clips-image-tower) [d](https://x.org/y)\n"
        '`[e](not.md)` [f](none.md) [g](other.md#none) <img src="none.webp">\n```sh\n[h](none.md)\n```\n'
    )
    assert broken(page) == ["none.md", "other.md#none", "none.webp"]


def test_no_anchor_is_there_twice() -> None:
    """Every anchor of a page names one place: a second heading of the same words would have another name."""
    for page in PAGES:
        if page.name not in ("benchmarks.md", "render-study.md"):  # written by the benchmarks, and not linked into
            found = anchors(page)
            assert len(set(found)) == len(found), page


def test_every_page_is_in_the_table_of_contents() -> None:
    """The index lists each page of the folder once."""
    listed = [
        name
        for block in blocks(DOCS / "index.md")
        if block.language == "{toctree}"
        for name in block.text.splitlines()
        if name and not name.startswith(":")
    ]
    assert sorted([*listed, "index"]) == sorted(path.stem for path in DOCS.glob("*.md"))


def test_every_picture_is_used() -> None:
    """No picture lies in the folder that no page shows."""
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [path.name for path in DOCS.rglob("*.webp") if path.name not in text] == []


def test_every_function_of_the_reference_is_documented() -> None:
    """Each name that the API page lists exists and has a docstring; so does each member that it lists."""
    listed = re.findall(r"^\.\. auto(\w+):: ([\w.]+)\n((?:   :.*\n)*)", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert len(listed) > 20
    for kind, name, options in listed:
        module, _, member = name.rpartition(".")
        found = import_module(name) if kind == "module" else getattr(import_module(module), member)
        members = re.search(r":members: (.+)", options)
        for one in (found, *(getattr(found, part.strip()) for part in (members[1].split(",") if members else ()))):
            assert (one.__doc__ or "").strip(), name


def test_every_number_on_the_picture_is_explained() -> None:
    """The list below the annotated picture has an entry for each number, and no other."""
    numbers = re.findall(r"^(\d+)\. \*\*", (DOCS / "reading.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number in numbers] == list(range(1, len(PLACES) + 1))


def test_the_readme_has_the_number_of_networks() -> None:
    """The README names as many networks as the table has."""
    told = re.search(r"networks\.md\) \((\d+) networks\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    counted = re.search(r"rows hold, of (\d+) networks", (DOCS / "networks.md").read_text(encoding="utf-8"))
    assert told is not None
    assert counted is not None
    assert told[1] == counted[1]


def test_the_citation_names_this_version() -> None:
    """CITATION.cff is YAML of the format's fields, and has the package's version."""
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(found)
    assert f'version = "{found["version"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
