"""Scratch checkouts with a tiny run: its images, its settings, its outputs stage by stage."""

import itertools
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from PIL import Image

from pipeline.compose import PARAMS, compose_config, write_params
from pipeline.config.params import load_params
from pipeline.stages import STAGES
from tests.soak.contents import UNFINISHED, contents, different, files
from tests.soak.outcomes import Outcome, judge
from tests.soak.processes import Ended, Running, start

ROOT = Path(__file__).parents[2]
PHOTOGRAPHS, OUTPUTS = "photographs", "outputs"
IMAGES = 60
LAYER = "mixed3b"
# what the site shows where it is there
BESIDE = tuple(f"{OUTPUTS}/site/{name}" for name in ("predict", "patch", "place"))
OVERRIDES = (
    "images=image_folder",
    f"images.root={PHOTOGRAPHS}",
    "+images@place.images=image_folder",
    f"place.images.root={PHOTOGRAPHS}",
    f"layers=[{LAYER}]",
    "comparisons=[[aster,birch]]",
    "model.training.epochs=1",
    "model.training.robust=0",
    "selection.min_samples=12",
    "sample.positions_per_image=4",
    "sample.batch_size=1",
    "reduce={neighbors: 8, epochs: 30}",
    "grid={levels: [4, 8], class_levels: [2, 4], min_count: 2, exemplars: 3}",
    f"render={{size: 24, size_by_layer: {{{LAYER}: 24}}, steps: 4, warm_steps: 3, batch_size: 4}}",
    "predict={samples: 24, cells: 6, images: 2, resamples: 100}",
    "patch={candidates: 4, keep: 2, pool: 2, sizes: [0.35], curve: [0.2, 0.5], search_images: 2, min_images: 2}",
    "patch={resamples: 100, examples: 2}",
    f"+units.channels={{{LAYER}: 6}}",
    "units={size: 24, steps: 32, compared: 8, examples: 3, diverse: 2, batch_size: 4}",
    "explain={images: 6, integration_steps: 2, occlusion_size: 0.5, occlusion_stride: 0.5, curve_steps: 2, mosaics: 2}",
    "explain={randomized_images: 2, randomized_steps: 2, neighbors: 2, fooling: false, resamples: 20}",
    "synthesize={methods: [inversion], images: 4, batch_size: 1, inversion: {steps: 4}}",
)


@dataclass(frozen=True)
class Station:
    """One execution of a stage, as in DVC.

    Attributes:
        stage: its name.
        arguments: of ``atlas``.
        reads: places below the checkout that it reads.
        writes: places that it writes, artifacts first.
    """

    stage: str
    arguments: list[str]
    reads: list[str]
    writes: list[str]


@dataclass
class Trial:
    """A checkout in which one stage is disturbed.

    Attributes:
        folder: the checkout.
        station: the stage that runs.
        expected: contents of what it writes undisturbed.
    """

    folder: Path
    station: Station
    expected: Mapping[str, str]

    def start(
        self,
        file_limit: int | None = None,
        environment: Mapping[str, str] | None = None,
        printed: str = "printed.txt",
    ) -> Running:
        """The stage, started; see :func:`tests.soak.processes.start`."""
        return start(self.station.arguments, self.folder, file_limit, environment or {}, printed)

    def wrong(self) -> list[str]:
        """Files of other bytes than undisturbed, in the outputs that are there."""
        there = [place for place in self.station.writes if (self.folder / place).exists()]
        expected = {name: digest for name, digest in self.expected.items() if _below(name, there)}
        return different(contents(self.folder, there), expected)

    def missing(self) -> list[str]:
        """Outputs that are not there."""
        return [place for place in self.station.writes if not (self.folder / place).exists()]

    def judge(self, ended: Ended) -> Outcome:
        """How it ended; a run that ended well leaves nothing unfinished."""
        outcome = judge(ended, self.wrong(), self.missing())
        left = [path.name for path in (self.folder / OUTPUTS).rglob(f"*{UNFINISHED}")] if ended.code == 0 else []
        return Outcome("LEFT UNFINISHED", ", ".join(left[:3])) if outcome.holds and left else outcome

    def wipe(self) -> None:
        """Remove everything that the stage has written, so that it starts from nothing."""
        for place in [*self.station.writes, f"{OUTPUTS}/.cache"]:
            remove(self.folder / place)
            remove((self.folder / place).with_name(Path(place).name + UNFINISHED))


