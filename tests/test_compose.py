"""Overrides that Hydra's grammar does not take are answered with the quoted form that it takes."""

import shlex
from pathlib import Path

import pytest

from pipeline.compose import compose_config
from pipeline.core.errors import ConfigError

ROOT = Path(__file__).parents[1]
VALUES = (
    *(
        "/a=b",
        "/photos (copy)",
        "/data[1]",
        "/x{y",
        "it's",
        "x#y",
        "ünï",
        "a,b",
        "~/x;y",
        "a&b",
        "~/photos",
        "[a",
        'a"b',
        "a!b",
    ),
    *("$(date)", "<b>", "C:\\photos (1)", "a]", "50%=half", "日本"),
)


@pytest.mark.parametrize("value", VALUES)
def test_the_answer_can_be_pasted(value: str) -> None:
    """The line holds the override in quotes for the shell; with it the setting has the value that was typed."""
    with pytest.raises(ConfigError, match=r"^model\.name: expected a value in Hydra's grammar") as caught:
        compose_config(ROOT, [f"model.name={value}"])
    assert "\n" not in str(caught.value)
    (override,) = shlex.split(str(caught.value).rpartition("give it in quotes: ")[2])
    assert compose_config(ROOT, [override]).model.name == value


@pytest.mark.parametrize("value", ["a b", "/a/b.c", "a-b_c", "what?", "a:b", '"a=b"', "a|b", "x*"])
def test_what_the_grammar_takes_is_taken(value: str) -> None:
    """A value that needs no quotes, or has them, is composed."""
    assert compose_config(ROOT, [f"model.name={value}"]).model.name == value.strip('"')


@pytest.mark.parametrize("value", ["[ant,bee (1)]", "[ünï]", "{a: x=y}"])
def test_texts_in_a_list_are_quoted_one_by_one(value: str) -> None:
    """A list with a text that needs quotes is not taken for a text as a whole."""
    with pytest.raises(ConfigError, match=r"^classes: expected a list or mapping .*quote its texts"):
        compose_config(ROOT, [f"classes={value}"])


@pytest.mark.parametrize("override", ["render", "", "seed=${nothing", "=", "nothing.at.all=3"])
def test_other_mistakes_keep_their_own_line(override: str) -> None:
    """Where quotes would not help they are not proposed."""
    with pytest.raises(ConfigError) as caught:
        compose_config(ROOT, [override])
    assert "quote" not in str(caught.value)
