"""What a link shows: its cell in sight at every width, beside the panel; what it names in vain; its copy and title."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qs

import numpy as np
import pytest
from browsing import Opener, busiest, place, ready
from playwright.sync_api import FloatRect, Page, expect
from site_planting import Level, Planted

pytestmark = [
    pytest.mark.browser,
    # where the page comes from does not matter to where its parts are
    pytest.mark.parametrize("address", ["http"], indirect=True),
]

LAYER, OTHER, SIZE = "features.7", "features.3", 20
# CSS pixels of the window, and device pixels for each: phones, a window at twice the zoom, a tablet, screens
WINDOWS = ((320, 568, 2), (390, 844, 1), (640, 430, 2), (1024, 768, 1), (1400, 900, 1), (2560, 1300, 1))
# cells of which a corner or the center lies outside their map or below another element
COVERED = """([cells, place, pane]) => {
    const map = document.querySelector(pane).querySelector(".openseadragon-canvas");
    const { left, top, right, bottom } = map.getBoundingClientRect();
    const side = atlas[place](0, 1).x - atlas[place](0, 0).x;
    const spots = [[0, 0], [-0.45, -0.45], [0.45, -0.45], [-0.45, 0.45], [0.45, 0.45]];
    return cells.filter(([row, column]) => {
        const { x, y } = atlas[place](row, column);
        return !spots.every(([across, down]) => {
            const [at, under] = [x + across * side, y + down * side];
            const inside = at >= left && at <= right && under >= top && under <= bottom;
            return inside && map.contains(document.elementFromPoint(at, under));
        });
    });
}"""
# whether the overlay has the accent's color in the middle of a cell's left edge
OUTLINED = """([row, column, size]) => {
    const canvas = document.querySelector("canvas.overlay");
    const { left, top } = canvas.getBoundingClientRect();
    const shown = Number(document.documentElement.dataset.level);
    const place = (at) => ((at + 0.5) * shown) / size - 0.5;
    const edge = atlas.cellToPoint(place(row), place(column - 0.5));
    const [x, y] = [edge.x - left, edge.y - top].map((at) => at * devicePixelRatio);
    const { data } = canvas.getContext("2d").getImageData(x - 3, y, 7, 1);
    const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    const wanted = [1, 3, 5].map((at) => Number.parseInt(accent.slice(at, at + 2), 16));
    return Array.from({ length: 7 }, (_, at) => data.slice(4 * at, 4 * at + 3))
        .some((color) => wanted.every((value, channel) => Math.abs(value - color[channel]) < 24));
}"""

FOLLOW = """async (link) => {
    const followed = new Promise((follow) => addEventListener("hashchange", follow, { once: true }));
    location.hash = link;
    await followed;
}"""
# no scene is being loaded, and neither map nor panel have changed for 250 ms of the page's own time
REST = """async () => {
    const seen = () => JSON.stringify([
        document.documentElement.dataset.level,
        atlas.cellToPoint(0, 0),
        document.querySelector(".panel").innerText,
        document.querySelector(".panel").getBoundingClientRect(),
    ]);
    for (let [before, times] = ["", 0]; times < 5;) {
        await new Promise((wait) => setTimeout(wait, 50));
        const now = seen();
        const busy = document.querySelector(".pane[aria-busy=true]");
        times = now === before && !busy ? times + 1 : 0;
        before = now;
    }
}"""


def covered(page: Page, cells: list[list[int]], second: bool = False) -> list[list[int]]:
    """The cells, each (row, column) of the shown level, that are not whole in sight."""
    where = ("secondCellToPoint", ".pane.second") if second else ("cellToPoint", ".pane")
    found: list[list[int]] = page.evaluate(COVERED, [cells, *where])
    return found


def drawn(level: Level) -> list[list[int]]:
    """The cells with an icon."""
    found: list[list[int]] = level.cell[level.drawn].tolist()
    return found


def outermost(level: Level) -> list[list[int]]:
    """The leftmost, rightmost, uppermost and lowest cell with an icon."""
    cells = level.cell[level.drawn]
    picked = [cells[values.argmin()] for values in (cells[:, 1], -cells[:, 1], cells[:, 0], -cells[:, 0])]
    return [cell.tolist() for cell in picked]


def shown_level(page: Page, planted: Planted, layer: str = LAYER) -> Level:
    """The planted level that the page shows."""
    return planted.levels[layer, int(page.evaluate("document.documentElement.dataset.level"))]


def bounds(page: Page, part: str) -> FloatRect:
    """Bounding box of the first element."""
    found = page.locator(part).first.bounding_box()
    assert found is not None
    return found


def follow(page: Page, link: str, level: Level | None = None) -> None:
    """Type a link into the open page, and wait until its level is shown and map and panel have come to rest."""
    page.evaluate(FOLLOW, link)
    if level is not None:
        page.wait_for_selector(f'html[data-level="{level.size}"]', state="attached")
    page.evaluate(REST)


@pytest.mark.parametrize(("width", "height", "scale"), WINDOWS)
def test_a_link_shows_its_subject(opened: Opener, planted: Planted, width: int, height: int, scale: int) -> None:
    """The first view covers no cell, with a class too; a pinned cell is whole in sight, outlined, beside its panel."""
    page = opened(f"#layer={LAYER}&labels=off", width=width, height=height, device_scale_factor=scale)
    page.wait_for_timeout(250)
    assert covered(page, drawn(shown_level(page, planted))) == []
    follow(page, f"#layer={LAYER}&labels=off&class=5")
    assert covered(page, drawn(shown_level(page, planted))) == []
    level = planted.levels[LAYER, SIZE]
    for number, (row, column) in enumerate(outermost(level)):
        view = ["", "&view=0.5,0.5,0.3"][number % 2]
        follow(page, f"#layer={LAYER}&pin={SIZE}.{row}.{column}&labels=off{view}")
        expect(page.locator(".panel h2")).to_be_visible()
        assert page.evaluate("document.documentElement.dataset.level") in ("20", "40")
        if page.evaluate("document.documentElement.dataset.level") == str(SIZE):
            assert covered(page, [[row, column]]) == []
        assert page.evaluate(OUTLINED, [row, column, SIZE]), (row, column)
        panel, picture = bounds(page, ".panel"), bounds(page, ".pane")
        beside = panel["x"] >= picture["x"] + picture["width"] - 1
        below = panel["y"] >= picture["y"] + picture["height"] - 1
        assert beside or below
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_covered_cell_is_found(opened: Opener, planted: Planted) -> None:
    """The measure reports a cell below an element that the map does not know of, and a cell out of sight."""
    page = opened(f"#layer={LAYER}&level={SIZE}")
    level = planted.levels[LAYER, SIZE]
    cell = level.cell[busiest(level)].tolist()
    x, y = place(page, level, busiest(level))
    page.evaluate(
        """([x, y]) => {
            const lid = document.createElement("div");
            Object.assign(lid.style, { position: "fixed", left: `${x}px`, top: `${y}px`, width: "9px", height: "9px" });
            document.body.append(lid);
        }""",
        [x, y],
    )
    assert covered(page, drawn(level)) == [cell]
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_timeout(100)
    assert outermost(level)[0] in covered(page, drawn(level))


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1024, 768), (1400, 900)])
def test_both_maps_of_the_split_view_are_clear(opened: Opener, planted: Planted, width: int, height: int) -> None:
    """Side by side, too, the first view covers no cell, a link shows its cell, and the panel covers no map."""
    split = f"#layer={LAYER}&beside={OTHER}~all~"
    page = opened(split, width=width, height=height)
    page.wait_for_selector('html[data-split^="features.3/all"]', state="attached")
    page.wait_for_timeout(300)
    assert covered(page, drawn(shown_level(page, planted))) == []
    assert covered(page, drawn(shown_level(page, planted, OTHER)), second=True) == []
    level = shown_level(page, planted)
    row, column = outermost(level)[1]
    follow(page, f"{split}&level={level.size}&pin={level.size}.{row}.{column}", level)
    expect(page.locator(".panel h2")).to_be_visible()
    assert covered(page, [[row, column]]) == []
    panel = bounds(page, ".panel")
    for pane in page.locator(".pane").all():
        box = pane.bounding_box()
        assert box is not None
        assert panel["x"] >= box["x"] + box["width"] - 1 or panel["y"] >= box["y"] + box["height"] - 1


def test_the_map_refits_beside_the_panel(opened: Opener, planted: Planted) -> None:
    """A pinned cell's panel takes its room from the map: the whole atlas stays whole, and returns when it is closed."""
    page = opened(f"#layer={LAYER}&level={SIZE}")
    level = planted.levels[LAYER, SIZE]
    before = place(page, level, 0)
    page.mouse.click(*place(page, level, busiest(level)))
    expect(page.locator(".panel h2")).to_be_visible()
    page.wait_for_timeout(100)
    assert covered(page, drawn(level)) == []
    assert bounds(page, ".panel")["x"] == pytest.approx(bounds(page, ".pane")["width"], abs=1)
    page.get_by_role("button", name="Close panel").click()
    page.wait_for_timeout(100)
    assert place(page, level, 0) == pytest.approx(before, abs=1)


