"""Densities of a class's samples and of the second image set, in a browser, over HTTP and from disk."""

import json

import numpy as np
import pytest
from browsing import Opener, busiest, link_has, link_lacks, opacity, place, ready
from numpy.typing import NDArray
from playwright.sync_api import Page, Route, expect
from site_planting import CLASS_ATLAS, SECOND, Level, Planted, cell_at, count_at, second_about
from test_regions import Box, images_of, listed, middle, samples_in

from pipeline.core.site_data import data_script

pytestmark = pytest.mark.browser

CLASS = "#layer=features.7&level=20&class=0"  # the class of the images in the folder "fireboat"
Shares = tuple[NDArray[np.float64], NDArray[np.float64]]


def shares(planted: Planted, size: int, samples: NDArray[np.int64]) -> Shares:
    """For each cell of a level of features.7: its share of these samples, and of all."""
    level = planted.levels["features.7", size]
    counts = count_at(level, planted.xy["features.7"][samples])
    return counts / counts.sum(), level.count / level.count.sum()


def of_class(planted: Planted) -> NDArray[np.int64]:
    """The samples of images with the label fireboat."""
    labeled = np.array([key.startswith("fireboat") for key in planted.keys])
    return np.flatnonzero(labeled[planted.image])


def written(share: float) -> str:
    """A share as the page formats it."""
    size = 100 * share
    return f"{size:.1f} %" if size >= 1 else f"{float(f'{size:.2g}'):g} %"


def extremes(level: Level, found: Shares) -> tuple[int, int]:
    """The cells with icons with the largest excess and the largest deficit."""
    difference = np.where(level.drawn, found[0] - found[1], 0)
    return int(difference.argmax()), int(difference.argmin())


def color(page: Page, level: Level, cell: int) -> tuple[int, int, int, int]:
    """Overlay pixel of a cell: red, green, blue, alpha."""
    read = """([x, y]) => {
        const canvas = document.querySelector("canvas.overlay");
        const { left, top } = canvas.getBoundingClientRect();
        return Array.from(canvas.getContext("2d").getImageData(x - left, y - top, 1, 1).data);
    }"""
    red, green, blue, alpha = page.evaluate(read, list(place(page, level, cell)))
    return red, green, blue, alpha


def check(page: Page, level: Level, found: Shares, whose: str) -> None:
    """Compare colors, legend and hover card with the planted shares."""
    over, under = extremes(level, found)
    red, _, blue, clear = color(page, level, over)
    assert red > blue + 60, "more than expected is orange"
    assert clear < 115
    red, _, blue, alpha = color(page, level, under)
    assert blue > red + 40, "less than expected is blue"
    assert alpha < 180
    difference = found[0] - found[1]
    even = int(np.where(level.drawn, np.abs(difference), 1).argmin())
    assert color(page, level, even)[3] > 200, "what is as expected steps back"
    order = np.argsort(difference[level.drawn])
    alphas = [color(page, level, int(np.flatnonzero(level.drawn)[at]))[3] for at in order[-1:-60:-12]]
    assert alphas == sorted(alphas), "the more, the clearer"
    rows = page.locator(".legend dl > div")
    for row, cell in ((rows.nth(0), under), (rows.nth(1), over)):
        expect(row).to_contain_text(f"{written(found[0][cell])} of {whose}, {written(found[1][cell])} of all")
        points = 100 * difference[cell]
        sign = "−" if points < 0 else "+"
        size = f"{abs(points):.1f}" if abs(points) >= 1 else f"{float(f'{abs(points):.2g}'):g}"
        expect(row.locator(".points")).to_have_text(f"{sign}{size} points")
    page.mouse.move(*place(page, level, over))
    told = f"{written(found[0][over])} of {whose}, {written(found[1][over])} of all"
    expect(page.locator(".card .density")).to_have_text(told)


