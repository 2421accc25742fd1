"""One name per stage: code, configuration, DVC and params.yaml agree."""

import ast
import configparser
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import compose_and_dump
from omegaconf import OmegaConf

from pipeline.compose import compose_config, write_params
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import Artifact
from pipeline.core.code_dependencies import PACKAGE, WITHOUT_EFFECT, dependency_paths, module_file, stage_files
from pipeline.stages import STAGES

ROOT = Path(__file__).parents[1]
DVC: dict[str, Any] = OmegaConf.to_container(OmegaConf.load(ROOT / "dvc.yaml"), resolve=False)["stages"]  # type: ignore[index, call-overload, assignment]  # a mapping
GROUPS = sorted(path.name for path in (ROOT / "conf").iterdir() if path.is_dir())
OPTIONS = [(path.parent.name, path.stem) for path in sorted((ROOT / "conf").glob("*/*.yaml"))]
# options that need something said by the user before they compose
ASKS = {
    name: ["images.root=."] for name in ("images/image_folder", "experiment/imagenet", "experiment/efficientnet_lite0")
}


def paths(artifact: Artifact, stage: str) -> str:
    """The artifact's place as dvc.yaml writes it; a stage that is not run for each atlas reads that of all samples."""
    atlas = "${item.atlas}" if "atlas" in STAGES[stage].over else "all"
    return str(artifact.path(Path("outputs"), layer="${item.layer}", atlas=atlas, method="${item.method}"))


def imports(package: Path) -> Iterator[str]:
    """Every module that a package's files import."""
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)


def test_stages_have_one_name_everywhere() -> None:
    """Packages, config groups, params sections and DVC stages bear the same names."""
    packages = {path.parent.name for path in (ROOT / "pipeline").glob("*/stage.py")}
    assert packages == set(STAGES) == set(DVC)
    assert set(STAGES) | {"images", "model", "selection", "experiment", "cluster"} == set(GROUPS)
    assert set(STAGES) < set(Params.model_fields)


@pytest.mark.parametrize("name", STAGES)
def test_dvc_runs_the_stage_as_declared(name: str) -> None:
    """A DVC stage calls its namesake, once or for each layer and atlas, with the parameters that the code declares."""
    stage, entry = STAGES[name], DVC[name]
    arguments = "".join(f" {key}=${{item.{key}}}" for key in stage.over)
    assert entry["cmd"] == f"atlas {name}{arguments}"
    assert entry.get("matrix", {}) == {key: f"${{{many}}}" for key, many in stage.over.items()}
    assert entry["params"] == [name.replace("{method}", "${item.method}") for name in stage.settings]


@pytest.mark.parametrize("name", [name for name in STAGES if name != "site"])
def test_dvc_outputs_are_what_the_stage_writes(name: str) -> None:
    """DVC's outputs are the artifacts that the stage declares."""
    expected = {paths(artifact, name) for artifact in STAGES[name].writes}
    if name == "sample":
        expected = {"outputs/activations"}
    assert {entry if isinstance(entry, str) else next(iter(entry)) for entry in DVC[name]["outs"]} == expected


@pytest.mark.parametrize("name", STAGES)
def test_dvc_dependencies_are_what_the_stage_reads(name: str) -> None:
    """Every artifact that a stage reads, or a folder around it, is among its DVC dependencies, and nothing else is."""
    found = {dependency for dependency in DVC[name]["deps"] if dependency.startswith("outputs/")}
    reads = {paths(artifact, name) for artifact in STAGES[name].reads}
    assert all(any(read == dep or read.startswith(f"{dep}/") for dep in found) for read in reads)
    assert all(any(read == dep or read.startswith(f"{dep}/") for read in reads) for dep in found)


@pytest.mark.parametrize("name", STAGES)
def test_dvc_dependencies_are_the_code_that_can_change_the_stage(name: str) -> None:
    """The code that a stage depends on in dvc.yaml is what its imports reach: no less, and no more."""
    found = [dependency for dependency in DVC[name]["deps"] if not dependency.startswith("outputs/")]
    expected = dependency_paths(name)
    assert found == expected, f"the code among the deps of {name} in dvc.yaml:\n" + yaml_list(expected)


