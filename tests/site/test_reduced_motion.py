"""With reduced motion, nothing is animated."""

from typing import Literal

import pytest
from browsing import Opener, busiest, place, ready
from playwright.sync_api import Page, expect
from site_planting import Planted

# where the page comes from moves nothing
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("address", ["http"], indirect=True)]

LONGEST_MS = 1
# elements, and what is made before and after them, that take their time
MOVING = """longest => {
    const milliseconds = (text) => Math.max(...text.split(",").map((one) =>
        parseFloat(one) * (one.trim().endsWith("ms") ? 1 : 1000)));
    return [...document.querySelectorAll("*")].flatMap((element) => [null, "::before", "::after", "::backdrop"]
        .map((part) => getComputedStyle(element, part))
        .filter((style) => milliseconds(style.transitionDuration) > longest
            || (style.animationName !== "none" && milliseconds(style.animationDuration) > longest)
            || style.scrollBehavior === "smooth")
        .map(() => `${element.localName}.${element.className}`));
}"""
# side of a cell in every frame after a key
FRAMES = """key => new Promise((done) => {
    document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    const sides = [];
    const frame = () => {
        sides.push(atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x);
        if (sides.length < 30) requestAnimationFrame(frame);
        else done(sides);
    };
    requestAnimationFrame(frame);
})"""

Motion = Literal["reduce", "no-preference"]


def shown(opened: Opener, motion: Motion) -> Page:
    """The page with a motion preference; the level is pinned, so that cells can be compared."""
    page = opened("#layer=features.7&level=20")
    page.emulate_media(reduced_motion=motion)
    page.reload()
    ready(page, "features.7/all/20/")
    return page


def test_nothing_is_animated(opened: Opener, planted: Planted) -> None:
    """Header, card, panels, class toolbar, lists and dialogs have no transition, animation or smooth scrolling."""
    page = shown(opened, "reduce")
    level = planted.levels["features.7", 20]
    found = page.evaluate(MOVING, LONGEST_MS)
    page.mouse.move(*place(page, level, busiest(level)))
    expect(page.locator(".card")).to_be_visible()
    found += page.evaluate(MOVING, LONGEST_MS)
    page.mouse.click(*place(page, level, busiest(level)))
    expect(page.locator(".panel .patch")).to_have_count(9)
    page.evaluate("location.hash = '#layer=features.7&level=20&class=5&box=20.8.8.11.12'")
    expect(page.locator(".panel.region")).to_be_visible()
    found += page.evaluate(MOVING, LONGEST_MS)
    for key in ("?", "s", "u", "o", "/"):
        page.keyboard.press(key)
        found += page.evaluate(MOVING, LONGEST_MS)
        page.keyboard.press("Escape")
    assert found == []


def test_the_view_jumps(opened: Opener) -> None:
    """From the frame after a key on, the map is at its final position."""
    page = shown(opened, "reduce")
    before = page.evaluate("atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x")
    sides = page.evaluate(FRAMES, "+")
    assert sides[1:] == pytest.approx([1.5 * before] * (len(sides) - 1), rel=0.001)


def test_without_the_preference_it_is_animated(opened: Opener) -> None:
    """Without the preference the same page has transitions, and the map passes through many sizes."""
    page = shown(opened, "no-preference")
    assert page.evaluate(MOVING, LONGEST_MS)
    sides = page.evaluate(FRAMES, "+")
    assert len({round(side, 2) for side in sides}) > 5
