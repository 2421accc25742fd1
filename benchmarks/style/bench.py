"""The benchmark of style transfer: a network that was trained for one style beside the optimization of each image.

Both are given the same style and the same photographs, which the network was not trained on. The losses are those of
the stage ``synthesize``; the time is that of one photograph, in turn.
"""

import json
from importlib import import_module
from pathlib import Path

from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.real import SQUEEZENET, TOYTOWN, Run, real_run
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import IMAGES, MODEL, SYNTHESIZE
from pipeline.core.progress import log_line
from pipeline.stages import STAGES, Task
from pipeline.synthesize.feed_forward import apply_style_network, load_style_network
from pipeline.synthesize.style_sheet import STYLE_FILE, content_and_style
from pipeline.synthesize.style_transfer import TransferConfig, style_grams, transfer_style
from pipeline.synthesize.worker import WorkerSpec

METHOD = "style_transfer"
WEIGHT = 3.0  # of the style against the content
IMAGES_TRIED, QUICK_IMAGES = 4, 1
ROUNDS, QUICK_ROUNDS = 3, 1
STEPS, QUICK_STEPS = 128, 2
TRAINING_STEPS, QUICK_TRAINING_STEPS = 800, 2


def run(quick: bool) -> Report:
    """Measure on toytown and on the real network.

    Args:
        quick: one photograph and next to no steps.

    Raises:
        ConfigError: the real input is not there.
    """
    return Report([one for name in (TOYTOWN, SQUEEZENET) for one in _rows(name, real_run(name), quick)])


def _rows(name: str, real: Run, quick: bool) -> list[Row]:
    params = _params(real, quick)
    log_line(f"{name}: style transfer by optimization and in one pass")
    task = Task(STAGES["synthesize"], params, real.outputs, method=METHOD)
    import_module("pipeline.synthesize.stage").run(task)
    metrics = json.loads((real.outputs / f"metrics/synthesize/{METHOD}.json").read_text())
    own = params.synthesize.style_transfer
    where = f"{name}, {IMAGES_TRIED} photographs, weight {WEIGHT:g}"
    training = f"{own.training_steps} training steps"
    return [
        row(f"{where}: loss, one pass after {training} : optimized", metrics["one_pass_ratio"], "x", at_most=1.5),
        row(f"{where}: time, optimized for {own.steps} steps : one pass", _speed(task, quick), "x", at_least=100),
    ]


def _params(real: Run, quick: bool) -> Params:
    settings = {
        "methods": [METHOD],
        "images": QUICK_IMAGES if quick else IMAGES_TRIED,
        METHOD: {
            "styles": 1,
            "weights": [WEIGHT],
            "steps": QUICK_STEPS if quick else STEPS,
            "training_steps": QUICK_TRAINING_STEPS if quick else TRAINING_STEPS,
        },
    }
    values = real.params.model_dump(mode="json", by_alias=True)
    return parse_params(values | {"synthesize": values["synthesize"] | settings, "syntheses": [METHOD]})


def _speed(task: Task, quick: bool) -> float:
    """How many times longer the optimization of a photograph takes than one pass."""
    settings = task.params.synthesize
    spec = WorkerSpec(
        model=Path(task.path(MODEL)).absolute(),
        manifest=Path(task.path(IMAGES)).absolute(),
        images=task.params.images,
        settings=settings,
        seed=task.params.seed,
    )
    worker = spec()
    layers = content_and_style(settings.style_transfer, worker.network.layers).weighted()
    photograph = worker.crop(0, settings.style_transfer.size)[None]
    grams = style_grams(worker.network, layers, worker.crop(1, settings.style_transfer.size)[None])
    trained = load_style_network(task.path(SYNTHESIZE) / STYLE_FILE)
    config = TransferConfig(steps=settings.style_transfer.steps)
    sides = {
        "optimized": Side(lambda: transfer_style(worker.network, layers, photograph, grams, 1 / WEIGHT, config)),
        "one pass": Side(lambda: apply_style_network(trained, photograph)),
    }
    return interleaved(sides, QUICK_ROUNDS if quick else ROUNDS).ratio("optimized", "one pass")
