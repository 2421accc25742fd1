import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from pipeline.core.artifacts import PREDICT
from pipeline.core.errors import ModelError
from pipeline.predict.stage import _nearest_level, run
from pipeline.stages import STAGES, Task
from tests.predict.planted import CLASSES, IMAGE_COUNT, LAYER, SHAPES, planned, plant, record, recorded

TIGHT = 2e-3


def result(task: Task) -> dict[str, Any]:
    """Run the stage and read its file as the page does."""
    run(task)
    head, _, body = (task.path(PREDICT) / "result.js").read_text("ascii").partition("]=")
    assert json.loads(head.removeprefix("(self.atlasParts??={})[")) == f"predict/{LAYER}"
    content: dict[str, Any] = json.loads(body.removesuffix(";\n"))
    return content


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What comes out for the planted network with a map."""
    return result(plant(tmp_path_factory.mktemp("map")))


@pytest.mark.parametrize(("kind", "baseline"), [*((kind, "mean") for kind in SHAPES), ("map", "zero")])
def test_a_linear_network_is_predicted_exactly(tmp_path: Path, kind: str, baseline: Literal["mean", "zero"]) -> None:
    """With only a mean and a linear map after the layer, attribution is its baseline's drop: all measures are 1."""
    found = result(plant(tmp_path, kind, f"sample.baseline={baseline}"))["ablation"]
    assert found["estimated"] == baseline
    for measure in ("within", "within_median", "across", "own_label", "sign", "hit"):
        assert found["measures"][baseline][measure]["value"] == pytest.approx(1, abs=TIGHT), measure
    other = {"mean": "zero", "zero": "mean"}[baseline]
    assert found["measures"][other]["within"]["value"] < 1 - 5 * TIGHT
    for _, attribution, drop in found["points"]:
        assert drop == pytest.approx(attribution, rel=1e-2, abs=1e-3)


def test_shuffled_attributions_predict_nothing(planted: dict[str, Any]) -> None:
    """Correlations of shuffled attributions are low, and the lift over them is clear."""
    found = planted["ablation"]
    assert abs(found["shuffled"]["mean"]["across"]["value"]) < 0.3
    assert abs(found["shuffled"]["mean"]["within"]["value"]) < 0.3
    assert found["lift"]["mean"]["within"]["low"] > 0.5


def test_the_planted_directions_raise_their_classes(planted: dict[str, Any]) -> None:
    """Steering toward cells of a concept raises its classes nearly to the ceiling; no control does."""
    steering = planted["steering"]
    assert steering["tested"] == 12
    assert steering["percentile"]["own"]["low"] > 0.8
    for control in ("gaussian", "shuffled", "other"):
        assert steering["lift"][control]["low"] > 0.2
        assert steering["percentile"][control]["value"] < 0.7
    assert planted["verdict"]["ablation"]["grade"] == planted["verdict"]["steering"]["grade"] == "well"
    assert planted["verdict"]["warning"] is None


def test_wrong_attributions_are_detected(tmp_path: Path) -> None:
    """Attributions to the wrong classes predict neither ablation nor steering, and there is a warning."""
    task = plant(tmp_path)
    rolled = np.roll(recorded(task, "attribution"), 2, axis=1)
    record(task, attribution=rolled)
    found = result(task)
    assert found["ablation"]["measures"]["mean"]["within"]["value"] < 0.5
    assert found["steering"]["percentile"]["own"]["value"] < 0.6
    assert found["verdict"]["steering"]["grade"] in ("not", "weakly")
    assert found["verdict"]["warning"]


def test_samples_without_attribution_are_counted(tmp_path: Path) -> None:
    """Samples whose attributions are all zero are reported and left out of the correlations."""
    task = plant(tmp_path)
    attribution = recorded(task, "attribution")
    without = recorded(task, "image") % 4 == 0
    attribution[without] = 0
    record(task, attribution=attribution)
    found = result(task)["ablation"]
    assert found["samples"] == IMAGE_COUNT == found["images"]
    assert found["constant"]["attribution"] == IMAGE_COUNT // 4
    assert found["constant"]["mean"] == 0
    assert found["measures"]["mean"]["within"]["value"] == pytest.approx(1, abs=TIGHT)
    assert len(found["points"]) == IMAGE_COUNT - IMAGE_COUNT // 4


