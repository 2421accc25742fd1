"""The sheets of inversion, texture and style transfer in a tiny run."""

from pathlib import Path

import pytest

from pipeline.model.description import LayerShape
from pipeline.synthesize.layer_choice import spread_layers
from tests.synthesize.tiny_atlas import synthesize
from tests.tiny_run import LAYER


def test_inversions_have_a_column_for_each_layer_and_a_curve(folder: Path) -> None:
    """Each picture has both errors; the curve has their means."""
    own = "synthesize.inversion"
    content = synthesize(
        folder,
        "inversion",
        "synthesize.images=3",
        "synthesize.batch_size=2",
        f"{own}.layers=[stem2,{LAYER}]",
        f"{own}.steps=4",
    )
    assert [one["name"] for one in content["columns"]] == ["Image", "stem2", LAYER]
    assert len(content["rows"]) == 3
    errors = [[one["values"]["pixel_error"] for one in row["pictures"][1:]] for row in content["rows"]]
    (curve,) = content["curves"]
    assert curve["items"] == ["stem2", LAYER]
    means = [sum(row[column] for row in errors) / 3 for column in range(2)]
    assert curve["lines"][0]["values"] == pytest.approx(means, rel=2e-3)


def test_textures_have_a_column_for_each_layer_and_each_way_without(folder: Path) -> None:
    """Pictures have the size that is asked for; a texture of patches is less new than one of features."""
    own = "synthesize.texture"
    content = synthesize(
        folder,
        "texture",
        "synthesize.images=2",
        f"{own}.layers=[stem2,{LAYER}]",
        f"{own}.steps=4",
        f"{own}.size=72",
        f"{own}.patch=5",
    )
    assert [one["name"] for one in content["columns"]][1:] == ["stem2", f"+ {LAYER}", "Pixel by pixel", "Quilting"]
    for row in content["rows"]:
        _, first, second, scan_line, quilted = row["pictures"]
        assert all((one["width"], one["height"]) == (72, 72) for one in (first, second, scan_line, quilted))
        assert quilted["values"]["novelty"] < second["values"]["novelty"]
    assert "distance between two" in content["notes"][0]


def test_styles_have_rows_and_weights_columns(folder: Path) -> None:
    """Each image has a row for either style and for their blend; the first style has a picture in one pass."""
    own = "synthesize.style_transfer"
    overrides = (f"{own}.steps=4", f"{own}.weights=[0.1,10.0]", f"{own}.style_layers=[stem2]")
    content = synthesize(folder, "style_transfer", "synthesize.images=2", *overrides, f"{own}.training_steps=2")
    assert len(content["columns"]) == 5
    assert len(content["rows"]) == 6
    assert [row["pictures"][-1] is not None for row in content["rows"]] == [True, False, False] * 2
    for row in content["rows"]:
        weak, strong = row["pictures"][2:4]
        assert weak["values"]["content"] < strong["values"]["content"]
    assert "times that of the optimization" in content["notes"][1]
    without = synthesize(folder, "style_transfer", "synthesize.images=1", *overrides, f"{own}.training_steps=0")
    assert len(without["columns"]) == 4


def test_layers_are_spread_over_the_blocks() -> None:
    """The outermost modules with a map of which there are enough, the first and the last among them."""
    shape = LayerShape("map", 4, 8, 8, 0, 1.0, 8)
    flat = LayerShape("map", 4, 1, 1, 0, 1.0, 8)
    nested = {"body": shape, **{f"body.{number}": shape for number in range(9)}, "body.3.inner.conv": shape}
    assert spread_layers({**nested, "mean": flat}) == ["body.0", "body.2", "body.4", "body.6", "body.8"]
    assert spread_layers({"a": shape, "b": shape}) == ["a", "b"]
