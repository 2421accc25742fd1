"""Every command of the README and the documentation does what it says, at a tiny size.

Commands of ``atlas run`` and ``atlas plan`` are composed and checked as before a run; the README's three steps are run
to the end once. What needs a network connection, a GPU or a machine of its own is said in the tables below.
"""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from dvc.cli.parser import get_main_parser
from omegaconf import OmegaConf
from PIL import Image
from safetensors.torch import save_file
from torchvision.models import resnet18

from pipeline.__main__ import _parser, main
from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_cluster, compose_config, write_params
from pipeline.config.cluster import parse_cluster
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import GRID
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.notebook import stop
from pipeline.plan.check import check_run
from pipeline.stages import STAGES
from tests.docs.markdown import PAGES, ROOT, blocks

# programs that are not the project's: why their commands are not run here
OTHER_PROGRAMS = {
    "cd": "a part of the steps that are run below",
    "source": "activates the environment that the tests run in",
    "export": "a variable of a worker's shell",
    "uv": "installs the package; tests/test_project.py installs the wheel without downloads",
    "pip": "likewise",
    "python": "makes an environment, or downloads published weights",
    "dask": "starts workers on other machines; tests/test_command_cluster.py starts them here",
}
# what is only composed, by words of the command: why it is not checked
ONLY_COMPOSED = {
    "images=torchvision": "downloads the dataset; tests/test_every_config.py runs one that needs none",
    "device=cuda": "needs a GPU",
    "cluster=address": "needs a scheduler; tests/test_command_cluster.py starts one",
    "+experiment=imagenet": "needs ImageNet",
}
# packages that only the tests' machine may have, by words of the command
PACKAGES = {"timm.": "timm", "hugging_face.": "transformers", "image_tower.": "transformers"}
TINY_IMAGES = {"images.count=60": ("images=", "images._target_", "+experiment=")}  # unless one of these is given
TINY_NETWORK = "model.preprocessing={resize: 64, crop: 64}"
# smaller members of the families of large networks, by name
SMALL: Mapping[str, Mapping[str, object]] = {
    "model.name=vit_b_16": {
        "_target_": "torchvision.models.VisionTransformer",
        "image_size": 64,
        "patch_size": 8,
        "num_layers": 12,
        "num_heads": 3,
        "hidden_dim": 48,
        "mlp_dim": 96,
    },
    "model.name=swin_t": {
        "_target_": "torchvision.models.SwinTransformer",
        "patch_size": [4, 4],
        "embed_dim": 24,
        "depths": [2, 2, 6],
        "num_heads": [2, 2, 2],
        "window_size": [4, 4],
    },
}
RANDOM = ("timm.", "encoders.detector")  # whose files of weights are not made here
TINY_RUN = (
    *("layers=[layer2]", "sample.positions_per_image=4", "grid.levels=[2,4]", "grid.min_count=2", "reduce=pca"),
    *("render.steps=2", "render.warm_steps=1", "render.size=16", "predict.samples=8", "predict.cells=2"),
    *("predict.images=2", "predict.resamples=10"),
)
# what the check tries out; the rest of the settings are composed anew for every command
CHECKED: dict[str, bool | set[str]] = {
    **dict.fromkeys(("images", "model", "judge", "layers", "atlases", "sample"), True),
    "place": {"images"},
    "site": {"bookmarks"},
    "units": {"channels"},
    "explain": {"images", "classes", "units", "layers"},
}
LAYER, LEVEL = "layer2", 4
TOKENS = {"image_size": 64, "patch_size": 8, "hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 3}


@dataclass(frozen=True)
class Command:
    """A command of a page: its words, with ``$HOME`` as it is written."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def documented(text: str, page: str) -> Iterator[Command]:
    """The commands of a block of shell lines, without comments and variables before them."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            one = words[:end]
            while one and re.match(r"[A-Z_]+=", one[0]):
                one.pop(0)
            yield Command(page, tuple(one))
            words = words[end + 1 :]


COMMANDS = [
    command
    for page in PAGES
    for block in blocks(page)
    if block.language == "sh"
    for command in documented(block.text, str(page.relative_to(ROOT)))
]
RUNS = [command for command in COMMANDS if command.words[:2] in (("atlas", "run"), ("atlas", "plan"))]


def test_commands_are_read() -> None:
    """Continued lines, comments, variables and several commands in a line; the pages have many of them."""
    text = "A=1 atlas run \\\n  'x=[1, 2]' # note\n\n# note\npython -m venv env && source env/bin/activate\n"
    assert [command.words for command in documented(text, "")] == [
        ("atlas", "run", "x=[1, 2]"),
        ("python", "-m", "venv", "env"),
        ("source", "env/bin/activate"),
    ]
    assert len(COMMANDS) > 50
    assert len(RUNS) > 20


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_command_can_be_parsed(command: Command) -> None:
    """The program takes these words, or has a reason above; a target of make and a stage of DVC exist."""
    program, *words = command.words
    if program == "atlas":
        _parser().parse_args(words)
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    elif program == "dvc":  # tests/test_dvc.py runs such commands
        parsed = get_main_parser().parse_args(words)
        stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
        assert {target.partition("@")[0] for target in getattr(parsed, "targets", None) or []} <= set(stages)
    else:
        assert OTHER_PROGRAMS[program]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with the files that the pages name: photographs, the pages' own Python and YAML, weights, classes."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.chdir(home)
        assert main(["init", "cats"]) == 0
        folder = home / "cats"
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        before = set(sys.modules)
        for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (24, 40, 40, 3), np.uint8)):
            name = ("cat", "dog")[number % 2]
            for place in (f"photos/{name}/{number}.png", f"other-photos/{number}.png", f"numbered/{name}_{number}.png"):
                (home / place).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(home / place)
        write_files(folder)
        write_weights(home)
        yield folder
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


