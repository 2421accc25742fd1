"""A plan's rows: seconds are counts divided by rates, GPUs share what they can, and the printed sums are right."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import ConfigError
from pipeline.plan import disk
from pipeline.plan.command import check_fits, plan_lines
from pipeline.plan.costs import (
    StageCost,
    prepare_cost,
    reduce_cost,
    render_cost,
    sample_batch_bytes,
    sample_costs,
    stage_costs,
    totals,
)
from pipeline.plan.inputs import GivenRates, IconCost, Rates, Sizes
from pipeline.sample.attribution import TANGENTS

MakeSizes = Callable[..., Sizes]
MakeRates = Callable[..., Rates]
ONE = ["sample.positions_per_image=1", "render.steps=100", "render.warm_steps=10", "model.weights=random"]


def row(found: list[StageCost], stage: str, layer: str = "") -> StageCost:
    """The row of a stage."""
    return next(one for one in found if (one.stage, one.layer) == (stage, layer))


def test_seconds_are_counts_by_rates(sizes: MakeSizes, rates: MakeRates) -> None:
    """Every stage's time is what there is to do by the planted rate, worked out here by hand."""
    run = sizes(*ONE)
    found = stage_costs(run, rates(), [1, 4])
    assert row(found, "prepare").seconds == (1000 / 50, 1000 / 50)
    first = 256 / 100  # images of the baseline, which pass through the network alone
    assert row(found, "sample").seconds == pytest.approx((1000 / 20 + first, 1000 / 20 / 4 + first))
    assert row(found, "reduce", "mixed3b").seconds == (1000 / 5000,) * 2
    assert row(found, "grid", "mixed4a").seconds == (1000 * (2 * 20 + 5) / 1e6,) * 2
    steps = 50 * 100 + 400 * 10
    assert row(found, "render", "mixed3b").seconds == pytest.approx((steps * 0.001 + 45, (steps * 0.001 + 45) / 4))
    assert row(found, "render", "mixed4a").seconds[0] == pytest.approx(steps * 0.002)
    assert row(found, "tile", "mixed4a").seconds[0] == pytest.approx(450 * 48 * 48 * 4 / 3 / 1e6)
    assert row(found, "site").seconds == (1000 / 50,) * 2


def test_the_slower_of_decoding_and_network_counts(sizes: MakeSizes, rates: MakeRates) -> None:
    """Where decoding is the slower, a faster network gains nothing."""
    zero = sizes(*ONE, "sample.baseline=zero")
    assert next(sample_costs(zero, rates(decode=5.0), [1])).seconds == (200.0,)
    assert next(sample_costs(zero, rates(decode=5.0, sample=1e6), [1])).seconds == (200.0,)


def test_every_style_of_icons_counts(sizes: MakeSizes, rates: MakeRates) -> None:
    """Two styles take the time and the disk of both; memory holds the icons of one."""
    both, *single = (
        stage_costs(sizes(*ONE, f"render.styles=[{styles}]"), rates(), [1])
        for styles in ("drawn,accentuated", "drawn", "accentuated")
    )
    for stage in ("render", "tile"):
        one, other = (row(found, stage, "mixed3b") for found in single)
        found = row(both, stage, "mixed3b")
        assert found.seconds[0] == pytest.approx(one.seconds[0] + other.seconds[0])
        assert (found.count, found.disk) == (one.count + other.count, one.disk + other.disk)
        assert found.memory == one.memory == other.memory


def test_large_icons_count(sizes: MakeSizes, rates: MakeRates) -> None:
    """Those of one level add warm steps at their own rate, bytes and pixels; memory holds three of each."""
    large = {"mixed3b": IconCost(0.004, 0.2, 10**8), "mixed4a": IconCost(0.0, 0.0, 1)}
    settings = [*ONE, "grid.levels=[10,20]", "render.batch_size=8"]
    plain = stage_costs(sizes(*settings), rates(), [1, 4])
    run = sizes(*settings, "render.large_level=20")
    found = stage_costs(run, rates(large_icons=large), [1, 4])
    icons = 200  # half of 20 × 20 cells
    one, other = row(found, "render", "mixed3b"), row(plain, "render", "mixed3b")
    more = icons * (10 * 0.004 + 0.2)
    assert np.subtract(one.seconds, other.seconds) == pytest.approx([more, more / 4])
    side = 2 * 40
    assert one.disk - other.disk == icons * (disk.large_icon_row(side) + disk.cached_icon(side, 10))
    assert one.count - other.count == icons
    assert one.memory - other.memory == 2 * 10**8 - 8 * 10**6 + icons * 9 * side**2
    tiles, before = row(found, "tile", "mixed3b"), row(plain, "tile", "mixed3b")
    assert tiles.seconds[0] - before.seconds[0] == pytest.approx(icons * (80**2 - 40**2) * 4 / 3 / 1e6)
    given = stage_costs(run, rates(GivenRates(icons=4.0), large_icons=large), [1])
    assert row(given, "render", "mixed3b").seconds == ((250 + 5 * icons) / 4,)


