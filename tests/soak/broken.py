"""Damaged inputs: shards, files, whole artifacts, images."""

import random
from collections.abc import Sequence
from pathlib import Path

from tests.soak import faults
from tests.soak.checkouts import PHOTOGRAPHS, Checkouts, Station, must, remove
from tests.soak.contents import contents, different, files
from tests.soak.outcomes import RIGHT, Outcome, Row

FAULTS: dict[str, faults.Fault] = {
    "truncated shard or file": faults.truncate,
    "flipped byte": faults.flip,
    "removed shard or file": faults.remove,
}
SHOWS_IMAGES = ("sample", "predict", "patch", "site")
SHARE = 20  # one image of so many is corrupt


def broken_inputs(checkouts: Checkouts, station: Station, tries: int, seed: int) -> list[Row]:
    """Each kind of damage to each of the stage's inputs, and each input removed.

    Args:
        checkouts: the undisturbed run.
        station: the stage that reads them.
        tries: files of each input that are damaged, one at a time.
        seed: of the choice.
    """
    rows = []
    for name, fault in FAULTS.items():
        generator = random.Random(f"{seed}-{station.stage}-{name}")  # noqa: S311  # no secret
        outcomes = []
        for place in station.reads:
            for victim in faults.victims(checkouts.undisturbed / place, tries, generator):
                trial = checkouts.trial(station, "broken")
                fault(trial.folder / victim.relative_to(checkouts.undisturbed), generator)
                outcome = trial.judge(trial.start().end())
                outcomes.append(outcome if outcome.holds else outcome.named(victim.relative_to(checkouts.undisturbed)))
        if outcomes:
            rows.append(Row(station.stage, name, outcomes))
    outcomes = []
    for place in station.reads:
        trial = checkouts.trial(station, "broken")
        remove(trial.folder / place)
        outcomes.append(trial.judge(trial.start().end()))
    return [*rows, Row(station.stage, "removed input", outcomes)] if outcomes else rows


def broken_images(checkouts: Checkouts, station: Station, seed: int) -> list[Row]:
    """An image that is gone, or no longer one, after ``prepare`` has listed it."""
    if station.stage not in SHOWS_IMAGES:
        return []
    rows = []
    for name in ("image removed after prepare", "5 % of the images corrupt after prepare"):
        trial = checkouts.trial(station, "images")
        chosen = _chosen(trial.folder / PHOTOGRAPHS, seed)
        if "removed" in name:
            chosen[0].unlink()
        else:
            corrupt(chosen, seed)
        rows.append(Row(station.stage, name, [trial.judge(trial.start().end())]))
    return rows


def corrupt_images(checkouts: Checkouts, seed: int) -> list[Row]:
    """5 % of the images cannot be read from the start: the results are those of the other images alone.

    Compared are the shards of every layer's activations; the settings, the network and the images are the same.
    """
    prepare, sample = checkouts.stations()[:2]
    found = {}
    for name in ("corrupt", "without"):
        trial = checkouts.trial(prepare, name)
        chosen = _chosen(trial.folder / PHOTOGRAPHS, seed)
        if name == "corrupt":
            corrupt(chosen, seed)
        else:
            for path in chosen:
                path.unlink()
        must(trial.folder, prepare)
        must(trial.folder, sample)
        found[name] = contents(trial.folder, ["outputs/images.parquet", "outputs/model", *sample.writes])
    wrong = different(found["corrupt"], found["without"])
    outcome = Outcome("WRONG BYTES", ", ".join(wrong[:3])) if wrong else Outcome(RIGHT)
    total = len(files(checkouts.undisturbed / PHOTOGRAPHS))
    seen = f"{len(chosen)} of {total} images rejected, the others as without them"
    return [Row("prepare, sample", "5 % corrupt images", [outcome], seen)]


def corrupt(paths: Sequence[Path], seed: int) -> None:
    """Make images unreadable: cut off, noise, empty."""
    generator = random.Random(seed)  # noqa: S311  # no secret
    for number, path in enumerate(paths):
        if number % 3 == 0:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        else:
            path.write_bytes(generator.randbytes(100) if number % 3 == 1 else b"")


def _chosen(folder: Path, seed: int) -> list[Path]:
    every = files(folder)
    return random.Random(seed).sample(every, len(every) // SHARE)  # noqa: S311  # no secret