def write_files(folder: Path) -> None:
    """The files of the pages: a block of Python that begins with a name, and the tutorial's experiment."""
    for page in PAGES:
        for block in blocks(page):
            found = re.match(r"# (\w+\.py)\n", block.text)
            if block.language == "python" and found:
                (folder / found[1]).write_text(block.text)
            elif block.language == "yaml":
                text = block.text.replace("/home/me", str(folder.parent))
                (folder / "conf" / "experiment" / "mine.yaml").write_text(text)


def write_weights(home: Path) -> None:
    """Files of weights as other programs write them, and the names of classes."""
    twelve, ten = resnet18(num_classes=12), resnet18(num_classes=10)
    save_file(twelve.state_dict(), home / "my.safetensors")
    state = {f"model.{name}": value for name, value in ten.state_dict().items()}
    torch.save({"epoch": 3, "pytorch-lightning_version": "2.5.0", "state_dict": state}, home / "last.ckpt")
    (home / "classes.txt").write_text("".join(f"class {number}\n" for number in range(12)))
    (home / "cats" / "classes.txt").write_text("cat\ndog\nbird\n")
    encoders = import_module("encoders")  # of the recipes
    torch.save(encoders.resnet().state_dict(), home / "encoder.pth")
    if find_spec("transformers") is not None:
        write_hugging_face(home)


def write_hugging_face(home: Path) -> None:
    """Small networks of transformers, saved as the recipes save real ones."""
    library = import_module("transformers")
    vit = library.ViTForImageClassification(library.ViTConfig(num_hidden_layers=10, **TOKENS))
    vit.config.save_pretrained(home / "vit")
    torch.save(vit.state_dict(), home / "vit" / "weights.pth")
    library.CLIPVisionConfig(num_hidden_layers=10, projection_dim=16, **TOKENS).save_pretrained(home / "clip")
    tower = import_module("image_tower").ImageTower(str(home / "clip"), 3)  # of the recipes
    torch.save(tower.state_dict(), home / "clip" / "tower.pth")


def tiny(words: tuple[str, ...]) -> list[str]:
    """The overrides of a command with those that make it tiny."""
    found = [os.path.expandvars(word) for word in words if not word.startswith("model.preprocessing=")]
    for override, others in TINY_IMAGES.items():
        if not any(word.startswith(others) for word in found):
            found.append(override)
    if any(word.startswith(("model=torchvision", "+experiment=mine", "+experiment=efficient")) for word in found):
        found.append(TINY_NETWORK)
    for name in SMALL.keys() & set(found):
        found += [f"++model.architecture.{key}={value}" for key, value in SMALL[name].items()]
    given = any(word.startswith("model.weights=") for word in found)
    if ("model=torchvision" in found and not given) or any(part in word for word in found for part in RANDOM):
        found.append("model.weights=random")  # published ones would be downloaded
    if any("timm." in word for word in found):
        found.append("+model.architecture.num_classes=1000")
    return found


