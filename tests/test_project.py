"""Projects made by `atlas init`: with the installed wheel, several side by side, over an upgrade."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, expect

from pipeline import __version__, project
from pipeline.__main__ import main
from pipeline.project import CODE, DVC, outdated, project_dvc_yaml, update_project
from pipeline.stages import STAGES
from tests.test_dvc import stages

ROOT = Path(__file__).parents[1]
RUN = ("run", "+experiment=tiny", "layers=[mixed3b]", "grid.levels=[2,4]")
NAMES = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")


class Installed:
    """The wheel in an environment that has the libraries of this one and does not see the checkout."""

    def __init__(self, folder: Path) -> None:
        """Build the wheel and unpack it as installers do, which takes seconds and no network."""
        self.folder = folder
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        venv.create(folder / "env", symlinks=True)
        (self.packages,) = (folder / "env" / "lib").glob("*/site-packages")
        # a .pth within a folder that is named by another one, as that of the editable install, is not followed
        (self.packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(self.packages)
        entry = "import sys\nfrom pipeline.__main__ import main\nsys.exit(main())\n"
        atlas = folder / "env" / "bin" / "atlas"
        atlas.write_text(f"#!{folder / 'env' / 'bin' / 'python'}\n{entry}")
        atlas.chmod(0o755)

    def __call__(self, place: Path, *command: str, code: int = 0) -> str:
        """Run a command in a folder as a user does, and return all that it printed."""
        tools = self.folder / "env" / "bin"
        path = os.pathsep.join([str(tools), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, **dict.fromkeys(NAMES, "a@example.org")}
        start = [str(tools / "python"), "-m", "dvc"] if command[0] == "dvc" else [command[0]]
        done = subprocess.run(
            [*start, *command[1:]], cwd=place, env=environment, check=False, capture_output=True, text=True
        )
        printed = done.stdout + done.stderr
        assert done.returncode == code, printed
        return printed

    def upgrade(self, before: str, version: str, *changed: str) -> None:
        """Make the installed package another version, with other code in some of its files."""
        for name in changed:
            with (self.packages / name).open("a") as file:
                file.write("\n# other code\n")
        (metadata,) = self.packages.glob("*.dist-info/METADATA")
        metadata.write_text(metadata.read_text().replace(f"\nVersion: {before}\n", f"\nVersion: {version}\n"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with the wheel."""
    return Installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def cats(installed: Installed) -> Path:
    """A project in which the tiny experiment has run."""
    printed = installed(installed.folder, "atlas", "init", "cats")
    assert "Next: cd cats && atlas run" in printed
    folder = installed.folder / "cats"
    assert str(installed.packages) in installed(folder, "python", "-c", "import pipeline; print(pipeline.__file__)")
    ran = stages(installed(folder, "atlas", *RUN))
    assert ran == {"prepare", "sample", "reduce", "grid", "render", "tile", "predict", "site"}
    return folder


@pytest.mark.long
@pytest.mark.browser
def test_the_installed_package_makes_a_site(cats: Path, chromium: Browser) -> None:
    """The page of a project opens from disk and shows its atlas."""
    page = chromium.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto((cats / "outputs" / "site" / "index.html").as_uri())
    expect(page.get_by_placeholder("Search")).to_be_visible()
    page.close()
    assert troubles == []


def test_the_other_commands_work_in_a_project(installed: Installed, cats: Path) -> None:
    """The site is exported and an icon's provenance printed, also from a folder within the project."""
    installed(cats, "atlas", "export", "../public")
    assert (installed.folder / "public" / "index.html").is_file()
    printed = installed(cats / "outputs", "atlas", "provenance", "layer=mixed3b", "level=4", "cell=1,1", "--json")
    assert json.loads(printed)


