"""References to environment variables: kept in what is composed, resolved where it runs."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import compose_and_dump
from omegaconf import OmegaConf

from pipeline.compose import compose_config, write_params
from pipeline.config.params import load_params, parse_params
from pipeline.core import secrets
from pipeline.core.errors import ConfigError
from pipeline.core.secrets import redact

ROOT = Path(__file__).parents[2]
VALUES = {"ATLAS_TEST_DATA": "/data/of/mine", "ATLAS_TEST_TOKEN": "hunter2-token", "ATLAS_TEST_SIZE": "32"}
VALUES |= {"ATLAS_TEST_WORD": "hunter2-word"}
DATA, TOKEN = "${env:ATLAS_TEST_DATA,04e4}", "${oc.env:ATLAS_TEST_TOKEN}"


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of a user; nothing is known of other tests."""
    monkeypatch.setattr(secrets, "_known", {})
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)


def composed(*overrides: str) -> dict[str, Any]:
    """What is written to ``params.yaml``."""
    found = OmegaConf.to_container(compose_config(ROOT, overrides))
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


REFERENCES: dict[str, tuple[list[str], str, str]] = {
    "a whole value": (["+images.note=${oc.env:ATLAS_TEST_DATA}"], "images.note", DATA),
    "a part": (["'+images.note=\"${oc.env:ATLAS_TEST_DATA}/x\"'"], "images.note", f"{DATA}/x"),
    "a secret by the setting": (
        ["+images.token=${oc.env:ATLAS_TEST_DATA}"],
        "images.token",
        "${oc.env:ATLAS_TEST_DATA}",
    ),
    "a secret by the variable": (["+images.note=${oc.env:ATLAS_TEST_TOKEN}"], "images.note", TOKEN),
    "a secret by the form": (
        ['+images.u="https://me:${oc.env:ATLAS_TEST_WORD}@h/"'],
        "images.u",
        "https://me:${oc.env:ATLAS_TEST_WORD}@h/",
    ),
    "nested": (['+images.deep=[{x: ["${oc.env:ATLAS_TEST_DATA}"]}]'], "images.deep.0.x.0", DATA),
    "a list of secrets": (
        ['+images.tokens=["${oc.env:ATLAS_TEST_DATA}"]'],
        "images.tokens.0",
        "${oc.env:ATLAS_TEST_DATA}",
    ),
    "a mapping of secrets": (
        ['+images.credentials={user: {x: "${oc.env:ATLAS_TEST_DATA}"}}'],
        "images.credentials.user.x",
        "${oc.env:ATLAS_TEST_DATA}",
    ),
    "by way of another setting": (
        ["+images.a=${oc.env:ATLAS_TEST_DATA}", '+images.b="${images.a}/b"'],
        "images.b",
        f"{DATA}/b",
    ),
    "an argument of the network": (["+model.architecture.x=${oc.env:ATLAS_TEST_DATA}"], "model.architecture.x", DATA),
    "weights": (['model.weights="${oc.env:ATLAS_TEST_DATA}/w.pth"'], "model.weights", f"{DATA}/w.pth"),
    "classes": (["model.classes=${oc.env:ATLAS_TEST_DATA}"], "model.classes", DATA),
    "the judge": (["+model@judge=torchvision", "judge.weights=${oc.env:ATLAS_TEST_DATA}"], "judge.weights", DATA),
    "the second image set": (
        ["+images@place.images=digits", "+place.images.x=${oc.env:ATLAS_TEST_DATA}"],
        "place.images.x",
        DATA,
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_is_kept_and_resolved(name: str) -> None:
    """What is composed holds the reference, the settings hold the value, and their stored form the reference again."""
    overrides, place, expected = REFERENCES[name]
    overrides = [override.strip("'") for override in overrides]
    values = composed(*overrides)
    assert at(values, place) == expected
    assert not [value for value in VALUES.values() if len(value) > 2 and value in repr(values)]
    params = parse_params(values)
    resolved = expected.replace(DATA, VALUES["ATLAS_TEST_DATA"]).replace(TOKEN, VALUES["ATLAS_TEST_TOKEN"])
    for variable in ("ATLAS_TEST_DATA", "ATLAS_TEST_WORD"):
        resolved = resolved.replace(f"${{oc.env:{variable}}}", VALUES[variable])
    assert at(params.model_dump(by_alias=True), place) == resolved
    assert at(params.as_written.model_dump(by_alias=True), place) == expected


def at(values: Any, place: str) -> Any:
    """The value at a dotted place."""
    for key in place.split("."):
        values = values[int(key) if key.isdecimal() else key]
    return values


RESOLVED: dict[str, tuple[str, str, Any]] = {
    "a number": ("images.size='${oc.decode:${oc.env:ATLAS_TEST_SIZE}}'", "images.size", 32),
    "a default": ("+images.note=${oc.env:ATLAS_TEST_NONE,here}", "images.note", "here"),
    "another setting": ("seed='${oc.decode:${oc.env:ATLAS_TEST_SIZE}}'", "seed", 32),
    "a title": ("site.title=${oc.env:ATLAS_TEST_DATA}", "site.title", "/data/of/mine"),
}


@pytest.mark.parametrize("name", RESOLVED)
def test_other_values_are_composed(name: str) -> None:
    """A number that is decoded, a default, and a setting that is no argument of a user's code hold the value."""
    override, place, expected = RESOLVED[name]
    values = composed(override)
    assert at(values, place) == expected
    assert parse_params(values).as_written == parse_params(values)


def test_a_changed_variable_is_noticed(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another value changes the text that DVC compares, and a stage does not run with it; a new secret does neither."""
    overrides = ("+images.note=${oc.env:ATLAS_TEST_DATA}", "+images.token=${oc.env:ATLAS_TEST_TOKEN}")
    before = write_params(in_tmp, compose_config(ROOT, overrides)).read_text()
    monkeypatch.setenv("ATLAS_TEST_TOKEN", "another")
    assert write_params(in_tmp, compose_config(ROOT, overrides)).read_text() == before
    assert load_params(in_tmp / "params.yaml").images.arguments["token"] == "another"  # noqa: S105  # a test's
    monkeypatch.setenv("ATLAS_TEST_DATA", "/elsewhere")
    with pytest.raises(
        ConfigError, match=r"^images.note: expected .* ATLAS_TEST_DATA .*another value; run 'atlas run' again"
    ):
        load_params(in_tmp / "params.yaml")
    assert write_params(in_tmp, compose_config(ROOT, overrides)).read_text() != before


def test_a_missing_variable_is_named(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage in a shell without the variable says which one it needs."""
    write_params(in_tmp, compose_config(ROOT, ["+images.token=${oc.env:ATLAS_TEST_TOKEN}"]))
    monkeypatch.delenv("ATLAS_TEST_TOKEN")
    with pytest.raises(
        ConfigError, match=r"^images.token: expected the environment variable ATLAS_TEST_TOKEN, found none"
    ):
        load_params(in_tmp / "params.yaml")


def test_an_escaped_reference_passes_through_dvc(in_tmp: Path) -> None:
    """DVC composes by itself: an escaped reference gets to the stages, a secret that it resolved is refused there."""
    for escape in ("\\", ""):
        override = f"+images.token={escape}${{oc.env:ATLAS_TEST_TOKEN}}"
        compose_and_dump(in_tmp / "params.yaml", str(ROOT / "conf"), None, "config", "", [override])
        if escape:
            assert f"token: {TOKEN}" in (in_tmp / "params.yaml").read_text()
            assert load_params(in_tmp / "params.yaml").images.arguments["token"] == VALUES["ATLAS_TEST_TOKEN"]
    with pytest.raises(ConfigError, match="expected a reference"):
        load_params(in_tmp / "params.yaml")


def test_values_are_masked_once_they_are_known() -> None:
    """After the settings are read, a line with a value shows its reference."""
    parse_params(composed("+images.token=${oc.env:ATLAS_TEST_TOKEN}"))
    assert redact("got hunter2-token from the server") == "got ${oc.env:ATLAS_TEST_TOKEN} from the server"


@pytest.mark.parametrize(
    "override",
    [
        "+images.token=hunter2",
        "+images.url='https://me:hunter2@host/x'",
        "+images.deep=[{api_key: hunter2}]",
        "+model.architecture.password=hunter2",
        "model.weights='https://hunter2@host/w.pth'",
        "+images.token=${oc.env:ATLAS_TEST_NONE,hunter2}",
        "+images.password='${oc.decode:${oc.env:ATLAS_TEST_SIZE}}'",
        "site.title='https://me:hunter2@host'",
    ],
)
def test_a_secret_is_refused(override: str) -> None:
    """A secret in full is refused with the reference to give instead, and the line does not hold it."""
    with pytest.raises(ConfigError, match=r"expected a reference .*\$\{oc\.env:NAME\}") as caught:
        parse_params(composed(override))
    assert "hunter2" not in str(caught.value)
    assert redact(str(caught.value)) == str(caught.value)
