"""DVC runs what is out of date and nothing else, in a fresh checkout, by the commands of the README."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.resumable import ARTIFACT, WORK, share_committed_files
from pipeline.site_metrics import METRICS_FILE

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
RUN = ["atlas", "run", "+experiment=tiny", "layers=[mixed3b]", "grid.levels=[2,4]", "selection.min_samples=12"]
FINER = [*RUN, "render.steps=5", "grid.levels=[2,4,8]"]


class Checkout:
    """A copy of the project under its own git, where commands are run as a user does."""

    def __init__(self, folder: Path) -> None:
        """Copy what git tracks (and what it would track) of the project, and commit it."""
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        self("git", "init", "--quiet")
        self("git", "add", "--all")
        self("git", *identity, "commit", "--quiet", "--message", "as it is")

    def __call__(self, *command: str, code: int = 0) -> str:
        """Run a command and return all that it printed."""
        path = os.pathsep.join([str(BIN), os.environ["PATH"]])
        git = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
        names = git | {key.replace("AUTHOR", "COMMITTER"): value for key, value in git.items()}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **names, "PATH": path},
            check=False,
            capture_output=True,
            text=True,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == code, printed
        return printed


def stages(printed: str) -> set[str]:
    """The stages that DVC ran, matrix items by their stage's name."""
    return set(re.findall(r"Running stage '([a-z]+)", printed))


def items(printed: str) -> set[str]:
    """The stages that DVC ran, each with the layer and atlas of its item."""
    return set(re.findall(r"Running stage '(\S+)'", printed))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the tiny experiment has run once."""
    fresh = Checkout(tmp_path_factory.mktemp("checkout"))
    assert stages(fresh(*RUN)) == {"prepare", "sample", "reduce", "grid", "render", "tile", "predict", "site"}
    return fresh


@pytest.mark.long
def test_only_what_is_out_of_date_runs(checkout: Checkout) -> None:
    """Nothing runs twice; render steps rerun rendering and what follows; a finer level leaves the layout alone."""
    assert stages(checkout(*RUN)) == set()
    assert stages(checkout("dvc", "repro")) == set()
    assert stages(checkout(*RUN, "render.steps=5")) == {"render", "tile", "site"}
    assert stages(checkout(*FINER)) == {"grid", "render", "tile", "predict", "site"}
    assert stages(checkout("dvc", "repro", "--single-item", "--force", "tile@mixed3b-all")) == {"tile"}
    assert json.loads(checkout("dvc", "metrics", "show", "--json"))


def test_what_is_kept_to_resume_takes_no_space(checkout: Checkout) -> None:
    """Files that a work folder keeps become links to the committed ones, which are links to DVC's cache."""
    checkout(*FINER)
    outputs = checkout.folder / "outputs"
    share_committed_files(outputs)
    kept = [path for path in (outputs / WORK).rglob("*") if path.is_file() and ARTIFACT in path.parts]
    assert any("grid" in path.parts for path in kept)
    for path in kept:
        work = next(parent for parent in path.parents if parent.name == ARTIFACT).parent
        committed = outputs / work.relative_to(outputs / WORK) / path.relative_to(work / ARTIFACT)
        assert path.samefile(committed)


@pytest.mark.long
def test_one_more_class_runs_its_own_stages_alone(checkout: Checkout) -> None:
    """A class, a comparison or a second image set adds its own stages and the page; nothing else runs again."""
    checkout(*RUN)
    each = ("reduce", "grid", "render", "tile")
    one = [*RUN, "classes=[flower]"]
    assert items(checkout(*one)) == {*(f"{stage}@mixed3b-class-3" for stage in each), "site"}
    two = [*one, "comparisons=[[flower,fireboat]]", "+images@place.images=toytown", "place.images.count=20"]
    assert items(checkout(*two)) == {
        *(f"{stage}@mixed3b-compare-3-1" for stage in (*each, "patch")),
        *("place@mixed3b", "site"),
    }


