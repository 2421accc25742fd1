"""Secrets are recognized by name and form, and ordinary settings and lines are not."""

from typing import Any

import pytest

from pipeline.core import secrets
from pipeline.core.secrets import deciding_name, find_secrets, has_secret_form, is_secret, redact, redacted, remember

JWT = "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSM"
NAMED = (
    *("token", "access_token", "accessToken", "HF_TOKEN", "my-token", "token2", "tokens", "bearer_token", "authtoken"),
    *(
        "key",
        "api_key",
        "apiKey",
        "apikey",
        "API-KEY",
        "access_key_id",
        "secret_access_key",
        "accesskey",
        "license.key",
    ),
    *("password", "db_password", "userpassword", "passwd", "pwd", "passphrase", "secret", "client_secret", "secrets"),
    *("credential", "credentials", "auth", "authorization", "cookie", "jwt", "sig", "signature", "password_value"),
)
UNNAMED = (
    *("token_mixer", "key_dim", "tokenizer", "monkey", "whiskey", "keyboard", "secretary", "author", "passing"),
    *("password_file", "root", "signal", "", "_", "1", "authors", "design", "token_count"),
)
FORMS = {
    "https://user:{}@host/path": "https://…@host/path",
    "https://{}@github.com/x": "https://…@github.com/x",
    "s3://{}:x@bucket": "s3://…@bucket",
    "see ftp://a:{}@h:21/x now": "see ftp://…@h:21/x now",
    "user:{}@host.org/data": "…@host.org/data",
    "https://host/x?token={}&a=b": "https://host/x?token=…&a=b",
    "https://host/x?a=b&X-Amz-Signature={}": "https://host/x?a=b&X-Amz-Signature=…",
    "host=db password={} dbname=x": "host=db password=… dbname=x",
    "Authorization: Bearer {}": "Authorization: Bearer …",
    "Basic {}+/aGVsbG8=": "Basic …",
}
LINES = {  # as errors quote what was typed
    "Error parsing override 'images.token={}(' at 3": "Error parsing override 'images.token=…' at 3",
    "+images.password='{} b': unknown": "+images.password=…: unknown",
    "found {{'api_key': '{}', 'root': 'x'}}": "found {{'api_key': …, 'root': 'x'}}",
    "images={{root: x, token: {}}}": "images={{root: x, token: …}}",
    "found {{'tokens': ['a', '{}'], 'root': 'x'}}": "found {{'tokens': …, 'root': 'x'}}",
    "images={{credentials: {{user: a, other: {}}}, root: x}}": "images={{credentials: …, root: x}}",
    "'+images.tokens=[a,{}]': unknown": "'+images.tokens=…': unknown",
}
GIVEN_OUT = (
    "ghp_" + "a1" * 18,
    "hf_" + "aB" * 17,
    "github_pat_" + "a1" * 20,
    "AKIA" + "A1" * 8,
    "sk-" + "a1" * 20,
    JWT,
)
PLAIN = (
    *("https://host/x?a=b", "photographs/cat@home.png", "me@host.org", "a=b", "12:30", "C:/photos", "ssh://host/x"),
    *(
        "mixed4a",
        "basic settings",
        "layer=mixed4a&pin=4.2.1",
        "tcp://10.0.0.1:8786",
        "https://${oc.env:USER}:${oc.env:T}@host/",
    ),
    *("images.token: expected a number", "token=${oc.env:T}", "number of tokens=5", "https://user:${oc.env:T}@host"),
)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """No value is known from other tests."""
    monkeypatch.setattr(secrets, "_known", {})


@pytest.mark.parametrize("name", NAMED)
def test_a_name_tells_a_secret(name: str) -> None:
    """A text or a long number of such a name is a secret; nothing, a switch and an empty text are none."""
    assert is_secret(name, "hunter2")
    assert is_secret(name, 12345678)
    others: list[Any] = [None, True, False, "", {}, []]
    assert not [value for value in others if is_secret(name, value)]


@pytest.mark.parametrize("name", UNNAMED)
def test_other_names_tell_none(name: str) -> None:
    """Settings that only contain such a word are ordinary ones."""
    assert not is_secret(name, "hunter2")
    assert not is_secret(name, 12345678)


def test_sizes_and_columns_are_no_secrets() -> None:
    """Sizes of keys and tokens, and names of columns, are ordinary; a password may be a short number or a word."""
    ordinary = {"num_tokens": 197, "head_key": 64, "image_key": "jpg", "label_key": "cls", "prefix_tokens": 5}
    assert not [name for name, value in ordinary.items() if is_secret(name, value)]
    assert is_secret("password", 197)
    assert is_secret("password", "jpg")
    assert is_secret("api_key", "jpg")
    assert is_secret("image_key", "Zx81-q")


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_masked(form: str) -> None:
    """The part of a text that is a secret by its form is masked, all else is kept; masking again changes nothing."""
    assert has_secret_form(form.format("hunter2"))
    assert redact(form.format("hunter2")) == FORMS[form]
    assert redact(FORMS[form]) == FORMS[form]


@pytest.mark.parametrize("line", LINES)
def test_a_quoted_secret_is_masked(line: str) -> None:
    """A line that quotes an argument or a mapping with a secret shows the rest of it."""
    assert redact(line.format("hunter2")) == LINES[line].format()
    assert redact(LINES[line].format()) == LINES[line].format()


@pytest.mark.parametrize("key", GIVEN_OUT)
def test_keys_of_services_are_masked(key: str) -> None:
    """Keys with a known beginning are masked wherever they stand."""
    assert redact(f"found {key}, expected a path") == "found …, expected a path"


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_text_stays(text: str) -> None:
    """Addresses without users, times, parameters of other names and references are no secrets."""
    assert redact(text) == text
    assert not has_secret_form(text)


def test_known_values_are_masked_everywhere() -> None:
    """A value that is known is replaced by what was given for it, the longer of two first; short ones are left."""
    remember("hunter2", "${oc.env:A}")
    remember("hunter2-long", "${oc.env:B}")
    remember("x", "${oc.env:C}")
    assert redact("x is hunter2-long, y is <hunter2>") == "x is ${oc.env:B}, y is <${oc.env:A}>"


NESTED: list[tuple[Any, list[str]]] = [
    ({"images": {"token": "a"}}, ["images.token"]),
    ({"images": {"deep": [{"x": 1}, {"url": "https://u:p@h"}]}}, ["images.deep.1.url"]),
    (
        {"model": {"architecture": {"credentials": {"user": "u", "other": ["v"], "on": True}}}},
        ["model.architecture.credentials.user", "model.architecture.credentials.other.0"],
    ),
    ({"images": {"tokens": ["a", "b"], "root": "x", "size": 5}}, ["images.tokens.0", "images.tokens.1"]),
    ({"images": {"root": "x", "class_token": True, "key": None}}, []),
]


def test_the_name_of_a_secret_decides_about_everything_below() -> None:
    """Below ``credentials`` no key changes what is a secret; below an ordinary key each key decides."""
    assert deciding_name("credentials", "user") == "credentials"
    assert deciding_name("images", "token") == "token"
    assert deciding_name("", 0) == "0"


@pytest.mark.parametrize(("values", "expected"), NESTED, ids=repr)
def test_secrets_are_found_in_nested_settings(values: Any, expected: list[str]) -> None:
    """Every secret is named by its place, in mappings and lists, and what is masked has none left."""
    assert list(find_secrets(values)) == expected
    assert not [text for text in ("'a'", "'b'", "'u'", "'v'", "u:p") if expected and text in repr(redacted(values))]
    assert bool(expected) == (redacted(values) != values)
