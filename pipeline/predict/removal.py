"""The replacement test of one layer: drawn samples, run and measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.predict.bootstrap import weightings
from pipeline.predict.draw import partners
from pipeline.predict.passes import Places, Runner
from pipeline.predict.replacement import constant_rows, measures, strongest
from pipeline.predict.result import differences, figures, points

Floats = NDArray[np.float64]

REPLACEMENTS = ("zero", "mean", "other")


@dataclass(frozen=True)
class Drawn:
    """The samples that are tested: [sample] arrays, in the order of the draw.

    Attributes:
        places: where they are.
        activation: [sample, channel] as recorded.
        attribution: [sample, class] as recorded, logit.
        label: class of the image, -1 where there is none.
    """

    places: Places
    activation: Floats
    attribution: Floats
    label: NDArray[np.int64]


def changes(runner: Runner, drawn: Drawn, mean: Floats) -> dict[str, Floats]:
    """[sample, class] logits before minus after, for each replacement: zero, the layer's mean, another image's.

    Args:
        runner: the network.
        drawn: the samples.
        mean: [channel] mean activation of the layer.
    """
    stand_in = drawn.activation[partners(drawn.places.image)]
    nothing = np.zeros_like(stand_in)
    added = np.stack([nothing, nothing, np.broadcast_to(mean, stand_in.shape), stand_in])
    keep = np.array([1.0, 0, 0, 0])
    rises = runner.run(
        f"{runner.layer}: replaced activations", drawn.places, keep, lambda span: added[:, span.start : span.stop]
    )
    return {name: 0.0 - rise for name, rise in zip(REPLACEMENTS, rises[1:], strict=True)}


def removal(drawn: Drawn, changed: Mapping[str, Floats], resamples: int, seed: int) -> dict[str, Any]:
    """Every measure of every replacement, beside what shuffled attributions give.

    Intervals are over images. Attributions are shuffled by giving each sample those of another image's sample, the
    same ones for every measure.
    """
    weights = weightings(drawn.places.image, resamples, seed)
    shuffle = partners(drawn.places.image, first=max(1, len(drawn.label) // 2))
    found = {name: measures(drawn.attribution, change, drawn.label, weights) for name, change in changed.items()}
    null = {
        name: measures(drawn.attribution[shuffle], change, drawn.label, weights) for name, change in changed.items()
    }
    constant = {name: int(constant_rows(change).sum()) for name, change in changed.items()}
    defined = ~constant_rows(drawn.attribution)
    ranked = defined & ~constant_rows(changed["zero"])
    named, attribution, change = strongest(drawn.attribution[defined], changed["zero"][defined])
    return {
        "samples": len(drawn.label),
        "images": len(np.unique(drawn.places.image)),
        "ranked_images": len(np.unique(drawn.places.image[ranked])),
        "labelled": int((drawn.label >= 0).sum()),
        "classes": drawn.attribution.shape[1],
        "constant": {"attribution": int((~defined).sum()), **constant},
        "measures": {name: figures(series) for name, series in found.items()},
        "shuffled": {name: figures(series) for name, series in null.items()},
        "lift": {name: figures(differences(found[name], null[name])) for name in found},
        "points": points(named, attribution, change),
    }
