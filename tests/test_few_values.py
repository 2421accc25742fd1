"""Every metric has an answer for no values, for one, and for equal ones: a number or null, never NaN or a warning."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from pipeline.core.bootstrap import draw_counts, row_weights, weighted_interval, weighted_mean
from pipeline.core.cells import CellAssignment
from pipeline.core.site_data import pack_array
from pipeline.featurevis.judge import Recognition
from pipeline.grid.stage import level_metrics as cell_metrics
from pipeline.place.placement import Placement
from pipeline.predict.ablation import AblationSamples, ablation_results
from pipeline.predict.measurement import SamplePositions, rounded_interval
from pipeline.predict.verdict import layer_verdict
from pipeline.prepare.train import top_accuracy
from pipeline.reduce.postprocess import to_unit_square
from pipeline.reduce.quality import LayoutSamples, measure_quality, occupied_share
from pipeline.reduce.rows import Rows
from pipeline.render.fidelity import fidelity_histogram, summary_line
from pipeline.render.fidelity import level_metrics as icon_metrics
from pipeline.render.icons import IconArrays
from pipeline.render.large_icons import LargeIcons
from pipeline.render.legibility import legibility_metrics
from pipeline.sample.stats import activation_stats
from pipeline.site.cell_data import attribution_strength
from pipeline.site.polysemantic_cells import class_profiles, polysemantic_cells
from pipeline.site.regions import find_regions

CHANNELS, CLASSES = 4, 3
ZEROS = np.zeros


def icons(count: int, value: float = 0.5) -> IconArrays:
    """Icons that all have the same fidelity and activation."""
    scores = np.full(count, value, np.float32)
    return IconArrays(
        icon=ZEROS((count, 2, 2, 3), np.uint8),
        fidelity=scores,
        fidelity_centred=scores,
        activation=np.full((count, CHANNELS), value, np.float32),
        key=ZEROS((count, 32), np.uint8),
        parent=ZEROS((count, 32), np.uint8),
        retried=0,
    )


def of_icons(count: int) -> Any:
    """The metrics, the printed line and the histogram of a level's icons."""
    means = np.ones((count, CHANNELS), np.float32)
    cells = np.stack([np.arange(count), np.arange(count)], 1)
    found = icon_metrics(icons(count), means, cells, np.full(count, np.nan, np.float32), means[:1].sum(0))
    assert "nan" not in summary_line(10, "drawn", found)
    return found, fidelity_histogram(10, "drawn", icons(count))


def of_failed_icons(count: int) -> Any:
    """The same where not one icon could be rendered."""
    means = np.ones((count, CHANNELS), np.float32)
    return icon_metrics(icons(count, np.nan), means, ZEROS((count, 2), int), means[:, 0], means[:1].sum(0))


def of_large_icons(count: int) -> Any:
    """The metrics of a level's large icons."""
    return LargeIcons(ZEROS((count, 4, 4, 3), np.uint8), icons(count).fidelity, ZEROS((count, 32), np.uint8)).metrics()


def of_cells(count: int) -> Any:
    """The metrics of a level's cells, of which none has a reliability."""
    unknown = np.full(count, np.nan)
    return [
        cell_metrics({"drawn": np.full(count, drawn), "spread": ZEROS(count), "reliability": unknown})
        for drawn in (True, False)
    ]


def of_legibility(count: int) -> Any:
    """The legibility of pictures of which each is as near as every other."""
    found = Recognition(ZEROS((2, count), np.int64), count)
    return legibility_metrics(found, found, 0)


def of_layout(count: int) -> Any:
    """The quality of a layout of equal points, and its frame."""
    if not count:
        return occupied_share(ZEROS((0, 2), np.float32))
    xy, image = np.full((count, 2), 0.5, np.float32), np.arange(count)
    rows = Rows(np.ones((count, CHANNELS), np.float32))
    quality = measure_quality(LayoutSamples(rows, xy, image, ZEROS(count, np.int64)), "cosine", 100, 0)
    return dict(quality), to_unit_square(xy.astype(np.float64), 1.0, 0.1)[0].tolist()


def of_samples(count: int) -> Any:
    """The counts of the stage sample; attributions that are all zero."""
    rows = np.ones((count, CHANNELS), np.float32)
    found = activation_stats({"activation": rows, "attribution": ZEROS((count, CLASSES), np.float32)})
    found.summary(CHANNELS)
    return found.metrics(CHANNELS)


def of_ablation(count: int) -> Any:
    """The ablation test of equal attributions, and its verdict; two samples of two images are the least it is given."""
    many = max(count, 2)
    positions = SamplePositions(np.arange(many), ZEROS((many, 2), np.int32))
    label = np.full(many, 0 if count else -1)
    samples = AblationSamples(positions, np.ones((many, CHANNELS)), np.ones((many, CLASSES)), label)
    drops = {name: np.ones((many, CLASSES)) for name in ("zero", "mean", "resample")}
    found = ablation_results(samples, drops, "mean", 20, 0)
    return found, layer_verdict(found, None)


def of_resamples(count: int) -> Any:
    """An interval over images, by weights and by counts."""
    weights = row_weights(np.random.default_rng(0), [np.arange(count)], 20)
    if count:
        draw_counts(np.random.default_rng(0), count, 20)
    return rounded_interval(weighted_interval(weighted_mean(np.ones(count), weights)))


def of_placement(count: int) -> Any:
    """The overlap of a second image set of which this many samples were placed."""
    level = CellAssignment(10, ZEROS((1, 2), np.int32), ZEROS(3, np.int64))
    placed = ZEROS(count, np.int64)
    return Placement([level], placed, placed).overlap


def of_site(count: int) -> Any:
    """What the site computes from the drawn cells."""
    cell, attribution = np.stack([np.arange(count)] * 2, 1), ZEROS((count, CLASSES), np.float32)
    regions = find_regions(40, cell, np.ones(count, np.int64), attribution)
    profiles = [class_profiles(attribution, np.ones(count, np.int64), None)]
    drawn = np.ones(count, bool)
    strange = polysemantic_cells(attribution, drawn, profiles)
    return attribution_strength(attribution), pack_array(regions.label_position), pack_array(strange.value)


def of_predictions(count: int) -> Any:
    """The accuracy of a network, also where no image has a class."""
    found = ZEROS((count, 5), np.int64)
    return [top_accuracy(found, np.full(count, class_), 5) for class_ in (-1, 0)]


METRICS: Mapping[str, Callable[[int], Any]] = {
    found.__name__: found
    for found in (
        *(of_icons, of_failed_icons, of_large_icons, of_cells, of_legibility, of_layout, of_samples, of_ablation),
        *(of_resamples, of_placement, of_site, of_predictions),
    )
}


@pytest.mark.parametrize("count", [0, 1, 2, 30])
@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_has_an_answer_for_few_and_for_equal_values(metric: str, count: int) -> None:
    """The answer is JSON without NaN, and no warning is raised on the way (warnings are errors here)."""
    with np.errstate(all="raise", under="ignore"):
        json.dumps(METRICS[metric](count), allow_nan=False)


def test_what_is_known_is_not_null() -> None:
    """Null stands for nothing to measure alone: one icon that equals its cell is found, and two cells have a median."""
    assert of_icons(1)[0]["retrieval"] == {"exact": 1.0, "near": 1.0}
    assert of_icons(0)[0]["retrieval"] == {"exact": None, "near": None}
    assert of_cells(2)[0]["spread"] == 0.0
    assert of_cells(2)[1]["spread"] is None
    assert of_predictions(1) == [None, 1.0]
