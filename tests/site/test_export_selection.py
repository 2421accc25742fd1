"""Exports of a selection, in a browser, over HTTP and from disk."""

import base64
import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from browsing import Opener, busiest, ready
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from selecting import encoded, within
from site_copy import copied
from site_planting import CLASSES, ICON, Level, Planted

from pipeline.core.artifacts import ICONS
from pipeline.core.site_data import data_script, read_data_script
from pipeline.core.zarr_store import array, open_artifact
from pipeline.site.tile_scripts import script_levels

pytestmark = pytest.mark.browser

BACKGROUND = np.array([0xF7, 0xF5, 0xF0])
MARGIN = 32  # pixels of background around the icons
Rows = list[dict[str, str]]


def selection(level: Level) -> NDArray[np.bool_]:
    """[cell] an irregular part of a level: three quarters of the cells around the busiest one."""
    row, column = (int(value) for value in level.cell[busiest(level)])
    square = within(level, [(column - 7, row - 4), (column + 8, row - 4), (column + 8, row + 5), (column - 7, row + 5)])
    ragged: NDArray[np.bool_] = square & ((level.cell.sum(axis=1) % 4) != 0)
    return ragged


def link(level: Level, chosen: NDArray[np.bool_]) -> str:
    """The URL part that selects these cells."""
    return f"#layer=features.7&level={level.size}&cells={encoded(level.size, level.cell[chosen].tolist())}"


def saved(page: Page, name: str) -> tuple[str, bytes]:
    """Press one of the buttons; returns name and content of the download."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def table(content: bytes) -> Rows:
    """A CSV as a strict reader of RFC 4180 sees it."""
    text = content.decode("utf-8-sig")
    assert text.count("\n") >= text.count("\r\n") > 0
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def icons_of(planted: Planted, level: Level) -> dict[int, NDArray[np.int64]]:
    """The planted icons by their cells."""
    group = open_artifact(ICONS, planted.task.path(ICONS, "features.7", "all"))
    cells, icons = (np.asarray(array(group, f"{level.size}/{name}")[:], np.int64) for name in ("cell", "icon"))
    return dict(zip(cells.tolist(), icons, strict=True))


def test_cells_as_csv(opened: Opener, planted: Planted) -> None:
    """Every selected cell is a row with the planted numbers, classes and exemplars; no other cell is."""
    level = planted.levels["features.7", 20]
    chosen = np.flatnonzero(selection(level))
    page = opened(link(level, selection(level)))
    name, content = saved(page, "Cells CSV")
    rows = table(content)
    assert name == "features.7-all-20-cells.csv"
    assert [(int(row["row"]), int(row["column"])) for row in rows] == [tuple(at) for at in level.cell[chosen].tolist()]
    assert {(row["layer"], row["atlas"], row["level"]) for row in rows} == {("features.7", "all", "20")}
    assert [int(row["count"]) for row in rows] == level.count[chosen].tolist()
    fidelity = np.full(len(level.cell), np.nan)
    fidelity[level.drawn] = level.fidelity
    for column, values in (("spread", level.spread), ("reliability", level.reliability), ("fidelity", fidelity)):
        told = [float(row[column] or "nan") for row in rows]
        assert told == pytest.approx(values[chosen].tolist(), abs=1e-4, nan_ok=True)
    for row, cell in zip(rows, chosen, strict=True):
        check_classes(row, level.attribution[cell])
        check_exemplars(row, planted, level.exemplar[cell])


def check_classes(row: dict[str, str], attribution: NDArray[np.float32]) -> None:
    """Top classes with their attributions, largest first, as long as they are positive."""
    best = [at for at in np.argsort(-attribution, kind="stable")[:5] if attribution[at] > 0]
    told = [row[f"class_{rank}"] for rank in range(1, 6) if row.get(f"class_{rank}")]
    assert told == [CLASSES[at] for at in best]
    values = [float(row[f"attribution_{rank}"]) for rank in range(1, len(best) + 1)]
    assert values == pytest.approx(attribution[best].tolist(), abs=2e-3)


def check_exemplars(row: dict[str, str], planted: Planted, exemplar: NDArray[np.int64]) -> None:
    """Key of the image and position in the layer's map of every exemplar."""
    for rank, sample in enumerate(exemplar, 1):
        told = [row[f"exemplar_{rank}{end}"] for end in ("", "_y", "_x")]
        place = planted.position["features.7"][sample].tolist()
        wanted = [planted.keys[planted.image[sample]], *map(str, place)] if sample >= 0 else ["", "", ""]
        assert told == wanted


