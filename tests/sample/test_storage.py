from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pipeline.config.model import PreprocessingSettings
from pipeline.config.sample import SampleSettings
from pipeline.core.errors import DataError
from pipeline.images.crops import network_crop, relative_positions
from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.inputs import to_tensor
from pipeline.model.network import Network
from pipeline.model.weights import load_weights
from pipeline.sample.attribution import Block, sample_batch
from pipeline.sample.shards import to_storage

LAYERS = ("features.7", "features.12")


def test_half_precision_rounds_to_the_nearest() -> None:
    """The bits are NumPy's own, from the smallest to the largest number; in float32 nothing moves."""
    values = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    values *= np.float32(10) ** np.random.default_rng(1).integers(-9, 5, 5000)
    values = np.concatenate([values[np.abs(values) < 65504], [0, -0.0, 65504, -65519]]).astype(np.float32)
    found = to_storage(values, "float16", "a", "activation")
    np.testing.assert_array_equal(found.view(np.uint16), values.astype(np.float16).view(np.uint16))
    assert to_storage(values, "float32", "a", "activation") is values


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (65520.0, r"^b: expected attributions of at most 65504, .* found 65520; use sample\.storage=float32$"),
        (-1e9, r"found -1e\+09; use sample\.storage=float32$"),
        (np.inf, r"^b: expected finite attributions, found inf; check"),
        (np.nan, r"^b: expected finite attributions, found nan; check"),
    ],
)
def test_what_does_not_fit_is_refused(value: float, message: str) -> None:
    """The layer, the kind of number and the first or largest offender are named; float32 takes all that is finite."""
    values = np.array([[1.0, 2.0], [value, 70000.0 if abs(value) > 70000 else 3.0]], np.float32)
    with pytest.raises(DataError, match=message):
        to_storage(values, "float16", "b", "attribution")
    if np.isfinite(value):
        assert to_storage(values, "float32", "b", "attribution") is values


@pytest.fixture(scope="module")
def blocks(real_data: Path) -> dict[str, Block]:
    """What a real network gives for 16 photographs at 8 places each."""
    module = build({"_target_": "torchvision.models.squeezenet1_0", "num_classes": 1000})
    weights = real_data / "squeezenet1_0.safetensors"
    load_weights(module, load_file(weights), str(weights))
    module, how = freeze(module), PreprocessingSettings(resize=256, crop=224)
    network = Network("n", module, tuple(map(str, range(1000))), how, discover_layers(module, 224))
    photographs = sorted(path for path in (real_data / "images").rglob("*") if path.is_file())[::60][:16]
    inputs = [to_tensor(network_crop(Image.open(path).convert("RGB"), how), how) for path in photographs]
    places = relative_positions(0, [path.name for path in photographs], 8)
    shapes = {layer: network.layers[layer] for layer in LAYERS}
    baselines = {layer: np.zeros(shape.channels, np.float32) for layer, shape in shapes.items()}
    return sample_batch(network, shapes, torch.stack(inputs), places, SampleSettings(), baselines)


@pytest.mark.long
@pytest.mark.real
def test_means_of_real_activations_keep_their_direction(blocks: dict[str, Block]) -> None:
    """Half precision turns no mean over some samples by more than a cosine of 1 - 1e-6, be it centered or not."""
    for block in blocks.values():
        exact = block["activation"]
        half = to_storage(exact, "float16", "a", "activation").astype(np.float32)
        assert (half != exact).any()
        for center in (0.0, exact.mean(axis=0)):
            means = [values.reshape(16, 8, -1).mean(axis=1) - center for values in (exact, half)]
            norms = [np.linalg.norm(values, axis=1) for values in means]
            assert ((means[0] * means[1]).sum(axis=1) / (norms[0] * norms[1])).min() > 1 - 1e-6


@pytest.mark.real
def test_real_attributions_keep_their_ranks(blocks: dict[str, Block]) -> None:
    """The strongest class stays so wherever it leads by more than the rounding, and nearly all of the ten strongest."""
    for block in blocks.values():
        exact = block["attribution"]
        half = to_storage(exact, "float16", "a", "attribution").astype(np.float32)
        order, found = (np.argsort(-values, axis=1, kind="stable")[:, :10] for values in (exact, half))
        best, second = np.take_along_axis(exact, order[:, :2], axis=1).T
        clear = best - second > 2.0**-10 * best
        assert clear.mean() > 0.95
        np.testing.assert_array_equal(found[clear, 0], order[clear, 0])
        kept = [len(np.intersect1d(one, other)) / 10 for one, other in zip(order, found, strict=True)]
        assert np.mean(kept) > 0.995