@pytest.mark.long
def test_an_earlier_configuration_is_restored(checkout: Checkout) -> None:
    """Back at an earlier configuration nothing runs, nor after the outputs are removed: DVC restores every output.

    `dvc checkout` alone does so too, with that configuration's params.yaml and dvc.lock as Git would bring them back.
    """
    outputs = checkout.folder / "outputs"
    shutil.rmtree(outputs)  # with atlases of earlier tests, which this configuration does not have
    checkout(*RUN)
    before = contents(outputs)
    files = {name: (checkout.folder / name).read_bytes() for name in ("params.yaml", "dvc.lock")}
    ran = stages(checkout(*RUN, "images.count=60"))
    assert ran == {"prepare", "sample", "reduce", "grid", "render", "tile", "predict", "site"}
    other = contents(outputs)
    for name, content in files.items():
        (checkout.folder / name).write_bytes(content)
    checkout("dvc", "checkout")
    restored = contents(outputs)
    git = {name for name in before if name.startswith(("metrics/", "plots/")) or name == f"site/{METRICS_FILE}"}
    assert other["images.parquet"] != before["images.parquet"]
    assert {name: restored[name] for name in before.keys() - git} == {
        name: before[name] for name in before.keys() - git
    }
    assert stages(checkout(*RUN)) == set()
    assert contents(outputs) == before
    shutil.rmtree(outputs)
    assert stages(checkout(*RUN)) == set()
    assert contents(outputs) == before
    shutil.rmtree(outputs)
    checkout("dvc", "checkout")
    stored = contents(outputs)
    assert stored
    assert stored.items() <= before.items()  # metrics and plots are Git's; `atlas run` copies metrics beside the page
    missing = before.keys() - stored.keys()
    assert {name.split("/")[0] for name in missing - {f"site/{METRICS_FILE}"}} == {"metrics", "plots"}
    assert f"site/{METRICS_FILE}" in missing
    assert stages(checkout(*RUN)) == set()


def contents(outputs: Path) -> dict[str, bytes]:
    """Every file of the outputs, but those that DVC does not track."""
    every = (file for file in outputs.rglob("*") if file.is_file())
    known = {file.relative_to(outputs).as_posix(): file for file in every}
    return {name: file.read_bytes() for name, file in known.items() if not name.startswith(".")}


@pytest.mark.long
def test_a_damaged_shard_is_repaired(checkout: Checkout) -> None:
    """A shard that was changed or removed comes back: from DVC's cache, or computed alone where that is damaged too."""
    checkout(*RUN)
    outputs = checkout.folder / "outputs"
    before = contents(outputs)
    shard = outputs / "activations/mixed3b.zarr/activation/c/0/0"
    shard.unlink()
    assert stages(checkout(*RUN)) == set()
    assert contents(outputs) == before
    shard.chmod(0o644)  # DVC's cache may hold the same file
    shard.write_bytes(b"damaged")
    assert stages(checkout(*RUN)) <= {"sample"}
    assert contents(outputs) == before


@pytest.mark.long
def test_an_experiment_composes_anew(checkout: Checkout) -> None:
    """`dvc exp run -S` takes overrides and experiments as Hydra does, and runs what they change."""
    overrides = [*RUN[2:], "reduce=pca"]
    ran = stages(checkout("dvc", "exp", "run", *(part for override in overrides for part in ("-S", override))))
    assert "reduce" in ran
    assert ran.isdisjoint({"prepare", "sample"})
    assert "method: pca" in (checkout.folder / "params.yaml").read_text()


def test_plots_are_drawn(checkout: Checkout) -> None:
    """`dvc plots show` draws layout, cell counts and fidelity from what the run left."""
    checkout("dvc", "plots", "show", "--out", "plots")
    page = (checkout.folder / "plots" / "index.html").read_text()
    for name in ("reduce", "grid", "render"):
        assert f"plots/{name}" in page or f"plots_{name}" in page


def test_a_failing_stage_ends_with_its_own_line(checkout: Checkout) -> None:
    """A stage that refuses its input ends the run with exit code 2, and its line is among what was printed."""
    (checkout.folder / "broken").mkdir()
    for number in range(20):
        (checkout.folder / "broken" / f"{number}.png").write_bytes(b"no picture")
    images = ["images=image_folder", "images.root=broken", "model.weights=random", "layers=[mixed3b]"]
    printed = checkout("atlas", "run", *images, code=2)
    assert "Traceback" not in printed
    assert stages(printed) == {"prepare"}
    assert "usable" in printed