def test_density_of_a_class(opened: Opener, planted: Planted) -> None:
    """Cells are colored by the class's share minus the overall share, as stated in legend, card and panel."""
    level = planted.levels["features.7", 20]
    found = shares(planted, 20, of_class(planted))
    page = opened(CLASS)
    ready(page, "features.7/all/20/0")
    expect(page.locator(".class-toolbar .legend")).to_be_hidden()
    before = color(page, level, busiest(level))
    page.get_by_label("density of its samples").check()
    expect(page.locator("html[data-density=class]")).to_be_attached()
    link_has(page, "show=density")
    expect(page.locator(".class-toolbar .legend")).to_contain_text(
        f"Shares of {len(of_class(planted)):,} samples of the class"
    )
    check(page, level, found, "the class's samples")
    over, _ = extremes(level, found)
    page.mouse.click(*place(page, level, over))
    expect(page.locator(".panel .density")).to_contain_text(f"{written(found[0][over])} of the class's samples")
    page.get_by_label("attribution").check()
    expect(page.locator(".panel .density")).to_have_count(0)
    assert color(page, level, busiest(level)) == before
    link_lacks(page, "show=")


def test_a_link_restores_the_density_and_another_class_keeps_it(opened: Opener, planted: Planted) -> None:
    """The link restores the density; a class without labels states that and covers nothing; closing ends it."""
    level = planted.levels["features.7", 20]
    page = opened(f"{CLASS}&show=density")
    ready(page, "features.7/all/20/0")
    over, _ = extremes(level, shares(planted, 20, of_class(planted)))
    assert color(page, level, over)[3] < 115
    page.get_by_role("combobox").fill("gold")
    page.get_by_role("combobox").press("Enter")
    ready(page, "features.7/all/20/5")
    expect(page.locator(".class-toolbar .legend")).to_have_text("No image has this label.")
    assert opacity(page, level, over) == 0
    page.get_by_role("button", name="Show all classes").click()
    ready(page, "features.7/all/20/")
    expect(page.locator(".class-toolbar")).to_be_hidden()
    link_lacks(page, "show=")
    assert opacity(page, level, over) == 0


def test_density_of_the_second_image_set(opened: Opener, planted: Planted) -> None:
    """The button below the caption shows it with its title at every layer, but not in a class atlas."""
    level = planted.levels["features.7", 20]
    page = opened("#layer=features.7&level=20")
    page.get_by_role("button", name=f"Density of {SECOND}").click()
    expect(page.locator("html[data-density=second]")).to_be_attached()
    expect(page.locator(".class-toolbar strong")).to_have_text(SECOND)
    assert page.locator("i").count() == 0, "the title is text"
    check(page, level, shares(planted, 20, planted.second), "the second set")
    link_has(page, "show=second")
    other = opened(page.url.replace("level=20", "level=40"))
    ready(other, "features.7/all/40/")
    check(other, planted.levels["features.7", 40], shares(planted, 40, planted.second), "the second set")
    other.locator("input[value='features.3']").check()
    ready(other, "features.3/all/40/")
    expect(other.locator("html[data-density=second]")).to_be_attached()
    page.get_by_role("combobox").fill("fireb")
    page.get_by_role("combobox").press("Enter")
    ready(page, "features.7/all/20/0")
    expect(page.locator("html[data-density='']")).to_be_attached()
    other.evaluate(f"location.hash = '#layer=features.7&atlas={CLASS_ATLAS}&level=10&show=second'")
    ready(other, f"features.7/{CLASS_ATLAS}/10/")
    expect(other.locator(".class-toolbar")).to_be_hidden()
    away = opened(f"#layer=features.7&atlas={CLASS_ATLAS}&level=10&class=0&show=second")
    ready(away, f"features.7/{CLASS_ATLAS}/10/0")
    expect(away.get_by_role("button", name=f"Density of {SECOND}")).to_be_hidden()
    expect(away.locator("html[data-density='']")).to_be_attached()
    expect(away.locator(".class-toolbar .stacked")).to_be_hidden()


