"""Networks of one architecture with other weights: the checkpoints of a training, kept beside the run's network."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic, read_text, write_json

NAMES = "checkpoints.json"  # written last


@dataclass(frozen=True)
class Checkpoint:
    """A saved network.

    Attributes:
        name: for people: after how many epochs, or the name of the file of weights.
        folder: that :func:`pipeline.model.network.load_network` reads.
    """

    name: str
    folder: Path


def write_checkpoints(folder: Path, names: Sequence[str], save: Callable[[int, Path], None]) -> None:
    """Write all checkpoints, or none.

    Args:
        folder: of the artifact.
        names: in the order of the training; empty for none.
        save: writes the network of a checkpoint, given its number, to a folder.
    """
    with atomic(folder) as partial:
        partial.mkdir(parents=True)
        for number in range(len(names)):
            save(number, partial / str(number))
        write_json(partial / NAMES, {"checkpoints": list(names)})


def read_checkpoints(folder: Path) -> list[Checkpoint]:
    """The checkpoints, in the order of the training.

    Raises:
        ArtifactError: they are missing.
    """
    try:
        names = json.loads(read_text(folder / NAMES))["checkpoints"]
    except (OSError, ValueError, KeyError):
        raise ArtifactError(f"{folder}: expected checkpoints, found nothing; run the stage prepare") from None
    return [Checkpoint(name, folder / str(number)) for number, name in enumerate(names)]