def composed(words: tuple[str, ...]) -> Params:
    """The settings of a command."""
    options = _parser().parse_args(list(words[1:]))
    cluster, overrides = compose_cluster(Path.cwd(), tiny(tuple(options.overrides)))
    if cluster is not None:
        parse_cluster(OmegaConf.to_container(cluster))
    absent = ["++images.fingerprint=null"] if getattr(options, "images", None) else []
    return parse_params(OmegaConf.to_container(compose_config(Path.cwd(), [*overrides, *absent])))


@pytest.mark.parametrize("command", RUNS, ids=str)
def test_every_run_passes_the_check(command: Command, project: Path, checked: set[str]) -> None:
    """Its settings are composed, and images, network, weights, layers, classes and bookmarks pass the check.

    A check that another command's settings have passed is not repeated.
    """
    del project
    text = shlex.join(command.words)
    if "+experiment=imagenet_sample" in text and not os.environ.get("ATLAS_REAL_DATA"):
        pytest.skip("no real network and photographs; set ATLAS_REAL_DATA")
    params = composed(command.words)
    if any(words in text for words in ONLY_COMPOSED):
        return
    for words, package in PACKAGES.items():
        if words in text and find_spec(package) is None:
            pytest.skip(f"needs {package}: uv sync --inexact --group networks, or pip install {package}")
    key = params.model_dump_json(include=CHECKED, exclude={"model": {"name"}})
    if key not in checked:
        check_run(params, OUTPUTS)
        checked.add(key)


@pytest.fixture(scope="module")
def checked() -> set[str]:
    """The settings that have passed the check."""
    return set()


@pytest.fixture(scope="module")
def atlas(project: Path) -> Path:
    """The project after the README's run, in this process and at a tiny size."""
    (command,) = (command for command in RUNS if command.page == "README.md" and "my_network" in str(command))
    config = compose_config(project, [*tiny(command.words[2:]), *TINY_RUN])
    write_params(project, config)
    params = parse_params(OmegaConf.to_container(config))
    for stage in STAGES.values():
        for chosen in product(*(getattr(params, many) for many in stage.over.values())):
            run_stage(stage.name, [f"{key}={value}" for key, value in zip(stage.over, chosen, strict=True)])
    return project


def test_the_readme_leads_to_a_site(atlas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its steps end with a site that ``atlas browse`` serves and ``atlas export`` copies."""
    assert (atlas / "outputs/site/index.html").is_file()
    served: list[Path] = []
    monkeypatch.setattr("pipeline.browse.browse", lambda site, *_: served.append(site))
    assert main(["browse"]) == 0
    assert served == [atlas / "outputs/site"]
    assert main(["export", "../public"]) == 0
    assert (atlas.parent / "public" / "index.html").is_file()


def test_commands_on_a_finished_run(atlas: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stage by hand and the provenance of an icon, as the pages write them."""
    cell = ",".join(map(str, drawn_cell(atlas)))
    changed = {"mixed4a": LAYER, "level=20": f"level={LEVEL}", "cell=3,7": f"cell={cell}"}
    for name in ("reduce", "provenance"):
        (command,) = (command for command in COMMANDS if command.words[:2] == ("atlas", name))
        words = shlex.join(command.words[1:])
        for old, new in changed.items():
            words = words.replace(old, new)
        assert main(shlex.split(words)) == 0
    assert LAYER in capsys.readouterr().out


def drawn_cell(project: Path) -> tuple[int, int]:
    """(row, column) of a cell with an icon."""
    cells = level(open_artifact(GRID, GRID.path(project / OUTPUTS, LAYER, "all")), LEVEL)
    row, column = array(cells, "cell")[:][array(cells, "drawn")[:]][0]
    return int(row), int(column)


@pytest.mark.parametrize("page", ["docs/artifacts.md", "docs/api.md", "docs/browse.md"])
def test_python_for_notebooks_runs(page: str, atlas: Path) -> None:
    """The blocks of Python that are no files run on a finished run, and give what they say."""
    given: dict[str, object] = {}
    for block in blocks(ROOT / page):
        if block.language == "python":
            exec(block.text.replace("mixed4a", LAYER).replace('["20"]', f'["{LEVEL}"]'), given)  # noqa: S102  # our page
    stop()
    assert given
    if page == "docs/api.md":
        icon_of = given["icon_of"]
        assert callable(icon_of)
        assert icon_of(LAYER, LEVEL, *drawn_cell(atlas)).size == (16, 16)
