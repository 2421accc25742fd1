"""The size of text in the tests: what on a page is too small to read."""

from playwright.sync_api import Page

SMALLEST = 13  # pixels
# of every visible element with text of its own, the computed size; in a drawing, as it is scaled
READ = """(smallest) => [...document.querySelectorAll("body *")].flatMap((element) => {
    const own = [...element.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim());
    if (!own || !element.checkVisibility({ visibilityProperty: true }) || element.matches("script, title")) return [];
    if (element.closest(".visually-hidden, noscript")) return [];
    const svg = element.ownerSVGElement;
    const scale = svg ? svg.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    const where = `${element.localName}.${element.getAttribute("class") ?? ""}`;
    const beginning = element.textContent.trim().slice(0, 60);
    return size < smallest - 0.01 ? [`${size.toFixed(1)} px: ${where}: ${beginning}`] : [];
})"""


def too_small(page: Page) -> list[str]:
    """Every visible text of the page below :data:`SMALLEST`: size, element and its beginning."""
    found: list[str] = page.evaluate(READ, SMALLEST)
    return sorted(set(found))
