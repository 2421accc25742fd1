"""What the study compares: the default settings, and one change from them in each row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Variant:
    """One row of the study.

    Attributes:
        name: for people.
        change: settings that differ from the defaults.
        wider: pixels that the icons are wider than the default.
        start: what icons start from: noise of their own, the same noise for all, the patch of their cell's or of
            another cell's best exemplar, or the icon of the cell they lie in one level up (the last three with the
            steps of a warm start).
        parameterization: the one of the settings, or one that only the study has.
        denoiser: a network trained on the run's photographs filters the image at every eighth step.
    """

    name: str
    change: Mapping[str, Any] = field(default_factory=dict)
    wider: int = 0
    start: Literal["noise", "same noise", "exemplar", "other exemplar", "parent"] = "noise"
    parameterization: Literal["settings", "maco", "prior"] = "settings"
    denoiser: bool = False


EVERYWHERE = (  # on every network
    Variant("default"),
    Variant("feature statistics 0", {"statistics": 0.0}),
    *(Variant(f"feature statistics {value:g}", {"statistics": value}) for value in (3.0, 20.0, 60.0)),
    *(Variant(f"chroma decay {value}", {"chroma_decay": value}) for value in (0.0, 0.4, 1.2)),
    Variant("denoiser between steps", denoiser=True),
    Variant("accentuated", start="exemplar"),
    Variant("accentuated, feature statistics 0", {"statistics": 0.0}, start="exemplar"),
    Variant("start: another cell's exemplar", start="other exemplar"),
    Variant("start: parent cell's icon", start="parent"),
    *(Variant(f"power {value:g}", {"cosine_power": value}) for value in (2.0, 4.0)),
)
VARIANTS = (  # on the first one
    *EVERYWHERE,
    Variant("contrast free, start 0.01, rate 0.08", {"contrast": None, "init_std": 0.01, "learning_rate": 0.08}),
    *(Variant(f"contrast {value}", {"contrast": value}) for value in (0.6, 0.8)),
    *(Variant(f"redirected ReLU {value:g}", {"redirected_relu": value}) for value in (0.0, 0.4)),
    *(Variant(f"power {value:g}", {"cosine_power": value}) for value in (16.0, 96.0)),
    Variant("no warm-up of the power", {"warmup": 0.0}),
    *(Variant(f"space {value}", {"space": value}) for value in ("raw", "whitened")),
    *(Variant(f"decay {value}", {"decay_power": value}) for value in (1.0, 1.2, 1.6, 2.0)),
    Variant("total variation 5", {"total_variation": 5.0}),
    Variant("boundary 10", {"boundary": 10.0}),
    Variant("blur 10", {"blur": 10.0}),
    *(Variant(f"chroma {value}", {"chroma": value}) for value in (0.7, 1.4)),
    Variant("red, green, blue planes", {"decorrelate": False}),
    Variant("betas 0.9, 0.999", {"betas": (0.9, 0.999)}),
    Variant("transforms: none", {"jitter": 0.0, "scale": (1.0, 1.0), "rotation": 0.0}),
    Variant("transforms: half", {"jitter": 0.03, "scale": (0.95, 1.05), "rotation": 5.0}),
    Variant("transforms: double", {"jitter": 0.12, "scale": (0.8, 1.2), "rotation": 20.0}),
    Variant("pixels, no spectrum", {"parameterization": "pixel"}),
    Variant("icons 16 px smaller", wider=-16),
    Variant("icons 16 px larger", wider=16),
    *(Variant(f"{value} steps", {"steps": value}) for value in (64, 128, 192)),
    Variant("start: same noise for all", start="same noise"),
    Variant("MaCo: phases only", parameterization="maco"),
    Variant("deep image prior", parameterization="prior"),
)
