"""Hostile settings and files: refused in one line, or without any effect, and nothing of them is called."""

import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import torch

from tests.soak.checkouts import OUTPUTS, PHOTOGRAPHS, Checkouts, Station, must
from tests.soak.contents import contents, different, files
from tests.soak.outcomes import CLEAR, RIGHT, Outcome, Row, judge
from tests.soak.processes import start

TRACE = "trace"  # a file that only an attack makes
TARGETS = {  # functions that an attacker would name, with what they need to leave a trace
    "os.system": {"command": f"touch {TRACE}"},
    "subprocess.run": {"args": f"touch {TRACE}", "shell": "true"},
    "os.mkdir": {"path": TRACE},
    "builtins.open": {"file": TRACE, "mode": "w"},
}
PLACES = {  # the stage that reads a section with ``_target_``, and what else it takes for the section to be read
    "images": ("prepare", {}),
    "model.architecture": ("prepare", {}),
    "place.images": ("place", {}),
    "judge.architecture": (
        "render",
        {"judge.name": "judge", "judge.weights": "random", "judge.preprocessing": "{crop: 32}"},
    ),
}
POSTSCRIPT = f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n({TRACE}) (w) file closefile showpage\n%%EOF\n"
SECRET = "hunter2"  # noqa: S105  # planted
NOBODY = "tcp://127.0.0.1:1"  # an address without a scheduler


class Hostile:
    """An object whose unpickling leaves a trace."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (TRACE,)


def attacks(checkouts: Checkouts) -> list[Row]:
    """All of them."""
    return [
        *called_targets(checkouts),
        *hostile_files(checkouts),
        hostile_images(checkouts),
        planted_secret(checkouts),
        nobody_at_the_address(checkouts),
    ]


def called_targets(checkouts: Checkouts) -> list[Row]:
    """``_target_`` names a function of the system, in every section that has one."""
    rows = []
    for place, (stage, more) in PLACES.items():
        outcomes = []
        for target, arguments in TARGETS.items():
            written = {f"{place}._target_": target, **{f"{place}.{key}": value for key, value in arguments.items()}}
            outcomes.append(_refused(checkouts, stage, {**more, **written}))
        rows.append(Row(stage, f"{place}._target_ names a function of the system", outcomes))
    return rows


def hostile_files(checkouts: Checkouts) -> list[Row]:
    """Weights and lists of classes that are not what they seem."""
    weights: dict[str, Callable[[Path], None]] = {
        "weights: a pickle that calls a function": _pickled,
        "weights: a checkpoint that calls a function": lambda path: torch.save({"w": Hostile()}, path),
        "weights: a small file that unpacks to 256 MB": _deflated,
        "weights: a pipe": os.mkfifo,
    }
    classes: dict[str, Callable[[Path], None]] = {
        "classes: a pipe": os.mkfifo,
        "classes: a device without an end": lambda path: path.symlink_to("/dev/zero"),
    }
    return [
        *(
            Row("prepare", name, [_refused(checkouts, "prepare", {"model.weights": "hostile.pth"}, make)])
            for name, make in weights.items()
        ),
        *(
            Row("prepare", name, [_refused(checkouts, "prepare", {"images.classes": "hostile.pth"}, make)])
            for name, make in classes.items()
        ),
    ]


def hostile_images(checkouts: Checkouts) -> Row:
    """A program in PostScript and other content under the name of a picture: rejected, and the rest as without it."""
    prepare = checkouts.stations()[0]
    found, called = {}, False
    for name in ("with", "without"):
        trial = checkouts.trial(prepare, f"hostile-{name}")
        if name == "with":
            for place, content in (("program.png", POSTSCRIPT.encode()), ("pickle.jpg", pickle.dumps(Hostile()))):
                (trial.folder / PHOTOGRAPHS / "aster" / place).write_bytes(content)
        must(trial.folder, prepare)
        found[name] = contents(trial.folder, [f"{OUTPUTS}/images.parquet", f"{OUTPUTS}/model"])
        called = called or (trial.folder / TRACE).exists()
    wrong = different(found["with"], found["without"])
    outcome = Outcome("WRONG BYTES", ", ".join(wrong[:3])) if wrong else Outcome("CALLED" if called else RIGHT)
    seen = "both rejected, the others as without them"
    return Row("prepare", "PostScript and a pickle under names of pictures", [outcome], seen)


def planted_secret(checkouts: Checkouts) -> Row:
    """A token from the environment, in a setting of the image set: in no file that is written, and in no line."""
    prepare, *_, site = checkouts.stations()
    outcomes = []
    for station in (prepare, site):
        trial = checkouts.trial(station, "secret", [f"images.root=${{oc.env:SOAK_FOLDER}}/{PHOTOGRAPHS}"])
        hidden = trial.folder / SECRET
        hidden.mkdir()
        (trial.folder / PHOTOGRAPHS).rename(hidden / PHOTOGRAPHS)
        ended = start(station.arguments, trial.folder, environment={"SOAK_FOLDER": str(hidden)}).end()
        outcome = judge(ended, [], trial.missing())
        places = [path for path in files(trial.folder / OUTPUTS) if f"/{SECRET}".encode() in path.read_bytes()]
        told = f"/{SECRET}" in ended.printed
        outcomes.append(Outcome("PUBLISHED", str(places or "log")) if places or told else outcome)
    return Row("prepare, site", "a secret in a setting", outcomes, "in no file and in no line")


def nobody_at_the_address(checkouts: Checkouts) -> Row:
    """``cluster=address`` where no scheduler answers."""
    sample = checkouts.stations()[1]
    environment = {"ATLAS_CLUSTER": f'{{"kind": "address", "address": "{NOBODY}", "timeout": 2}}'}
    return Row("sample", "no scheduler at the address", [_refused(checkouts, sample.stage, {}, None, environment)])


def _refused(
    checkouts: Checkouts,
    stage: str,
    settings: Mapping[str, str],
    make: Callable[[Path], None] | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """How the stage ends with these settings, which it has to refuse in a line, without a trace."""
    station = next(one for one in checkouts.stations() if one.stage == stage)
    trial = checkouts.trial(station, "attacked", [f"{key}={value}" for key, value in settings.items()])
    if make:
        make(trial.folder / "hostile.pth")
    return refused(station, trial.folder, environment)


def refused(station: Station, folder: Path, environment: Mapping[str, str] = MappingProxyType({})) -> Outcome:
    """How a stage ends that has to refuse what it is given.

    Args:
        station: the stage.
        folder: a checkout.
        environment: variables of its own.
    """
    outcome = judge(start(station.arguments, folder, environment=environment).end(), [], [])
    if (folder / TRACE).exists():
        return Outcome("CALLED", outcome.line)
    return outcome if outcome.what != RIGHT else Outcome("ACCEPTED", f"expected a {CLEAR}")


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Hostile()))


def _deflated(path: Path) -> None:
    torch.save({"w": torch.zeros(2**26)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
