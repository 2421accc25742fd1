"""The verdict on a cell: one set of limits, and the same words wherever the page speaks of a cell."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from browsing import Opener, place, ready, wait_for_place
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from site_planting import Level, Planted
from test_site_data import unpacked

from pipeline.core.site_data import read_data_script
from pipeline.site.verdict import LIMITS, MIN_ATTRIBUTION, Measure, count_doubts, in_doubt, naming, verdict_content

LAYER, SIZE = "features.7", 40
REASONS: dict[Measure, str] = {"fidelity": "Low fidelity", "reliability": "Low reliability", "spread": "High spread"}
WORDS: dict[Measure, tuple[str, str, str]] = {  # good, between, to doubt
    "fidelity": ("High-fidelity icon", "Medium-fidelity icon", "Low-fidelity icon"),
    "reliability": ("high reliability", "medium reliability", "low reliability"),
    "spread": ("similar samples", "varied samples", "dissimilar samples"),
}


def measured(level: Level) -> dict[Measure, NDArray[np.float32]]:
    """[cell] every judged measure, as planted."""
    fidelity = np.full(len(level.cell), np.nan, np.float32)
    fidelity[level.drawn] = level.fidelity_centred
    return {"fidelity": fidelity, "reliability": level.reliability, "spread": level.spread}


def test_unknown_values_and_the_limits_themselves_are_no_doubt() -> None:
    """A cell is doubted beyond a limit only; the better side depends on the measure."""
    for measure, limits in LIMITS.items():
        step = 0.01 if limits.larger_is_better else -0.01
        values = np.array([limits.doubt - step, limits.doubt, limits.good, np.nan])
        assert in_doubt(measure, values).tolist() == [True, False, False, False]


def test_a_cell_with_two_reasons_counts_once() -> None:
    """Cells are counted for each reason, and once for any; one without an icon never is."""
    bad, good = np.array([0.1, 0.9, 0.1]), np.array([0.9, 0.9, 0.9])
    measures: dict[Measure, NDArray[np.float64]] = {"fidelity": bad, "reliability": bad, "spread": 1 - good}
    found = count_doubts(measures, np.array([True, True, False]))
    assert found == {"fidelity": 1, "reliability": 1, "spread": 0, "any": 1}


def test_a_class_that_adds_next_to_nothing_names_no_cell() -> None:
    """Below the limit there is no name, even if all images agree; a weak rival is no candidate, but leaves a doubt."""
    alike = np.array([[True, False], [True, False], [True, True], [True, True]])
    value = np.array([[0.0034, -1], [MIN_ATTRIBUTION, -1], [2, 0.004], [2, 1]])
    found = naming(alike, value)
    assert found.candidate.tolist() == [[False, False], [True, False], [True, False], [True, True]]
    assert found.named.tolist() == [False, True, False, False]


def test_the_site_holds_limits_and_counts(planted: Planted) -> None:
    """The manifest has the limits of the code, and of every level how many of its cells are to doubt and why."""
    manifest = read_data_script(planted.site / "data/manifest.js")
    assert manifest["verdict"] == verdict_content()
    for layer in manifest["layers"]:
        for entry in layer["atlases"][0]["levels"]:
            level = planted.levels[layer["name"], entry["size"]]
            doubts = {name: in_doubt(name, values) & level.drawn for name, values in measured(level).items()}
            wanted: dict[str, int] = {name: int(cells.sum()) for name, cells in doubts.items()}
            assert entry["doubt"] == {**wanted, "any": int(np.any(list(doubts.values()), axis=0).sum())}


def test_the_documents_state_the_limits_of_the_code() -> None:
    """docs/verdict.md has every limit in its row, and docs/reading.md those of doubt; another number fails."""
    root = Path(__file__).parents[2]
    text = (root / "docs/verdict.md").read_text("utf-8")
    rows = {name: next(row for row in text.splitlines() if row.startswith("|") and name in row) for name in LIMITS}
    for name, limits in LIMITS.items():
        assert re.findall(r"0\.\d+", rows[name]) == [f"{limits.good:g}", f"{limits.doubt:g}"]
    assert f"{MIN_ATTRIBUTION} logit" in text
    reading = " ".join((root / "docs/reading.md").read_text("utf-8").split())
    fidelity, reliability, spread = (limits.doubt for limits in LIMITS.values())
    wanted = f"centered fidelity below {fidelity:g}, a reliability below {reliability:g} or a spread above {spread:g}"
    assert wanted in reading


def corner_opacity(page: Page, level: Level, cell: int) -> float:
    """Mean opacity of the overlay at the mark in a cell's upper right corner, 0..255."""
    x, y = place(page, level, cell)
    step = page.evaluate("atlas.cellToPoint(0, 1).x - atlas.cellToPoint(0, 0).x")
    away = step / 2 - 0.09 * step - max(0.085 * step, 2.5)
    read = """([x, y, r]) => {
        const canvas = document.querySelector("canvas.overlay");
        const { left, top } = canvas.getBoundingClientRect();
        const { data } = canvas.getContext("2d").getImageData(x - left - r, y - top - r, 2 * r, 2 * r);
        return data.filter((_, at) => at % 4 === 3).reduce((sum, value) => sum + value, 0) / data.length * 4;
    }"""
    return float(page.evaluate(read, [x + away, y - away, 2]))


