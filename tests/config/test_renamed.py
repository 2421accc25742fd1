"""Old names of settings and values are answered with today's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.base import Settings
from pipeline.config.params import Params, parse_params
from pipeline.config.renamed import SETTINGS, VALUES, renamed_setting
from pipeline.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
OLD_VALUES = [(key, old, new) for key, values in VALUES.items() for old, new in values.items()]


def keys(model: type[Settings] = Params, prefix: str = "") -> Iterator[str]:
    """Dotted keys of the schema."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Settings):
                yield from keys(kind, f"{prefix}{name}.")


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The default configuration."""
    values = OmegaConf.to_container(compose_config(ROOT, []))
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def replaced(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The same configuration with one more key in a section."""
    section, name = key.split(".")
    return {**values, section: {**values[section], name: value}}


def test_the_table_leads_from_old_to_present_names() -> None:
    """Old names are no settings, and new ones are."""
    present = set(keys())
    assert present.isdisjoint(SETTINGS)
    assert {*SETTINGS.values(), *VALUES} <= present


@pytest.mark.parametrize("old", SETTINGS)
def test_an_old_name_is_answered_with_the_new_one(old: str, composed: dict[str, Any]) -> None:
    """On the command line and in a configuration file an old name ends in one line with the new name."""
    expected = f"{old}: this setting is now called {SETTINGS[old]}"
    for override in (f"{old}=1", f"+{old}=1"):
        with pytest.raises(ConfigError) as raised:
            compose_config(ROOT, [override])
        assert str(raised.value) == expected
    with pytest.raises(ConfigError) as raised:
        parse_params(replaced(composed, old, 1))
    assert str(raised.value) == expected


@pytest.mark.parametrize(("key", "old", "new"), OLD_VALUES)
def test_an_old_value_is_answered_with_the_new_one(key: str, old: str, new: str, composed: dict[str, Any]) -> None:
    """An old value of a setting ends in one line with the new value, and the new value is valid."""
    with pytest.raises(ConfigError) as raised:
        parse_params(replaced(composed, key, old))
    assert str(raised.value) == f"{key}: the value {old} is now called {new}"
    assert parse_params(replaced(composed, key, new))


def test_other_unknown_names_are_no_old_ones(composed: dict[str, Any]) -> None:
    """A name that never was a setting is unknown, not renamed."""
    assert renamed_setting("render.stepz") is None
    with pytest.raises(ConfigError, match=r"render\.stepz: unknown setting; did you mean steps"):
        parse_params(replaced(composed, "render.stepz", 1))