def test_a_second_project_has_settings_of_its_own(installed: Installed, cats: Path) -> None:
    """`dvc exp run` composes the user's experiment, option and replaced option with the package's; cats stay."""
    before = (cats / "params.yaml").read_bytes()
    installed(installed.folder, "atlas", "init", "dogs")
    dogs = installed.folder / "dogs"
    written = {
        "experiment/mine": "# @package _global_\ndefaults:\n  - tiny\n  - override /render: sharp\nimages: {count: 30}",
        "render/sharp": "defaults: [default]\njitter: 0.01",
        "tile/default": (ROOT / "conf" / "tile" / "default.yaml").read_text().replace("quality: 85", "quality: 33"),
    }
    for name, text in written.items():
        (dogs / "conf" / name).parent.mkdir(exist_ok=True)
        (dogs / "conf" / f"{name}.yaml").write_text(text)
    installed(dogs, "git", "add", "--all")
    installed(dogs, "git", "commit", "--quiet", "--message", "dogs")
    printed = installed(dogs, "dvc", "exp", "run", "-S", "+experiment=mine", "-S", "sample.border=0", "prepare")
    assert stages(printed) == {"prepare"}
    params = yaml.safe_load((dogs / "params.yaml").read_text())
    assert (params["images"]["count"], params["render"]["jitter"], params["tile"]["quality"]) == (30, 0.01, 33)
    assert (params["sample"]["border"], params["grid"]["levels"]) == (0, [4, 8])
    assert json.loads((dogs / "outputs" / "metrics" / "prepare.json").read_text())["images"] == 30
    assert (cats / "params.yaml").read_bytes() == before


@pytest.mark.long
def test_an_upgrade_runs_the_stages_of_other_code(installed: Installed, cats: Path) -> None:
    """If one stage's code changed, a line names it and it alone runs; if none changed, nothing runs."""
    installed.upgrade("0.1.0", "0.2.0", "pipeline/predict/stage.py")
    printed = installed(cats, "atlas", *RUN)
    assert "activation-atlas 0.1.0 → 0.2.0: the code of predict changed; it runs again" in printed
    assert stages(printed) == {"predict"}
    installed.upgrade("0.2.0", "0.3.0", "pipeline/browse.py")
    printed = installed(cats, "atlas", *RUN)
    assert "activation-atlas 0.2.0 → 0.3.0: no stage's code changed; nothing runs again because of it" in printed
    assert stages(printed) == set()


