"""Trying an image on a page without the server of a project: from disk, and from any web server."""

import pytest
from browsing import Opener
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_static_page_says_what_it_needs(opened: Opener) -> None:
    """The control says that this needs the local server and how to start it; nothing is asked for and nothing fails."""
    page = opened("#layer=features.7&level=20")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "try-image" in request.url else None)
    page.get_by_role("button", name="Try your image").click()
    dialog = page.get_by_role("dialog", name="Try your image")
    expect(dialog).to_contain_text("a folder of files")
    expect(dialog.locator("code")).to_have_text("atlas browse")
    expect(dialog.locator("input")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("t")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["x"], "mine.png", { type: "image/png" }));
            document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
        }"""
    )
    expect(dialog).to_be_visible()
    expect(page.locator(".panel.own-image")).to_have_count(0)
    assert asked == []
