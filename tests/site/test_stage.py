import json
import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from site_planting import CLASSES, LAYERS, LEVELS, Planted, plant
from test_site_data import unpacked

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.site import pages
from pipeline.site.stage import run

EVERY = [(layer, size) for layer in LAYERS for size in LEVELS]


def part(site: Path, name: str) -> Any:
    """The content of a data file, checked to be assigned to its own name."""
    head, _, body = (site / "data" / f"{name}.js").read_text("ascii").partition("]=")
    assert json.loads(head.removeprefix("(self.atlasParts??={})[")) == name
    return json.loads(body.removesuffix(";\n"))


def close(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Equal up to the packing's rounding."""
    return np.allclose(found, expected, atol=np.nanmax(np.abs(expected)) / 32767, rtol=0, equal_nan=True)


@pytest.mark.parametrize(("layer", "size"), EVERY)
def test_cells_are_the_planted_ones(planted: Planted, layer: str, size: int) -> None:
    """Position, count and measures of every cell are in the page's data."""
    truth = planted.levels[layer, size]
    content = {name: unpacked(packed) for name, packed in part(planted.site, f"{layer}/all/{size}/cells").items()}
    assert np.array_equal(content["cell"], truth.cell)
    assert np.array_equal(content["count"], truth.count)
    assert np.array_equal(content["drawn"], truth.drawn)
    assert close(content["spread"], truth.spread)
    assert close(content["reliability"], truth.reliability)
    for name in ("fidelity", "fidelity_centred"):
        assert close(content[name][truth.drawn], getattr(truth, name))
        assert np.isnan(content[name][~truth.drawn]).all()


@pytest.mark.parametrize(("layer", "size"), EVERY)
def test_top_classes_are_the_planted_ones(planted: Planted, layer: str, size: int) -> None:
    """The five strongest classes of every cell are those of the planted attribution."""
    truth = planted.levels[layer, size].attribution
    content = part(planted.site, f"{layer}/all/{size}/cells")
    values = unpacked(content["top_value"])
    assert close(values, np.sort(truth, axis=1)[:, ::-1][:, :5])
    assert close(np.take_along_axis(truth, unpacked(content["top_class"]).astype(int), axis=1), values)


@pytest.mark.parametrize("layer", LAYERS)
def test_heat_has_one_scale_for_all_classes_and_levels(planted: Planted, layer: str) -> None:
    """Heatmaps hold the planted attributions, with the layer's one scale, largest where a drawn cell is."""
    entry = part(planted.site, "manifest")["layers"][LAYERS.index(layer)]["atlases"][0]["heatmap"]
    drawn = [level.attribution[level.drawn] for (name, _), level in planted.levels.items() if name == layer]
    assert entry["scale"] == pytest.approx(max(np.abs(values).max() for values in drawn))
    for level, size in zip(entry["levels"], LEVELS, strict=True):
        assert level["size"] == size
        truth = planted.levels[layer, size]
        found = unpacked(part(planted.site, f"{layer}/all/{size}/heatmap-0")["heatmap"]).T
        assert np.array_equal(found, truth.attribution)


def test_finer_levels_borrow_their_heat(tmp_path: Path) -> None:
    """Levels finer than site.heat_level have no heatmaps; the coarsest one always has."""
    made = plant(tmp_path, samples=2000, levels=(10, 20), heat_level=5)
    run(made.task)
    folder = made.site / "data" / LAYERS[0] / "all"
    assert (folder / "10/heatmap-0.js").exists()
    assert not list((folder / "20").glob("heatmap*"))


def test_a_wrong_bookmark_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """A class that the network does not have ends the stage with no page and no data."""
    link = {"class": len(CLASSES)}
    made = plant(tmp_path, samples=500, levels=(10,), bookmarks=[{"title": "Nowhere", "link": link}])
    with pytest.raises(ConfigError, match=r"site.bookmarks.0.link.class: expected one of the network's"):
        run(made.task)
    assert not (made.site / "data").exists()
    assert not (made.site / "index.html").exists()


@pytest.mark.parametrize(("layer", "size"), EVERY)
def test_exemplars_lead_to_their_images(planted: Planted, layer: str, size: int) -> None:
    """Exemplars name the planted samples' images and positions, and each image's key and label."""
    truth = planted.levels[layer, size].exemplar
    content = part(planted.site, f"{layer}/all/{size}/exemplars")
    image, there = unpacked(content["image"]), truth >= 0
    assert np.array_equal(image[there], planted.image[truth[there]])
    assert (image[~there] == -1).all()
    assert np.array_equal(unpacked(content["position"])[there], planted.position[layer][truth[there]])
    about = part(planted.site, "images/0")
    for row in np.unique(image[there]):
        key = planted.keys[row]
        assert about[str(row)] == [key, key.split("/")[0], 1]


def test_images_are_stored_once_as_the_network_saw_them(planted: Planted) -> None:
    """There is one file for each image that some cell shows, and it is the network's crop of it."""
    shown = {
        int(planted.image[row]) for level in planted.levels.values() for row in np.unique(level.exemplar) if row >= 0
    }
    files = {path.stem: path for path in (planted.site / "data/images").rglob("*.webp")}
    assert set(files) == {str(row) for row in shown}
    source = open_image_set(planted.task.params.images)
    images = ManifestImages(read_manifest(planted.task.outputs / "images.parquet"), source)
    row = min(shown)
    expected = np.asarray(network_crop(images.load(row), PreprocessingSettings(resize=64, crop=64)), float)
    with Image.open(BytesIO(files[str(row)].read_bytes())) as stored:
        found = np.asarray(stored.convert("RGB"), float)
        assert not stored.info.keys() & {"exif", "xmp", "icc_profile"}
    other = np.asarray(network_crop(images.load(row + 1), PreprocessingSettings(resize=64, crop=64)), float)
    assert np.abs(found - expected).mean() < 12 < np.abs(found - other).mean()


def test_photographs_can_be_kept_out(tmp_path: Path) -> None:
    """Without exemplars, no image and no file name reaches the site, and old ones are gone."""
    made = plant(tmp_path, samples=2000, levels=(10,), exemplars=0)
    stale = made.site / "data/images/0/0.webp"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of an earlier run")
    run(made.task)
    assert not list((made.site / "data").rglob("images*"))
    assert not any("photo " in path.read_text("utf-8") for path in (made.site / "data").rglob("*.js"))


def test_old_files_go_and_tiles_stay(tmp_path: Path) -> None:
    """A second run leaves the tiles alone and nothing of a layer that is no longer configured."""
    made = plant(tmp_path, samples=2000, levels=(10,))
    stale = made.site / "data/old.layer/all/10/cells.js"
    stale.parent.mkdir(parents=True)
    stale.touch()
    tiles = sorted((made.site / "tiles").rglob("*"))
    run(made.task)
    first = {path: path.read_bytes() for path in made.site.rglob("*") if path.is_file()}
    run(made.task)
    assert not stale.exists()
    assert sorted((made.site / "tiles").rglob("*")) == tiles
    assert {path: path.read_bytes() for path in made.site.rglob("*") if path.is_file()} == first


def test_manifest_tells_what_to_keep_in_mind(planted: Planted) -> None:
    """The manifest carries classes, patch sizes, shares of zero attributions and the layers' strengths."""
    content = part(planted.site, "manifest")
    assert content["network"]["classes"] == list(CLASSES)
    early, late = content["layers"]
    assert (early["zero_share"], late["zero_share"]) == (0.012, 0.84)
    assert early["patch"] == {"side": 14 / 64, "limited": False}
    assert late["patch"] == {"side": 0.5, "limited": True}
    assert early["atlases"][0]["heatmap"]["strength"] < 0.1 * late["atlases"][0]["heatmap"]["strength"]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_shows_its_title_as_text_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """A title full of markup stays text; the content policy allows no other host; every address is relative."""
    title = "<script>alert(1)</script> & $title"
    made = plant(tmp_path, samples=2000, levels=(10,), title=title)
    run(made.task)
    page = _Page()
    page.feed((made.site / "index.html").read_text("utf-8"))
    assert title in page.text
    policy = next(tag["content"] or "" for name, tag in page.tags if tag.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    addresses = [value for _, tag in page.tags for key, value in tag.items() if key in ("src", "href") and value]
    assert all(address == "data:," or not re.match(r"[a-z]+:|/", address) for address in addresses)
    assert len([name for name, _ in page.tags if name == "script"]) == 2


def test_missing_tiles_are_named(tmp_path: Path) -> None:
    """Without the tiles' list the error names the file and the stage, and the old site stays whole."""
    made = plant(tmp_path, samples=2000, levels=(10,))
    run(made.task)
    listed = made.site / "tiles" / LAYERS[1] / "all/tiles.json"
    listed.unlink()
    with pytest.raises(ArtifactError, match=r"tiles\.json: .*run the stage tile"):
        run(made.task)
    assert (made.site / "data/manifest.js").exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "removed"])
def test_damaged_tiles_are_named(tmp_path: Path, damage: str) -> None:
    """A tile that is cut, has another bit or is gone is no part of a site: the line names its level and the stage."""
    made = plant(tmp_path, samples=2000, levels=(10,))
    run(made.task)
    tile = next((made.site / "tiles" / LAYERS[1] / "all/10_files").rglob("*.webp"))
    content = tile.read_bytes()
    if damage == "removed":
        tile.unlink()
    else:
        tile.write_bytes(content[:-9] if damage == "cut" else content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.raises(ArtifactError, match=r"10_files: expected the tiles that were written, .*the stage tile again"):
        run(made.task)


def test_a_viewer_that_was_not_built_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the viewer has not been built, the error states that and how to build it."""
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    with pytest.raises(ArtifactError, match=r"atlas\.js.*make install"):
        pages.viewer_files()
