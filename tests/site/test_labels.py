"""Labels on the map: names of regions, found from the attributions to all classes, and of cells; layout by zoom."""

from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from browsing import Opener, busiest, link_has, place, ready
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from site_planting import CLASSES, Planted

from pipeline.site.read_artifacts import AtlasLevel
from pipeline.site.regions import Regions, adjacent_pairs, find_regions, label_position, regions_level, ward_merges

SIZE, KINDS, EVERYWHERE = 30, 40, 39
PLANTED = (3, 11, 17, 25)  # the classes of four territories
LINK = "#layer=features.7"


def territory(cell: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which territory a cell lies in: a large one on the left, three on the right of unequal heights."""
    row, column = cell.T
    return np.where(column < 14, 0, 1 + np.digitize(row, (8, 20)))


@dataclass(frozen=True)
class Landscape:
    """Cells as :func:`find_regions` takes them."""

    size: int
    cell: NDArray[np.int64]
    count: NDArray[np.int64]
    attribution: NDArray[np.float32]

    def names(self) -> Regions:
        """Its named regions."""
        return find_regions(**vars(self))

    def only(self, chosen: NDArray[np.int64]) -> "Landscape":
        """With these cells alone."""
        return Landscape(self.size, self.cell[chosen], self.count[chosen], self.attribution[chosen])


def landscape(noise: float = 0.25, seed: int = 0) -> Landscape:
    """A full grid whose regions each have attribution to one class, and a further class that is stronger everywhere."""
    random = np.random.default_rng(seed)
    cell = np.argwhere(np.ones((SIZE, SIZE), bool))
    attribution = noise * random.normal(size=(len(cell), KINDS))
    attribution[np.arange(len(cell)), np.array(PLANTED)[territory(cell)]] += 2
    attribution[:, EVERYWHERE] += 5
    return Landscape(SIZE, cell, random.integers(5, 40, len(cell)), attribution.astype(np.float32))


def shuffled(level: Landscape) -> Landscape:
    """The same cells at other places."""
    order = np.random.default_rng(1).permutation(len(level.cell))
    return replace(level, attribution=level.attribution[order])


def test_territories_get_their_names() -> None:
    """Every planted territory is one of the coarsest regions, named after its class and not after the dominant one."""
    found = landscape().names()
    coarse = found.cut == 0
    inside = territory(np.floor(found.label_position[coarse]).astype(int))
    assert set(zip(inside.tolist(), found.class_[coarse].tolist(), strict=True)) >= set(enumerate(PLANTED))
    assert found.cells[coarse].max() > 250
    assert EVERYWHERE not in found.class_
    everywhere = territory(np.floor(found.label_position).astype(int))
    right = found.class_ == np.array(PLANTED)[everywhere]
    assert found.cells[right].sum() > 0.98 * found.cells.sum(), "finer regions bear the name of what they lie in"


def test_shuffled_cells_make_no_regions() -> None:
    """Where neighbors have nothing to do with each other, no region of more than a few cells is named."""
    found = shuffled(landscape()).names()
    assert found.cells.sum() < 0.12 * SIZE**2
    assert found.cells.max(initial=0) < 0.03 * SIZE**2
    assert landscape().names().cells.max() > 0.3 * SIZE**2


def test_names_do_not_depend_on_chance() -> None:
    """The same cells give the same regions, and another order of noise the same territories."""
    once, again = (vars(landscape().names()) for _ in range(2))
    members = [found.pop("members") for found in (once, again)]
    assert all(np.array_equal(one, other) for one, other in zip(*members, strict=True))
    assert all(np.array_equal(once[name], again[name]) for name in once)
    other = landscape(seed=7).names()
    assert set(PLANTED) <= set(other.class_[other.cut == 0].tolist())


def test_a_gap_belongs_to_no_region() -> None:
    """Without cells there are no names, and a hole in a territory is no part of it."""
    level = landscape()
    assert not len(level.only(np.zeros(0, np.int64)).names().cells)
    hole = ((level.cell >= 4) & (level.cell < 9)).all(axis=1)
    found = level.only(np.flatnonzero(~hole)).names()
    assert found.cells[found.class_ == PLANTED[0]].max() <= 14 * SIZE - 25


def test_every_island_is_a_region_of_its_own() -> None:
    """Eight islands are more than the coarsest cut has regions, fewer than the next: both ends are whole islands."""
    cell = np.argwhere(np.ones((3, 3), bool))
    cell = np.concatenate([cell + np.array([4 * (at // 4), 4 * (at % 4)]) for at in range(8)])
    cell = cell[np.lexsort(cell.T[::-1])]
    island = cell[:, 0] // 4 * 4 + cell[:, 1] // 4
    attribution = np.eye(8, dtype=np.float32)[island]
    found = Landscape(16, cell, np.full(len(cell), 5), attribution).names()
    coarse = found.cut == 0
    assert found.cells[coarse].tolist() == [9] * 8
    assert sorted(found.class_[coarse].tolist()) == list(range(8))


def test_a_handful_of_cells_has_no_regions() -> None:
    """Fewer cells than the coarsest cut has regions are not grouped."""
    level = landscape()
    for cells in (1, 5):
        assert not len(level.only(np.arange(cells)).names().cells)


@pytest.mark.parametrize(("sizes", "wanted"), [((10, 20, 40, 80), 40), ((80, 160), None), ((160,), None), ((5,), 5)])
def test_too_fine_levels_have_no_names(sizes: tuple[int, ...], wanted: int | None) -> None:
    """Regions are made of the finest level of at most 40 cells per side, and of none where all are finer."""
    levels = tuple(SimpleNamespace(size=size) for size in sizes)
    found = regions_level(cast("tuple[AtlasLevel, ...]", levels))
    assert (found.size if found else None) == wanted


def test_a_name_stands_inside_its_region() -> None:
    """The middle of a square is its middle; the middle of a ring lies on the ring."""
    square = np.argwhere(np.ones((6, 6), bool)) + 3
    assert label_position(square).tolist() == [6, 6]
    ring = np.ones((9, 9), bool)
    ring[2:7, 2:7] = False
    where = np.floor(label_position(np.argwhere(ring))).astype(int)
    assert ring[tuple(where)]


def test_adjacent_cells_are_paired() -> None:
    """Pairs are exactly the cells at most one row and one column apart."""
    random = np.random.default_rng(3)
    cell = np.argwhere(random.random((12, 12)) < 0.4)
    found = {tuple(pair) for pair in adjacent_pairs(cell, 12).tolist()}
    apart = np.abs(cell[:, None] - cell[None]).max(axis=2)
    assert found == {(one, other) for one, other in combinations(range(len(cell)), 2) if apart[one, other] == 1}


def test_the_most_similar_are_merged_first() -> None:
    """In a chain of two kinds, the only union of different kinds is the last one."""
    direction = np.repeat(np.eye(2), 5, axis=0) + np.random.default_rng(0).normal(0, 0.01, (10, 2))
    pairs = np.array(list(pairwise(range(10))))
    order = list(ward_merges(direction, pairs))
    assert len(order) == 9
    assert all((one < 5) == (other < 5) for one, other in order[:-1])
    assert order[-1] == (0, 5)


def names(page: Page) -> list[dict[str, Any]]:
    """The labels on the map, once it has settled."""
    page.wait_for_function("() => atlas.labels().length > 0")
    page.wait_for_timeout(150)
    found: list[dict[str, Any]] = page.evaluate("atlas.labels()")
    return found


def candidates_in(text: str) -> list[str]:
    """The classes that a label names: one, or those that its images do not tell apart."""
    return text.removeprefix("perhaps ").removesuffix(" or another").split(" or ")


def apart(found: list[dict[str, Any]]) -> bool:
    """Whether no two labels overlap."""
    return not any(
        one["left"] < other["right"]
        and other["left"] < one["right"]
        and one["top"] < other["bottom"]
        and other["top"] < one["bottom"]
        for one, other in combinations(found, 2)
    )


def free(page: Page, found: list[dict[str, Any]], selector: str) -> bool:
    """Whether no label is behind a page element."""
    canvas, part = page.locator(".openseadragon-canvas").first.bounding_box(), page.locator(selector).bounding_box()
    assert canvas
    assert part
    left, top = part["x"] - canvas["x"], part["y"] - canvas["y"]
    return not any(
        name["left"] < left + part["width"]
        and left < name["right"]
        and name["top"] < top + part["height"]
        and top < name["bottom"]
        for name in found
    )


@pytest.mark.browser
@pytest.mark.usefixtures("planted")
def test_labels_depend_on_the_zoom(opened: Opener) -> None:
    """Few large labels on the whole atlas, more and smaller ones when zoomed in; they never overlap."""
    page = opened(LINK)
    ready(page, "features.7/all/20/")
    whole = names(page)
    assert 2 <= len(whole) <= 25
    assert {candidate for name in whole for candidate in candidates_in(name["text"])} <= set(CLASSES)
    heights = [name["bottom"] - name["top"] for name in whole]
    seen = [whole]
    for _ in range(5):
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(60)
        seen.append(names(page))
    assert all(apart(found) for found in seen)
    close = [name["bottom"] - name["top"] for name in seen[-1]]
    assert min(close) < min(heights)
    assert max(heights) > 1.3 * min(close)


@pytest.mark.browser
def test_labels_agree_with_the_attributions(opened: Opener, planted: Planted) -> None:
    """Under every region's name the planted attribution of that class is far above its average over the layer."""
    level = planted.levels["features.7", 40]
    page = opened(f"{LINK}&level=40")
    ready(page, "features.7/all/40/")
    drawn = level.attribution[level.drawn]
    average = np.average(drawn, axis=0, weights=level.count[level.drawn])
    for name in names(page):
        x, y = (name["left"] + name["right"]) / 2, (name["top"] + name["bottom"]) / 2
        origin = page.locator(".openseadragon-canvas").first.bounding_box()
        assert origin
        corner, far = (page.evaluate("([at]) => atlas.cellToPoint(at, at)", [at]) for at in (0, 39))
        step = (far["x"] - corner["x"]) / 39
        column, row = (x + origin["x"] - corner["x"]) / step, (y + origin["y"] - corner["y"]) / step
        near = np.hypot(*(level.cell[level.drawn] - [row, column]).T) < 3
        for candidate in candidates_in(name["text"]):
            class_ = CLASSES.index(candidate)
            assert drawn[near, class_].mean() > average[class_] + 0.5


@pytest.mark.browser
def test_labels_avoid_page_elements(opened: Opener, planted: Planted) -> None:
    """No label is behind the panel or the corner; a highlighted class, the key or the link hides all of them."""
    level = planted.levels["features.7", 20]
    page = opened(LINK)
    ready(page, "features.7/all/20/")
    before = names(page)
    assert free(page, before, ".corner")
    page.mouse.click(*place(page, level, busiest(level)))
    expect(page.locator(".panel")).to_be_visible()
    page.wait_for_timeout(300)
    assert free(page, names(page), ".panel")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.wait_for_function("() => atlas.labels().length === 0")
    link_has(page, "labels=off")
    page.keyboard.press("n")
    assert len(names(page)) == len(before)
    page.evaluate(f"location.hash = '{LINK}&class=1'")
    page.wait_for_function("() => atlas.labels().length === 0")
    other = opened(f"{LINK}&labels=off")
    ready(other, "features.7/all/20/")
    other.wait_for_timeout(200)
    assert other.evaluate("atlas.labels()") == []


@pytest.mark.browser
def test_markup_in_a_label_is_text(opened: Opener, planted: Planted) -> None:
    """The class name with markup is shown as text, truncated, where the view has room for it in any font."""
    level = planted.levels["features.7", 40]
    markup = next(name for name in CLASSES if "<" in name)
    found = find_regions(level.size, level.cell[level.drawn], level.count[level.drawn], level.attribution[level.drawn])
    row, column = found.label_position[found.class_ == CLASSES.index(markup)][0] / level.size
    page = opened(f"{LINK}&level=40&view={column:.4f},{row:.4f},0.3")
    seen: set[str] = set()
    for _ in range(50):
        seen |= {name["text"] for name in names(page)}
        if seen - set(CLASSES):
            break
        page.wait_for_timeout(60)
    assert seen - set(CLASSES) == {f"{markup[:27]}…"}
    assert page.locator("script").count() <= 2
