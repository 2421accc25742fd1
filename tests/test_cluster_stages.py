"""Stages on a real cluster: a scheduler and one-thread workers, each a process started as one does by hand."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.scale.cluster import Cluster, kill
from pipeline.__main__ import main
from pipeline.compose import compose_config, write_params
from pipeline.config.cluster import VARIABLE
from pipeline.core import moments, zarr_store
from pipeline.core.resumable import RECORDS, WORK
from tests.soak.checkouts import Station, Trial, make_images
from tests.soak.contents import contents, different
from tests.soak.kills import Count

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
LAYER = "mixed3b"
SETTINGS = [
    *("images=image_folder", "images.root=photographs", "model.weights=random", f"layers=[{LAYER}]", "reduce=pca"),
    *("sample.positions_per_image=8", "sample.batch_size=1", "grid.levels=[3,6]", "grid.min_count=2"),
    *(f"render.size_by_layer={{{LAYER}: 24}}", "render.steps=12", "render.warm_steps=8", "render.batch_size=4"),
]
INLINE = '{"kind": "inline", "threads": 1}'
STAGES = ("sample", "grid", "render")
ARTIFACTS = {"sample": "activations", "grid": f"grid/{LAYER}", "render": f"icons/{LAYER}"}
PATIENCE = 120.0  # seconds for the middle of a stage to come


@pytest.fixture(scope="module")
def small_shards() -> Iterator[None]:
    """Shards of 16 KiB, so that a run of seconds has many tasks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zarr_store, "SHARD_BYTES", 2**14)
        patch.setattr(zarr_store, "CHUNK_BYTES", 2**11)
        patch.setattr(moments, "BLOCK_BYTES", 2**14)
        yield


@pytest.fixture(scope="module")
def inline(small_shards: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which everything has run inline, with one thread."""
    del small_shards
    folder = tmp_path_factory.mktemp("inline")
    for name in ("conf", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)
    make_images(folder / "photographs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params(folder, compose_config(ROOT, SETTINGS))
    for stage in ("prepare", "sample", "reduce", "grid", "render"):
        assert run(folder, stage, INLINE) == 0
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two one-thread workers."""
    with Cluster(tmp_path_factory.mktemp("cluster"), workers=2) as started:
        yield started


@pytest.fixture
def other(inline: Path, tmp_path: Path) -> Path:
    """A copy of that checkout, with all that was made but for the icons that are kept."""
    folder = tmp_path / "other"
    shutil.copytree(inline, folder, symlinks=True, ignore=shutil.ignore_patterns(".cache"))
    return folder


def run(folder: Path, stage: str, where: str) -> int:
    """The stage in this process; ``where`` is the value of ATLAS_CLUSTER."""
    item = [] if stage in ("prepare", "sample") else [f"layer={LAYER}", "atlas=all"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv(VARIABLE, where)
        return main([stage, *item])


def forget(folder: Path, stage: str) -> Path:
    """Take away what the stage made, and return its place."""
    place = folder / "outputs" / ARTIFACTS[stage]
    shutil.rmtree(place)
    return place


def artifact(folder: Path, stage: str) -> dict[str, str]:
    """Digests of every file that the stage wrote."""
    found = contents(folder / "outputs", [ARTIFACTS[stage]])
    assert len(found) > 3
    return found


def finished(folder: Path) -> int:
    """Tasks of ``sample`` that are finished for good."""
    return len(list((folder / "outputs" / WORK / ARTIFACTS["sample"]).glob(f"*/{RECORDS}/*.json")))


class InTheMiddle(threading.Thread):
    """Kills a process as soon as a few tasks of ``sample`` are finished.

    Attributes:
        killed: whether it came to that.
    """

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        super().__init__()
        self._folder, self._process = folder, process
        self.killed = False

    def run(self) -> None:
        """Wait, and kill."""
        deadline = time.monotonic() + PATIENCE
        while finished(self._folder) < 2 and time.monotonic() < deadline:
            time.sleep(0.002)
        kill(self._process)
        self.killed = time.monotonic() < deadline


@pytest.mark.parametrize("stage", STAGES)
def test_workers_elsewhere_write_the_same_bytes(stage: str, inline: Path, other: Path, cluster: Cluster) -> None:
    """Every file that a stage writes with two workers is that of inline with one thread."""
    forget(other, stage)
    assert run(other, stage, cluster.environment) == 0
    assert different(artifact(other, stage), artifact(inline, stage)) == []


def test_a_killed_worker_loses_nothing(inline: Path, other: Path, cluster: Cluster) -> None:
    """One of two workers is killed during sample: the other completes its tasks, and the bytes are the same."""
    forget(other, "sample")
    in_the_middle = InTheMiddle(other, cluster.workers[0])
    in_the_middle.start()
    assert run(other, "sample", cluster.environment) == 0
    in_the_middle.join()
    assert in_the_middle.killed
    assert different(artifact(other, "sample"), artifact(inline, "sample")) == []


def test_a_killed_scheduler_is_one_line_and_the_restart_goes_on(
    inline: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stage ends with exit code 2; started again it keeps what was finished, and ends with the same bytes."""
    place = forget(other, "sample")
    with Cluster(tmp_path / "cluster", workers=1) as mortal:
        in_the_middle = InTheMiddle(other, mortal.scheduler)
        in_the_middle.start()
        code = run(other, "sample", mortal.environment)
        in_the_middle.join()
    printed = capsys.readouterr().err
    assert in_the_middle.killed
    assert code == 2, printed
    assert printed.splitlines()[-1].startswith("atlas: cluster: expected a running scheduler, found that it stopped"), (
        printed
    )
    assert "Traceback" not in printed
    assert not list(place.glob("*.zarr"))
    count = Count()
    trial = Trial(other, Station("sample", ["sample"], [], ["outputs/activations"]), {})
    count.note(trial)
    assert count.kept
    assert run(other, "sample", INLINE) == 0
    count.check(trial)
    assert not count.repeated
    assert different(artifact(other, "sample"), artifact(inline, "sample")) == []
