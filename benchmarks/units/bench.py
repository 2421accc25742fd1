"""The benchmark of units: images of the same channels by our engine and by torch-lucent, at equal steps.

Both optimize the mean of a channel over the map. Ours are as configured, with feature statistics, and with the channel
alone. torch-lucent's are as large as ours, and at its defaults; the better one of two learning rates counts at our
size, and the size at which its images reach most. Activations are measured under transforms that neither side saw.
Another network judges the images against patches of the channels that no image was made with.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from benchmarks.real import EFFICIENTNET, SCRATCH, SQUEEZENET, Run, real_params, real_run
from benchmarks.render import lucent
from benchmarks.units.lucent_channels import channel_images
from pipeline.config.model import ModelSettings
from pipeline.config.units import UnitsSettings
from pipeline.core.progress import log_line
from pipeline.featurevis.cache import ImageCache
from pipeline.featurevis.judge import JudgeSpec
from pipeline.model.network import load_network
from pipeline.parallel.pool import InlinePool
from pipeline.stages import STAGES, Task
from pipeline.units.examples import choose_examples
from pipeline.units.inputs import Inputs, read_inputs, statistics_prior
from pipeline.units.legibility import UnitJudge
from pipeline.units.picture_renderer import Engine, PictureRenderer
from pipeline.units.pictures import PictureRequest, UnitMeasure, UnitPurpose
from pipeline.units.scan import Scan, ScannerSpec, scan_images

UNITS, QUICK_UNITS = 24, 3
STEPS, QUICK_STEPS = 128, 2
RATES = (0.02, 0.05)
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Channels:
    """The channels of one layer, and what the images show of them.

    Attributes:
        run: the real input.
        inputs: of the stage.
        scan: of all images.
        judge: which channel does an image show?
        active: numbers of the channels that some image activates.
    """

    run: Run
    inputs: Inputs
    scan: Scan
    judge: UnitJudge
    active: list[int]

    @property
    def channels(self) -> list[int]:
        """Of the layer."""
        return [self.inputs.channels[unit] for unit in self.active]

    @property
    def high(self) -> NDArray[np.float32]:
        """Highest activation of each in the images, [channel]."""
        high: NDArray[np.float32] = self.scan.highest.max(axis=0)[self.active]
        return high


def run(quick: bool) -> Report:
    """Measure both layers of the real network.

    Args:
        quick: few channels and next to no steps.

    Raises:
        ConfigError: the real input is not there.
    """
    real, judge = real_run(SQUEEZENET), real_params(EFFICIENTNET).model
    rows: list[Row] = []
    for layer in real.params.layers:
        rows += _layer_rows(_channels(real, layer, judge, quick))
    return Report(rows)


def _channels(real: Run, layer: str, judge: ModelSettings, quick: bool) -> Channels:
    size = real.params.render.for_layer(layer).size
    units = UnitsSettings(
        channels={layer: QUICK_UNITS if quick else UNITS}, size=size, steps=QUICK_STEPS if quick else STEPS
    )
    task = Task(STAGES["units"], real.params.model_copy(update={"units": units}), real.outputs, layer)
    inputs, pool = read_inputs(task), InlinePool(None)
    patches = inputs.patches
    scanner = ScannerSpec(
        patches.model, patches.manifest, patches.images, layer, inputs.channels, units.batch_size, units.device
    )
    scan = scan_images(pool, scanner, len(inputs.manifest))
    active = [unit for unit in range(len(inputs.channels)) if scan.highest[:, unit].max() > 0]
    spec = JudgeSpec(judge, patches, units.device)
    return Channels(real, inputs, scan, UnitJudge(spec, inputs, pool, scan, active), active)


def _layer_rows(found: Channels) -> list[Row]:
    inputs = found.inputs
    size, steps = inputs.settings.size, inputs.settings.steps
    where = f"{inputs.layer}, {size} px, {len(found.active)} channels, {steps} steps"
    log_line(f"{where}: our images and torch-lucent's")
    images = {"ours": _ours(found, prior=True), "ours, the channel alone": _ours(found, prior=False)}
    images[f"torch-lucent at {size} px"] = _theirs(found, lucent.at_size(size), RATES)
    images[lucent.defaults().name] = _theirs(found, lucent.defaults(), (lucent.DEFAULT_RATE,))
    rows = []
    reached = {name: float(np.median(_reached(found, one))) for name, one in images.items()}
    legible = {name: float(found.judge.recognized(found.active, one).mean()) for name, one in images.items()}
    for name in images:
        rows += [
            row(f"{where}: {name}: median activation, as a multiple of the highest in the images", reached[name], "x"),
            row(f"{where}: {name}: recognized by another network", legible[name], "share"),
        ]
    rows.append(row(f"{where}: chance of being recognized", 1 / len(found.active), "share"))
    for name in list(images)[2:]:
        alone = reached["ours, the channel alone"] / reached[name]
        rows += [
            row(f"{where}: activation, ours with the channel alone : {name}", alone, "x", at_least=1),
            row(f"{where}: recognized, ours : {name}", legible["ours"] / max(legible[name], 1e-3), "x", at_least=1),
        ]
    return rows


def _ours(found: Channels, *, prior: bool) -> Pixels:
    """Our images, uint8 [channel, y, x, 3]."""
    inputs, pool, folder = found.inputs, InlinePool(None), SCRATCH / "units"
    shutil.rmtree(folder, ignore_errors=True)
    strongest = [
        choose_examples(found.scan, unit, inputs.units.compared, inputs.shape.width)["highest"]
        for unit in range(len(inputs.channels))
    ]
    pull, statistics = statistics_prior(inputs, pool, strongest)
    pull = pull if prior else None
    requests = [
        PictureRequest(
            inputs.channels[unit],
            inputs.units.weight / float(high),
            statistics[unit].mean(axis=0) if pull else np.zeros(0, np.float32),
        )
        for unit, high in zip(found.active, found.high, strict=True)
    ]
    with ImageCache(folder) as cache:
        renderer = PictureRenderer(inputs, pool, cache)
        pictures = renderer.render(
            UnitPurpose(inputs.layer, "channel", pull), Engine(inputs.settings), requests, lambda _count: None
        )
    side = inputs.settings.size
    gray = np.full((side, side, 3), 128, np.uint8)
    return np.stack([gray if one is None else one.image for one in pictures])


def _theirs(found: Channels, frame: lucent.Frame, rates: Sequence[float]) -> Pixels:
    """torch-lucent's images at the learning rate and the size at which they reach most, uint8 [channel, y, x, 3]."""
    inputs = found.inputs
    network = load_network(inputs.patches.model, inputs.units.device)
    tries = []
    for rate in rates:
        images = channel_images(network, inputs.layer, found.channels, frame, rate, inputs.settings.steps)
        tries += [_resized(images, side) for side in frame.scales(inputs.settings.size)]
    return max(tries, key=lambda one: float(_reached(found, one).mean()))


def _resized(images: Pixels, side: int) -> Pixels:
    resized = [Image.fromarray(one).resize((side, side), Image.Resampling.LANCZOS) for one in images]
    return images if images.shape[1] == side else np.stack([np.asarray(one) for one in resized])


def _reached(found: Channels, images: Pixels) -> NDArray[np.float32]:
    """Highest activation over the map under held-out transforms, by the highest in the images, [channel]."""
    inputs, side = found.inputs, images.shape[1]
    network = load_network(inputs.patches.model, inputs.units.device)
    measure = UnitMeasure(network, inputs.layer, (side, side))
    targets = torch.zeros(len(images), 5)
    targets[:, 0], targets[:, 1] = torch.tensor(found.channels), 1.0
    return np.asarray(measure(torch.from_numpy(images), targets).scores["activation"] / found.high, np.float32)
