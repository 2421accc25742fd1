"""Whether pictures fit into the memory: answered before a run, from a pass at a smaller size."""

from collections.abc import Collection, Sequence

from torch import Tensor

from pipeline.config.synthesize import MethodName, SynthesizeSettings
from pipeline.core.errors import ConfigError
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.memory import GB, bytes_per_image, free_bytes
from pipeline.model.network import Network
from pipeline.synthesize.deep_dream_sheet import check_memory as check_dream_memory
from pipeline.synthesize.layer_choice import spread_layers

Size = tuple[int, int]


def check_memory(network: Network, settings: SynthesizeSettings, atlas_layers: Sequence[str]) -> None:
    """Refuse pictures that do not fit into the memory, of every method that gives their size.

    Pictures as large as the network's input, or as their images, are checked where these are known.

    Args:
        network: with any weights, on any device.
        settings: of the stage.
        atlas_layers: of the run's atlas.

    Raises:
        ConfigError: names the setting, the memory that is needed and what is free.
    """
    order, spread = list(network.layers), spread_layers(network.layers)
    for method, layers, size, count in _sized(settings, atlas_layers, spread):
        deepest = max(layers or order[-1:], key=order.index)
        if method == "deep_dream":
            check_dream_memory(network, settings, deepest, size)
        else:
            _check_pass(network, settings, method, deepest, size, count)


def _sized(
    settings: SynthesizeSettings, atlas_layers: Sequence[str], spread: Collection[str]
) -> list[tuple[MethodName, Collection[str], Size, int]]:
    """Methods that are asked for and give a size, their layers, (height, width), and pictures made together."""
    found: list[tuple[MethodName, Collection[str], Size, int]] = []
    dream, texture, style, painting = (
        settings.deep_dream,
        settings.texture,
        settings.style_transfer,
        settings.painting,
    )
    if dream.size is not None:
        named = [*dream.layers, *dream.units, *dream.cells]
        found.append(("deep_dream", named or ([] if dream.classes else atlas_layers), (dream.size, dream.size), 1))
    found.append(("texture", texture.layers or spread, (texture.size, texture.size), 1))
    if style.size is not None:
        layers = [*(style.style_layers or spread), *([style.content_layer] if style.content_layer else [])]
        found.append(("style_transfer", layers, (style.size, style.size), len(style.weights)))
    if painting.size is not None:
        sides = (len(painting.labels), len(painting.labels[0]))
        height, width = (max(1, round(painting.size * side / max(sides))) for side in sides)
        found.append(("painting", [painting.layer or atlas_layers[-1]], (height, width), 1))
    return [one for one in found if one[0] in settings.methods]


def _check_pass(
    network: Network, settings: SynthesizeSettings, method: MethodName, layer: str, size: Size, count: int
) -> None:
    """Raise ConfigError unless so many pictures pass through the network together, as far as a layer."""
    tried = (min(size[0], network.preprocessing.crop), min(size[1], network.preprocessing.crop))
    extractor = FeatureExtractor(network, [layer], tried, "float32", size_setting=f"synthesize.{method}.size")

    def loss(images: Tensor) -> Tensor:
        return extractor(images)[layer].float().square().flatten(1).sum(1)

    # it may not be on the device of the settings yet
    each = bytes_per_image(loss, (3, *extractor.size), str(next(network.module.parameters()).device))
    needed = round(count * each * size[0] * size[1] / (extractor.size[0] * extractor.size[1]))
    free = free_bytes(settings.device)
    if needed > free:
        raise ConfigError(
            f"synthesize.{method}.size: expected {needed / GB:.2f} GB of free memory on {settings.device} for {count} "
            f"of {size[0]} × {size[1]} pixels, found {free / GB:.2f} GB; lower it, or free some memory"
        )
