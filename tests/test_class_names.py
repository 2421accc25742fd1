from pathlib import Path

import pytest

from pipeline.class_names import atlas_names
from pipeline.compose import compose_config
from pipeline.core.atlas_names import class_id, parse_atlas
from pipeline.core.errors import ConfigError

ROOT = Path(__file__).parents[1]
NAMES = ("crane", "Fireboat", "crane", "7", "sail boat")
MODEL = {"name": "n", "architecture": {}, "weights": "random", "classes": list(NAMES)}


@pytest.mark.parametrize(
    ("wanted", "number"), [("fireboat", 1), (1, 1), ("4", 4), (7, 3), ("7", 3), ("sail boot", None)]
)
def test_a_class_is_found_by_name_or_number(wanted: str | int, number: int | None) -> None:
    """Names win over numbers, letters' case aside; what is neither is answered with names nearby."""
    if number is not None:
        assert class_id(wanted, NAMES, "classes") == number
        return
    with pytest.raises(ConfigError, match="did you mean sail boat"):
        class_id(wanted, NAMES, "classes")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("classes=fireboat", r"classes: expected a list, as in \[fireboat, 3\], found fireboat"),
        ("classes=3", r"classes: expected a list, as in \[fireboat, 3\], found 3"),
        ("classes=[[fireboat]]", r"classes: expected names or numbers, found \['fireboat'\]"),
        ("classes=[null]", "classes: expected names or numbers, found None"),
        ("classes=[true]", "classes: expected names or numbers, found True"),
        ("classes=['²']", "classes: expected one of the network's 10 classes, found ²"),
        (
            "comparisons=fireboat",
            r"comparisons: expected a list of pairs, as in \[\[streetcar, fireboat\]\], found fireboat",
        ),
        ("comparisons=[[[streetcar],fireboat]]", r"comparisons: expected names or numbers, found \['streetcar'\]"),
    ],
)
def test_what_is_no_list_of_classes_is_refused(override: str, message: str) -> None:
    """A bare name, a list too many, nothing, and what only looks like a number are refused, each in a line."""
    with pytest.raises(ConfigError, match=f"^{message}"):
        compose_config(ROOT, [override])


@pytest.mark.parametrize(
    ("classes", "comparisons", "message"),
    [
        (["crane"], [], "crane names 2; give a number: 0, 2"),
        ([5], [], "5 classes, found 5; give a name or a number below 5"),
        ([], [["fireboat"]], r"pairs of classes, as in \[\[streetcar, fireboat\]\]"),
        ([], [["fireboat", 1]], "two different classes, found fireboat twice"),
    ],
)
def test_what_names_no_class_is_refused(
    classes: list[str | int], comparisons: list[list[str | int]], message: str
) -> None:
    """An ambiguous name, a number out of range, half a pair and a class against itself are refused, each in a line."""
    with pytest.raises(ConfigError, match=message):
        atlas_names(classes, comparisons, {"_target_": "x"}, MODEL)


def test_atlases_come_in_order_and_once() -> None:
    """The atlas of all samples comes first, then classes, then comparisons, each once, and names can be read back."""
    found = atlas_names(["fireboat", 1, 4], [[1, 4], ["sail boat", "fireboat"]], {"_target_": "x"}, MODEL)
    assert found == ["all", "class-1", "class-4", "compare-1-4", "compare-4-1"]
    assert [str(parse_atlas(name)) for name in found] == found
    with pytest.raises(ValueError, match="compare-1"):
        parse_atlas("compare-1")


def test_configuration_resolves_classes() -> None:
    """Composing turns class names into atlases, comparisons and the layers of a second image set."""
    overrides = ["classes=[fireboat,3]", "comparisons=[[streetcar,fireboat]]", "+images@place.images=digits"]
    config = compose_config(ROOT, overrides)
    assert list(config.atlases) == ["all", "class-1", "class-3", "compare-7-1"]
    assert list(config.compared) == ["compare-7-1"]
    assert config.placed == config.layers
    with pytest.raises(ConfigError, match=r"^classes: .*did you mean fireboat"):
        compose_config(ROOT, ["classes=[firebot]"])