def test_given_rates_replace_measured_ones(sizes: MakeSizes, rates: MakeRates) -> None:
    """Given rates of images, icons and points replace measured ones; the others stay."""
    run = sizes(*ONE, "sample.baseline=zero")
    given = rates(GivenRates(images=500.0, icons=4.0, points=10.0))
    found = stage_costs(run, given, [1, 8])
    assert row(found, "sample").seconds == (2.0, 0.25)
    assert row(found, "render", "mixed4a").seconds == (450 / 4, 450 / 4 / 8)
    assert row(found, "reduce", "mixed4a").seconds == (100.0, 100.0)
    assert row(found, "grid", "mixed4a") == row(stage_costs(run, rates(), [1, 8]), "grid", "mixed4a")


def test_points_beyond_the_fitted_ones_are_placed(sizes: MakeSizes, rates: MakeRates) -> None:
    """Of 1,000 points 400 are laid out and 600 placed among them, at another rate."""
    run = sizes(*ONE, "reduce.fit_samples=400")
    placed, whole = (reduce_cost(one, rates(), [1], "mixed3b", "all") for one in (run, sizes(*ONE)))
    assert placed.seconds == pytest.approx((400 / 5000 + 600 / 10000,))
    assert placed.memory < whole.memory


def test_training_costs_passes_over_the_images(sizes: MakeSizes, rates: MakeRates) -> None:
    """Three passes an epoch, six with adversarial training; one pass to evaluate published weights, if configured."""
    trained = ["model.weights=train", "model.training.epochs=2"]

    def seconds(*overrides: str) -> float:
        return prepare_cost(sizes(*overrides), rates(), [1]).seconds[0]

    assert seconds(*trained, "model.training.robust=0") == pytest.approx(20 + 6 * 5)
    assert seconds(*trained, "model.training.robust=1") == pytest.approx(20 + 12 * 5)
    assert seconds("model.weights=DEFAULT") == pytest.approx(20 + 5)
    assert seconds("model.weights=DEFAULT", "prepare.evaluate=false") == pytest.approx(20)


def test_memory_grows_with_what_is_held(sizes: MakeSizes, rates: MakeRates) -> None:
    """Every icon of a batch counts, and tangents count where attributions are wanted."""
    small, large = (sizes(*ONE, f"render.batch_size={size}") for size in (8, 32))
    held = [render_cost(run, rates(), [1], "mixed3b", "all").memory for run in (small, large)]
    assert held[1] - held[0] == 24 * rates().icons["mixed3b"].bytes
    numbers = [1000, 100, 10]
    assert sample_batch_bytes(numbers, 1, 2, attribution=False) == 4 * 4 * 2 * 1000
    assert sample_batch_bytes(numbers, 1, 2, attribution=True) == 4 * 4 * TANGENTS * 100
    assert sample_batch_bytes(numbers, 0, 2, attribution=True) == 4 * 4 * TANGENTS * 1000


def test_disk_is_that_of_the_check_before_a_run(sizes: MakeSizes, rates: MakeRates) -> None:
    """The rows add up to the very total that `atlas run` compares with the disk."""
    run = sizes("atlases=[all,class-1,compare-1-2]")
    assert totals(stage_costs(run, rates(), [1]))[0] == disk.total_bytes(run)


def test_printed_sums_come_out(sizes: MakeSizes, rates: MakeRates) -> None:
    """Recomputing a printed formula gives the printed result: samples, bytes of samples, cells of levels."""
    run = sizes(images=1_281_167, channels={"mixed3b": 256}, classes=1000, fill=0.85)
    printed = "\n".join(plan_lines(run, stage_costs(run, rates(), [1, 8]), [1, 8])).replace(",", "")
    images, places, product = re.search(r"samples = (\d+) images × (\d+) places = (\d+)", printed).groups()  # type: ignore[union-attr]  # printed
    assert int(images) * int(places) == int(product) == 1_281_167 * 8
    pattern = r"(\d+) samples × \(\((\d+) channels \+ (\d+) classes\) × (\d) bytes \+ (\d+)\) = ([\d.]+) GB"
    rows, channels, classes, number, rest, size = re.search(pattern, printed).groups()  # type: ignore[union-attr]  # printed
    assert int(rows) * ((int(channels) + int(classes)) * int(number) + int(rest)) == pytest.approx(
        float(size) * 1e9, rel=1e-3
    )
    found = re.findall(r"level \d+: (\d+)² × ([\d.]+) = (\d+) cells", printed)
    assert len(found) == 3
    assert all(round(int(side) ** 2 * float(fill)) == int(cells) for side, fill, cells in found)
    assert "time on 1" in printed
    assert "time on 8" in printed


def test_what_does_not_fit_is_refused_in_one_line(sizes: MakeSizes, rates: MakeRates) -> None:
    """A disk or memory one byte too small is refused and the stage named; the exact size, or an unknown one, is not."""
    found = stage_costs(sizes(*ONE), rates(), [1])
    needed, held, _ = totals(found)
    check_fits(found, Path("outputs"), needed, held)
    check_fits(found, Path("outputs"), None, None)
    with pytest.raises(ConfigError, match=r"outputs: expected .* GB of free disk") as caught:
        check_fits(found, Path("outputs"), needed - 1, held)
    assert "\n" not in str(caught.value)
    most = max(found, key=lambda one: one.memory)
    with pytest.raises(ConfigError, match=f"{most.stage}.*of free memory.* or "):
        check_fits(found, Path("outputs"), needed, held - 1)