def test_cells_without_an_icon_are_rows_too(opened: Opener, planted: Planted) -> None:
    """In a rectangle, cells with few samples are listed with their count and without fidelity."""
    level = planted.levels["features.7", 40]
    bare = level.cell[~level.drawn][0]
    row, column = (int(value) for value in bare)
    page = opened(f"#layer=features.7&level=40&box=40.{row}.{column}.{row}.{column}")
    _, content = saved(page, "Cells CSV")
    (found,) = table(content)
    assert (found["drawn"], found["fidelity"], found["count"]) == ("0", "", str(level.count[~level.drawn][0]))
    expect(page.get_by_role("button", name="PNG", exact=True)).to_have_count(0)


def test_images_as_csv(opened: Opener, planted: Planted) -> None:
    """Every image with samples in the selection is a row with its label and their number, the most first."""
    level = planted.levels["features.7", 20]
    chosen = selection(level)
    page = opened(link(level, chosen))
    name, content = saved(page, "Images CSV")
    place = np.minimum((planted.xy["features.7"] * 20).astype(int), 19)
    inside = np.zeros((20, 20), bool)
    inside[tuple(level.cell[chosen].T)] = True
    rows, counts = np.unique(planted.image[inside[place[:, 1], place[:, 0]]], return_counts=True)
    order = np.lexsort((rows, -counts))
    keys = [planted.keys[rows[at]] for at in order]
    assert name == "features.7-all-20-images.csv"
    found = table(content)
    assert [(row["image"], int(row["samples"])) for row in found] == list(
        zip(keys, counts[order].tolist(), strict=True)
    )
    assert [row["label"] for row in found] == [key.split("/")[0] for key in keys]
    assert "street<b>car" in {row["label"] for row in found}


