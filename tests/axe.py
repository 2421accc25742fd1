"""axe-core in the tests: accessibility violations of a page."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

SOURCE = Path(__file__).parents[1] / "pipeline/site/viewer/node_modules/axe-core/axe.min.js"
GRAVE = ("serious", "critical")
# style sheets are not read over again: a page from disk may not fetch them
RUN = """() => axe.run(document, { resultTypes: ["violations"], preload: false }).then(({ violations }) =>
    violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html, any, all, none }) => ({
        html, said: [...any, ...all, ...none].map(({ message }) => message).join("; ") })) })))"""


def axe() -> str:
    """The source of axe; skips without it, fails in CI."""
    if SOURCE.is_file():
        return SOURCE.read_text("utf-8")
    reason = "axe-core is not there; run npm ci --ignore-scripts in pipeline/site/viewer"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def faults(page: Page) -> list[str]:
    """The serious and critical violations of the page: rule, element and reason, one per line."""
    if not page.evaluate("'axe' in self"):
        page.evaluate(axe())  # comes in by the debugger, which the page's policy does not bind
    return [
        f"{found['id']}: {node['html'][:200]} ({node['said'][:200]})"
        for found in page.evaluate(RUN)
        if found["impact"] in GRAVE
        for node in found["nodes"]
    ]