def test_the_cell_stays_in_sight_when_the_window_changes(opened: Opener, planted: Planted) -> None:
    """A pinned cell at the edge of a wide window is in sight after the window has become narrow."""
    level = planted.levels[LAYER, SIZE]
    row, column = outermost(level)[1]
    page = opened(f"#layer={LAYER}&level={SIZE}&pin={SIZE}.{row}.{column}&view=0.3,0.5,0.6", width=1400)
    expect(page.locator(".panel h2")).to_be_visible()
    for width, height in ((1024, 768), (390, 844), (1280, 860)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(250)
        assert covered(page, [[row, column]]) == [], width


def test_a_link_says_what_it_did_not_find(opened: Opener) -> None:
    """Every part that the run does not have is named in a note, which can be closed."""
    wrong = {
        "#layer=features.7&atlas=class-9": ["atlas “class-9”"],
        "#layer=features.7&pin=20.0.0": ["cell “20.0.0”"],
        "#layer=features.7&tour=77": ["bookmark “77”"],
        "#layer=features.7&tour=x": ["bookmark “x”"],
        "#layer=features.7&box=20.3.3.1.1": ["region “20.3.3.1.1”"],
        "#layer=features.7&beside=nothing~all~": ["layer “nothing” of the second map"],
        "#layer=features.7&style=<b>": ["icon style “<b>”"],
    }
    page = opened("#layer=nothing&level=7&class=99&pin=20.x.3")
    note = page.get_by_role("alert")
    for part in ("layer “nothing”", "level “7”", "class “99”", "cell “20.x.3”"):
        expect(note).to_contain_text(part)
    for link, told in wrong.items():
        page.get_by_role("button", name="Close this note").click()
        expect(note).to_have_count(0)
        follow(page, link)
        for part in told:
            expect(note).to_contain_text(part)
    assert note.locator("b").count() == 0


def test_a_good_link_says_nothing(opened: Opener) -> None:
    """A link with everything in it shows no note, and a good link replaces the note of a bad one."""
    good = f"#layer={LAYER}&level=20&class=5&also=2&pin=20.10.10&beside={OTHER}~all~1&style=drawn"
    page = opened(good)
    page.wait_for_selector('html[data-split^="features.3/all"]', state="attached")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.evaluate("location.hash = '#layer=nothing'")
    expect(page.get_by_role("alert")).to_contain_text("layer “nothing”")
    page.evaluate(f"location.hash = '#layer={LAYER}&level=10'")
    ready(page, f"{LAYER}/all/10/")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_link_is_copied_or_shown(opened: Opener, planted: Planted) -> None:
    """A visible button copies the link; where the browser refuses, a note shows it."""
    level = planted.levels[LAYER, SIZE]
    row, column = level.cell[busiest(level)].tolist()
    page = opened(f"#layer={LAYER}&pin=20.{row}.{column}", permissions=["clipboard-read", "clipboard-write"])
    press = page.get_by_role("button", name="Copy link")
    expect(press).to_be_in_viewport()
    press.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert parse_qs(copied.partition("#")[2])["pin"] == [f"20.{row}.{column}"]
    expect(press).to_be_visible()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    press.click()
    expect(page.get_by_label("Link", exact=True)).to_have_value(page.url)
    expect(page.get_by_label("Link", exact=True)).to_be_in_viewport()


class Heads(HTMLParser):
    """Title and meta texts of a page, and the addresses of what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.told: dict[str, str] = {}
        self.loaded: list[str] = []
        self.title = re.findall("<title>(.*?)</title>", text)[0]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the page says of itself, and what it loads."""
        found = dict(attrs)
        if tag == "meta" and (name := found.get("name") or found.get("property")):
            self.told[name] = found["content"] or ""
        self.loaded += [found[key] or "" for key in ("src", "href") if key in found]


def test_every_page_has_a_title_and_a_description(address: str, planted: Planted) -> None:
    """Each page has its own title and description, for tabs and shared links, and loads nothing from elsewhere."""
    assert address
    heads = {page.name: Heads(page.read_text(encoding="utf-8")) for page in planted.site.glob("*.html")}
    assert {name: head.title for name, head in heads.items()} == {
        "index.html": "A planted atlas",
        "contents.html": "Contents · A planted atlas",
        "evidence.html": "Evidence · A planted atlas",
        "patch.html": "Patch test · A planted atlas",
        "units.html": "Units · A planted atlas",
        "explain.html": "Explanations · A planted atlas",
        "synthesize.html": "Syntheses · A planted atlas",
    }
    for head in heads.values():
        assert head.told["og:title"] == head.title
        assert head.told["og:description"] == head.told["description"]
        assert "Network: SqueezeNet. Layers: 2. Images: 72." in head.told["description"]
        assert not [where for where in head.loaded if not where.startswith(("viewer/", "data/", "data:,"))]
    assert len({head.told["description"] for head in heads.values()}) == len(heads)
    assert np.all([len(head.told["description"]) < 200 for head in heads.values()])