@pytest.mark.browser
def test_panel_mark_card_and_legend_say_the_same(opened: Opener, planted: Planted) -> None:
    """In every combination of good and bad measures, each doubt has its value and limit, and the sentence its word."""
    level = planted.levels[LAYER, SIZE]
    values = measured(level)
    doubts = {name: in_doubt(name, values[name]) & level.drawn for name in REASONS}
    page = opened(f"#layer={LAYER}&level={SIZE}&labels=off&marks=on")
    ready(page, f"{LAYER}/all/{SIZE}/")
    any_ = np.any(list(doubts.values()), axis=0)
    expect(page.locator(".measure-legend h3")).to_have_text(f"{any_.sum()} of {level.drawn.sum()} cells to doubt")
    listed = page.locator(".mark-legend li").all_inner_texts()
    for text, (name, cells) in zip(listed, doubts.items(), strict=True):
        assert f"{LIMITS[name].doubt:.2f}" in text
        assert re.findall(r"(\d+) cells?", text) == [str(cells.sum())]
    home = place(page, level, 0)
    kinds = 0
    for kind in product((False, True), repeat=3):
        alike = np.flatnonzero(
            level.drawn & np.all([doubts[name] == bad for name, bad in zip(REASONS, kind, strict=True)], axis=0)
        )
        if not len(alike):
            continue
        kinds += 1
        cell = int(alike[len(alike) // 2])
        wanted = []
        for name, bad in zip(REASONS, kind, strict=True):
            limit = LIMITS[name]
            side = "below" if limit.larger_is_better else "above"
            if bad:
                wanted.append(f"{REASONS[name]}: {values[name][cell]:.2f}, {side} {limit.doubt:.2f}")
        assert (corner_opacity(page, level, cell) > 60) == any(kind)
        page.mouse.move(*place(page, level, cell))
        expect(page.locator(".card .doubt")).to_have_text(wanted)
        page.mouse.click(*place(page, level, cell))
        expect(page.locator(".panel .doubt")).to_have_text(wanted)
        words = []
        for name, limit in LIMITS.items():
            sign, value = (1 if limit.larger_is_better else -1), values[name][cell]
            rank = 0 if sign * value >= sign * limit.good else 2 if sign * value < sign * limit.doubt else 1
            words.append(WORDS[name][rank])
        expect(page.locator(".panel .verdict")).to_have_text(f"{'; '.join(words)}.")
        page.keyboard.press("Escape")
        page.mouse.move(5, 450)
        wait_for_place(page, level, 0, home)  # the map takes the place of the panel again
        page.wait_for_timeout(400)  # the next cell may be a neighbor: two clicks sooner than that are a double click
    assert kinds >= 4


@pytest.mark.browser
def test_no_word_of_a_verdict_has_two_meanings(opened: Opener, planted: Planted) -> None:
    """The title of a cell whose images do not agree on a class uses no word of its measures."""
    level = planted.levels["features.7", 20]
    content = read_data_script(planted.site / "data/features.7/all/20/cells.js")
    named = unpacked(content["named"]) == 1
    undecided = np.flatnonzero(level.drawn & ~named & (unpacked(content["candidate"]).sum(axis=1) > 1))
    row, column = level.cell[undecided[0]]
    page = opened(f"#layer=features.7&level=20&pin=20.{row}.{column}")
    title = page.locator(".panel header h2")
    expect(title).to_contain_text(" or ")
    used = {word for words in WORDS.values() for phrase in words for word in phrase.lower().split()}
    assert not used & set(title.inner_text().lower().split())
    assert "mixed" not in page.locator(".panel").inner_text().lower()
