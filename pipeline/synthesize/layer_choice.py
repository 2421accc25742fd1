"""Layers that are spread over a network, for methods that look at several depths."""

from collections.abc import Mapping, Sequence

from pipeline.images.manifest import spread_evenly
from pipeline.model.description import LayerShape

DEPTHS = 5  # layers, where none are named
FEWEST = 4  # blocks: modules that lie no deeper in the tree of modules than is needed for so many


def spread_layers(layers: Mapping[str, LayerShape], count: int = DEPTHS) -> list[str]:
    """At most ``count`` blocks of a network, evenly spaced from shallow to deep, the first and the last among them.

    Blocks are the outermost modules of which there are four at least; those without positions are left out.

    Args:
        layers: of the network, from shallow to deep.
        count: at least 2.
    """
    maps = [name for name, shape in layers.items() if shape.height * shape.width > 1]
    depth = max((name.count(".") for name in maps), default=0)
    blocks: Sequence[str] = maps
    for level in range(depth + 1):
        outermost = [name for name in maps if name.count(".") == level]
        if len(outermost) >= FEWEST:
            blocks = outermost
            break
    return [*spread_evenly(blocks[:-1], count - 1), *blocks[-1:]]
