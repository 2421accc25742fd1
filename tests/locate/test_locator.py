"""Other networks than the convolutional one of the browser's tests: tokens, gray images, class atlases, no classes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.core import artifacts as a
from pipeline.core.errors import ArtifactError, BusyError, ConfigError, ImageError
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.locate import locator as locator_module
from pipeline.locate.locator import Locator, View
from tests.tried_run import KINDS, SIDE, encoded, own_cells, picture, try_run

UNSEEN = ("render", "tile", "site", "predict", "patch")
TOKENS = "encoder.layers.encoder_layer_0"
VIT = (
    f"layers=[{TOKENS}]",
    "~model.architecture.dropout",
    "model.architecture._target_=torchvision.models.VisionTransformer",
    "+model.architecture.image_size=64",
    "+model.architecture.patch_size=8",
    "+model.architecture.num_layers=1",
    "+model.architecture.num_heads=2",
    "+model.architecture.hidden_dim=32",
    "+model.architecture.mlp_dim=32",
    "sample.attribution=false",
    "sample.border=0",
)
GRAY = (
    "layers=[second]",
    "~model.architecture.dropout",
    "model.architecture._target_=tests.odd_networks.Gray",
    "model.classes=[one,two,three,four,five]",
    "classes=[three]",
    "comparisons=[[one,two]]",
    "selection.filter=magnitude",
    "selection.top=60",
    "selection.min_samples=3",
    "grid.class_levels=[2]",
)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a vision transformer."""
    folder = tmp_path_factory.mktemp("tokens")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return try_run(folder, *VIT, leave_out=UNSEEN)


@pytest.fixture(scope="module")
def gray(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a network for gray images, with the atlas of a class and a comparison."""
    folder = tmp_path_factory.mktemp("gray")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return try_run(folder, *GRAY, leave_out=UNSEEN)


def locator_of(folder: Path) -> Locator:
    """A locator of a run."""
    return Locator(folder / "params.yaml", folder / "outputs")


def share_in(found: dict[str, list[list[int]]], cells: set[tuple[int, int]]) -> float:
    """Share of the positions that fall in one of these cells."""
    return float(np.mean([tuple(cell) in cells for cell in found["cell"]]))


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_fall_where_their_own_samples_lie(tokens: Path, kind: str) -> None:
    """Every token of a patch is a position; most fall in cells of samples of the same photograph's kind."""
    number = 100 * list(KINDS).index(kind)
    found = locator_of(tokens).locate(encoded(picture(kind, number)), View(TOKENS, "all", 4))
    assert (found["map"], found["inset"], len(found["cell"])) == ([8, 8], [0, 0], 64)
    assert share_in(found, own_cells(tokens, TOKENS, kind, 4)) > 0.7


@pytest.mark.parametrize("atlas", ["class-2", "compare-0-1"])
def test_the_cells_of_other_atlases_are_their_own(gray: Path, atlas: str) -> None:
    """In the atlas of a class and in a comparison positions fall in that atlas's cells, and similar ones together."""
    grid = level(open_artifact(a.GRID, a.GRID.path(gray / "outputs", "second", atlas)), 2)
    drawn = np.asarray(array(grid, "cell")[...])[np.asarray(array(grid, "drawn")[...])]
    locator, view = locator_of(gray), View("second", atlas, 2)
    found = [locator.locate(encoded(picture("white", number)), view) for number in (301, 777)]
    assert share_in(found[0], {(int(row), int(column)) for row, column in drawn}) == 1
    assert np.mean([one == other for one, other in zip(*(each["cell"] for each in found), strict=True)]) > 0.8


def test_gray_images_and_colors_are_taken(gray: Path) -> None:
    """A network of one channel gets the luma of a colored image, and gray files of one channel or 16 bits are read."""
    locator, view = locator_of(gray), View("second", "all", 2)
    colored = picture("bars", 500)
    luma = colored.convert("L")
    deep = Image.fromarray(np.asarray(luma, np.uint16) * 257)
    cells = [locator.locate(encoded(image), view)["cell"] for image in (colored, luma, deep)]
    same = [np.mean([one == other for one, other in zip(cells[0], found, strict=True)]) for found in cells[1:]]
    assert min(same) > 0.9
    assert [found["name"] for found in locator.locate(encoded(luma), view)["classes"]].count("three") == 1


def test_a_network_without_classes_names_none(gray: Path) -> None:
    """Without classes there are no probabilities, and all else is as before."""
    locator, content, view = locator_of(gray), encoded(picture("red", 5)), View("second", "all", 2)
    before = locator.locate(content, view)
    object.__setattr__(locator._network, "classes", ())  # a run without classes would take seconds
    assert locator.locate(content, view) == {**before, "classes": None}


def test_what_the_run_does_not_have_is_named(gray: Path) -> None:
    """Layers, atlases and levels that the run lacks, paths among them, are refused before any is read."""
    locator, content = locator_of(gray), encoded(picture("red", 5))
    for view in (View("first", "all", 2), View("../second", "all", 2)):
        with pytest.raises(ConfigError, match="layer: expected one of second, found"):
            locator.locate(content, view)
    for atlas in ("class-1", "../all"):
        with pytest.raises(ConfigError, match="atlas: expected one of all, class-2, compare-0-1, found"):
            locator.locate(content, View("second", atlas, 2))
    with pytest.raises(ArtifactError, match="expected level 160, found levels 2, 4"):
        locator.locate(content, View("second", "all", 160))


def test_images_that_would_fill_the_memory_are_refused(gray: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many pixels, too short a side, and a line of pixels that resizing would make a huge image of."""
    locator, view = locator_of(gray), View("second", "all", 2)
    large = Image.new("L", (12_000, 9_000))  # a hundred thousand bytes as a file, a hundred million pixels
    with pytest.raises(ImageError, match="at most 100,000,000 pixels, found 12000 x 9000"):
        locator.locate(encoded(large), view)
    with pytest.raises(ImageError, match="sides of at least 8 pixels, found 3 x 500"):
        locator.locate(encoded(Image.new("L", (3, 500))), view)
    with pytest.raises(ImageError, match="when the shorter side has 64, found 8 x 400000; crop it"):
        locator.locate(encoded(Image.new("L", (8, 400_000))), view)
    monkeypatch.setattr(locator_module, "WAIT_SECONDS", 0.01)
    with locator._lock, pytest.raises(BusyError, match="try again"):  # another thread's
        locator.locate(encoded(picture("red", 5)), view)


def test_activations_of_another_network_are_not_compared(gray: Path, tokens: Path, tmp_path: Path) -> None:
    """A model that was prepared again after the activations were recorded is refused, and named."""
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    for name in ("activations", "grid", "layout", "images.parquet"):
        (outputs / name).symlink_to(gray / "outputs" / name)
    (outputs / "model").symlink_to(tokens / "outputs/model")
    with pytest.raises(ArtifactError, match=r"second\.zarr: expected activations of the saved network"):
        Locator(gray / "params.yaml", outputs).locate(encoded(picture("red", 5)), View("second", "all", 2))


def test_a_foreign_image_is_less_similar(gray: Path) -> None:
    """Noise resembles the cells less than a photograph of the set does."""
    locator, view = locator_of(gray), View("second", "all", 4)
    noise = Image.fromarray(np.random.default_rng(9).integers(0, 256, (SIDE, SIDE, 3), np.uint8))
    images = (picture("red", 0), noise)
    own, foreign = (np.median(locator.locate(encoded(image), view)["similarity"]) for image in images)
    assert foreign < own
