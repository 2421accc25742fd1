"""The parts of pages that are written from the code are those of today's code."""

from pathlib import Path

import pytest
from pydantic import Field

from docs.generate.blocks import with_block
from docs.generate.error_lines import Module, error_lines, unread_errors
from docs.generate.pages import DOCS, PAGES
from docs.generate.settings import GROUPS, attribute_meanings, type_text
from docs.generate.troubleshooting import all_lines, grouped, matching, patterns, rewritten
from pipeline.config.base import Settings
from pipeline.config.params import Params

PAGE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
SOURCE = """
def check(path, size):
    found = "nothing" if size else "no file"
    if size > 3:
        raise ConfigError(f"{path}: expected {size / 1e9:.1f} GB, found {found}; " + advice())
    raise _moved(path)


def advice():
    return "free some"


def _moved(path):
    return ArtifactError(f"{path.name}: moved")


def _unreadable(error):
    raise ModelError(error)
"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    """Writing the page again changes nothing; where this fails: python -m docs.generate."""
    text = (DOCS / name).read_text(encoding="utf-8")
    assert PAGES[name](text) == text


def test_a_block_is_replaced_and_missed() -> None:
    """The text between the comments is replaced, what is around it stays; without them there is an error."""
    text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
    assert with_block(text, "x", "new\n") == "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n"
    with pytest.raises(ValueError, match="once in the page"):
        with_block(text, "y", "new")


def test_error_lines_are_read_from_source(tmp_path: Path) -> None:
    """Inserted names, choices, constants, helpers that build or return the message, and what cannot be read."""
    path = tmp_path / "planted.py"
    path.write_text(SOURCE)
    module = Module.read(path, tmp_path)
    assert sorted(line.text for line in module.error_lines()) == [
        "<name>: moved",
        "<path>: expected <size> GB, found no file; free some",
        "<path>: expected <size> GB, found nothing; free some",
    ]
    assert list(module.unread()) == ["planted.py: error"]


def test_every_error_has_a_line_and_every_line_a_section() -> None:
    """Each message is found in the source and belongs to a section of the troubleshooting page."""
    assert unread_errors() == []
    lines = all_lines()
    assert len(lines) > 200
    assert grouped(lines, patterns(PAGE))[None] == []


def test_a_new_kind_of_line_is_missed() -> None:
    """A line that no pattern matches is reported, and the page cannot be written."""
    new = "teapot: expected coffee, found tea; pour it out"
    assert grouped([new], patterns(PAGE))[None] == [new]
    with pytest.raises(ValueError, match="error lines without a section"):
        rewritten(PAGE.replace("layers: expected a (derivative|gradient)\n", ""))


def test_every_pattern_is_needed() -> None:
    """No section has a pattern that it could do without."""
    sections = patterns(PAGE)
    used = {
        (number, matching(line, sections[number]))
        for number, lines in grouped(all_lines(), sections).items()
        if number is not None
        for line in lines
    }
    assert {(number, pattern) for number, section in enumerate(sections) for pattern in section} - used == set()


def test_known_lines_are_there() -> None:
    """Lines of settings, of a helper of another module, and of what the system refuses are among them."""
    texts = {line.text for line in error_lines()} | set(all_lines())
    assert "<setting>: each level must be twice the one before, as in 10, 20, 40" in texts
    assert any(text.startswith("layers: expected one of several calls of a module") for text in texts)
    assert any("found the disk full" in text for text in texts)


def test_every_setting_is_described() -> None:
    """Every field of every section has a meaning, and every section of ``params.yaml`` is on the page."""
    for group in GROUPS:
        assert set(group.schema.model_fields) <= set(attribute_meanings(group.schema)), group.schema
    sections = {name for name, field in Params.model_fields.items() if "Settings" in str(field.annotation)} - {"judge"}
    assert sections <= {group.prefix for group in GROUPS}


def test_types_are_said_in_words() -> None:
    """Bounds, choices, lists and null."""

    class Planted(Settings):
        """Planted settings."""

        share: float | None = Field(gt=0, le=1)
        pair: tuple[int, int] = (1, 2)
        names: list[str] = Field(min_length=1)

    fields = Planted.model_fields
    assert type_text(fields["share"]) == "number, or null, above 0, at most 1"
    assert type_text(fields["pair"]) == "2 values, each whole number"
    assert type_text(fields["names"]) == "list, each text, not empty"
