"""A direction and its results => what the page shows of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.patch.content import DECIMALS, Resamples, compared, flat_metrics, patch_numbers, softmax_curve
from pipeline.patch.direction import Direction
from pipeline.patch.experiment import Result
from pipeline.patch.images import spread_examples
from pipeline.patch.pictures import Album
from pipeline.patch.sources import Patch
from pipeline.patch.squares import CORNERS
from pipeline.patch.trials import Trial, pasted

Content = dict[str, Any]
About = Callable[[int], Content]  # of an image: its key and its label


def outline(direction: Direction, hindrance: str | None) -> Content:
    """How many images and patches there were, tested or not."""
    searched, measured = direction.split
    subjects, settings = direction.subjects, direction.settings
    return {
        "name": direction.name,
        "source": subjects.class_,
        "target": direction.target,
        "hindrance": hindrance,
        "images": {
            "listed": subjects.listed,
            "shown": len(subjects.rows),
            "right": len(subjects.right),
            "searched": min(len(searched), settings.search_images),
            "measured": len(measured),
        },
        "candidates": {"wanted": settings.candidates, "found": len(direction.proposed)},
    }


def proposals(direction: Direction, about: About, album: Album) -> list[Content]:
    """The atlas's first candidates, for a direction that cannot be tested."""
    first = direction.proposed[: direction.settings.kept]
    return [_patch(patch, f"{direction.name}/proposed-{number}", about, album) for number, patch in enumerate(first)]


def told(
    direction: Direction, results: Mapping[str, Result], resamples: Resamples, about: About, album: Album
) -> tuple[Content, Content]:
    """Everything about a tested direction, and its metrics."""
    pooled, added = compared(results, resamples)
    subjects, measured = direction.subjects, direction.split[1]
    before = subjects.softmax[measured]
    content = {
        "before": {
            "target": round(float(before[:, direction.target].mean()), DECIMALS),
            "source": round(float(before[:, subjects.class_].mean()), DECIMALS),
        },
        "groups": [
            {
                "name": group,
                "tried": result.tried,
                **pooled[group],
                "curve": {name: softmax_curve(getattr(result.curve, name)) for name in ("target", "source", "own")},
                "patches": _patches(f"{direction.name}/{group}", result, resamples, about, album),
            }
            for group, result in results.items()
        ],
        "added": added,
        "examples": _examples(direction, results["atlas"], about, album),
    }
    return content, flat_metrics(pooled, added)


def _patches(name: str, result: Result, resamples: Resamples, about: About, album: Album) -> list[Content]:
    return [
        {
            **_patch(patch, f"{name}-{number}", about, album),
            **_place(result.trials[number]),
            **patch_numbers(result, number, resamples),
        }
        for number, patch in enumerate(result.patches)
    ]


def _patch(patch: Patch, name: str, about: About, album: Album) -> Content:
    """What a patch looks like and where it was found; noise comes from nowhere."""
    exemplar = patch.exemplar
    return {
        "picture": album.add(name, patch.pixels),
        "own": patch.own if patch.own >= 0 else None,
        "cell": {"size": exemplar.size, "at": list(exemplar.cell)} if exemplar else None,
        **(about(patch.image) if patch.image >= 0 else {"key": None, "label": None}),
    }


def _place(trial: Trial) -> Content:
    return {"side": trial.side, "corner": CORNERS[trial.corner]}


def _examples(direction: Direction, result: Result, about: About, album: Album) -> list[Content]:
    """Pictures before and after, from the strongest answer to the weakest."""
    subjects, measured = direction.subjects, direction.split[1]
    found = []
    for number, (patch, image) in enumerate(spread_examples(result.static.target, direction.settings.examples)):
        subject = int(measured[image])
        plain, trial = subjects.pictures[subject], result.trials[patch]
        changed = pasted(plain, result.patches[patch].pixels, trial)
        name = f"{direction.name}/example-{number}"
        found.append(
            {
                **about(int(subjects.rows[subject])),
                "patch": patch,
                "before": album.add(f"{name}-before", plain),
                "after": album.add(f"{name}-after", changed),
                "softmax": _softmax(direction, result, patch, image),
                "becomes": bool(result.static.becomes[patch, image]),
                "leaves": bool(result.static.leaves[patch, image]),
            }
        )
    return found


def _softmax(direction: Direction, result: Result, patch: int, image: int) -> dict[str, Sequence[float]]:
    """(before, after) of both classes."""
    before = direction.subjects.softmax[direction.split[1][image]]
    pairs = {
        "target": (before[direction.target], result.static.target[patch, image]),
        "source": (before[direction.subjects.class_], result.static.source[patch, image]),
    }
    return {name: np.round(np.array(pair, np.float64), DECIMALS).tolist() for name, pair in pairs.items()}
