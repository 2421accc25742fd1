"""Points, cells and icons of a plan follow from levels, fill and counts as anyone would work them out."""

from collections.abc import Callable

from pipeline.plan.inputs import Sizes, icon_count, level_counts, point_count, step_count

Make = Callable[..., Sizes]


def test_cells_are_filled_as_far_as_points_reach(sizes: Make) -> None:
    """Levels 10, 20 and 40 of 1,000 points: half of the cells, but no more drawn than points ÷ 5 allow."""
    found = level_counts(sizes("sample.positions_per_image=1", "grid.min_count=5"), "all")
    assert [(level.size, level.occupied, level.drawn) for level in found] == [
        (10, 50, 50),
        (20, 200, 200),
        (40, 800, 200),
    ]
    assert icon_count(found) == 450


def test_icons_of_the_first_level_start_from_noise(sizes: Make) -> None:
    """Other levels take the steps of a start from a parent; without warm starts all take those from noise."""
    one = ["sample.positions_per_image=1", "render.steps=100"]
    assert step_count(level_counts(sizes(*one, "render.warm_steps=10"), "all"), 100, 10) == 50 * 100 + 400 * 10
    assert step_count(level_counts(sizes(*one, "render.warm_steps=null"), "all"), 100, None) == 450 * 100


def test_accentuated_icons_never_start_from_noise(sizes: Make) -> None:
    """They take the steps of a start from an image at every level; two styles take the steps of both."""
    levels = level_counts(sizes("sample.positions_per_image=1"), "all")
    assert step_count(levels, 100, 10, ["accentuated"]) == 450 * 10
    assert step_count(levels, 100, None, ["accentuated"]) == 450 * 100
    both = step_count(levels, 100, 10, ["drawn", "accentuated"])
    assert both == step_count(levels, 100, 10) + step_count(levels, 100, 10, ["accentuated"])


def test_a_class_has_its_share_of_the_samples(sizes: Make) -> None:
    """Of 1,000 samples and 5 classes a class holds 200 by rank, `top` by magnitude; two classes hold twice as many."""
    atlases = ["atlases=[all,class-1,compare-1-2]", "sample.positions_per_image=1", "selection.top=30"]
    expected = {"rank": 200, "magnitude": 30, "both": 230}
    for name, count in expected.items():
        run = sizes(*atlases, f"selection.filter={name}")
        assert point_count(run, "class-1") == count
        assert point_count(run, "compare-1-2") == 2 * count
        assert point_count(run, "all") == 1000
    assert point_count(sizes(*atlases[:2], "selection.top=100000"), "class-1") == 1000
    levels = level_counts(sizes(*atlases, "selection.filter=rank"), "class-1")
    assert [(level.size, level.drawn) for level in levels] == [(5, 12), (10, 40)]
