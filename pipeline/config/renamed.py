"""Settings and values that earlier versions of the project called otherwise, and their names today."""

from collections.abc import Mapping
from typing import Any

# old dotted key: today's dotted key
SETTINGS: Mapping[str, str] = {
    "reduce.neighbours": "reduce.neighbors",
    "reduce.negatives": "reduce.negative_sample_rate",
    "reduce.evenness": "reduce.equalization",
    "reduce.metric_points": "reduce.quality_points",
    "render.warm_rate": "render.warm_learning_rate",
    "render.parameterisation": "render.parameterization",
    "render.decay": "render.decay_power",
    "render.initial": "render.init_std",
    "render.power": "render.cosine_power",
    "render.redirect": "render.redirected_relu",
    "render.start": "render.styles",
    "predict.push": "predict.strength",
    "patch.kept": "patch.keep",
    "site.places": "site.bookmarks",
}
# today's dotted key: old value: today's value
VALUES: Mapping[str, Mapping[str, str]] = {
    "reduce.engine": {"own": "builtin"},
    "render.space": {"centred": "centered"},
}


def renamed_setting(key: str) -> str | None:
    """One line that names today's setting for an old key; None where the key was never renamed.

    Args:
        key: dotted, such as ``reduce.neighbours``.
    """
    return f"{key}: this setting is now called {SETTINGS[key]}" if key in SETTINGS else None


def renamed_value(key: str, value: Any) -> str | None:
    """One line that names today's value for an old one; None where the value was never renamed.

    Args:
        key: dotted key of the setting, as it is called today.
        value: as the user gave it.
    """
    new = VALUES.get(key, {}).get(value) if isinstance(value, str) else None
    return f"{key}: the value {value} is now called {new}" if new is not None else None
