"""A predicate that a browser test waits for must be a function, or its second try is refused by the page's policy.

Playwright compiles a function once but evaluates an expression at every try, and only the first evaluation passes a
Content Security Policy without 'unsafe-eval': a test with an expression fails whenever the page is slower than the
test (https://playwright.dev/python/docs/api/class-page#page-wait-for-function).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest


def expressions(source: str) -> Iterator[int]:
    """Lines that wait for a JavaScript expression instead of a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".wait_for_function"):
            predicate = node.args[0]
            parts = predicate.values if isinstance(predicate, ast.JoinedStr) else [predicate]
            text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
            if not isinstance(predicate, ast.Name) and "=>" not in text:
                yield node.lineno


@pytest.mark.parametrize("file", sorted(Path(__file__).parent.glob("*.py")), ids=lambda file: file.name)
def test_a_test_waits_for_functions_only(file: Path) -> None:
    """No browser test waits for a bare expression."""
    assert not list(expressions(file.read_text()))


def test_an_expression_is_found() -> None:
    """The search tells an expression from a function, in plain and in formatted strings."""
    lines = ["page.wait_for_function('done')", "page.wait_for_function(f'({x}) === 0')"]
    lines += ["page.wait_for_function('() => done')", "page.wait_for_function(f'x => {x} === 0')"]
    assert list(expressions("\n".join(lines))) == [1, 2]
