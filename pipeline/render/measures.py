"""What a level's icons are worth, as numbers for people."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.render.fidelity import floor
from pipeline.render.level import Icons
from pipeline.render.retrieval import retrieval

Floats = NDArray[np.float32]

BINS = np.linspace(-0.2, 1.0, 61)  # edges of the histogram of fidelities


def level_metrics(
    icons: Icons, means: Floats, cells: NDArray[np.integer], reliability: Floats, layer_mean: Floats
) -> dict[str, Any]:
    """The metrics of one level; None where there is nothing to take a number from.

    Args:
        icons: of the level.
        means: raw mean activation of their cells, [icon, channel].
        cells: (row, column) of their cells, [icon, 2].
        reliability: of their cells, [icon].
        layer_mean: [channel].
    """
    found = retrieval(icons.activation, means, cells, layer_mean)
    return {
        "icons": len(cells),
        "failed": int(np.isnan(icons.fidelity).sum()),
        "retried": icons.retried,
        "fidelity": {
            "median": _quantile(icons.fidelity, 0.5),
            "p10": _quantile(icons.fidelity, 0.1),
            "floor": _quantile(floor(means, layer_mean), 0.5),
        },
        "fidelity_centred": {
            "median": _quantile(icons.fidelity_centred, 0.5),
            "p10": _quantile(icons.fidelity_centred, 0.1),
            "ceiling": _quantile(reliability, 0.5),
        },
        "retrieval": {"exact": round(found.exact, 4), "near": round(found.near, 4)},
    }


def histogram(level: int, icons: Icons) -> dict[str, list[Any]]:
    """Rows of a plot of centred fidelity: level, middle of the bin, share of the level's icons."""
    values = icons.fidelity_centred[np.isfinite(icons.fidelity_centred)].clip(BINS[0], BINS[-1])
    counts, _ = np.histogram(values, BINS)
    middles = (BINS[:-1] + BINS[1:]) / 2
    return {
        "level": [level] * len(middles),
        "fidelity_centred": [round(float(middle), 3) for middle in middles],
        "share": [round(float(count) / max(len(values), 1), 4) for count in counts],
    }


def summary(level: int, metrics: dict[str, Any]) -> str:
    """One line about a level."""
    raw, centred, found = metrics["fidelity"], metrics["fidelity_centred"], metrics["retrieval"]
    line = (
        f"level {level}: {metrics['icons']} icons, centred fidelity {_show(centred['median'])} "
        f"(10th percentile {_show(centred['p10'])}, ceiling {_show(centred['ceiling'])}), "
        f"raw {_show(raw['median'])} (floor {_show(raw['floor'])}), retrieval {100 * found['exact']:.0f} %"
    )
    return line + (f", {metrics['failed']} COULD NOT BE DRAWN and are left white" if metrics["failed"] else "")


def _quantile(values: Floats, share: float) -> float | None:
    finite = values[np.isfinite(values)]
    return round(float(np.quantile(finite, share)), 4) if len(finite) else None


def _show(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