@dataclass
class Checkouts:
    """The undisturbed run, and trials made from it.

    Attributes:
        scratch: folder of all checkouts.
        seconds: that each station took undisturbed.
    """

    scratch: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def undisturbed(self) -> Path:
        """The checkout of the undisturbed run."""
        return self.scratch / "undisturbed"

    def run_undisturbed(self) -> None:
        """Run every stage once, on synthetic images.

        Raises:
            RuntimeError: one of them fails.
        """
        bare(self.undisturbed)
        make_images(self.undisturbed / PHOTOGRAPHS)
        os.chdir(self.undisturbed)  # folders of images are looked for from here
        write_params(self.undisturbed, compose_config(ROOT, OVERRIDES))
        os.chdir(ROOT)
        for station in stations(self.undisturbed, every=True):
            ended = must(self.undisturbed, station)
            self.seconds.setdefault(station.stage, ended.seconds)

    def stations(self) -> list[Station]:
        """One execution of each stage."""
        return stations(self.undisturbed, every=False)

    def expected(self, station: Station) -> dict[str, str]:
        """What the station writes undisturbed."""
        return contents(self.undisturbed, station.writes)

    def trial(self, station: Station, name: str, settings: Sequence[str] = ()) -> Trial:
        """A checkout with everything that the station reads, and nothing that it writes.

        Args:
            station: what will run.
            name: of the checkout's folder.
            settings: that differ from those of the undisturbed run.
        """
        folder = self.scratch / f"{station.stage}-{name}"
        self.fresh(folder, station, settings)
        return Trial(folder, station, self.expected(station))

    def fresh(self, folder: Path, station: Station, settings: Sequence[str] = ()) -> None:
        """A checkout with everything that a station reads."""
        bare(folder)
        beside = [place for place in BESIDE if station.stage == "site" and (self.undisturbed / place).exists()]
        bring(self.undisturbed, folder, [PHOTOGRAPHS, *station.reads, *beside])
        self.configure(folder, settings)

    def configure(self, folder: Path, settings: Sequence[str]) -> None:
        """Write ``params.yaml`` as it is undisturbed, but for some settings."""
        params = OmegaConf.load(self.undisturbed / PARAMS)
        params.merge_with_dotlist(list(settings))
        OmegaConf.save(params, folder / PARAMS)


def stations(folder: Path, *, every: bool) -> list[Station]:
    """The stages as ``dvc.yaml`` has them, in order.

    Args:
        folder: a checkout with ``params.yaml``.
        every: all items of a stage's matrix instead of the first one.
    """
    params = load_params(folder / PARAMS)
    written: Any = OmegaConf.to_container(OmegaConf.load(ROOT / "dvc.yaml"), resolve=False)
    found = []
    for stage in STAGES.values():
        for chosen in itertools.product(*(getattr(params, many) for many in stage.over.values())):
            found.append(_station(stage.name, dict(zip(stage.over, chosen, strict=True)), written["stages"]))
            if not every:
                break
    return found


def _station(stage: str, item: Mapping[str, str], written: Any) -> Station:
    def places(key: str) -> list[str]:
        listed = [next(iter(one)) if isinstance(one, dict) else one for one in written[stage].get(key, [])]
        for name, value in item.items():
            listed = [place.replace(f"${{item.{name}}}", value) for place in listed]
        return [place for place in listed if place.startswith(f"{OUTPUTS}/")]

    arguments = [stage, *(f"{key}={value}" for key, value in item.items())]
    # one DVC output of several artifacts, each of which is whole for itself
    outs = [f"{OUTPUTS}/activations/{LAYER}.zarr"] if stage == "sample" else places("outs")
    return Station(stage, arguments, places("deps"), [*outs, *places("metrics"), *places("plots")])


def bare(folder: Path) -> None:
    """A checkout with neither settings nor images nor outputs."""
    remove(folder)
    folder.mkdir(parents=True)
    for name in ("conf", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)


def must(folder: Path, station: Station) -> Ended:
    """Run a station that has to end well.

    Raises:
        RuntimeError: it does not.
    """
    ended = start(station.arguments, folder).end()
    if ended.code != 0:
        raise RuntimeError(f"undisturbed {' '.join(station.arguments)} ended with {ended.code}:\n{ended.printed}")
    return ended


def bring(source: Path, target: Path, places: Iterable[str]) -> None:
    """Copy files and folders from one checkout to another."""
    for place in places:
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        if (source / place).is_dir():
            shutil.copytree(source / place, target / place, dirs_exist_ok=True)
        else:
            shutil.copy2(source / place, target / place)


def make_images(folder: Path) -> None:
    """Two classes of stripes, vertical and horizontal, in random colors."""
    generator = np.random.default_rng(0)
    for number in range(IMAGES):
        name = ("aster", "birch")[number % 2]
        y, x = np.mgrid[:64, :64]
        along = (x if number % 2 else y) / generator.uniform(2, 6) + generator.uniform(0, 6)
        picture = np.sin(along)[..., None] * generator.uniform(20, 120, 3) + 128 + generator.normal(0, 6, (64, 64, 3))
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number:02}.png")


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_on_disk(folder: Path, places: Iterable[str]) -> int:
    """Bytes that files take, in pages of 4 KiB."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for place in places for path in files(folder / place))


def _below(name: str, places: Iterable[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)