def test_names_can_neither_break_the_table_nor_run_in_a_spreadsheet(opened: Opener, planted: Planted) -> None:
    """Quotes, commas, line breaks and markup are preserved; formulas are escaped with an apostrophe."""
    level = planted.levels["features.7", 20]
    hostile = ['=HYPERLINK("http://x")', "+1", "-2+3", "@SUM(A1)", "\t=1", 'a, "b"\r\nc', "<b>x</b>", "plain", " =9"]
    names = (hostile * 2)[: len(CLASSES)]
    page = opened("#layer=features.7&level=20")
    text = (planted.site / "data/manifest.js").read_text()
    content = json.loads(text[text.index("]=") + 2 :].rstrip(";\n"))
    content["network"]["classes"] = names
    script = data_script("manifest", content)
    page.route("**/manifest.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.wait_for_load_state("networkidle")
    page.goto(page.url.split("#")[0] + "?hostile" + link(level, level.drawn))
    ready(page, "features.7/all/20/")
    _, raw = saved(page, "Cells CSV")
    told = {row["class_1"] for row in table(raw)} | {row["class_2"] for row in table(raw)}
    safe = {name if name[0] in "a<p" else f"'{name}" for name in names}
    assert told - {""} == safe
    expect(page.locator(".region :is(b, script)")).to_have_count(0)


def test_the_png_contains_only_the_selected_icons(opened: Opener, planted: Planted) -> None:
    """The PNG contains each icon at its position and a caption, from a server and from disk."""
    level = planted.levels["features.7", 20]
    chosen = selection(level)
    page = opened(link(level, chosen), color_scheme="light")
    name, content = saved(page, "PNG")
    assert name == "features.7-all-20-cells.png"
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    top, left = level.cell[chosen].min(axis=0)
    bottom, right = level.cell[chosen].max(axis=0)
    times, rest = divmod(pixels.shape[1] - 2 * MARGIN, (right - left + 1) * ICON)
    assert (rest, times) == (0, 2), "a picture that is not large shows its icons twice as large"
    side, inner = times * ICON, slice(ICON // 6, -ICON // 6)
    icons = icons_of(planted, level)
    inside = np.stack([icons[cell][inner, inner] for cell in np.flatnonzero(chosen).tolist()])
    seen = {(int(row), int(column)): at for at, (row, column) in enumerate(level.cell)}
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            y, x = MARGIN + (row - top) * side, MARGIN + (column - left) * side
            found = pixels[y : y + side, x : x + side].reshape(ICON, times, ICON, times, 3).mean(axis=(1, 3))
            cell = seen.get((row, column))
            if cell is None or not chosen[cell]:
                assert np.abs(found - BACKGROUND).max() <= 1, (row, column)
            else:
                apart = np.abs(inside - found[inner, inner]).mean(axis=(1, 2, 3))
                assert apart.argmin() == np.flatnonzero(chosen).tolist().index(cell), "no other icon comes as near"
                assert apart.min() < 16
    below = pixels[MARGIN + (bottom - top + 1) * side :]
    assert np.abs(pixels[:MARGIN] - BACKGROUND).max() == 0
    assert 0 < (np.abs(below - BACKGROUND).max(axis=-1) > 60).mean() < 0.1, "a line of text"


def test_a_small_selection_is_enlarged(opened: Opener, planted: Planted) -> None:
    """A single icon is scaled by four, and its colors are kept."""
    level = planted.levels["features.7", 20]
    row, column = level.cell[busiest(level)].tolist()
    page = opened(f"#layer=features.7&level=20&box=20.{row}.{column}.{row}.{column}", color_scheme="dark")
    _, content = saved(page, "PNG")
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    icon = np.asarray(picture.crop((MARGIN, MARGIN, MARGIN + 4 * ICON, MARGIN + 4 * ICON)).resize((ICON, ICON)))
    inner = slice(ICON // 6, -ICON // 6)
    apart = np.abs(icon[inner, inner] - icons_of(planted, level)[busiest(level)][inner, inner])
    assert apart.mean() < 12
    assert picture.getpixel((2, 2)) == (0x14, 0x13, 0x12), "the paper of the dark"


def test_the_link_is_copied(opened: Opener, planted: Planted) -> None:
    """The button copies the URL of the selection and confirms it."""
    level = planted.levels["features.7", 20]
    chosen = selection(level)
    page = opened(link(level, chosen), permissions=["clipboard-read", "clipboard-write"])
    press = page.get_by_role("button", name="Copy link")
    press.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert encoded(20, level.cell[chosen].tolist()) in copied


def test_unreadable_tiles_are_reported_when_saving(opened: Opener, planted: Planted) -> None:
    """If reading the tiles is refused only when saving, the button explains it then."""
    level = planted.levels["features.7", 20]
    page = opened(link(level, selection(level)))
    press = page.get_by_role("button", name="PNG", exact=True)
    refusal = "() => { throw new DOMException('tainted', 'SecurityError'); }"
    page.evaluate(f"() => {{ HTMLCanvasElement.prototype.toBlob = {refusal}; }}")
    press.click()
    expect(page.get_by_role("button", name="No PNG from disk")).to_be_visible()
    expect(page.locator(".exports .secondary")).to_contain_text("do not let such a page read the pixels of its images")


def test_a_site_without_scripts_of_tiles_says_why(chromium: Browser, planted: Planted, tmp_path: Path) -> None:
    """With site.png_from_disk=false a page from disk names the reason beside the button."""
    content = read_data_script(planted.site / "data/manifest.js") | {"png_from_disk": False}
    bare = copied(planted.site, tmp_path / "site", {"data/manifest": content})
    shutil.rmtree(bare / "data/pixels")
    level = planted.levels["features.7", 20]
    page = chromium.new_page()
    page.goto((bare / "index.html").as_uri() + link(level, selection(level)))
    refused = page.get_by_role("button", name="No PNG from disk")
    expect(refused).to_be_visible()
    refused.click()
    expect(page.locator(".exports .secondary")).to_contain_text("opened from disk")
    expect(page.locator(".exports .secondary")).to_contain_text("site.png_from_disk=false")
    page.close()


def test_the_scripts_hold_the_tiles(planted: Planted) -> None:
    """Every tile of full size has a script with the same bytes, and no script is larger than twice its tile."""
    tiles = sorted((planted.site / "tiles/features.7/all/20_files/10").glob("*.webp"))
    assert tiles
    for tile in tiles:
        script = planted.site / "data/pixels/tiles/features.7/all/20_files/10" / f"{tile.stem}.js"
        assert base64.b64decode(read_data_script(script)["data"]) == tile.read_bytes()
        assert script.stat().st_size < 1.4 * tile.stat().st_size + 200
    assert list(script_levels(960)) == [10]
    assert list(script_levels(12_800)) == [14, 13, 12]
    assert list(script_levels(4096)) == [12]
