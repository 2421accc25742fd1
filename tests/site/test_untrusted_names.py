"""Titles, classes, layers and files with markup in their names are text everywhere on the page.

The names that the pipeline writes come from ``tests/test_unusual_names.py``; here they reach the page unchanged.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from browsing import busiest, place
from playwright.sync_api import Browser, Page, Route, expect
from site_planting import LAYERS, Planted

from pipeline.core.site_data import data_script
from pipeline.site.pages import PAGES

pytestmark = pytest.mark.browser

TITLE = "</title><script>self.owned='title'</script><i>An atlas"
NETWORK = "<b onclick=self.owned='network'>net & \"work\"</b>"
LAYER = "<u onmouseover=self.owned='layer'>7 \u202e\"&'"
SECOND = "<marquee>second</marquee>\u2028set"
NAMES = (
    "<img src=x onerror=\"self.owned='class'\">",
    "</script><script>self.owned='script'</script>",
    '"quo\'te" & &lt;b&gt;entities&lt;/b&gt;',
    "two\nlines\tand a \u202eturn\u202c",
    "javascript:self.owned='link'",
    "${self.owned='template'} {{self.owned}} %3Cb%3E",
    "<svg/onload=self.owned='svg'>",
    "<style>body{display:none}</style>",
    "<iframe srcdoc='<script>top.owned=1</script>'>",
    "--><!-- comment",
    "]]><![CDATA[",
    "\x1b[31m red \x07",
)
KEY = "<a href='javascript:self.owned=1' autofocus onfocus=\"self.owned='key'\">&amp;\n.png"
# elements and attributes that no part of the page makes, and whether anything has run
FOREIGN = """() => [
    ...document.querySelectorAll("b, i, u, s, marquee, iframe, object, embed, form, script:not([src]), svg[onload]"),
    ...document.querySelectorAll("img[src=x], style:not([data-openseadragon-mobile-css]), [srcdoc], [autofocus]"),
    ...[...document.querySelectorAll("*")].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith("on"))),
    ...[...document.querySelectorAll("[href]")].filter((element) => element.protocol === "javascript:"),
].map((element) => element.outerHTML).concat(self.owned === undefined ? [] : [`ran: ${self.owned}`])"""


def literal(text: str) -> str:
    """A text in the JSON of a data file."""
    return json.dumps(text).replace("<", "\\u003c")[1:-1]


@pytest.fixture(scope="module")
def hostile(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted site with such names for title, network, classes, second set, a layer and every image."""
    site = tmp_path_factory.mktemp("hostile") / "site"
    shutil.copytree(planted.site, site)
    for folder in ("data", "tiles", "data/pixels", "data/pixels/tiles"):
        (site / folder / LAYERS[1]).rename(site / folder / LAYER)
    for file in (site / "data").rglob("*.js"):
        text = file.read_text().replace(LAYERS[1], literal(LAYER))
        file.write_text(text)
    script = (site / "data/manifest.js").read_text()
    found = re.search(r"\]=(.*);\n$", script, re.DOTALL)
    assert found
    manifest = json.loads(found[1])
    manifest["title"], manifest["second_image_set"]["title"] = TITLE, SECOND
    manifest["network"] |= {"name": NETWORK, "classes": list(NAMES)}
    (site / "data/manifest.js").write_text(data_script("manifest", manifest))
    for file in (site / "data/images").glob("*.js"):
        head, _, body = file.read_text().partition("]=")
        name = json.loads(head.partition("[")[2])
        about = {row: [f"{row} {KEY}", f"label {NAMES[0]}"] for row in json.loads(body.removesuffix(";\n"))}
        file.write_text(data_script(name, about))
    return site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page without errors and dialogs."""
    troubles: list[str] = []
    made = chromium.new_page(reduced_motion="reduce")
    made.set_default_timeout(10_000)
    made.on("dialog", lambda dialog: troubles.append(dialog.message))
    made.on("pageerror", lambda error: troubles.append(str(error)))
    made.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    made.on("requestfailed", lambda request: troubles.append(request.url))
    yield made
    found = list(troubles)
    made.close()
    assert found == []


def told(page: Page, selector: str) -> list[str]:
    """The text of the visible elements."""
    found: list[str] = page.eval_on_selector_all(
        selector, "found => found.filter((one) => one.checkVisibility()).map((one) => one.textContent)"
    )
    assert found
    return found


def show(page: Page, **state: Any) -> None:
    """Bring the page to a state of the hostile layer."""
    page.evaluate("link => { location.hash = link; }", "#" + urlencode({"layer": LAYER, **state}))


def start(page: Page, site: Path) -> None:
    """Open the page with the hostile layer."""
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    show(page, level=20)
    page.wait_for_function("layer => document.documentElement.dataset.ready === `${layer}/all/20/`", arg=LAYER)


def test_the_start_and_the_lists(page: Page, hostile: Path) -> None:
    """Title, network, layers, classes, atlases and the second set are text in header, corner and lists."""
    start(page, hostile)
    assert told(page, "h1") == [TITLE]
    assert NETWORK in told(page, ".caption .network")[0]
    assert told(page, ".caption h2") == [LAYER]
    assert any(LAYER in text for text in told(page, "header label"))
    assert SECOND in told(page, ".second-set")[0]
    page.keyboard.press("/")
    assert [name for name in told(page, "#classes [role=option]") if name in NAMES] == list(NAMES)
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    assert {NAMES[0], f"{NAMES[1]} ↔ {NAMES[0]}"} <= set(told(page, "#atlases [role=option]"))
    page.keyboard.press("Escape")
    assert page.evaluate(FOREIGN) == []


def test_a_cell_and_its_panel(page: Page, hostile: Path, planted: Planted) -> None:
    """Card, panel, exemplars, images and other layers show classes, files and layers as text."""
    start(page, hostile)
    level = planted.levels[LAYERS[1], 20]
    x, y = place(page, level, busiest(level))
    page.mouse.move(x, y)
    assert set(told(page, ".card .name")) <= set(NAMES)
    page.mouse.click(x, y)
    expect(page.locator(".panel .patch")).to_have_count(9)
    expect(page.locator(".panel .loading:visible")).to_have_count(0)
    assert set(told(page, ".panel h2")) <= set(NAMES)
    assert set(told(page, ".panel .bars .name")) <= set(NAMES)
    assert told(page, ".panel .origin .label") == [f"label {NAMES[0]}"]
    assert told(page, ".panel .origin .key")[0].endswith(KEY)
    assert page.evaluate(FOREIGN) == []


def test_a_region(page: Page, hostile: Path) -> None:
    """The region's classes, labels and images are text; its icons are saved as PNG, from scripts of such names."""
    start(page, hostile)
    show(page, level=20, box="20.8.8.11.12")
    expect(page.locator(".panel.region .images li").first).to_be_visible()
    expect(page.locator(".panel.region .loading:visible")).to_have_count(0)
    assert set(told(page, ".panel.region .bars .name")) <= {*NAMES, f"label {NAMES[0]}"}
    assert all(text.endswith(KEY) for text in told(page, ".panel.region .key"))
    with page.expect_download():
        page.get_by_role("button", name="PNG", exact=True).click()
    assert page.evaluate(FOREIGN) == []