def of_second(planted: Planted, level: Level, box: Box) -> list[tuple[str, int]]:
    """Key and sample count of the second set's images in a box of cells of features.7, as the page lists them."""
    top, left, bottom, right = box
    cell = level.cell[cell_at(level, planted.xy["features.7"][planted.second])]
    inside = ((cell >= [top, left]) & (cell <= [bottom, right])).all(axis=1)
    rows, counts = np.unique(planted.second_image[inside], return_counts=True)
    return [(second_about(int(rows[at]))[0], int(counts[at])) for at in np.lexsort((rows, -counts))]


def of_atlas(planted: Planted, size: int, box: Box) -> list[tuple[str, int]]:
    """The same of the atlas's own images, the first ones in the list."""
    return images_of(planted, samples_in(planted, "features.7", "all", size, box))[:24]


def cell_box(level: Level, cell: int) -> Box:
    """A box of one cell."""
    row, column = (int(number) for number in level.cell[cell])
    return row, column, row, column


def test_a_cell_leads_to_the_images_of_the_second_set(opened: Opener, planted: Planted) -> None:
    """While the second set is shown, a cell lists its images or the atlas's, as chosen, and so does the next cell."""
    level = planted.levels["features.7", 20]
    most, lack = extremes(level, shares(planted, 20, planted.second))
    wanted = of_second(planted, level, cell_box(level, most))
    page = opened("#layer=features.7&level=20&show=second")
    page.mouse.click(*place(page, level, most))
    whose = page.locator(".panel .image-set")
    expect(whose.locator("span")).to_have_text(["of the atlas", f"of {SECOND}"])
    rows = page.locator(".panel .images li")
    expect(rows).to_have_count(min(24, len(wanted)))
    assert len(wanted) > 10
    assert listed(page) == wanted[:24]
    numbers = [int(key.split()[1].removesuffix(".jpg")) for key, _ in wanted]
    labels = [second_about(number)[1] for number in numbers[:24]]
    assert rows.locator(".label").all_inner_texts() == [label for label in labels if label]
    links = [link.get_attribute("href") for link in rows.locator("a").all()]
    assert links == [f"place/features.7/images/0/{number}.webp" for number in numbers[:24] if number % 2]
    assert rows.locator("img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
    assert page.locator(".panel :is(b, u, i)").count() == 0, "names are text"
    page.get_by_label("of the atlas").check()
    expect(rows).to_have_count(24)
    assert listed(page) == of_atlas(planted, 20, cell_box(level, most))
    page.mouse.click(*place(page, level, lack))
    expect(page.locator(".panel .density")).to_contain_text("0 % of the second set")
    expect(rows).to_have_count(24)
    assert listed(page) == of_atlas(planted, 20, cell_box(level, lack))
    page.get_by_label(f"of {SECOND}", exact=True).check()
    expect(rows).to_have_count(0)
    expect(page.locator(".panel")).to_contain_text("It has no samples here.")
    page.get_by_role("button", name=f"Density of {SECOND}").click()
    expect(whose).to_have_count(0)
    expect(rows).to_have_count(24)
    assert listed(page) == of_atlas(planted, 20, cell_box(level, lack))


def test_a_region_leads_to_the_images_of_the_second_set(opened: Opener, planted: Planted) -> None:
    """Labels and images of a region are those of the chosen set, at any grid level."""
    level = planted.levels["features.7", 20]
    busy = int(count_at(level, planted.xy["features.7"][planted.second]).argmax())
    box = middle(Level(**{**vars(level), "count": np.arange(len(level.cell)) == busy}))
    wanted = of_second(planted, level, box)
    page = opened(f"#layer=features.7&level=20&show=second&box=20.{'.'.join(map(str, box))}")
    rows = page.locator(".region .images li")
    expect(rows).to_have_count(24)
    assert listed(page) == wanted[:24]
    assert page.locator(".region .image-list > .secondary").inner_text().startswith(f"{len(wanted)} different images")
    samples = dict(wanted)
    bare = sum(samples.get(second_about(row)[0], 0) for row in range(0, 31, 3)) / sum(samples.values())
    told = page.locator(".region .section", has_text="Labels of the images")
    expect(told.locator(".name")).to_have_text(["sea<b>side</b>", "no label"])
    expect(told.locator(".value").last).to_contain_text(f"{round(100 * bare)} %")
    page.get_by_label("of the atlas").check()
    expect(told.locator(".name")).to_have_count(3)
    assert listed(page) == of_atlas(planted, 20, box)


def test_finer_cells_show_the_cell_around_them(opened: Opener, planted: Planted) -> None:
    """If labels are counted on a coarser grid, a cell shows the shares of its parent cell, and states that."""
    page = opened("#layer=features.7&level=10")

    def manifest(route: Route) -> None:
        text = (planted.site / "data/manifest.js").read_text()
        content = json.loads(text[text.index("]=") + 2 :].rstrip(";\n"))
        for layer in content["layers"]:
            for atlas in layer["atlases"]:
                atlas["label_levels"] = [level for level in atlas["label_levels"] if level["size"] <= 10]
        route.fulfill(body=data_script("manifest", content), content_type="text/javascript")

    page.route("**/manifest.js", manifest)
    page.wait_for_load_state("networkidle")
    page.goto(page.url.split("#")[0] + "?coarse#layer=features.7&level=40&class=0&show=density")
    ready(page, "features.7/all/40/0")
    expect(page.locator(".class-toolbar .legend")).to_contain_text("in the cells of 10 × 10")
    coarse, fine = planted.levels["features.7", 10], planted.levels["features.7", 40]
    found = shares(planted, 10, of_class(planted))
    for cell in extremes(coarse, found):
        children = np.flatnonzero((fine.cell // 4 == coarse.cell[cell]).all(axis=1) & fine.drawn)
        assert len(children) > 2
        assert len({color(page, fine, int(child)) for child in children}) == 1
        page.mouse.move(*place(page, fine, int(children[0])))
        own, everything = written(found[0][cell]), written(found[1][cell])
        told = f"{own} of the class's samples, {everything} of all (surrounding cell of 10 × 10)"
        expect(page.locator(".card .density")).to_have_text(told)


def test_only_requested_data_are_loaded(opened: Opener) -> None:
    """The first load contains no labels, members, links or second set; a density loads one block of labels."""
    page = opened("#layer=features.7&level=20")
    later: list[str] = []
    page.wait_for_load_state("networkidle")  # a reload would break off what still loads
    page.on("request", lambda request: later.append(request.url))
    page.reload()
    ready(page, "features.7/all/20/")
    page.wait_for_timeout(200)
    names = ("label-", "members-", "links", "place/")
    assert not [url for url in later if any(name in url for name in names)]
    page.evaluate("location.hash = '#layer=features.7&level=20&class=0&show=density'")
    expect(page.locator("html[data-density=class]")).to_be_attached()
    assert [url.split("/data/")[1] for url in later if "label-" in url] == ["features.7/all/20/label-0.js"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_densities(opened: Opener, planted: Planted, scheme: str) -> None:
    """At 390 px the class toolbar with its options and legend fits, in light and dark."""
    level = planted.levels["features.7", 10]
    link = "#layer=features.7&level=10&class=0&show=density"
    page = opened(link, width=390, height=844, has_touch=True, is_mobile=True, color_scheme=scheme)
    ready(page, "features.7/all/10/0")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for part_of in (".class-toolbar .stacked", ".class-toolbar .legend", ".class-toolbar input[type=range]"):
        box = page.locator(part_of).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    over, under = extremes(level, shares(planted, 10, of_class(planted)))
    warm, cold = color(page, level, over), color(page, level, under)
    assert warm[0] - warm[2] > 60
    assert cold[2] - cold[0] > 40
