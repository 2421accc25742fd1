"""Secrets: how one is recognized by its name or form, and how it is masked wherever text is shown or stored.

A value is taken for a secret if its name says so (``token``, ``api_key``, ``db_password``), or if it has the form of
one: user information in a URL, a parameter ``token=…``, a key as large services give them out. Values of environment
variables that settings refer to are known in full, see :mod:`pipeline.config.environment`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

HIDDEN = "…"

# The last word of a name says what its value is: `access_token` is a token, `token_mixer` a mixer.
WORDS = {"password", "passphrase", "passwd", "pwd", "secret", "credential", "auth", "authorization", "bearer", "cookie"}
WORDS |= {"signature", "sig", "jwt", "token", "key"}
ENDINGS = ("password", "passphrase", "passwd", "secret", "credential", "token", "apikey", "accesskey", "secretkey")
QUALIFIERS = {"id", "value", "string", "str", "text"}  # after the word: `access_key_id`
# networks have sizes of keys and tokens, and data sets have keys of columns, which are words: `image_key: jpg`
SIZES = ("key", "token")
LARGEST_SIZE = 99_999
COLUMN = re.compile(r"[a-z_]{1,16}")
OPENING_KEYS = {"api", "access", "secret", "private", "auth", "account", "license", "service", "encryption", "ssh"}

URL_USER = re.compile(r"(?<=://)[^/\s@?#'\"]+(?=@)")
USER_AND_PASSWORD = re.compile(r"(?<![\w/:@{])[\w.+-]+:[^\s/@:{}'\"]+(?=@[\w-]+[.:/])")
QUOTED = r"'[^']*'|\"[^\"]*\""
SEVERAL = r"\[[^\[\]]*\]|\{[^{}]*\}"  # a list or mapping
PARAMETER = re.compile(rf"([A-Za-z][\w.-]*)=({QUOTED}|{SEVERAL}|[^\s&;,'\"]+)")
FIELD = re.compile(
    rf"(?<=[{{,])(\s*['\"]?)([A-Za-z][\w.-]*)(['\"]?:\s*)({QUOTED}|{SEVERAL}|[^\s,}}\]]+)"
)  # of a mapping in a line
GIVEN_OUT = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
    r"|(?<=\b[Bb]earer )\S+|(?<=\b[Bb]asic )(?=\S*[\d=])[\w+/]{8,}=*"
)
SHORTEST = 4  # characters of a known value that is masked in text; shorter ones are part of ordinary words

_known: dict[str, str] = {}


def is_secret(name: str, value: Any) -> bool:
    """Whether a value is a secret by its name.

    Args:
        name: of the setting or variable, in any spelling: ``apiKey``, ``API_KEY``, ``api-key``.
        value: text or a number; no other value is one.
    """
    word, before = _last_words(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "" or word is None:
        return False
    if word not in SIZES:
        return True
    if not isinstance(value, str) or value.isdecimal():
        return float(value) > LARGEST_SIZE
    column = word == "key" and before is not None and before not in OPENING_KEYS
    return not (column and COLUMN.fullmatch(value))


def has_secret_form(text: str) -> bool:
    """Whether a text holds something that has the form of a secret."""
    return _without_forms(text) != text


def deciding_name(name: str, key: Any) -> str:
    """The name that says whether what lies below a key is a secret: within ``credentials`` everything is one.

    Every walk over settings passes this name on, into mappings with each key and into lists as it is.

    Args:
        name: that decides about the mapping, empty at the top.
        key: of the mapping.
    """
    return name if _last_words(name)[0] else str(key)


def find_secrets(values: Any, where: str = "", name: str = "") -> Iterator[str]:
    """Dotted names of all settings whose values are secrets.

    Args:
        values: settings, nested in any way.
        where: their dotted name.
        name: that decides about them, see :func:`deciding_name`.
    """
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from find_secrets(value, f"{where}.{key}".removeprefix("."), deciding_name(name, key))
    elif isinstance(values, list | tuple):
        for index, value in enumerate(values):
            yield from find_secrets(value, f"{where}.{index}", name)
    elif is_secret(name, values) or (isinstance(values, str) and has_secret_form(values)):
        yield where


def remember(value: str, shown: str) -> None:
    """From now on this process shows ``shown`` where a text holds ``value``."""
    if len(value) >= SHORTEST:
        _known[value] = shown


def redact(text: str) -> str:
    """The text with every known value and everything in the form of a secret masked."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, _known[value])
    return _without_forms(FIELD.sub(_field, text))


def redacted(values: Any, name: str = "") -> Any:
    """Settings, nested in any way, with every secret masked."""
    if isinstance(values, Mapping):
        return {str(key): redacted(value, deciding_name(name, key)) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [redacted(value, name) for value in values]
    if isinstance(values, str) and values.startswith("${"):
        return values
    if is_secret(name, values):
        return HIDDEN
    return redact(values) if isinstance(values, str) else values


def _without_forms(text: str) -> str:
    if "@" in text:
        text = USER_AND_PASSWORD.sub(HIDDEN, URL_USER.sub(_user, text))
    if "=" in text:
        text = PARAMETER.sub(_parameter, text)
    return GIVEN_OUT.sub(HIDDEN, text)


def _user(found: re.Match[str]) -> str:
    """User information is masked unless its password is empty, masked, or a reference to a variable."""
    harmless = found[0].endswith((":", HIDDEN)) or found[0].startswith("${") or ":${" in found[0]
    return found[0] if harmless else HIDDEN


def _parameter(found: re.Match[str]) -> str:
    name, value = found[1], found[2]
    return f"{name}={HIDDEN}" if _is_given(name, value) else found[0]


def _field(found: re.Match[str]) -> str:
    before, name, colon, value = found.groups()
    return f"{before}{name}{colon}{HIDDEN}" if _is_given(name, value) else found[0]


def _is_given(name: str, value: str) -> bool:
    """Whether a line holds a secret itself, and not a reference to it or its mask."""
    value = value.strip("'\"")
    return not value.startswith(("${", HIDDEN)) and is_secret(name, value)


def _last_words(name: str) -> tuple[str | None, str | None]:
    """The word of a name that makes its value a secret, and the word before; None where there is none."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.rpartition(".")[2])
    words = [word.lower().rstrip("0123456789") for word in re.split(r"[^A-Za-z0-9]+", spaced)]
    words = [word for word in words if word]
    while words and words[-1] in QUALIFIERS:
        words.pop()
    if not words:
        return None, None
    last = words[-1] if words[-1] in WORDS else words[-1].removesuffix("s")
    before = words[-2] if len(words) > 1 else None
    if last in WORDS:
        return last, before
    ending = next((ending for ending in ENDINGS if last.endswith(ending)), None)
    return (ending and ("token" if ending == "token" else "password")), before