def test_every_class_in_toolbar_and_dialog(page: Page, hostile: Path) -> None:
    """Any class name is text in the class toolbar, the dialog and the announcements."""
    start(page, hostile)
    for number, name in enumerate(NAMES):
        show(page, level=20, **{"class": number})
        page.wait_for_function("name => document.querySelector('.class-toolbar strong').textContent === name", arg=name)
        assert f"Highlighting {name}" in (page.locator("[role=status]").text_content() or "")
        page.keyboard.press("s")
        assert told(page, "dialog[open] h2") == [name]
        assert LAYER in told(page, "dialog[open] h3")
        assert page.evaluate(FOREIGN) == []
        page.keyboard.press("Escape")


def test_a_comparison_and_its_provenance(page: Page, hostile: Path, planted: Planted) -> None:
    """Both classes of a comparison, and the dialogs with layers and network, are text."""
    start(page, hostile)
    show(page, atlas="compare-1-0", level=10)
    page.wait_for_function("() => document.documentElement.dataset.ready.endsWith('/compare-1-0/10/')")
    level = planted.of_atlas[LAYERS[1], "compare-1-0", 10]
    page.mouse.move(*place(page, level, busiest(level)))
    assert told(page, ".card .comparison-bars .name") == [NAMES[1], NAMES[0]]
    page.keyboard.press("u")
    assert any(LAYER in text for text in told(page, "dialog[open] h3"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Provenance").click()
    assert NETWORK in told(page, "dialog[open] dd")
    assert page.evaluate(FOREIGN) == []


INJECTED = """() => {
    const script = document.createElement("script");
    script.textContent = "self.ran = [...(self.ran ?? []), 'script']";
    document.head.append(script);
    const holder = document.createElement("div");
    holder.innerHTML = `<img src="data:," onerror="self.ran = [...(self.ran ?? []), 'handler']">
        <p style="color: rgb(1, 2, 3)"></p>`;
    document.body.append(holder);
    const link = document.createElement("a");
    link.href = "javascript:void (self.ran = [...(self.ran ?? []), 'link'])";
    document.body.append(link);
    link.click();
    return new Promise((done) => setTimeout(() => {
        if (getComputedStyle(holder.querySelector("p")).color === "rgb(1, 2, 3)")
            self.ran = [...(self.ran ?? []), "style"];
        done((self.ran ?? []).sort());
    }, 150));
}"""


@pytest.fixture
def bare(chromium: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens a page whose console may report refused scripts."""
    contexts = []

    def open_page(address: str, *, with_policy: bool = True) -> Page:
        made = chromium.new_context()
        contexts.append(made)
        page = made.new_page()

        def without(route: Route) -> None:
            text = Path(route.request.url.removeprefix("file://").partition("#")[0]).read_text("utf-8")
            route.fulfill(body=re.sub(r"<meta http-equiv[^>]*>", "", text), content_type="text/html")

        if not with_policy:
            page.goto("about:blank")
            page.route("**/*.html", without)
        page.goto(address)
        page.wait_for_load_state()
        return page

    yield open_page
    for made in contexts:
        made.close()


@pytest.mark.parametrize("file", PAGES)
def test_no_page_runs_injected_markup(bare: Callable[..., Page], planted: Planted, file: str) -> None:
    """On every page a script, a handler, a script link and a style inserted as markup have no effect."""
    assert bare((planted.site / file).as_uri()).evaluate(INJECTED) == []


def test_without_the_policy_they_would_run(bare: Callable[..., Page], planted: Planted) -> None:
    """On a page without the content security policy they do run, so the test above can fail."""
    page = bare((planted.site / "index.html").as_uri(), with_policy=False)
    assert page.evaluate(INJECTED) == ["handler", "link", "script", "style"]