@pytest.mark.parametrize("batch_size", [1, 7])
def test_results_do_not_depend_on_the_batch(tmp_path: Path, planted: dict[str, Any], batch_size: int) -> None:
    """Other batch sizes change nothing beyond rounding; another seed does."""
    task = plant(tmp_path, "map", f"predict.batch_size={batch_size}")
    assert numbers(result(task)) == pytest.approx(numbers(planted), abs=TIGHT)
    other = Task(STAGES["predict"], task.params.model_copy(update={"seed": 1}), task.outputs, LAYER)
    assert numbers(result(other)["ablation"]["points"]) != numbers(planted["ablation"]["points"])


def test_too_few_images_have_no_grade(tmp_path: Path) -> None:
    """With samples of twelve images ablation has no grade, while steering has images enough."""
    found = result(plant(tmp_path, "map", "predict.samples=12"))
    assert found["ablation"]["measures"]["mean"]["within"]["value"] == pytest.approx(1, abs=TIGHT)
    assert found["verdict"]["ablation"] == {"score": None, "grade": "too few images"}
    assert found["verdict"]["steering"]["grade"] == "well"
    assert "fewer than 20 images" in found["verdict"]["text"]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two runs write the same file."""
    task = plant(tmp_path)
    run(task)
    first = (task.path(PREDICT) / "result.js").read_bytes()
    run(task)
    assert (task.path(PREDICT) / "result.js").read_bytes() == first


def test_without_attributions_the_result_says_so(tmp_path: Path) -> None:
    """Where attributions were not recorded nothing fails, and the file and the metrics say that nothing is measured."""
    task = plant(tmp_path, "map", "sample.attribution=false")
    found = result(task)
    assert found["measured"] is False
    assert "not recorded" in found["reason"]
    metrics = json.loads((task.outputs / f"metrics/predict/{LAYER}.json").read_text())
    assert metrics == {"measured": False}


def test_metrics_hold_the_main_figures(tmp_path: Path) -> None:
    """The metrics are those of the page, with intervals."""
    task = plant(tmp_path)
    found = result(task)
    metrics = json.loads((task.outputs / f"metrics/predict/{LAYER}.json").read_text())
    assert metrics["within"]["resample"] == found["ablation"]["measures"]["resample"]["within"]
    assert metrics["percentile"] == found["steering"]["percentile"]
    low, value, high = (metrics["percentile"]["own"][name] for name in ("low", "value", "high"))
    assert 0 <= low <= value <= high <= 1


def test_cells_without_top_classes_skip_steering(tmp_path: Path) -> None:
    """Where no cell has a top class, the steering test is missing and the ablation test is there."""
    task = plant(tmp_path)
    record(task, attribution=-np.abs(recorded(task, "attribution")) - 0.1)
    found = result(task)
    assert found["steering"] is None
    assert found["verdict"]["steering"]["grade"] == "unknown"
    assert found["ablation"]["classes"] == CLASSES


def test_an_unknown_layer_is_named(tmp_path: Path) -> None:
    """A layer that the saved network does not have gives an error with near names."""
    task = plant(tmp_path)
    renamed = task.outputs / "activations/concept.zarr"
    (task.outputs / f"activations/{LAYER}.zarr").rename(renamed)
    with pytest.raises(ModelError, match=LAYER):
        run(Task(STAGES["predict"], planned(tmp_path).params, task.outputs, "concept"))


def test_the_nearest_level_is_taken() -> None:
    """The level nearest to the wanted one, the coarser of two."""
    assert _nearest_level([10, 20, 40], 20) == 20
    assert _nearest_level([40, 10, 20], 15) == 10
    assert _nearest_level([5, 10], 80) == 10


def numbers(content: Any) -> list[float]:
    """Every number in a result, in order."""
    if isinstance(content, dict):
        return [number for key in content if key != "provenance" for number in numbers(content[key])]
    if isinstance(content, list):
        return [number for item in content for number in numbers(item)]
    return [float(content)] if isinstance(content, (int, float)) and not isinstance(content, bool) else []