@pytest.fixture
def made(in_tmp: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project of this very package."""
    assert main(["init", "made"]) == 0
    capsys.readouterr()
    return in_tmp / "made"


def test_a_project_runs_the_stages_of_the_package(made: Path) -> None:
    """Its dvc.yaml is the package's, with the code's digest in place of the package's files."""
    own, package = (yaml.safe_load((folder / DVC).read_text())["stages"] for folder in (made, ROOT))
    code = yaml.safe_load((made / CODE).read_text())
    assert list(own) == list(package) == list(STAGES)
    for name, stage in own.items():
        assert not [dep for dep in stage.get("deps", []) if dep.startswith("pipeline")]
        assert stage.pop("params") == [*package[name]["params"], {CODE: [name]}]
        assert re.fullmatch("[0-9a-f]{64}", code[name])
        assert {**stage, "deps": 0} == {**{k: v for k, v in package[name].items() if k != "params"}, "deps": 0}
    assert len({code[name] for name in STAGES}) == len(STAGES)


def snapshot(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder, but for those of git and DVC's own."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not {".git", "tmp"} & set(path.relative_to(folder).parts):
            yield str(path.relative_to(folder)), path.read_bytes()


def test_a_second_init_changes_nothing_and_says_what_is_there(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files of the user's stay as they are; one that was deleted is made again."""
    (made / ".gitignore").write_text("mine\n")
    (made / "conf" / "experiment" / "example.yaml").unlink()
    before = dict(snapshot(made))
    assert main(["init", "made"]) == 0
    printed = capsys.readouterr().out
    assert "already there, left as they are: conf/, .gitignore, .dvcignore, dvc.yaml, code.yaml, params.yaml" in printed
    assert "  made:" not in printed
    assert dict(snapshot(made)) == before
    (made / "params.yaml").unlink()
    assert main(["init", "made"]) == 0
    assert "made: params.yaml\n" in capsys.readouterr().out


def test_a_folder_in_a_repository_becomes_a_project_of_its_own(in_tmp: Path) -> None:
    """Within a Git repository none is made; DVC is initialized for a sub-folder."""
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    Path("photographs").mkdir()
    Path("photographs/a.png").write_bytes(b"mine")
    assert main(["init", "photographs"]) == 0
    assert not (in_tmp / "photographs" / ".git").exists()
    assert (in_tmp / "photographs" / ".dvc" / "config").is_file()
    assert Path("photographs/a.png").read_bytes() == b"mine"


def test_without_git_everything_but_experiments_works(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC is set up without it."""
    monkeypatch.setattr("pipeline.init.shutil.which", lambda _name: None)
    assert main(["init", "plain"]) == 0
    assert "no_scm = True" in (in_tmp / "plain" / ".dvc" / "config").read_text()


def test_bad_places_are_refused_in_one_line(in_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file, a place below a file, one that cannot be written, other stages, another project and a checkout."""
    (in_tmp / "file").write_text("x")
    (in_tmp / "other").mkdir()
    (in_tmp / "other" / DVC).write_text("stages: {}\n")
    (in_tmp / "outer" / "conf").mkdir(parents=True)
    (in_tmp / "outer" / DVC).write_text(project_dvc_yaml())
    bad = {
        "file": "found a file",
        "file/below": "expected a folder that can be written",
        "/proc/atlas": "expected a folder that can be written",
        "other": "found another",
        "outer/inner": f"found the project {in_tmp / 'outer'}",
        str(ROOT): "found a checkout",
    }
    for place, words in bad.items():
        assert main(["init", place]) == 2
        line = capsys.readouterr().err
        assert words in line
        assert line.count("\n") == 1
    assert {path.name for path in in_tmp.iterdir()} == {"file", "other", "outer"}


def test_an_edited_dvc_yaml_survives_an_upgrade(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unedited one is replaced; an edited one stays, and the new one is written next to it once, with a line."""
    old = (made / DVC).read_text()
    assert update_project(made) == []
    monkeypatch.setattr(project, "project_dvc_yaml", lambda: old + "# newer\n")
    assert update_project(made) == [f"dvc.yaml: replaced by that of activation-atlas {__version__}"]
    assert (made / DVC).read_text() == old + "# newer\n"
    assert update_project(made) == []
    (made / DVC).write_text(old + "# mine\n")
    assert update_project(made) == []
    monkeypatch.setattr(project, "project_dvc_yaml", lambda: old + "# newest\n")
    (line,) = update_project(made)
    assert line.startswith("dvc.yaml: edited, so it stays")
    assert (made / DVC).read_text() == old + "# mine\n"
    assert (made / "dvc.yaml.new").read_text() == old + "# newest\n"
    assert update_project(made) == []


def test_a_damaged_code_yaml_is_written_anew(made: Path) -> None:
    """Whatever it contains, and where it is missing; an edit of dvc.yaml is not lost by it."""
    whole = (made / CODE).read_bytes()
    for content in (b"\xff", b"<<<<<<< mine\n", b"- 1\n", b""):
        (made / CODE).write_bytes(content)
        assert update_project(made) == []
        assert (made / CODE).read_bytes() == whole
    (made / CODE).unlink()
    (made / DVC).write_text((made / DVC).read_text() + "# mine\n")
    update_project(made)
    assert (made / CODE).read_bytes() == whole
    assert (made / DVC).read_text().endswith("# mine\n")


def test_a_stage_by_itself_says_that_the_project_is_of_another_version(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC's own commands do not bring code.yaml up to date; only `atlas run` does."""
    assert outdated(made) is None
    monkeypatch.setattr(project, "__version__", "9.9")
    line = outdated(made)
    assert line is not None
    assert line.endswith("this is 9.9; 'atlas run' runs what that changes")
    assert update_project(made) == [
        f"activation-atlas {__version__} → 9.9: no stage's code changed; nothing runs again because of it"
    ]
    assert outdated(made) is None
    assert outdated(ROOT) is None


def test_a_checkout_is_no_such_project() -> None:
    """Its dvc.yaml lists the package's files, and stays as it is."""
    before = (ROOT / DVC).read_bytes()
    assert update_project(ROOT) == []
    assert (ROOT / DVC).read_bytes() == before
    assert not (ROOT / CODE).exists()