def test_the_page_reruns_the_site_alone() -> None:
    """The viewer's files are a dependency of the stage site and of no other."""
    viewer = "pipeline/site/viewer/src/app.ts"
    assert [name for name in STAGES if any(viewer.startswith(f"{path}/") for path in dependency_paths(name))] == [
        "site"
    ]


def test_numerics_of_core_rerun_their_stages() -> None:
    """A module of core that computes numbers is a dependency of every stage that uses it, and of no other."""
    moments = {name for name in STAGES if PACKAGE / "core" / "moments.py" in stage_files(name)}
    assert {"reduce", "grid", "render"} <= moments
    assert moments.isdisjoint({"prepare", "sample", "tile", "patch", "place"})


def test_modules_without_effect_exist() -> None:
    """Every module that is said to have no effect on artifacts is a module of the package."""
    assert [module for module in WITHOUT_EFFECT if module_file(module) is None] == []


def yaml_list(paths: list[str]) -> str:
    """Paths as a block of dvc.yaml."""
    return "".join(f"      - {path}\n" for path in paths)


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_imports_another(name: str) -> None:
    """A stage imports shared packages and itself; settings of other stages reach it through the params alone."""
    others = {f"pipeline.{other}" for other in STAGES if other != name}
    found = set(imports(ROOT / "pipeline" / name))
    assert not [module for module in found if any(module == o or module.startswith(f"{o}.") for o in others)]


def test_the_committed_params_are_the_composed_defaults() -> None:
    """params.yaml in git is what conf/ composes to, so that a fresh clone's `dvc repro` runs the defaults."""
    committed = subprocess.run(
        ["git", "show", "HEAD:params.yaml"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert committed.stdout == OmegaConf.to_yaml(compose_config(ROOT, []))


# where work runs is composed apart, see test_command_cluster.py
@pytest.mark.parametrize(("group", "option"), [option for option in OPTIONS if option[0] != "cluster"])
def test_every_shipped_option_composes_and_is_valid(
    group: str, option: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each file of conf/ gives a configuration that passes every check of its values."""
    (tmp_path / "images").mkdir()
    monkeypatch.setenv("ATLAS_REAL_DATA", str(tmp_path))
    override = f"+{group}={option}" if group == "experiment" else f"{group}={option}"
    params = parse_params(OmegaConf.to_container(compose_config(ROOT, [override, *ASKS.get(f"{group}/{option}", [])])))
    assert params.layers


@pytest.mark.parametrize("section", [*STAGES, "model", "selection"])
def test_every_default_is_written_in_conf(section: str) -> None:
    """Composed defaults name every setting of a section, so that conf/ is the one place to look them up."""
    composed = OmegaConf.to_container(compose_config(ROOT, []))
    assert isinstance(composed, dict)
    settings = Params.model_fields[section].annotation
    assert settings is not None
    assert set(composed[section]) == set(settings.model_fields)


def test_dvc_composes_what_atlas_run_composes(tmp_path: Path) -> None:
    """`dvc exp run` and `atlas run` write the same params.yaml, the folder's fingerprint in it."""
    (tmp_path / "images").mkdir()
    overrides = ["images=image_folder", f"images.root={tmp_path / 'images'}", "render.steps=7"]
    dvc = configparser.ConfigParser()
    dvc.read(ROOT / ".dvc" / "config")
    hydra = dvc["hydra"]
    compose_and_dump(
        tmp_path / "by-dvc.yaml",
        str(ROOT / hydra["config_dir"]),
        None,
        hydra["config_name"],
        str(ROOT / hydra["plugins_path"]),
        overrides,
    )
    by_atlas = write_params(tmp_path, compose_config(ROOT, overrides))
    assert (tmp_path / "by-dvc.yaml").read_text() == by_atlas.read_text()
    assert "fingerprint: null" not in by_atlas.read_text()
