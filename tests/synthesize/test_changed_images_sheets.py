"""The sheets of DeepDream, accentuation and painting in a tiny run."""

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from pipeline.commands import OUTPUTS
from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.core.artifacts import SYNTHESIZE
from pipeline.core.atlas_icons import read_atlas_icons
from pipeline.core.errors import ConfigError
from pipeline.model.description import LayerShape
from pipeline.plan.check import check_run
from pipeline.synthesize.accentuation_sheet import early_layer
from pipeline.synthesize.atlas_cells import cell_at
from pipeline.synthesize.painting_sheet import mosaic
from tests.synthesize.tiny_atlas import synthesize
from tests.tiny_run import LAYER, TINY


def drawn() -> str:
    """Address of a drawn cell."""
    atlas = read_atlas_icons(OUTPUTS, LAYER, 4)
    assert atlas is not None
    return cell_at(atlas, 0).address


def test_dreams_of_every_kind_rise(folder: Path) -> None:
    """A layer, a unit, a class and a cell have a column each, in whose pictures they rise; the cell is linked."""
    own = "synthesize.deep_dream"
    content = synthesize(
        folder,
        "deep_dream",
        "synthesize.images=2",
        *(f"{own}.layers=[{LAYER}]", f"+{own}.units={{{LAYER}: [3]}}", f"{own}.classes=[1]"),
        *(f"+{own}.cells={{{LAYER}: [{drawn()}]}}", f"{own}.size=72", f"{own}.tile=48", f"{own}.steps=3"),
        f"{own}.octaves=1",
    )
    assert len(content["columns"]) == 5
    assert len(content["rows"]) == 2
    for row in content["rows"]:
        _, *dreams = row["pictures"]
        assert all(one["values"]["after"] > one["values"]["before"] for one in dreams)
        assert [one["cell"] is not None for one in dreams] == [False, False, False, True]
        assert (dreams[0]["width"], dreams[0]["height"]) == (72, 72)
    with Image.open(SYNTHESIZE.path(OUTPUTS, method="deep_dream") / "1-4.webp") as image:
        assert image.size == (72, 72)


def test_accentuations_go_as_far_as_asked(folder: Path) -> None:
    """No picture has more than its strength; the own cell and the unit have a row each for every image."""
    own = "synthesize.accentuation"
    content = synthesize(
        folder,
        "accentuation",
        "synthesize.images=2",
        *(f"+{own}.units={{{LAYER}: [3]}}", f"{own}.strengths=[0.1,0.2]", f"{own}.steps=4"),
    )
    assert [row["text"].split()[1] for row in content["rows"]] == ["cell", "unit"] * 2
    assert len(content["columns"]) == 4
    for row in content["rows"]:
        for strength, picture in zip((0.1, 0.2), row["pictures"][1:3], strict=True):
            assert picture["values"]["activation"] <= strength + 1e-3
        assert row["pictures"][-1]["values"] == {}
        assert (row["pictures"][0]["cell"] is None) == ("unit" in row["text"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["deep_dream.size=512"], r"deep_dream\.tile: .* for a photograph of 512 × 512"),
        (["texture.size=8192"], r"texture\.size: .* for 1 of 8192 × 8192"),
        (["style_transfer.size=8192"], r"style_transfer\.size: .* for 3 of 8192 × 8192"),
        (["painting.size=8192", "painting.labels=[[0,1]]"], r"painting\.size: .* for 1 of 4096 × 8192"),
    ],
)
def test_pictures_that_are_too_large_are_refused_before_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], line: str
) -> None:
    """The check before a run names setting, size and memory; with memory enough it passes."""
    method = words[0].partition(".")[0]
    words = [*TINY, f"synthesize.methods=[{method}]", *(f"synthesize.{word}" for word in words)]
    params = parse_params(OmegaConf.to_container(compose_config(folder, words)))
    for place in ("deep_dream", "memory"):
        monkeypatch.setattr(f"pipeline.synthesize.{place}.free_bytes", lambda _: 2**24)
    with pytest.raises(ConfigError, match=rf"synthesize\.{line}"):
        check_run(params, OUTPUTS)
    for place in ("deep_dream", "memory"):
        monkeypatch.setattr(f"pipeline.synthesize.{place}.free_bytes", lambda _: 2**44)
    check_run(params, OUTPUTS)


def test_images_that_are_too_large_are_refused_before_the_first_picture(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures as large as their images are checked once the images are known."""
    monkeypatch.setattr("pipeline.synthesize.deep_dream.free_bytes", lambda _: 1000)
    with pytest.raises(ConfigError, match=r"synthesize\.deep_dream\.tile: .* for a photograph of 40 × 40"):
        synthesize(folder, "deep_dream", "synthesize.deep_dream.size=null")


def test_a_painting_has_its_labels_and_what_was_found(folder: Path) -> None:
    """The picture has the shape of the labels; its palette is below it, each cell linked."""
    own = "synthesize.painting"
    content = synthesize(folder, "painting", f"{own}.size=96", f"{own}.steps=3", f"{own}.labels=[[0,1,1],[0,0,1]]")
    picture, labels, found = content["rows"][0]["pictures"][:3]
    assert all((one["width"], one["height"]) == (96, 64) for one in (picture, labels, found))
    palette = content["rows"][0]["pictures"][3:]
    assert [one["name"] for one in content["columns"][3:]] == [
        "Cell {level}/{row}/{column}".format(**one["cell"]) for one in palette
    ]
    assert len(palette) == 2
    assert all(one["cell"]["layer"] == LAYER for one in palette)
    assert 0 <= picture["values"]["agreement"] <= 1


def test_a_mosaic_shows_the_icon_of_each_label() -> None:
    """Each place has the colors of its own icon."""
    icons = [np.full((4, 4, 3), value, np.uint8) for value in (10, 200)]
    found = mosaic(np.array([[0, 1], [1, 1]]), icons, (6, 8))
    assert found.shape == (6, 8, 3)
    assert (found[:3, :4] == 10).all()
    assert (found[3:] == 200).all()
    assert (found[:3, 4:] == 200).all()


def test_the_early_layer_lies_before_and_is_fine() -> None:
    """The last fine one before the target; the first one where none is fine; the layer itself if it is the first."""
    layers = {
        name: LayerShape("map", 4, side, side, 0, 1.0, side)
        for name, side in (("a", 56), ("b", 28), ("c", 14), ("d", 7))
    }
    assert early_layer(layers, "d", 224) == "b"
    assert early_layer(layers, "b", 224) == "a"
    assert early_layer(layers, "a", 224) == "a"
    assert early_layer(layers, "d", 2240) == "a"
